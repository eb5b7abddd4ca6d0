//===- TfcDialect.td - The tfc dialect ----------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_TFCDIALECT
#define TFC_DIALECT_TFC_IR_TFCDIALECT

include "mlir/IR/DialectBase.td"

def Tfc_Dialect : Dialect {
  let name = "tfc";
  let cppNamespace = "::mlir::tfc";
  let summary = "Transformer graphs on tensors with named symbolic dims";
  let description = [{
    Ops of this dialect say what a Transformer graph computes, at the level of the graph. Every tensor has a
    static rank. A tensor with a dim that is not known at compile time carries `#tfc.dims<...>` as its encoding,
    which gives each dim as an integer expression over named symbols:

    ```mlir
    tensor<?x?x768xf32, #tfc.dims<batch, past + seq, 768>>
    ```

    **Sizes are never operands.** What a reshape, slice, range or expand makes stands in its result type and its
    attributes as expressions of symbols. Where a size comes from data, `tfc.bind` reads it from a tensor and gives
    it a name; everything after it uses the name. Two dims are equal when their expressions are equal.

    The names of the source graph's nodes are kept as Locations (`loc("encoder/layer_0/MatMul")`).
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
    /// The files that `tfc.weight` ops of this context refer to, mapped on first use.
    ::tfc::WeightFiles &getWeightFiles();

  private:
    void registerAttributes();
    std::shared_ptr<::tfc::WeightFiles> weightFiles;

  public:
  }];
}

#endif // TFC_DIALECT_TFC_IR_TFCDIALECT
