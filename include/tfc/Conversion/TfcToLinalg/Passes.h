//===- Passes.h - Passes that lower tfc ops to linalg ----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CONVERSION_TFCTOLINALG_PASSES_H
#define TFC_CONVERSION_TFCTOLINALG_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir {
namespace arith {
class ArithDialect;
} // namespace arith
namespace func {
class FuncOp;
} // namespace func
namespace linalg {
class LinalgDialect;
} // namespace linalg
namespace math {
class MathDialect;
} // namespace math
namespace memref {
class MemRefDialect;
} // namespace memref
namespace scf {
class SCFDialect;
} // namespace scf
namespace tensor {
class TensorDialect;
} // namespace tensor
namespace vector {
class VectorDialect;
} // namespace vector

namespace tfc {
class TfcDialect;

#define GEN_PASS_DECL
#include "tfc/Conversion/TfcToLinalg/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "tfc/Conversion/TfcToLinalg/Passes.h.inc"

} // namespace tfc
} // namespace mlir

#endif // TFC_CONVERSION_TFCTOLINALG_PASSES_H
