//===- VerifyFusion.cpp - Does a fused graph compute what the graph says?
//----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Verify/VerifyFusion.h"

#include "MeasureError.h"
#include "RunArtifact.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Errc.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"

#include <cmath>
#include <cstdlib>
#include <limits>

using namespace mlir;
using namespace mlir::tfc;

//===----------------------------------------------------------------------------------------------===//
// What was found
//===----------------------------------------------------------------------------------------------===//

const OutputError *FusionError::getWorst() const {
  const OutputError *worst = nullptr;
  for (const OutputError &output : outputs)
    if (!worst || output.error / output.allowed > worst->error / worst->allowed)
      worst = &output;
  return worst;
}

bool FusionVerification::isFine() const {
  return llvm::all_of(fusions, [](const FusionError &fusion) {
    return llvm::all_of(fusion.outputs, [](const OutputError &output) { return output.isFine(); });
  });
}

std::string FusionVerification::formatTable() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "fusion       places  worst error  output" << (sizes.empty() ? "" : "   (" + sizes + ")") << '\n';
  for (const FusionError &fusion : fusions) {
    os << llvm::format("%-11s %7lld", fusion.fusion.c_str(), static_cast<long long>(fusion.places));
    if (const OutputError *worst = fusion.getWorst())
      os << llvm::format("  %11.1e  ", worst->error) << worst->name
         << (worst->isFine() ? "" : "   TOO FAR OFF");
    os << '\n';
  }
  return text;
}

llvm::json::Value FusionVerification::toJSON() const {
  // JSON has no infinity: the largest double stands for it.
  auto number = [](double error) {
    return std::isfinite(error) ? error : std::numeric_limits<double>::max();
  };
  llvm::json::Array list;
  for (const FusionError &fusion : fusions) {
    llvm::json::Array outputs;
    double worst = 0;
    for (const OutputError &output : fusion.outputs) {
      worst = std::max(worst, number(output.error));
      outputs.push_back(llvm::json::Object{{"name", llvm::json::fixUTF8(output.name)},
                                           {"error", number(output.error)},
                                           {"allowed", output.allowed},
                                           {"passed", output.isFine()}});
    }
    list.push_back(llvm::json::Object{{"fusion", fusion.fusion},
                                      {"places", fusion.places},
                                      {"worst_error", worst},
                                      {"outputs", std::move(outputs)}});
  }
  return llvm::json::Object{{"sizes", sizes}, {"passed", isFine()}, {"fusions", std::move(list)}};
}

//===----------------------------------------------------------------------------------------------===//
// Finding it
//===----------------------------------------------------------------------------------------------===//

namespace {

/// A folder that only we can read, gone with the object.
class PrivateFolder {
public:
  ~PrivateFolder() {
    if (!path.empty())
      llvm::sys::fs::remove_directories(path);
  }
  std::error_code create() {
    llvm::sys::path::system_temp_directory(/*ErasedOnReboot=*/true, path);
    llvm::sys::path::append(path, "tfc-verify-XXXXXX");
    if (::mkdtemp(const_cast<char *>(path.c_str())))
      return {};
    path.clear();
    return std::error_code(errno, std::generic_category());
  }
  std::string getFile(StringRef name) const { return (path + "/" + name).str(); }

private:
  SmallString<128> path;
};

class FusionVerifier {
public:
  FusionVerifier(MLIRContext &context, const CompileInput &input, const CompileOptions &options,
                 const VerifyOptions &verify, FusionVerification &result)
      : context(context), input(input), options(options), sizes(verify.sizes), seed(verify.seed),
        result(result) {
    // A model as usual, but for what would be written beside it.
    this->options.stage = Stage::SharedLibrary;
    this->options.querySymbol = "tfc_model_query";
    this->options.headerPath.clear();
    this->options.saveStagesDir.clear();
    this->options.requiredFusions.clear();
    this->options.onStage = nullptr;
    if (this->options.weights == TFC_WEIGHTS_EXTERNAL)
      this->options.weights = TFC_WEIGHTS_EMBED;
  }

  CompileStatus run();

private:
  CompileStatus fail(const Twine &message, CompileStatus status) {
    emitError(UnknownLoc::get(&context)) << "--verify-fusion: " << message;
    return status;
  }
  CompileStatus fail(const ::tfc::Status &status) {
    return fail(status.sentence,
                status.code == ::tfc::Defect ? CompileStatus::Defect : CompileStatus::BadInput);
  }
  CompileStatus runWith(ArrayRef<StringRef> fusions, Report &report, std::vector<::tfc::Array> &outputs);
  CompileStatus compare(StringRef fusion, ArrayRef<StringRef> on);
  void checkOutputs(const FusionError &error);
  double getAllowed(const ::tfc::Array &array) const;

