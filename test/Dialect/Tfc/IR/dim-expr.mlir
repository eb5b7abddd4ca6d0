// Expressions have one form, whatever the text they came from; equal dims print alike.
// RUN: tfc-opt %s | FileCheck %s
// RUN: tfc-opt %s | tfc-opt | FileCheck %s

// CHECK-LABEL: @sums_and_products
// CHECK-SAME: #tfc.dims<a * b + 2 * a + b + 3>
func.func private @sums_and_products(tensor<?xf32, #tfc.dims<3 + b + a + b * a + a>>)

// CHECK-LABEL: @parentheses
// CHECK-SAME: #tfc.dims<a * a + 2 * a * b + b * b>
func.func private @parentheses(tensor<?xf32, #tfc.dims<(a + b) * (b + a)>>)

// CHECK-LABEL: @what_cancels_is_static
// CHECK-SAME: tensor<4x?xf32, #tfc.dims<4, n>>
func.func private @what_cancels_is_static(tensor<4x?xf32, #tfc.dims<a - a + 4, n>>)

// CHECK-LABEL: @names_in_quotes
// CHECK-SAME: #tfc.dims<"", "a b", "true", "1st", "\22\0A", min, i32, "\C3\A9">
func.func private @names_in_quotes(tensor<?x?x?x?x?x?x?x?xf32, #tfc.dims<"", "a b", "true", "1st", "\22\n", min, i32, "é">>)

// CHECK-LABEL: @division_takes_out_multiples
// CHECK-SAME: #tfc.dims<a + floordiv(b + 3, 4), mod(b, 4), b>
func.func private @division_takes_out_multiples(tensor<?x?x?xf32, #tfc.dims<floordiv(4 * a + b + 3, 4), mod(b + 8, 4), floordiv(a * b, a)>>)

// A division by zero has no value; it is no number either.
// CHECK-LABEL: @division_by_zero
// CHECK-SAME: #tfc.dims<floordiv(5, 0), mod(a, 0)>
func.func private @division_by_zero(tensor<?x?xf32, #tfc.dims<floordiv(5, 0), mod(a, 0)>>)

// CHECK-LABEL: @extrema
// CHECK-SAME: #tfc.dims<a, a + 1, min(a, b), max(a, 4)>
func.func private @extrema(tensor<?x?x?x?xf32, #tfc.dims<min(a, a + 1), max(a, a + 1), min(b, a), max(4, a)>>)

// Exporters write the largest integer for "to the end".
// CHECK-LABEL: @min_with_the_largest_integer
// CHECK-SAME: #tfc.dims<a>
func.func private @min_with_the_largest_integer(tensor<?xf32, #tfc.dims<min(a, 9223372036854775807)>>)

// CHECK-LABEL: @broadcasts
// CHECK-SAME: #tfc.dims<a, a, broadcast(broadcast(a, b), c), 4>
func.func private @broadcasts(tensor<?x?x?x4xf32, #tfc.dims<broadcast(a, 1), broadcast(a, a), broadcast(c, broadcast(b, broadcast(a, c))), broadcast(a, 4)>>)

// A symbol is a length and counts from the front; a difference may be negative.
// CHECK-LABEL: @wraps
// CHECK-SAME: #tfc.dims<a, b + -2, wrap(a + -1, b)>
func.func private @wraps(tensor<?x?x?xf32, #tfc.dims<wrap(a, b), wrap(-2, b), wrap(a - 1, b)>>)

// x[-a:] of a elements is all of x; of b elements it is not.
// CHECK-LABEL: @last_of_as_many
// CHECK-SAME: #tfc.dims<a, b + -1 * min(b, max(0, wrap(-1 * a, b)))>
func.func private @last_of_as_many(tensor<?x?xf32, #tfc.dims<a - min(a, max(0, wrap(-1 * a, a))), b - min(b, max(0, wrap(-1 * a, b)))>>)

// CHECK-LABEL: @overflow_saturates
// CHECK-SAME: #tfc.dims<9223372036854775807 * a, -9223372036854775808 * a>
func.func private @overflow_saturates(tensor<?x?xf32, #tfc.dims<4611686018427387904 * 4 * a, -4611686018427387904 * 4 * a>>)
