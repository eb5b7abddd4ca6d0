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
#include "llvm/Support/MathExtras.h"

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
  Constant *graphWeight(const tfc::GraphWeightDescription &weight);
  Constant *weights(const tfc::WeightTableDescription &table);
  Constant *embeddedSegment();
  Constant *tensorMap(const TfcTensorMap &map);
  Constant *step(const tfc::StepDescription &step);
  Constant *deviceLaunch(const tfc::DeviceLaunchDescription &launch);
  Constant *program(const tfc::ProgramDescription &program);
  Constant *programCode(const tfc::ProgramDescription &program);
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
  GlobalVariable *segment = nullptr; ///< Of the weights that are embedded, of all tables.
  Error error = Error::success();
};

} // namespace

/// In front of the names of what is defined in the module.
static constexpr StringLiteral kHiddenPrefix = "tfc.code.";

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
  if (segment)
    return segment;
  Type *page = ArrayType::get(Type::getInt8Ty(context), tfc::kWeightSegmentPage);
  // The largest page of the targets that tfc knows besides x86-64 is 64 KB.
  bool isX86 = module.getTargetTriple().isX86();
  uint64_t bytes = model.embeddedBytes;
  for (const tfc::WeightTableDescription &table : model.moreWeights)
    bytes += table.embeddedBytes;
  uint64_t alignment = bytes >= tfc::kWorthLargePages ? tfc::kLargePage : isX86 ? tfc::kWeightSegmentPage : 65536;
  segment = new GlobalVariable(module, page, /*isConstant=*/false, GlobalValue::ExternalLinkage,
                               isX86 ? ConstantAggregateZero::get(page) : nullptr, tfc::kWeightSegmentSymbol);
  segment->setVisibility(GlobalValue::HiddenVisibility);
  if (isX86) {
    // For data far away LLVM chooses kWeightSegmentSection by itself; by name it would not be free of bytes in
    // the file.
    segment->setCodeModel(CodeModel::Large);
    segment->setAlignment(Align(alignment));
    return segment;
  }
  // Elsewhere only assembly can say so.
  module.appendModuleInlineAsm((".section " + tfc::kWeightSegmentSection + ",\"aw\",%nobits\n.hidden " + tfc::kWeightSegmentSymbol +
                                "\n.globl " + tfc::kWeightSegmentSymbol + "\n.p2align " + Twine(Log2_64(alignment)) + "\n" + tfc::kWeightSegmentSymbol + ":\n.zero " +
                                Twine(tfc::kWeightSegmentPage) + "\n.text\n")
                                   .str());
  return segment;
}

Constant *DescriptorBuilder::weights(const tfc::WeightTableDescription &table) {
  Constant *list =
      arrayOf(table.weights, "tfc.weights", [&](const auto &element) { return weight(element); });
  auto *hashType = ArrayType::get(Type::getInt64Ty(context), 2);
  Constant *hash = ConstantArray::get(hashType, {i64(table.weightsHash[0]), i64(table.weightsHash[1])});
  Constant *file = table.weightsFile.empty() ? null() : text(table.weightsFile);
  Constant *embedded = null();
  if (table.embeddedBytes > 0)
    embedded = ConstantExpr::getGetElementPtr(Type::getInt8Ty(context), embeddedSegment(), i64(table.embeddedOffset));
  return checked<TfcWeights>({i32(table.mode), i32(table.weights.size()), list, i64(table.weightBytes), embedded,
                              i64(table.embeddedBytes), file, hash});
}

Constant *DescriptorBuilder::tensorMap(const TfcTensorMap &map) {
  auto numbers = [&](ArrayRef<uint32_t> values) -> Constant * {
    return ConstantDataArray::get(context, values);
  };
  return checked<TfcTensorMap>({i32(map.word), i32(map.offset), dataType(map.dtype), i32(map.rank), numbers(map.dims),
                                numbers(map.strides), numbers(map.box), i32(map.swizzle)});
}

Constant *DescriptorBuilder::step(const tfc::StepDescription &step) {
  return checked<TfcStep>({text(step.function), ConstantDataArray::get(context, ArrayRef<uint32_t>(step.grid)), i32(step.block),
                           i32(step.cluster), i32(step.shared), i32(step.maps.size()), i32(step.overlaps),
                           arrayOf(step.maps, "tfc.maps", [&](const TfcTensorMap &map) { return tensorMap(map); })});
}

Constant *DescriptorBuilder::deviceLaunch(const tfc::DeviceLaunchDescription &launch) {
  return checked<TfcDeviceLaunch>({arrayOf(launch.steps, "tfc.steps", [&](const auto &element) { return step(element); }),
                                   i32(launch.steps.size()), i32(launch.words), i32(launch.workspace), i32(0)});
}

Constant *DescriptorBuilder::programCode(const tfc::ProgramDescription &program) {
  if (program.kind == TFC_PROGRAM_CUDA)
    return pooled(ConstantDataArray::getString(context, program.code, /*AddNull=*/true), "tfc.ptx");
  if (GlobalVariable *table = module.getNamedGlobal((kHiddenPrefix + program.code).str()))
    return table;
  error = joinErrors(std::move(error), createStringError("the module has no '%s'", program.code.c_str()));
  return null();
}