  MLIRContext &context;
  const CompileInput &input;
  CompileOptions options;
  ::tfc::Sizes sizes;
  uint64_t seed;
  FusionVerification &result;
  PrivateFolder folder;
  bool haveSizes = false;
  unsigned fewestDigits = 24; ///< Of the graph without fusions.
  std::vector<::tfc::Array> unfused;
  /// Fusions that found a place when all were on.
  llvm::StringMap<int64_t> places;
};

} // namespace

/// Compiles with just these fusions and runs.
CompileStatus FusionVerifier::runWith(ArrayRef<StringRef> fusions, Report &report,
                                      std::vector<::tfc::Array> &outputs) {
  options.outputPath = folder.getFile("model.so");
  options.disabledFusions.clear();
  for (StringRef name : getFusionNames())
    if (!llvm::is_contained(fusions, name))
      options.disabledFusions.push_back(name.str());
  Compiler compiler(context, options);
  if (CompileStatus status = compiler.run(input); status != CompileStatus::Success)
    return status;
  report = compiler.getReport();
  if (!haveSizes)
    if (::tfc::Status status = ::tfc::completeSizes(options.outputPath, options.querySymbol, seed, sizes))
      return fail(status);
  haveSizes = true;
  ::tfc::Status status = ::tfc::runArtifact(options.outputPath, options.querySymbol, sizes, seed, outputs);
  llvm::sys::fs::remove(options.outputPath);
  return status ? fail(status) : CompileStatus::Success;
}

static std::string formatError(double error) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.1e", error);
  return text;
}

/// By the digits of the output, or of what the graph computes with on the way to it.
double FusionVerifier::getAllowed(const ::tfc::Array &array) const {
  if (array.type.code == TFC_BFLOAT || fewestDigits <= 8)
    return 2e-2;
  return (array.type.code == TFC_FLOAT && array.type.bits < 32) || fewestDigits <= 11 ? 2e-3 : 1e-5;
}

void FusionVerifier::checkOutputs(const FusionError &error) {
  for (const OutputError &output : error.outputs)
    if (!output.isFine())
      emitError(UnknownLoc::get(&context))
          << "--verify-fusion: output '" << output.name << "' is off by " << formatError(output.error)
          << " of its largest magnitude with " << (error.fusion == "all" ? "all fusions" : error.fusion)
          << ", allowed is " << formatError(output.allowed);
}

CompileStatus FusionVerifier::compare(StringRef fusion, ArrayRef<StringRef> on) {
  Report report;
  std::vector<::tfc::Array> fused;
  if (CompileStatus status = runWith(on, report, fused); status != CompileStatus::Success)
    return status;
  FusionError error;
  error.fusion = fusion.str();
  for (const FusionRemark &remark : report.getFusions()) {
    error.places += remark.fused && (fusion == "all" || remark.kind == fusion);
    if (fusion == "all" && remark.fused)
      ++places[remark.kind];
  }
  if (fused.size() != unfused.size())
    return fail("the fused model has other outputs", CompileStatus::Defect);
  for (auto [got, wanted] : llvm::zip_equal(fused, unfused))
    error.outputs.push_back({wanted.name, ::tfc::measureError(got, wanted), getAllowed(wanted)});
  checkOutputs(error);
  result.fusions.push_back(std::move(error));
  return CompileStatus::Success;
}

/// The fusion and those that it builds on.
static SmallVector<StringRef> getWithNeeded(StringRef fusion) {
  if (fusion == "swiglu")
    return {"gelu", "silu", fusion};
  if (fusion == "embedding")
    return {"layer_norm", "rms_norm", fusion};
  return {fusion};
}

CompileStatus FusionVerifier::run() {
  if (std::error_code error = folder.create())
    return fail("cannot make a temporary folder: " + error.message(), CompileStatus::Defect);
  Report report;
  if (CompileStatus status = runWith({}, report, unfused); status != CompileStatus::Success)
    return status;
  fewestDigits = report.getFewestDigits();
  for (const auto &[name, size] : sizes)
    result.sizes += (result.sizes.empty() ? "" : ",") + name + "=" + std::to_string(size);
  if (CompileStatus status = compare("all", getFusionNames()); status != CompileStatus::Success)
    return status;
  // What finds no place in the graph cannot change it.
  for (StringRef name : getFusionNames())
    if (places.lookup(name) > 0)
      if (CompileStatus status = compare(name, getWithNeeded(name)); status != CompileStatus::Success)
        return status;
  return result.isFine() ? CompileStatus::Success : CompileStatus::CheckFailed;
}

CompileStatus mlir::tfc::verifyFusion(MLIRContext &context, const CompileInput &input,
                                      const CompileOptions &options, const VerifyOptions &verify,
                                      FusionVerification &result) {
  return FusionVerifier(context, input, options, verify, result).run();
}
