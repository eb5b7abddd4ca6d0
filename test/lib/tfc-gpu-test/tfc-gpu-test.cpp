//===- tfc-gpu-test.cpp - Generates one GPU kernel, and runs it in the emulator ------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
//   tfc-gpu-test kernels.mlir --kernel=NAME --chip=sm_80 --emit=mlir|ptx|steps
//   tfc-gpu-test kernels.mlir --kernel=NAME --chip=sm_80 --run=FOLDER --run=FOLDER...
//
// A folder holds `symbols` ("s0=3 s1=4") and the operands' bytes, in0.bin, in1.bin ...; the results are written to out0.bin ...,
// and the launch's TfcDeviceStatus to status.bin. Exit codes: 0 fine,
// 1 what the emulator found, 2 bad input, 4 no generator takes the kernel.
//
//===----------------------------------------------------------------------------------------------===//

#include "EmulatedModule.h"
#include "tfc/Codegen/Common/KernelWork.h"
#include "tfc/Codegen/GPU/GpuKernel.h"
#include "tfc/Codegen/GPU/SerializeToPTX.h"
#include "tfc/Dialect/Tfc/IR/Dims.h"
#include "tfc/TargetInfo/GpuTarget.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;
using namespace mlir::tfc;
namespace cl = llvm::cl;

static cl::opt<std::string> inputPath(cl::Positional, cl::desc("<kernels.mlir>"), cl::init("-"));
static cl::opt<std::string> kernelName("kernel", cl::desc("Name of the kernel; the first one where it is missing"));
static cl::opt<std::string> chip("chip", cl::init("sm_80"), cl::desc("The GPU to generate for"));
static cl::opt<std::string> emit("emit", cl::desc("mlir: what the generator wrote; ptx; steps: the attribute"));
static cl::list<std::string> runs("run", cl::desc("Folder of one run"));
static cl::opt<std::string> plant("plant", cl::desc("WORD:N: leave out a call, to see that a test notices"));

namespace {
using Symbols = llvm::StringMap<int64_t>;
constexpr size_t kStatusBytes = 32;

/// Memory of a tensor, registered with the emulator; NaNs to begin with, and nothing behind its end.
class Buffer {
public:
  explicit Buffer(size_t bytes) : bytes(bytes) {
    storage = static_cast<char *>(llvm::allocate_buffer(bytes + 256, 256));
    memset(storage, 0xFF, bytes + 256);
    tfc_emu_register(storage, bytes);
  }
  Buffer(const Buffer &) = delete;
  ~Buffer() {
    tfc_emu_unregister(storage);
    llvm::deallocate_buffer(storage, bytes + 256, 256);
  }
  char *storage;
  size_t bytes;
};

/// One run of all steps of a kernel.
class KernelRun {
public:
  KernelRun(func::FuncOp kernel, const GpuKernel &steps, std::string folder)
      : kernel(kernel), steps(steps), folder(std::move(folder)) {}

  llvm::Error run(::tfc::emu::EmulatedModule &module);

private:
  llvm::Error readSymbols();
  llvm::Error readOperands();
  llvm::Error launch(::tfc::emu::EmulatedModule &module, const GpuStep &step);
  llvm::Error writeResults();
  int64_t evaluate(DimExprAttr expr) {
    auto value = expr.evaluate([&](StringAttr name) -> std::optional<int64_t> {
      auto found = symbols.find(name.getValue());
      return found == symbols.end() ? std::nullopt : std::optional(found->second);
    });
    return value.value_or(-1);
  }
  TfcEmuTensorMap encode(const GpuTensorMap &map);

  func::FuncOp kernel;
  const GpuKernel &steps;
  std::string folder;
  Symbols symbols;
  std::vector<std::unique_ptr<Buffer>> buffers; // operands, results, workspace, status
};
} // namespace

llvm::Error KernelRun::readSymbols() {
  auto file = llvm::MemoryBuffer::getFile(folder + "/symbols");
  if (!file)
    return llvm::createStringError("there is no " + folder + "/symbols");
  SmallVector<StringRef> words;
  (*file)->getBuffer().trim().split(words, ' ', -1, false);
  for (StringRef word : words) {
    auto [name, text] = word.split('=');
    int64_t value = 0;
    if (text.getAsInteger(10, value))
      return llvm::createStringError("bad symbol: " + word.str());
    symbols[name] = value;
  }
  return llvm::Error::success();
}

llvm::Error KernelRun::readOperands() {
  for (auto [i, type] : llvm::enumerate(kernel.getArgumentTypes())) {
    std::string path = folder + "/in" + std::to_string(i) + ".bin";
    auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
    int64_t bytes = evaluate(getTensorBytes(type));
    if (!file || int64_t((*file)->getBufferSize()) != bytes)
      return llvm::createStringError(path + " should have " + std::to_string(bytes) + " bytes");
    buffers.push_back(std::make_unique<Buffer>(bytes));
    memcpy(buffers.back()->storage, (*file)->getBufferStart(), bytes);
  }
  for (Type type : kernel.getResultTypes())
    buffers.push_back(std::make_unique<Buffer>(evaluate(getTensorBytes(type))));
  buffers.push_back(std::make_unique<Buffer>(steps.workspace ? evaluate(steps.workspace) : 0));
  // A TfcDeviceStatus; all bytes 255.
  buffers.push_back(std::make_unique<Buffer>(kStatusBytes));
  return llvm::Error::success();
}