Constant *DescriptorBuilder::program(const tfc::ProgramDescription &program) {
  Constant *launches = arrayOf(program.entries, "tfc.device_entries", [&](const tfc::EntryDescription &element) {
    return arrayOf(element.launches, "tfc.device_launches", [&](const auto &one) { return deviceLaunch(one.device); });
  });
  Constant *cubin = program.cubin.empty()
                        ? null()
                        : pooled(ConstantDataArray::getString(context, program.cubin, /*AddNull=*/false), "tfc.cubin");
  uint64_t codeBytes = program.kind == TFC_PROGRAM_CUDA ? program.code.size() + 1 : 0;
  return checked<TfcProgram>(
      {i32(program.kind), i32(program.capability), i32(program.exact), i32(program.weights), text(program.target),
       arrayOf(program.entries, "tfc.entries", [&](const auto &element) { return entry(element); }),
       arrayOf(program.kernels, "tfc.kernels", [&](const auto &element) { return kernel(element); }), launches,
       arrayOf(program.entries, "tfc.fetches", [&](const tfc::EntryDescription &element) { return i32(element.fetches); }),
       programCode(program), i64(codeBytes), cubin, i64(program.cubin.size()), i32(program.kernels.size()), i32(0)});
}

Constant *DescriptorBuilder::coreApi() {
  auto *api =
      new GlobalVariable(module, Type::getInt8Ty(context), /*isConstant=*/true, GlobalValue::ExternalLinkage,
                         /*Initializer=*/nullptr, tfc::kCoreApiSymbol);
  api->setVisibility(GlobalValue::HiddenVisibility);
  return api;
}

Constant *DescriptorBuilder::graphWeight(const tfc::GraphWeightDescription &weight) {
  return checked<TfcGraphWeight>({text(weight.name), dataType(weight.dtype), i32(weight.dims.size()), integers(weight.dims, "tfc.shape"),
                                  i32(weight.seeded), i32(weight.pieces.size()), indices(weight.pieces, "tfc.pieces"), seed(weight.seed)});
}

Constant *DescriptorBuilder::buildModel() {
  return checked<TfcModel>(
      {i32(TFC_ABI_MAGIC), i32(TFC_ABI_VERSION), i64(sizeof(TfcModel)), text(model.name),
       text("tfc 0.1.0, LLVM " LLVM_VERSION_STRING), text(module.getTargetTriple().str()),
       arrayOf(model.entries, "tfc.entries", [&](const auto &element) { return entry(element); }),
       arrayOf(model.kernels, "tfc.kernels", [&](const auto &element) { return kernel(element); }),
       i32(model.entries.size()), i32(model.kernels.size()), weights(model), coreApi(),
       arrayOf(model.programs, "tfc.programs", [&](const auto &element) { return program(element); }),
       arrayOf(model.moreWeights, "tfc.more_weights", [&](const auto &element) { return weights(element); }),
       i32(model.programs.size()), i32(model.moreWeights.size()), i32(model.deviceOnly), i32(0),
       arrayOf(model.graphWeights, "tfc.graph_weights", [&](const auto &element) { return graphWeight(element); }),
       i64(model.graphWeights.size())});
}

/// A prefix that no C name has keeps a kernel called "memcpy" or "tfc_core_api" from taking the place of the real
/// one.
static void hide(GlobalObject &object) {
  object.setName(kHiddenPrefix + object.getName());
  object.setLinkage(GlobalValue::ExternalLinkage);
  object.setVisibility(GlobalValue::HiddenVisibility);
  object.setDSOLocal(true);
}

/// Whatever is defined here is for the descriptor alone. Returns the functions by their old names.
static StringMap<Function *> hideDefinitions(Module &module) {
  StringMap<Function *> functions;
  for (GlobalObject &object : module.global_objects()) {
    if (object.isDeclaration())
      continue;
    if (auto *function = dyn_cast<Function>(&object))
      functions[function->getName()] = function;
    if (object.hasLocalLinkage())
      continue;
    hide(object);
  }
  return functions;
}

/// The functions of kernels that have `isDeclaration` or not, in the order of the model.
static std::vector<Function *> findKernels(Module &module, const tfc::ModelDescription &model, bool isDeclaration) {
  std::vector<Function *> found;
  for (const tfc::KernelDescription &kernel : model.kernels)
    for (const tfc::VariantDescription &variant : kernel.variants)
      if (Function *function = module.getFunction(variant.function); function && function->isDeclaration() == isDeclaration)
        found.push_back(function);
  return found;
}

void tfc::hideKernels(Module &module, const ModelDescription &model) {
  for (Function *kernel : findKernels(module, model, /*isDeclaration=*/false))
    kernel->setLinkage(GlobalValue::ExternalLinkage);
  hideDefinitions(module);
  for (GlobalVariable &global : module.globals())
    if (global.hasLocalLinkage())
      global.setLinkage(GlobalValue::PrivateLinkage);
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
  std::vector<Function *> elsewhere = findKernels(module, model, /*isDeclaration=*/true);
  StringMap<Function *> functions = hideDefinitions(module);
  for (Function *kernel : elsewhere) {
    functions[kernel->getName()] = kernel;
    hide(*kernel);
  }
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
