//===- CommandLine.cpp - The options of tfc-compile -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "CommandLine.h"

#include "ReadFoldedInputs.h"
#include "tfc/Version.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace mlir::tfc;

namespace {

cl::OptionCategory category("tfc-compile options");

cl::opt<std::string> inputPath(cl::Positional, cl::desc("MODEL.onnx|MODEL.mlir"), cl::cat(category));
cl::opt<std::string> outputPath("o", cl::desc("Write the output to FILE (default: the model's name with the stage's ending)"),
                                cl::value_desc("FILE"), cl::cat(category));
cl::opt<std::string> builtin("builtin", cl::desc("Compile a built-in graph: bert-base, bert-large, gpt2, gpt2-medium, or the families bert and gpt with --config"),
                             cl::value_desc("NAME"), cl::cat(category));
cl::opt<std::string> config("config", cl::desc("Sizes of a built-in graph: hidden=256,layers=4,heads=4,intermediate=1024,vocab=1000,positions=128, or a config.json in the Hugging Face form"),
                            cl::value_desc("PAIRS|FILE.json"), cl::cat(category));
cl::opt<std::string> load("load", cl::desc("Read a built-in graph's weights from a safetensors file with the Hugging Face names"),
                          cl::value_desc("FILE.safetensors"), cl::cat(category));
cl::opt<std::string> exposeNames("expose", cl::desc("Make what the nodes of these names give outputs of the model as well, to look at: a regular expression"),
                                 cl::value_desc("REGEX"), cl::cat(category));
cl::opt<bool> emitAttention("emit-attention", cl::desc("Make the probabilities of every attention outputs of the model: attention.0, attention.1, ..."),
                            cl::cat(category));
cl::opt<std::string> modelName("name", cl::desc("Name of the model, in front of everything in model.h (default: the name of its file)"),
                               cl::value_desc("NAME"), cl::cat(category));
cl::opt<uint64_t> seed("seed", cl::desc("Seed of a built-in graph's random weights (default 0)"), cl::value_desc("N"), cl::init(0), cl::cat(category));
cl::opt<std::string> target("target", cl::desc("What to compile for, with commas between: cpu (this machine's), cpu:native, cpu:x86-64-v2, cpu:x86-64-v3, cpu:x86-64-v4, cpu:aarch64 (several in one library, of which the best that the machine has is taken: cpu:x86-64-v3+x86-64-v4), cuda (sm_90a, sm_80 and sm_70), cuda:sm_80, ..."),
                            cl::value_desc("TARGET,..."), cl::init("cpu"), cl::cat(category));
cl::opt<std::string> precision("precision", cl::desc("What products of an f32 graph multiply: f32 (default), tf32, bf16, f16; sums, norms, softmax, residuals, inputs and outputs stay in f32. CPUs compute in f32 all the same, with rounded operands, and are no faster (docs/Numerics.md)"),
                               cl::value_desc("TYPE"), cl::init("f32"), cl::cat(category));
cl::opt<std::string> emit("emit", cl::desc("Stop at a stage: import, fused, kernels, plan, host, llvm (all .mlir), asm, obj, ptx, so (default), archive (a static library); or write a graph as ONNX: onnx (the fused one), onnx-import"),
                          cl::value_desc("STAGE"), cl::init("so"), cl::cat(category));
cl::opt<std::string> saveStages("save-stages", cl::desc("Write the module of every stage into a folder"), cl::value_desc("DIR"), cl::cat(category));
cl::opt<std::string> weights("weights", cl::desc("Where weights go: embed (in model.so, default), external (a file beside it), seed (made at load; built-in graphs)"),
                             cl::value_desc("MODE"), cl::init("embed"), cl::cat(category));
cl::opt<std::string> cacheDir("cache-dir", cl::desc("Keep the code of kernels in DIR and take it from there when they are compiled again; any number of compilers may share it"),
                              cl::value_desc("DIR"), cl::cat(category));
cl::opt<uint64_t> cacheLimit("cache-limit", cl::desc("Megabytes that --cache-dir may grow to; what has not been used for longest goes first (default 256)"),
                             cl::value_desc("MB"), cl::init(tfc::KernelCache::kDefaultLimit >> 20), cl::cat(category));
cl::opt<std::string> header("header", cl::desc("Write the C header to FILE (default: beside model.so; \"none\" for none)"), cl::value_desc("FILE"), cl::cat(category));
cl::opt<std::string> querySymbol("query-symbol", cl::desc("Name of the one function that the library exports (default: tfc_model_query, and of an archive tfc_model_ with the model's name); linked into one program, each model needs its own"),
                                 cl::value_desc("NAME"), cl::cat(category));
cl::opt<std::string> reportPath("report", cl::desc("Write operators, kernels, arena and times as JSON"), cl::value_desc("FILE.json"), cl::cat(category));
cl::opt<std::string> dynamic("dynamic", cl::desc("all: every dim of every input becomes a symbol of its own"), cl::value_desc("WHAT"), cl::cat(category));
cl::list<std::string> dims("dim",
                           cl::desc("Fix a symbolic dim, or say which sizes it may have: batch=1,seq=1..512"),
                           cl::value_desc("NAME=N[..M],..."), cl::CommaSeparated, cl::cat(category));
cl::opt<std::string> foldInputs("fold-inputs",
                                cl::desc("Make inputs constants: those that the file has arrays for"),
                                cl::value_desc("FILE.npz"), cl::cat(category));
cl::opt<std::string>
    externalRoot("external-root",
                 cl::desc("Look up weights outside the model file in DIR, links inside it included"),
                 cl::value_desc("DIR"), cl::cat(category));
cl::opt<bool> allowExtern("allow-extern",
                          cl::desc("Make operators that tfc does not know calls of the host (TfcContextOptions.extern_call)"),
                          cl::cat(category));
cl::list<std::string> limits("limit", cl::desc("Allow an ONNX file more (docs/Limits.md): nesting, file-fields, file-bytes, call-depth, expanded-nodes, unrolled-nodes"),
                             cl::value_desc("NAME=N,..."), cl::CommaSeparated, cl::cat(category));
cl::opt<bool> printOperators("list-operators",
                            cl::desc("Print the operators that can be imported (with --json as JSON)"),
                            cl::cat(category));
cl::opt<bool> reference("reference", cl::desc("Compile every op through its plain lowering, each in a kernel of its own"), cl::cat(category));
cl::opt<std::string> reproducerDir("reproducer-dir", cl::desc("Where to write what repeats a crash of the compiler (default: beside the output; \"none\" for nowhere)"),
                                   cl::value_desc("DIR"), cl::cat(category));
cl::opt<bool> writeReproducer("write-reproducer", cl::desc("Search what crashes; the compiler calls itself with this after a crash"), cl::ReallyHidden,
                              cl::cat(category));
cl::opt<bool> plainKernels("plain-kernels", cl::desc("Form the same kernels, but give each its plain lowering: for tfc-run --compare-with"), cl::cat(category));
cl::opt<bool> explainFusion("explain-fusion", cl::desc("Tell for every candidate whether it fused, or the first thing that kept it from fusing"), cl::cat(category));
cl::list<std::string> requireFusion("require-fusion", cl::desc("End with exit code 1 when the graph has fewer: attention:12,gelu:12 (attention, layer_norm, rms_norm, softmax, gelu, silu, swiglu, embedding, qkv, epilogue)"),
                                    cl::value_desc("KIND:N,..."), cl::CommaSeparated, cl::cat(category));
cl::list<std::string> disableFusion("disable-fusion", cl::desc("Leave fusions out, by the same names"), cl::value_desc("NAME,..."), cl::CommaSeparated, cl::cat(category));
cl::opt<bool> verify("verify-fusion", cl::desc("Compile with and without each fusion, run all on the same made-up inputs, and end with exit code 1 where an output differs by more than 1e-5 of its largest magnitude; --dim gives sizes"),
                           cl::cat(category));
cl::opt<bool> asJson("json", cl::desc("Print what --verify-fusion found as JSON"), cl::cat(category));
cl::opt<bool> verbose("v", cl::desc("Tell what each stage did and how long it took"), cl::cat(category));

constexpr const char *kOverview =
    "tfc-compile: from a Transformer graph to a shared library that needs nothing else\n\n"
    "  tfc-compile model.onnx -o model.so             compile for this machine's CPU\n"
    "  tfc-compile --builtin bert-base -o bert.so     a built-in graph with random weights\n"
    "  tfc-compile model.onnx --emit=fused -o -       look at the graph after simplification\n"
    "  tfc-run model.so --random --dim batch=1,seq=128\n\n"
    "Exit codes: 0 fine, 1 a check failed, 2 bad input, unsupported operator or usage, 3 a defect of tfc or of the machine\n";

bool usageError(const Twine &message) {
  errs() << "error: " << message << "\n(tfc-compile --help lists the options)\n";
  return false;
}

bool readTarget(CompileOptions &options) {
  Expected<std::vector<::tfc::TargetSpec>> targets = ::tfc::parseTargetList(target);
  if (!targets)
    return usageError(toString(targets.takeError()));
  options.targets = std::move(*targets);
  return true;
}

bool readPrecision(CompileOptions &options) {
  static constexpr StringRef kPrecisions[] = {"f32", "tf32", "bf16", "f16"};
  if (!is_contained(kPrecisions, StringRef(precision)))
    return usageError("unknown precision '" + precision + "'; there are " + join(ArrayRef(kPrecisions), ", "));
  options.precision = precision;
  return true;
}

bool readWeights(CompileOptions &options) {
  auto mode = StringSwitch<std::optional<TfcWeightMode>>(weights)
                  .Case("embed", TFC_WEIGHTS_EMBED)
                  .Case("external", TFC_WEIGHTS_EXTERNAL)
                  .Case("seed", TFC_WEIGHTS_SEED)
                  .Default(std::nullopt);
  if (!mode)
    return usageError("unknown weights mode '" + weights + "'; there are embed, external and seed");
  options.weights = *mode;
  return true;
}

bool readDims(CompileInput &input) {
  for (const std::string &pair : dims) {
    auto [name, number] = StringRef(pair).rsplit('=');
    auto [first, last] = number.split("..");
    bool isRange = number.contains("..");
    int64_t least, greatest = 0;
    if (name.empty() || first.getAsInteger(10, least) || least < 0 ||
        (isRange && (last.getAsInteger(10, greatest) || greatest < least)))
      return usageError("--dim wants NAME=N or NAME=LEAST..GREATEST with numbers from 0 on, got '" + pair +
                        "'");
    if (isRange)
      input.dimRanges.push_back({name.str(), least, greatest});
    else
      input.fixedDims.emplace_back(name.str(), least);
  }
  return true;
}

bool readLimits(CompileInput &input) {
  for (const std::string &pair : limits) {
    auto [name, number] = StringRef(pair).rsplit('=');
    uint64_t value;
    if (number.getAsInteger(10, value))
      return usageError("--limit wants NAME=N with a number from 0 on, got '" + pair + "'");
    if (std::string problem = input.limits.set(name, value); !problem.empty())
      return usageError("--limit: " + problem);
  }
  return true;
}

bool readFusions(CompileOptions &options) {
  std::string names = join(getFusionNames(), ", ");
  for (const std::string &name : disableFusion) {
    if (!is_contained(getFusionNames(), StringRef(name)))
      return usageError("unknown fusion '" + name + "'; there are " + names);
    options.disabledFusions.push_back(name);
  }
  for (const std::string &pair : requireFusion) {
    auto [kind, number] = StringRef(pair).rsplit(':');
    int64_t least;
    if (!is_contained(getFusionNames(), kind))
      return usageError("--require-fusion wants KIND:N, where KIND is one of " + names + "; got '" + pair + "'");
    if (number.getAsInteger(10, least) || least < 0)
      return usageError("--require-fusion wants KIND:N with N >= 0, got '" + pair + "'");
    options.requiredFusions.emplace_back(kind.str(), least);
  }
  return true;
}

bool isModule(StringRef path) { return path.ends_with(".mlir") || path.ends_with(".mlirbc"); }

bool readInput(CompileInput &input) {
  if (inputPath.empty() == builtin.empty())
    return usageError(builtin.empty() ? "no model given" : "give a model file or --builtin, not both");
  if (builtin.empty() && (!config.empty() || !load.empty() || seed.getNumOccurrences()))
    return usageError("--config, --load and --seed are for built-in graphs");
  if (!dynamic.empty() && dynamic != "all")
    return usageError("--dynamic knows only 'all', got '" + dynamic + "'");
  StringRef path = inputPath;
  // A verification runs the model, so there every symbol may get a size.
  bool fixesDims = !dynamic.empty() || (!dims.empty() && !verify);
  if (fixesDims && !builtin.empty())
    return usageError("--dynamic and --dim are for model files; the symbols of a built-in graph are batch, seq and past");
  if (fixesDims && isModule(path))
    return usageError("--dynamic and --dim are for ONNX files; in a .mlir file the dims stand already");
  input.path = inputPath;
  input.builtin = builtin;
  input.config = config;
  input.safetensors = load;
  input.name = modelName;
  input.seed = seed;
  input.dynamicAll = dynamic == "all";
  if ((!foldInputs.empty() || !externalRoot.empty() || allowExtern || !limits.empty()) && (!builtin.empty() || isModule(path)))
    return usageError("--fold-inputs, --external-root, --limit and --allow-extern are for ONNX files");
  input.externalRoot = externalRoot;
  input.allowExtern = allowExtern;
  if (!foldInputs.empty())
    if (std::string problem = ::tfc::readFoldedInputs(foldInputs, input.foldedInputs); !problem.empty())
      return usageError("--fold-inputs: " + problem);
  return readDims(input) && readLimits(input);
}

/// What is read is never written over.
bool checkNotInput(StringRef output, const CompileInput &input) {
  for (StringRef path : {StringRef(input.path), StringRef(input.safetensors), StringRef(input.config)})
    if (!path.empty() && sys::fs::equivalent(output, path))
      return usageError("the output '" + output + "' is also an input");
  return true;
}

/// The report is written last: that it cannot be should not be found out only then.
bool checkReport(const CompileOptions &options) {
  if (reportPath.empty())
    return true;
  SmallString<256> folder(reportPath);
  sys::path::remove_filename(folder);
  if (sys::fs::is_directory(reportPath) || sys::fs::access(folder.empty() ? "." : folder.str(), sys::fs::AccessMode::Write))
    return usageError("cannot write the report '" + reportPath + "': " +
                      (sys::fs::is_directory(reportPath) ? "it is a folder" : "its folder is missing or cannot be written"));
  if (reportPath == options.outputPath || reportPath == options.headerPath)
    return usageError("the report and another output are both '" + reportPath + "'");
  return true;
}

/// The output's default name, and the header's.
bool readOutputs(CompileOptions &options, const CompileInput &input) {
  StringRef what = emit;
  options.asONNX = what.consume_front("onnx");
  std::optional<Stage> stage = options.asONNX ? StringSwitch<std::optional<Stage>>(what)
                                                    .Case("", Stage::Fused)
                                                    .Case("-import", Stage::Import)
                                                    .Default(std::nullopt)
                                              : parseStage(emit);
  if (!stage)
    return usageError("unknown stage '" + emit + "'; there are import, fused, kernels, plan, host, llvm, asm, obj, ptx, so, archive, onnx and onnx-import");
  options.stage = *stage;
  options.outputPath = outputPath;
  StringRef stem = input.builtin.empty() ? sys::path::stem(input.path) : StringRef(input.builtin);
  if (outputPath.empty()) {
    const char *ending = options.asONNX                   ? ".tfc.onnx"
                         : *stage == Stage::SharedLibrary ? ".so"
                         : *stage == Stage::Archive       ? ".a"
                         : *stage == Stage::Object        ? ".o"
                         : *stage == Stage::Asm           ? ".s"
                         : *stage == Stage::PTX           ? ".ptx"
                                                          : "";
    options.outputPath = *ending ? stem.str() + ending : "-";
  }
  if (options.asONNX && options.outputPath == "-")
    return usageError("an ONNX file cannot go to standard output");
  if (*stage != Stage::SharedLibrary && *stage != Stage::Archive)
    return header.empty() || usageError("--header goes with a library, not with --emit=" + emit);
  if (options.outputPath == "-")
    return usageError("a library cannot go to standard output");
  if (header.empty()) {
    SmallString<256> path(options.outputPath);
    sys::path::replace_extension(path, "h");
    options.headerPath = path.str().str();
  } else if (header != "none") {
    options.headerPath = header;
  }
  return true;
}

void printVersion(raw_ostream &os) {
  os << "tfc " << TFC_VERSION << " (LLVM " << LLVM_VERSION_STRING << ")\ntargets: cpu (x86-64-v2, x86-64-v3, x86-64-v4, aarch64, native), cuda (sm_70 and later)\n";
}

} // namespace

