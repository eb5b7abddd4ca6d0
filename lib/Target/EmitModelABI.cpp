//===- EmitModelABI.cpp - The descriptor of a model as LLVM constants ----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Target/EmitModelABI.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace {

/// Builds the constants. There is one function per struct of ModelABI.h, in the order of its fields;
/// `checked` compares the size of what was built with the C struct, so that a field that was added on one
/// side only is found at once.
class DescriptorBuilder {
public:
  DescriptorBuilder(Module &module, const tfc::ModelDescription &model,
                    const StringMap<Function *> &functions)
      : module(module), context(module.getContext()), model(model), functions(functions) {}

  Constant *buildModel();
  Error takeError() { return std::move(error); }

private:
  // Atoms.
  Constant *i8(uint64_t value) { return ConstantInt::get(Type::getInt8Ty(context), value); }
  Constant *i16(uint64_t value) { return ConstantInt::get(Type::getInt16Ty(context), value); }
  Constant *i32(int64_t value) { return ConstantInt::get(Type::getInt32Ty(context), uint32_t(value)); }
  Constant *i64(uint64_t value) { return ConstantInt::get(Type::getInt64Ty(context), value); }
  Constant *f64(double value) { return ConstantFP::get(Type::getDoubleTy(context), value); }
  Constant *null() { return ConstantPointerNull::get(PointerType::get(context, 0)); }
  Constant *pooled(Constant *initializer, const Twine &name);
  Constant *text(StringRef value);
  Constant *function(StringRef name);

  template <typename CStruct> Constant *checked(ArrayRef<Constant *> fields);
  /// Pointer to an array of what `build` makes of each element; null when there is none.
  template <typename Range, typename Build>
  Constant *arrayOf(const Range &elements, const Twine &name, Build build);

  // Structs.
  Constant *dataType(TfcDataType type);
  Constant *symbol(const tfc::SymbolDescription &symbol);
  Constant *expr(const tfc::ExprDescription &expr);
  Constant *port(const tfc::PortDescription &port);
  Constant *requirement(const tfc::RequirementDescription &requirement);
  Constant *launchTensor(const tfc::LaunchTensorDescription &tensor);
  Constant *launch(const tfc::LaunchDescription &launch);
  Constant *bind(const tfc::BindDescription &bind);
  Constant *entry(const tfc::EntryDescription &entry);
  Constant *kernel(const tfc::KernelDescription &kernel);
  Constant *seed(const TfcSeed &seed);
  Constant *layoutBound(const tfc::LayoutBoundDescription &bound);
  Constant *weight(const tfc::WeightDescription &weight);
  Constant *weights();
  Constant *embeddedSegment();
  Constant *coreApi();

  Constant *indices(ArrayRef<uint32_t> values, const Twine &name) {
    return arrayOf(values, name, [&](uint32_t value) { return i32(value); });
  }
  Constant *integers(ArrayRef<int64_t> values, const Twine &name) {
    return arrayOf(values, name, [&](int64_t value) { return i64(value); });
  }
  Constant *texts(ArrayRef<std::string> values, const Twine &name) {
    return arrayOf(values, name, [&](const std::string &value) { return text(value); });
  }

  Module &module;
  LLVMContext &context;
  const tfc::ModelDescription &model;
  const StringMap<Function *> &functions; ///< By the names that the description knows.
  StringMap<Constant *> textPool;
  Error error = Error::success();
};

} // namespace

/// A private constant with this contents.
Constant *DescriptorBuilder::pooled(Constant *initializer, const Twine &name) {
  auto *global = new GlobalVariable(module, initializer->getType(), /*isConstant=*/true,
                                    GlobalValue::PrivateLinkage, initializer, name);
  global->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
  return global;
}

Constant *DescriptorBuilder::text(StringRef value) {
  Constant *&known = textPool[value];
  if (!known)
    known = pooled(ConstantDataArray::getString(context, value, /*AddNull=*/true), "tfc.text");
  return known;
}

