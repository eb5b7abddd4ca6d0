//===- TfcToLinalg.h - Patterns of the plain lowering ----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CONVERSION_TFCTOLINALG_TFCTOLINALG_H
#define TFC_CONVERSION_TFCTOLINALG_TFCTOLINALG_H

#include "mlir/IR/PatternMatch.h"

namespace mlir {
class TypeConverter;
namespace func {
class FuncOp;
} // namespace func
} // namespace mlir

namespace mlir::tfc {

/// One function per kind of work; each pattern lowers one op. All need a TfcTypeConverter.
void populateTfcToLinalgConstantPatterns(const TypeConverter &converter, RewritePatternSet &patterns);
void populateTfcToLinalgElementwisePatterns(const TypeConverter &converter, RewritePatternSet &patterns);
void populateTfcToLinalgContractionPatterns(const TypeConverter &converter, RewritePatternSet &patterns);
void populateTfcToLinalgNormalizationPatterns(const TypeConverter &converter, RewritePatternSet &patterns);
void populateTfcToLinalgReductionPatterns(const TypeConverter &converter, RewritePatternSet &patterns);
void populateTfcToLinalgScanPatterns(const TypeConverter &converter, RewritePatternSet &patterns);
void populateTfcToLinalgDataMovementPatterns(const TypeConverter &converter, RewritePatternSet &patterns);
void populateTfcToLinalgReshapePatterns(const TypeConverter &converter, RewritePatternSet &patterns);
void populateTfcToLinalgIndexPatterns(const TypeConverter &converter, RewritePatternSet &patterns);
void populateTfcToLinalgQuantizationPatterns(const TypeConverter &converter, RewritePatternSet &patterns);

/// Gives each op of CheckedIndexOpInterface its number (attribute `tfc.check`): its place among such ops in
/// the order of the body, the number that its `tfc.check_index` will carry.
void numberCheckedIndices(func::FuncOp function);

} // namespace mlir::tfc

#endif // TFC_CONVERSION_TFCTOLINALG_TFCTOLINALG_H
