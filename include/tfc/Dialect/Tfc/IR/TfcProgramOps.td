//===- TfcProgramOps.td - Weights, launches, entry points -----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_TFCPROGRAMOPS
#define TFC_DIALECT_TFC_IR_TFCPROGRAMOPS

include "mlir/IR/SymbolInterfaces.td"
include "tfc/Dialect/Tfc/IR/TfcOpBase.td"

def Tfc_WeightOp : Tfc_Op<"weight", [Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "names bytes: a tensor whose contents stand elsewhere";
  let description = [{
    `source` says where the bytes are: `#tfc.file<path, offset, bytes>`, `#tfc.seed<...>`, a small dense value, or
    `#tfc.stack<[@a, @b]>`: other weights, one behind the other.
    `layout` says how they are read; without it they stand in row-major order of the type. A cast to the type's
    element type is implied where `source_element` differs from it.

    (C1) the type has static dims and no encoding. (C2) the source holds the elements that the layout reads. (C3)
    the layout and its bounds have one stride per dim; extents are not negative. (C4) a dense source has as many elements as the type.
    (C5) the parts of a stack exist, are no stacks, have the type's element type and its dims but for the first, which add up; a
    stack has no layout.

    ```mlir
    tfc.weight @w : tensor<768x3072xf32> = #tfc.file<"model.onnx", 4096, 9437184>
    tfc.weight @wt : tensor<3072x768xf32> = #tfc.file<"model.onnx", 4096, 9437184> layout <0, [1, 3072]>
    tfc.weight @ab : tensor<128x64xf32> = #tfc.stack<[@a, @b]>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Tfc_Tensor>:$type, AnyAttr:$source, OptionalAttr<Tfc_LayoutAttr>:$layout,
                   OptionalAttr<TypeAttr>:$source_element);
  let assemblyFormat = "$sym_name `:` $type `=` $source (`layout` $layout^)? (`as` $source_element^)? attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    RankedTensorType getTensorType() { return cast<RankedTensorType>(getType()); }
    /// Element type of the source's bytes.
    Type getSourceElementType() { return getSourceElement() ? *getSourceElement() : getTensorType().getElementType(); }
    /// The weights that a stack is made of; none for other sources.
    ArrayRef<FlatSymbolRefAttr> getParts() {
      auto stack = dyn_cast<StackedSourceAttr>(getSource());
      return stack ? stack.getParts() : ArrayRef<FlatSymbolRefAttr>();
    }
  }];
}

def Tfc_WeightRefOp : Tfc_Op<"weight_ref", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the tensor that a tfc.weight names";
  let description = [{
    (C1) the weight exists and has this type.
  }];
  let arguments = (ins FlatSymbolRefAttr:$weight);
  let results = (outs Tfc_Tensor:$y);
  let assemblyFormat = "$weight attr-dict `:` type($y)";
}

def Tfc_ExternCallOp : Tfc_Op<"extern_call"> {
  let summary = "an operator the compiler does not know; the host provides it";
  let arguments = (ins StrAttr:$callee, Variadic<Tfc_Tensor>:$inputs, DictionaryAttr:$node_attributes);
  let results = (outs Variadic<Tfc_Tensor>:$outputs);
  let assemblyFormat = "$callee `(` $inputs `)` $node_attributes attr-dict `:` functional-type($inputs, $outputs)";
}

def Tfc_LaunchOp : Tfc_Op<"launch", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "runs every tile of a kernel";
  let description = [{
    The kernel is a private func.func with the attribute `tfc.kernel`, on tensors. Its i-th local symbol (the names
    listed in its `tfc.symbols`) has the value of the i-th expression in `symbols`. After `tfc-plan-memory`, `places` says where
    each result lies. `nodes` are the names of the graph's nodes it came from, `checks` the texts of its checked indices
    in the order of the kernel's body.

    (C1) the kernel exists, is a func.func with `tfc.kernel`. (C2) operand and result types are the kernel's with
    local symbols replaced. (C3) one expression per local symbol. (C4) places, if any, are one per result, each of an output or a slot that there is.

    ```mlir
    %y = tfc.launch @k_gelu(%x) symbols [batch, seq] nodes ["gelu_0"] : (...) -> ...
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<Tfc_Tensor>:$inputs, Tfc_DimExprArrayAttr:$symbols, StrArrayAttr:$nodes,
                   OptionalAttr<StrArrayAttr>:$checks, OptionalAttr<ArrayAttr>:$places);
  let results = (outs Variadic<Tfc_Tensor>:$outputs);
  let assemblyFormat = [{
    $kernel `(` $inputs `)` `symbols` custom<DimExprList>($symbols) `nodes` $nodes (`checks` $checks^)?
    (`places` $places^)? attr-dict `:` functional-type($inputs, $outputs)
  }];
  let hasVerifier = 1;
}

def Tfc_EntryOp : Tfc_Op<"entry", [Symbol]> {
  let summary = "everything the descriptor of an entry point says; made by tfc-lower-host-program";
  let description = [{
    After host lowering, main is an llvm.func and this op keeps what the runtime must know: all as one dictionary
    whose fields are documented in docs/RuntimeABI.md ("The entry dictionary").
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, DictionaryAttr:$abi);
  let assemblyFormat = "$sym_name $abi attr-dict";
}

#endif // TFC_DIALECT_TFC_IR_TFCPROGRAMOPS