Constant *DescriptorBuilder::function(StringRef name) {
  if (Function *found = functions.lookup(name))
    return found;
  error =
      joinErrors(std::move(error), createStringError("the function '%s' has no body", name.str().c_str()));
  return null();
}

template <typename CStruct> Constant *DescriptorBuilder::checked(ArrayRef<Constant *> fields) {
  Constant *value = ConstantStruct::getAnon(context, fields);
  if (module.getDataLayout().getTypeAllocSize(value->getType()) != sizeof(CStruct))
    error = joinErrors(
        std::move(error),
        createStringError("the target lays out a struct of the model ABI differently from this machine"));
  return value;
}

template <typename Range, typename Build>
Constant *DescriptorBuilder::arrayOf(const Range &elements, const Twine &name, Build build) {
  SmallVector<Constant *> values;
  for (const auto &element : elements)
    values.push_back(build(element));
  if (values.empty())
    return null();
  return pooled(ConstantArray::get(ArrayType::get(values.front()->getType(), values.size()), values), name);
}

Constant *DescriptorBuilder::dataType(TfcDataType type) {
  return checked<TfcDataType>({i8(type.code), i8(type.bits), i16(type.lanes)});
}

Constant *DescriptorBuilder::symbol(const tfc::SymbolDescription &symbol) {
  return checked<TfcSymbol>(
      {text(symbol.name), i64(symbol.min), i64(symbol.max), i32(symbol.bornIn), i32(symbol.kind)});
}

Constant *DescriptorBuilder::expr(const tfc::ExprDescription &expr) {
  Constant *words = arrayOf(expr.words, "tfc.words", [&](const TfcExprWord &word) {
    return checked<TfcExprWord>({i64(word.op), i64(word.operand)});
  });
  return checked<TfcExpr>({words, i32(expr.words.size()), i32(expr.segment), text(expr.text)});
}

Constant *DescriptorBuilder::port(const tfc::PortDescription &port) {
  return checked<TfcPort>({text(port.name), dataType(port.dtype), i32(port.dims.size()),
                           indices(port.dims, "tfc.dims"), i32(port.alias), i32(port.hint),
                           i32(port.hintBound), i16(port.room), i16(port.roomAxis)});
}

Constant *DescriptorBuilder::requirement(const tfc::RequirementDescription &requirement) {
  return checked<TfcRequirement>(
      {i32(requirement.kind), i32(requirement.lhs), i32(requirement.rhs), i32(0), text(requirement.node)});
}

Constant *DescriptorBuilder::launchTensor(const tfc::LaunchTensorDescription &tensor) {
  return checked<TfcLaunchTensor>({text(tensor.name), indices(tensor.dims, "tfc.dims"), dataType(tensor.dtype), i32(tensor.dims.size())});
}

Constant *DescriptorBuilder::launch(const tfc::LaunchDescription &launch) {
  return checked<TfcLaunch>({i32(launch.kernel), i32(launch.tiles), i32(launch.scratch), i32(launch.flops),
                             i32(launch.bytes), i32(launch.nodes.size()), texts(launch.nodes, "tfc.nodes"),
                             texts(launch.checks, "tfc.checks"), i32(launch.checks.size()),
                             i32(launch.sources.size()), arrayOf(launch.sources, "tfc.sources", [&](int32_t source) { return i32(source); }),
                             arrayOf(llvm::concat<const tfc::LaunchTensorDescription>(launch.operands, launch.results), "tfc.tensors",
                                     [&](const auto &tensor) { return launchTensor(tensor); }),
                             i32(launch.operands.size()), i32(launch.results.size())});
}

Constant *DescriptorBuilder::bind(const tfc::BindDescription &bind) {
  return checked<TfcBind>(
      {indices(bind.symbols, "tfc.bound"), i32(bind.symbols.size()), i32(0), text(bind.node)});
}

