//===- BuildOp.cpp - Building ops from data that is not trusted -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/BuildOp.h"

#include "ConstantTensor.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace mlir::tfc;

/// Creates the op without inserting it; null after a diagnostic.
static Operation *createChecked(Location loc, OperationName name, ValueRange operands,
                                ArrayRef<NamedAttribute> attributes, TypeRange resultTypes) {
  MLIRContext *context = loc.getContext();
  OperationState state(loc, name);
  state.addOperands(operands);
  state.addTypes(resultTypes);
  NamedAttrList list(attributes);
  DictionaryAttr dictionary = list.getDictionary(context);
  // Built without result types first: the properties are then parsed and checked against the ODS definition.
  auto *inference = name.getInterface<InferTypeOpInterface>();
  if (resultTypes.empty() && inference) {
    OperationState probe(loc, name);
    probe.addOperands(operands);
    probe.attributes = dictionary;
    Operation *holder = Operation::create(probe);
    LogicalResult inferred = inference->inferReturnTypes(context, loc, operands, dictionary, holder->getPropertiesStorage(),
                                                         holder->getRegions(), state.types);
    holder->destroy();
    if (failed(inferred))
      return nullptr;
  }
  state.attributes = dictionary;
  return Operation::create(state);
}

FailureOr<SmallVector<Value>> mlir::tfc::buildOp(OpBuilder &builder, Location loc, StringRef name, ValueRange operands,
                                                 ArrayRef<NamedAttribute> attributes, TypeRange resultTypes) {
  std::optional<RegisteredOperationName> registered = RegisteredOperationName::lookup(name, builder.getContext());
  if (!registered) {
    emitError(loc) << "operation '" << name << "' is not registered";
    return failure();
  }
  Operation *op = createChecked(loc, *registered, operands, attributes, resultTypes);
  if (!op)
    return failure();
  if (failed(verify(op))) {
    op->destroy();
    return failure();
  }
  builder.insert(op);
  SmallVector<Value> folded;
  if (succeeded(builder.tryFold(op, folded)) && folded.size() == op->getNumResults() && !folded.empty()) {
    op->erase();
    return folded;
  }
  return SmallVector<Value>(op->getResults());
}

std::optional<SmallVector<DimExprAttr>> mlir::tfc::matchDimValues(Value value, size_t limit) {
  Attribute attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return std::nullopt;
  std::optional<ConstantTensor> tensor = ConstantTensor::load(attribute);
  if (!tensor || !tensor->type.getElementType().isInteger() || tensor->elements.size() > limit)
    return std::nullopt;
  SmallVector<DimExprAttr> values;
  for (const ConstantElement &element : tensor->elements)
    values.push_back(element.asDim(value.getContext()));
  return values;
}

std::optional<SmallVector<int64_t>> mlir::tfc::matchIntegers(Value value, size_t limit) {
  std::optional<SmallVector<DimExprAttr>> exprs = matchDimValues(value, limit);
  if (!exprs)
    return std::nullopt;
  SmallVector<int64_t> integers;
  for (DimExprAttr expr : *exprs) {
    std::optional<int64_t> constant = expr.getConstant();
    if (!constant)
      return std::nullopt;
    integers.push_back(*constant);
  }
  return integers;
}

Value mlir::tfc::buildDimValues(OpBuilder &builder, Location loc, ArrayRef<DimExprAttr> values, RankedTensorType type) {
  ConstantTensor tensor{type, {}};
  for (DimExprAttr value : values)
    tensor.elements.push_back(ConstantElement::ofDim(value));
  Attribute attribute = tensor.store();
  if (!attribute)
    return {};
  return builder.getContext()
      ->getLoadedDialect<TfcDialect>()
      ->materializeConstant(builder, attribute, type, loc)
      ->getResult(0);
}
