// RUN: tfc-opt %s --tfc-grow-in-place --split-input-file | FileCheck %s

// The present is the past with rows behind it: who writes it, and who reads it, knows of the room. Two such results of one length share it.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: -> ({{.*}} {tfc.alias = "past", tfc.name = "present", tfc.room = "room1", tfc.room_axis = 1 : i64},
// CHECK-SAME: {tfc.alias = "past_value", tfc.name = "present_value", tfc.room = "room1", tfc.room_axis = 1 : i64}, tensor<
func.func @main(%past: tensor<2x?x4xf32, #tfc.dims<2, room, 4>> {tfc.name = "past"}, %value: tensor<2x?x4xf32, #tfc.dims<2, room, 4>> {tfc.name = "past_value"},
                %new: tensor<?x2x4xf32, #tfc.dims<n, 2, 4>>)
    -> (tensor<2x?x4xf32, #tfc.dims<2, n + room, 4>> {tfc.name = "present"}, tensor<2x?x4xf32, #tfc.dims<2, n + room, 4>> {tfc.name = "present_value"},
        tensor<2x?x4xf32, #tfc.dims<2, n + room, 4>>) attributes {tfc.entry} {
  // CHECK: %[[PRESENT:.*]] = tfc.launch @concat_in_place(%{{.*}}, %{{.*}}) symbols [room, n, room1]
  %0 = tfc.launch @concat(%past, %new) symbols [room, n] nodes ["K"] : (tensor<2x?x4xf32, #tfc.dims<2, room, 4>>, tensor<?x2x4xf32, #tfc.dims<n, 2, 4>>)
      -> tensor<2x?x4xf32, #tfc.dims<2, n + room, 4>>
  // CHECK: tfc.launch @concat_in_place(%{{.*}}, %{{.*}}) symbols [room, n, room1]
  %1 = tfc.launch @concat(%value, %new) symbols [room, n] nodes ["V"] : (tensor<2x?x4xf32, #tfc.dims<2, room, 4>>, tensor<?x2x4xf32, #tfc.dims<n, 2, 4>>)
      -> tensor<2x?x4xf32, #tfc.dims<2, n + room, 4>>
  // What reads something else keeps its kernel.
  // CHECK: tfc.launch @neg_in_place(%[[PRESENT]]) symbols [n + room, room1]
  // CHECK: tfc.launch @neg(%{{.*}}) symbols [n + room]
  %2 = tfc.launch @neg(%0) symbols [n + room] nodes ["N"] : (tensor<2x?x4xf32, #tfc.dims<2, n + room, 4>>) -> tensor<2x?x4xf32, #tfc.dims<2, n + room, 4>>
  %3 = tfc.launch @neg(%2) symbols [n + room] nodes ["M"] : (tensor<2x?x4xf32, #tfc.dims<2, n + room, 4>>) -> tensor<2x?x4xf32, #tfc.dims<2, n + room, 4>>
  return %0, %1, %3 : tensor<2x?x4xf32, #tfc.dims<2, n + room, 4>>, tensor<2x?x4xf32, #tfc.dims<2, n + room, 4>>, tensor<2x?x4xf32, #tfc.dims<2, n + room, 4>>
}
// Nobody launches the old form any more.
// CHECK-NOT: func.func private @concat(
// CHECK-LABEL: func.func private @concat_in_place(
// CHECK-SAME: {tfc.layout = #tfc.dims<2, max(s0, s2), 4>}
// CHECK-SAME: {tfc.layout = #tfc.dims<2, max(s0 + s1, s2), 4>}
// CHECK-SAME: tfc.bytes = #tfc.expr<-64 * s0 * min(s2, 1) + 64 * s0 + 64 * s1>
// CHECK-SAME: tfc.moved_rows = #tfc.expr<-1 * s0 * min(s2, 1) + s0>
// CHECK-SAME: tfc.symbols = ["s0", "s1", "s2"]
func.func private @concat(%past: tensor<2x?x4xf32, #tfc.dims<2, s0, 4>>, %new: tensor<?x2x4xf32, #tfc.dims<s1, 2, 4>>) -> tensor<2x?x4xf32, #tfc.dims<2, s0 + s1, 4>>
    attributes {tfc.kernel, tfc.symbols = ["s0", "s1"], tfc.bytes = #tfc.expr<0>} {
  %0 = tfc.transpose %new [1, 0, 2] : tensor<?x2x4xf32, #tfc.dims<s1, 2, 4>>
  %1 = tfc.concat %past, %0 axis 1 : tensor<2x?x4xf32, #tfc.dims<2, s0, 4>>, tensor<2x?x4xf32, #tfc.dims<2, s1, 4>>
  return %1 : tensor<2x?x4xf32, #tfc.dims<2, s0 + s1, 4>>
}
// CHECK: func.func private @neg(%arg0: tensor<2x?x4xf32, #tfc.dims<2, s0, 4>>) ->
// CHECK: func.func private @neg_in_place(%arg0: tensor<2x?x4xf32, #tfc.dims<2, s0, 4>> {tfc.layout = #tfc.dims<2, max(s0, s1), 4>})
func.func private @neg(%x: tensor<2x?x4xf32, #tfc.dims<2, s0, 4>>) -> tensor<2x?x4xf32, #tfc.dims<2, s0, 4>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.neg %x : tensor<2x?x4xf32, #tfc.dims<2, s0, 4>>
  return %0 : tensor<2x?x4xf32, #tfc.dims<2, s0, 4>>
}

// -----

// New rows in front are no past: nothing changes. Neither where a reshape reads the present, nor where it is no result.
// CHECK-LABEL: func.func @not_behind(
// CHECK-NOT: in_place
// CHECK-NOT: tfc.room
func.func @not_behind(%past: tensor<?x4xf32, #tfc.dims<p, 4>>, %read: tensor<?x4xf32, #tfc.dims<p, 4>>, %inner: tensor<?x4xf32, #tfc.dims<p, 4>>, %new: tensor<?x4xf32, #tfc.dims<n, 4>>)
    -> (tensor<?x4xf32, #tfc.dims<n + p, 4>>, tensor<?x4xf32, #tfc.dims<n + p, 4>>, tensor<?xf32, #tfc.dims<4 * n + 4 * p>>, tensor<?x4xf32, #tfc.dims<n + p, 4>>) attributes {tfc.entry} {
  %n = tfc.launch @neg(%new) symbols [n] nodes ["N"] : (tensor<?x4xf32, #tfc.dims<n, 4>>) -> tensor<?x4xf32, #tfc.dims<n, 4>>
  %0 = tfc.launch @concat(%n, %past) symbols [n, p] nodes ["A"] : (tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<?x4xf32, #tfc.dims<p, 4>>) -> tensor<?x4xf32, #tfc.dims<n + p, 4>>
  %1 = tfc.launch @concat(%read, %new) symbols [p, n] nodes ["B"] : (tensor<?x4xf32, #tfc.dims<p, 4>>, tensor<?x4xf32, #tfc.dims<n, 4>>) -> tensor<?x4xf32, #tfc.dims<n + p, 4>>
  %2 = tfc.reshape %1 : tensor<?x4xf32, #tfc.dims<n + p, 4>> -> tensor<?xf32, #tfc.dims<4 * n + 4 * p>>
  %3 = tfc.launch @copy(%2) symbols [4 * n + 4 * p] nodes ["C"] : (tensor<?xf32, #tfc.dims<4 * n + 4 * p>>) -> tensor<?xf32, #tfc.dims<4 * n + 4 * p>>
  %4 = tfc.launch @concat(%inner, %new) symbols [p, n] nodes ["D"] : (tensor<?x4xf32, #tfc.dims<p, 4>>, tensor<?x4xf32, #tfc.dims<n, 4>>) -> tensor<?x4xf32, #tfc.dims<n + p, 4>>
  %5 = tfc.launch @neg(%4) symbols [n + p] nodes ["E"] : (tensor<?x4xf32, #tfc.dims<n + p, 4>>) -> tensor<?x4xf32, #tfc.dims<n + p, 4>>
  return %0, %1, %3, %5 : tensor<?x4xf32, #tfc.dims<n + p, 4>>, tensor<?x4xf32, #tfc.dims<n + p, 4>>, tensor<?xf32, #tfc.dims<4 * n + 4 * p>>, tensor<?x4xf32, #tfc.dims<n + p, 4>>
}
func.func private @concat(%a: tensor<?x4xf32, #tfc.dims<s0, 4>>, %b: tensor<?x4xf32, #tfc.dims<s1, 4>>) -> tensor<?x4xf32, #tfc.dims<s0 + s1, 4>>
    attributes {tfc.kernel, tfc.symbols = ["s0", "s1"]} {
  %0 = tfc.concat %a, %b axis 0 : tensor<?x4xf32, #tfc.dims<s0, 4>>, tensor<?x4xf32, #tfc.dims<s1, 4>>
  return %0 : tensor<?x4xf32, #tfc.dims<s0 + s1, 4>>
}
func.func private @copy(%x: tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s0>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.expand %x : tensor<?xf32, #tfc.dims<s0>> -> tensor<?xf32, #tfc.dims<s0>>
  return %0 : tensor<?xf32, #tfc.dims<s0>>
}
func.func private @neg(%x: tensor<?x4xf32, #tfc.dims<s0, 4>>) -> tensor<?x4xf32, #tfc.dims<s0, 4>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.neg %x : tensor<?x4xf32, #tfc.dims<s0, 4>>
  return %0 : tensor<?x4xf32, #tfc.dims<s0, 4>>
}

// -----

// One past of two presents stays apart from the second; an alias that the graph declares is kept.
// CHECK-LABEL: func.func @twice(
// CHECK-SAME: -> (tensor<?x4xf32, #tfc.dims<n + p, 4>>, tensor<?x4xf32, #tfc.dims<n + p, 4>> {tfc.alias = "other"})
// CHECK-NOT: in_place
func.func @twice(%past: tensor<?x4xf32, #tfc.dims<p, 4>> {tfc.name = "past"}, %other: tensor<?x4xf32, #tfc.dims<p, 4>> {tfc.name = "other"}, %new: tensor<?x4xi1, #tfc.dims<n, 4>>,
                 %rows: tensor<?x4xf32, #tfc.dims<n, 4>>, %bits: tensor<?x4xi1, #tfc.dims<p, 4>>)
    -> (tensor<?x4xf32, #tfc.dims<n + p, 4>>, tensor<?x4xf32, #tfc.dims<n + p, 4>> {tfc.alias = "other"}) attributes {tfc.entry} {
  %0 = tfc.launch @three(%past, %rows) symbols [p, n] nodes ["A"] : (tensor<?x4xf32, #tfc.dims<p, 4>>, tensor<?x4xf32, #tfc.dims<n, 4>>) -> tensor<?x4xf32, #tfc.dims<n + p, 4>>
  %1 = tfc.launch @concat(%past, %rows) symbols [p, n] nodes ["B"] : (tensor<?x4xf32, #tfc.dims<p, 4>>, tensor<?x4xf32, #tfc.dims<n, 4>>) -> tensor<?x4xf32, #tfc.dims<n + p, 4>>
  return %0, %1 : tensor<?x4xf32, #tfc.dims<n + p, 4>>, tensor<?x4xf32, #tfc.dims<n + p, 4>>
}
func.func private @concat(%a: tensor<?x4xf32, #tfc.dims<s0, 4>>, %b: tensor<?x4xf32, #tfc.dims<s1, 4>>) -> tensor<?x4xf32, #tfc.dims<s0 + s1, 4>>
    attributes {tfc.kernel, tfc.symbols = ["s0", "s1"]} {
  %0 = tfc.concat %a, %b axis 0 : tensor<?x4xf32, #tfc.dims<s0, 4>>, tensor<?x4xf32, #tfc.dims<s1, 4>>
  return %0 : tensor<?x4xf32, #tfc.dims<s0 + s1, 4>>
}
// A kernel that does more than append.
func.func private @three(%a: tensor<?x4xf32, #tfc.dims<s0, 4>>, %b: tensor<?x4xf32, #tfc.dims<s1, 4>>) -> tensor<?x4xf32, #tfc.dims<s0 + s1, 4>>
    attributes {tfc.kernel, tfc.symbols = ["s0", "s1"]} {
  %0 = tfc.neg %b : tensor<?x4xf32, #tfc.dims<s1, 4>>
  %1 = tfc.concat %a, %0 axis 0 : tensor<?x4xf32, #tfc.dims<s0, 4>>, tensor<?x4xf32, #tfc.dims<s1, 4>>
  return %1 : tensor<?x4xf32, #tfc.dims<s0 + s1, 4>>
}