Constant *DescriptorBuilder::entry(const tfc::EntryDescription &entry) {
  return checked<TfcEntry>(
      {text(entry.name),
       arrayOf(entry.symbols, "tfc.symbols", [&](const auto &element) { return symbol(element); }),
       arrayOf(entry.values, "tfc.values", [&](const auto &element) { return expr(element); }),
       arrayOf(entry.inputs, "tfc.inputs", [&](const auto &element) { return port(element); }),
       arrayOf(entry.outputs, "tfc.outputs", [&](const auto &element) { return port(element); }),
       arrayOf(entry.requirements, "tfc.requirements",
               [&](const auto &element) { return requirement(element); }),
       arrayOf(entry.launches, "tfc.launches", [&](const auto &element) { return launch(element); }),
       arrayOf(entry.binds, "tfc.binds", [&](const auto &element) { return bind(element); }),
       indices(entry.arenaBytes, "tfc.arena_bytes"), i32(entry.symbols.size()), i32(entry.values.size()),
       i32(entry.inputs.size()), i32(entry.outputs.size()), i32(entry.requirements.size()),
       i32(entry.launches.size()), i32(entry.binds.size()), i32(0), function(entry.run)});
}

Constant *DescriptorBuilder::kernel(const tfc::KernelDescription &kernel) {
  Constant *variants = arrayOf(kernel.variants, "tfc.variants", [&](const tfc::VariantDescription &variant) {
    return checked<TfcVariant>({i64(variant.features), function(variant.function)});
  });
  return checked<TfcKernel>({text(kernel.name), variants, i32(kernel.variants.size()), i32(0)});
}

Constant *DescriptorBuilder::seed(const TfcSeed &seed) {
  return checked<TfcSeed>(
      {i32(seed.kind), i32(0), i64(seed.seed), i64(seed.stream), f64(seed.mean), f64(seed.scale)});
}

Constant *DescriptorBuilder::layoutBound(const tfc::LayoutBoundDescription &bound) {
  return checked<TfcLayoutBound>({i64(bound.offset), i64(bound.extent), integers(bound.strides, "tfc.strides")});
}

Constant *DescriptorBuilder::weight(const tfc::WeightDescription &weight) {
  // A scalar's recipe has no strides; null would say the same, so nothing is lost.
  return checked<TfcWeight>({text(weight.name), dataType(weight.dtype), i32(weight.dims.size()),
                             integers(weight.dims, "tfc.shape"), i64(weight.offset), i64(weight.bytes),
                             i32(weight.seeded), i32(weight.layoutBounds.size()), seed(weight.seed),
                             i64(weight.layoutOffset), integers(weight.layoutStrides, "tfc.strides"),
                             arrayOf(weight.layoutBounds, "tfc.bounds",
                                     [&](const auto &element) { return layoutBound(element); })});
}

/// One page of zeros in a section of its own, which the linker puts last. After the link the page gives way
/// to the weights (see WeightSegment.h), so that neither LLVM nor the linker ever holds them.
Constant *DescriptorBuilder::embeddedSegment() {
  if (model.embeddedBytes == 0)
    return null();
  Type *type = ArrayType::get(Type::getInt8Ty(context), tfc::kWeightSegmentPage);
  auto *global = new GlobalVariable(module, type, /*isConstant=*/false, GlobalValue::ExternalLinkage,
                                    ConstantAggregateZero::get(type), tfc::kWeightSegmentSymbol);
  global->setVisibility(GlobalValue::HiddenVisibility);
  // For data far away LLVM chooses kWeightSegmentSection by itself; by name it would not be free of bytes in
  // the file.
  global->setCodeModel(CodeModel::Large);
  // The largest page of the targets that tfc knows besides x86-64 is 64 KB.
  uint64_t page = module.getTargetTriple().isX86() ? tfc::kWeightSegmentPage : 65536;
  global->setAlignment(Align(model.embeddedBytes >= tfc::kWorthLargePages ? tfc::kLargePage : page));
  return global;
}