std::optional<tfc::CommandLine> tfc::parseCommandLine(int argc, char **argv, int &exitCode) {
  mlir::registerMLIRContextCLOptions();
  mlir::registerAsmPrinterCLOptions();
  mlir::registerPassManagerCLOptions();
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter(printVersion);
  exitCode = 2;
  // With an error stream the parser returns instead of ending the process with its own code.
  std::string messages;
  raw_string_ostream os(messages);
  if (!cl::ParseCommandLineOptions(argc, argv, kOverview, &os)) {
    // One line; a value that does not parse has been reported already.
    SmallVector<StringRef> parts;
    StringRef(messages).split(parts, '\n', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
    std::string line;
    for (StringRef part : parts) {
      part.consume_front("tfc-compile: ");
      line += (line.empty() ? "" : " ") + part.trim().str();
    }
    if (!line.empty())
      errs() << "error: " << line << '\n';
    return std::nullopt;
  }
  if (printOperators) {
    outs() << mlir::tfc::listOperators(asJson);
    exitCode = 0;
    return std::nullopt;
  }
  if (asJson && !verify) {
    usageError("--json goes with --verify-fusion and --list-operators");
    return std::nullopt;
  }
  if (cacheDir.empty() && (cacheDir.getNumOccurrences() || cacheLimit.getNumOccurrences())) {
    usageError(cacheDir.getNumOccurrences() ? "--cache-dir wants a folder" : "--cache-limit goes with --cache-dir");
    return std::nullopt;
  }
  CommandLine line;
  if (!readInput(line.input) || !readTarget(line.options) || !readPrecision(line.options) || !readWeights(line.options) || !readFusions(line.options) ||
      !readOutputs(line.options, line.input) || !checkReport(line.options))
    return std::nullopt;
  for (StringRef output : {StringRef(line.options.outputPath), StringRef(line.options.headerPath), StringRef(reportPath)})
    if (!checkNotInput(output, line.input))
      return std::nullopt;
  line.options.saveStagesDir = saveStages;
  line.options.querySymbol = querySymbol;
  line.options.cacheDir = cacheDir;
  line.options.cacheLimit = std::min(cacheLimit.getValue(), UINT64_MAX >> 20) << 20;
  line.options.exposeNames = exposeNames;
  line.options.exposeAttention = emitAttention;
  line.options.reference = reference;
  line.options.plainKernels = plainKernels;
  line.options.configurePassManager = [](mlir::PassManager &pm) { return mlir::applyPassManagerCLOptions(pm); };
  line.reproducerFolder = reproducerDir;
  line.keepsReproducer = reproducerDir != "none";
  line.searchesCrash = writeReproducer;
  line.reportPath = reportPath;
  line.verbose = verbose;
  line.explainFusion = explainFusion;
  line.verifyFusion = verify;
  line.json = asJson;
  line.writesOutput = !verify || !outputPath.empty();
  if (verify && (!line.input.builtin.empty() || isModule(line.input.path))) {
    line.verify.sizes.insert(line.input.fixedDims.begin(), line.input.fixedDims.end());
    line.input.fixedDims.clear();
  }
  return line;
}