TfcEmuTensorMap KernelRun::encode(const GpuTensorMap &map) {
  TfcEmuTensorMap encoded{};
  encoded.base = buffers[map.pointer]->storage + evaluate(map.offset);
  encoded.rank = map.dims.size();
  encoded.elementBytes = map.elementType.getIntOrFloatBitWidth() / 8;
  encoded.swizzleBytes = map.swizzle;
  for (auto [i, dim] : llvm::enumerate(map.dims))
    encoded.dims[i] = evaluate(dim);
  for (auto [i, stride] : llvm::enumerate(map.strides))
    encoded.strides[i] = evaluate(stride);
  for (auto [i, extent] : llvm::enumerate(map.box))
    encoded.box[i] = extent;
  return encoded;
}

llvm::Error KernelRun::launch(::tfc::emu::EmulatedModule &module, const GpuStep &step) {
  TfcEmuLaunch launch{{1, 1, 1}, {uint32_t(step.block), 1, 1}, uint64_t(step.shared), step.overlaps, uint32_t(step.cluster)};
  for (unsigned axis = 0; axis < 3; ++axis) {
    int64_t extent = evaluate(step.grid[axis]);
    if (extent == 0)
      return llvm::Error::success();
    if (extent < 0 || extent > (axis == 0 ? 0x7FFFFFFF : 65535))
      return llvm::createStringError("a grid of " + std::to_string(extent));
    launch.grid[axis] = extent;
  }
  std::vector<uint64_t> words;
  unsigned pointers = kernel.getNumArguments() + kernel.getNumResults();
  for (unsigned i = 0; i < pointers; ++i)
    words.push_back(reinterpret_cast<uint64_t>(buffers[i]->storage));
  if (auto names = kernel->getAttrOfType<ArrayAttr>("tfc.symbols"))
    for (Attribute name : names)
      words.push_back(symbols.lookup(cast<StringAttr>(name).getValue()));
  words.push_back(reinterpret_cast<uint64_t>(buffers[pointers]->storage));
  words.push_back(reinterpret_cast<uint64_t>(buffers[pointers + 1]->storage));
  std::vector<TfcEmuTensorMap> maps;
  for (const GpuTensorMap &map : step.maps)
    maps.push_back(encode(map));
  std::vector<void *> parameters;
  for (uint64_t &word : words)
    parameters.push_back(&word);
  for (TfcEmuTensorMap &map : maps)
    parameters.push_back(&map);
  return module.launch(step.function.getLeafReference(), launch, parameters.data());
}

llvm::Error KernelRun::writeResults() {
  for (unsigned i = 0; i <= kernel.getNumResults(); ++i) {
    bool isStatus = i == kernel.getNumResults();
    Buffer &buffer = isStatus ? *buffers.back() : *buffers[kernel.getNumArguments() + i];
    std::string path = folder + (isStatus ? "/status.bin" : "/out" + std::to_string(i) + ".bin");
    std::error_code code;
    llvm::raw_fd_ostream stream(path, code);
    if (code)
      return llvm::createStringError("cannot write " + path);
    stream.write(buffer.storage, buffer.bytes);
  }
  return llvm::Error::success();
}

llvm::Error KernelRun::run(::tfc::emu::EmulatedModule &module) {
  if (llvm::Error error = readSymbols())
    return error;
  if (llvm::Error error = readOperands())
    return error;
  for (const GpuStep &step : steps.steps)
    if (llvm::Error error = launch(module, step))
      return error;
  return writeResults();
}

static func::FuncOp findKernel(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr("tfc.kernel") && (kernelName.empty() || function.getName() == kernelName))
      return function;
  return {};
}

static int report(llvm::Error error, int code) {
  llvm::errs() << "tfc-gpu-test: " << llvm::toString(std::move(error)) << "\n";
  return code;
}

int main(int argc, char **argv) {
  llvm::InitLLVM initializer(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "Generates one GPU kernel, and runs it in the emulator\n");
  auto target = ::tfc::parseGpuTarget(chip);
  if (!target)
    return report(target.takeError(), 2);
  DialectRegistry registry;
  registerGPUCodegenDialects(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  auto module = parseSourceFile<ModuleOp>(inputPath, &context);
  func::FuncOp kernel = module ? findKernel(*module) : func::FuncOp();
  if (!kernel)
    return report(llvm::createStringError("there is no such kernel"), 2);

  OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
  auto kernels = gpu::GPUModuleOp::create(builder, kernel.getLoc(), "kernels");
  FailureOr<std::optional<GpuKernel>> generated = generateGpuKernel(kernels, kernel, *target);
  if (failed(generated))
    return 2;
  if (!*generated)
    return report(llvm::createStringError("no generator takes the kernel"), 4);
  if (failed(verify(kernels)))
    return 2;
  if (emit == "steps")
    llvm::outs() << getStepsAttr(&context, (*generated)->steps) << "\n";
  if (emit == "mlir")
    llvm::outs() << kernels << "\n";
  if (emit == "ptx") {
    std::string ptx;
    if (failed(serializeToPTX(kernels, *target, ptx)))
      return 2;
    llvm::outs() << ptx;
  }
  if (runs.empty())
    return 0;
  if (failed(lowerGpuModule(kernels)))
    return 2;
  auto emulated = ::tfc::emu::EmulatedModule::create(kernels, *target, plant);
  if (!emulated)
    return report(emulated.takeError(), 2);
  for (const std::string &folder : runs)
    if (llvm::Error error = KernelRun(kernel, **generated, folder).run(**emulated))
      return report(std::move(error), 1);
  return 0;
}