Constant *DescriptorBuilder::weights() {
  Constant *table =
      arrayOf(model.weights, "tfc.weights", [&](const auto &element) { return weight(element); });
  auto *hashType = ArrayType::get(Type::getInt64Ty(context), 2);
  Constant *hash = ConstantArray::get(hashType, {i64(model.weightsHash[0]), i64(model.weightsHash[1])});
  Constant *file = model.weightsFile.empty() ? null() : text(model.weightsFile);
  return checked<TfcWeights>({i32(model.mode), i32(model.weights.size()), table, i64(model.weightBytes),
                              embeddedSegment(), i64(model.embeddedBytes), file, hash});
}

Constant *DescriptorBuilder::coreApi() {
  auto *api =
      new GlobalVariable(module, Type::getInt8Ty(context), /*isConstant=*/true, GlobalValue::ExternalLinkage,
                         /*Initializer=*/nullptr, tfc::kCoreApiSymbol);
  api->setVisibility(GlobalValue::HiddenVisibility);
  return api;
}

Constant *DescriptorBuilder::buildModel() {
  return checked<TfcModel>(
      {i32(TFC_ABI_MAGIC), i32(TFC_ABI_VERSION), i64(sizeof(TfcModel)), text(model.name),
       text("tfc 0.1.0, LLVM " LLVM_VERSION_STRING), text(module.getTargetTriple().str()),
       arrayOf(model.entries, "tfc.entries", [&](const auto &element) { return entry(element); }),
       arrayOf(model.kernels, "tfc.kernels", [&](const auto &element) { return kernel(element); }),
       i32(model.entries.size()), i32(model.kernels.size()), weights(), coreApi()});
}

/// Whatever is defined here is for the descriptor alone. A prefix that no C name has keeps a kernel called
/// "memcpy" or "tfc_core_api" from taking the place of the real one. Returns the functions by their old
/// names.
static StringMap<Function *> hideDefinitions(Module &module) {
  StringMap<Function *> functions;
  for (GlobalObject &object : module.global_objects()) {
    if (object.isDeclaration())
      continue;
    if (auto *function = dyn_cast<Function>(&object))
      functions[function->getName()] = function;
    if (object.hasLocalLinkage())
      continue;
    object.setName("tfc.code." + object.getName());
    object.setLinkage(GlobalValue::ExternalLinkage);
    object.setVisibility(GlobalValue::HiddenVisibility);
    object.setDSOLocal(true);
  }
  return functions;
}

static void emitQueryFunction(Module &module, StringRef name, Constant *descriptor) {
  LLVMContext &context = module.getContext();
  auto *type = FunctionType::get(PointerType::get(context, 0), /*isVarArg=*/false);
  Function *query = Function::Create(type, GlobalValue::ExternalLinkage, name, module);
  query->setDoesNotThrow();
  IRBuilder<> builder(BasicBlock::Create(context, "", query));
  builder.CreateRet(descriptor);
}

/// A C identifier, so that a header can declare it and any program can look it up.
static bool isIdentifier(StringRef name) {
  return !name.empty() && !llvm::isDigit(name.front()) &&
         all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

Error tfc::emitModelABI(Module &module, const ModelDescription &model, StringRef querySymbol) {
  if (!isIdentifier(querySymbol))
    return createStringError("'%s' cannot be the name of the query function: it is no C identifier",
                             querySymbol.str().c_str());
  StringMap<Function *> functions = hideDefinitions(module);
  for (StringRef reserved : {querySymbol, StringRef(kCoreApiSymbol), StringRef(kWeightSegmentSymbol)})
    if (module.getNamedValue(reserved))
      return createStringError("the module declares '%s', a name that the model ABI needs",
                               reserved.str().c_str());

  DescriptorBuilder builder(module, model, functions);
  Constant *descriptor = builder.buildModel();
  if (Error error = builder.takeError())
    return error;
  auto *global = new GlobalVariable(module, descriptor->getType(), /*isConstant=*/true,
                                    GlobalValue::InternalLinkage, descriptor, "tfc.model");
  emitQueryFunction(module, querySymbol, global);
  return Error::success();
}
