//===- Options.cpp - What the user of tfc-run asks for --------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Options.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <vector>

namespace tfc {

const char *const helpText = R"(tfc-run: run a model.so that tfc-compile has made

  tfc-run model.so --describe                         what it takes and gives
  tfc-run model.so --random --dim batch=1,seq=128     try it with made-up inputs
  tfc-run model.so --inputs X.npz --outputs Y.npz     run it
  tfc-run model.so --inputs X.npz --expect REF.npz    is it right?
  tfc-run model.so --random --dim batch=1,seq=128 --repeat 50 --profile
                                                      how fast is it, and where does the time go?

Inputs
  --inputs FILE.npz      arrays by the names of the model's inputs (an .npy file if it has only one)
  --random               made-up inputs: ids inside their table, masks all ones, floats in [-0.5, 0.5]
  --dim NAME=N,...       sizes of the model's symbols for --random
  --seed N               other made-up inputs (default 0)
  --save-inputs FILE.npz write the inputs of the run, to have made-up ones elsewhere

Results
  --outputs FILE.npz     write them; bf16 as uint16 bits, float8 as uint8, 4-bit integers as int8
  --expect FILE.npz      compare them: names, types, shapes, elements; NaN equals NaN
  --rtol X --atol X      allowed error: atol + rtol * |expected| (default 1e-4 and 1e-5); integers are equal

Runs
  --device cpu|cuda[:N]  where to run; default: the CPU if the model has code for it, else the first GPU
  --threads N            default 0: as many as the affinity mask and the cgroup quota allow
  --repeat N             measure N runs (default 1)
  --warmup N             runs before those (default 1 with --repeat, else 0)
  --steps N              N runs that follow each other: outputs that may share memory with an input are its value in the next
                         run, other inputs are made up anew (with --random)
  --in-place             past and present of an attention share one buffer: only new rows are written
  --room ROWS            how many rows the buffers have room for (default: as many as the steps need)
  --clients N,N,...      requests a second with so many clients at once: threads with a context each, of one thread unless
                         --threads says more, over the same weights; and how much memory grew
  --seconds X            how long for each number of clients (default 2)
  --profile [FILE.json]  a table of the kernels: calls, time, share, rates, percent of what this machine can do at most;
                         with a file, a trace for ui.perfetto.dev or chrome://tracing as well; on a GPU by the GPU's clock
  --profile-html FILE    a page with the table, a roofline, a timeline and the fused graph
  --measure-machine      measure what this machine can do at most and keep it in ~/.cache/tfc/machine.txt; needs no model; with
                         --device cuda what the GPU can do, which is kept nowhere
  --json                 what was measured or found as JSON, an object on a line of its own; of a run the last line has min_ms,
                         median_ms, p90_ms, repeat, threads, peak_bytes, with --profile the one before it the table

Looking inside of one run, kernel by kernel
  --check-nan            the first kernel and node that makes a NaN or an infinity which nothing it read had; exit code 1 if so
  --dump-tensors DIR     write what the nodes of --names REGEX make (default: all) as .npy files, and index.json
  --compare-with M.so    the worst error of every kernel against another artifact of the model, on the same values: one of
                         tfc-compile --plain-kernels (the same kernels, plainly lowered) or --reference; --rtol, --atol as above.
                         With --device cuda: against the CPU, if M.so has code for it (it may be the same file)

Model
  --dump-weights FILE    write the weights to a .safetensors file, under the graph's names and in its order; seeded ones are made; no run
  --describe             inputs, outputs, symbols, kernels, weights, memory (a number with --dim); with --json as JSON
  --entry NAME           entry point (default: the first)
  --isa LEVEL            of a model for several CPUs, take the variant for this level (x86-64-v3) or below; for any
                         program the environment variable TFC_MAX_ISA does the same
  --query NAME           exported function of the library (default: tfc_model_query)
  --version              the version of tfc-run

Exit code: 0 fine; 1 a check failed (--expect, --compare-with, --check-nan); 2 bad input or usage; 3 a defect of tfc or of the machine.
)";

static bool parseInteger(const std::string &text, int64_t low, int64_t high, int64_t &value) {
  char *end;
  errno = 0;
  long long parsed = std::strtoll(text.c_str(), &end, 10);
  value = parsed;
  return !text.empty() && !*end && errno == 0 && value >= low && value <= high;
}

static bool parseTolerance(const std::string &text, double &value) {
  char *end;
  value = std::strtod(text.c_str(), &end);
  return !text.empty() && !*end && value >= 0 && std::isfinite(value);
}

/// cpu, cuda, cuda:1
static bool parseDevice(const std::string &text, DeviceChoice &device) {
  const std::string prefix = "cuda:";
  int64_t number = 0;
  bool isNumbered = text.compare(0, prefix.size(), prefix) == 0;
  if (text != "cpu" && text != "cuda" && !(isNumbered && parseInteger(text.substr(prefix.size()), 0, 1023, number)))
    return false;
  device = {text == "cpu" ? 1 : 2, int32_t(number)};
  return true;
}

static Status parseDims(const std::string &text, std::map<std::string, int64_t> &dims) {
  for (size_t at = 0; at <= text.size();) {
    size_t comma = std::min(text.find(',', at), text.size());
    std::string pair = text.substr(at, comma - at);
    size_t equal = pair.find('=');
    int64_t value;
    if (equal == std::string::npos || equal == 0 ||
        !parseInteger(pair.substr(equal + 1), 0, INT64_MAX, value))
      return badInput(
          "--dim takes NAME=N,NAME=N with N at least 0, for instance --dim batch=1,seq=128; it was given '" +
          text + "'");
    if (!dims.emplace(pair.substr(0, equal), value).second)
      return badInput("--dim gives '" + pair.substr(0, equal) + "' twice");
    at = comma + 1;
  }
  return {};
}

namespace {
/// One option: either a switch or a function of its value that says whether the value will do.
struct Rule {
  std::string name;
  bool *flag;
  std::function<bool(const std::string &)> take;
  std::string wants;
};
} // namespace

static std::vector<Rule> makeRules(Options &options, Status &dimStatus) {
  auto text = [](std::string &to) {
    return [&to](const std::string &value) {
      to = value;
      return !value.empty();
    };
  };
  auto integer = [](int64_t &to, int64_t low, int64_t high) {
    return [&to, low, high](const std::string &value) { return parseInteger(value, low, high, to); };
  };
  auto seed = [&options](const std::string &value) {
    char *end;
    errno = 0;
    options.seed = std::strtoull(value.c_str(), &end, 10);
    return !value.empty() && value[0] != '-' && !*end && errno == 0;
  };
  auto dims = [&options, &dimStatus](const std::string &value) {
    dimStatus = parseDims(value, options.dims);
    return true;
  };
  auto tolerance = [](double &to) {
    return [&to](const std::string &value) { return parseTolerance(value, to); };
  };
  auto clients = [&options](const std::string &value) {
    for (size_t at = 0; at <= value.size();) {
      size_t comma = std::min(value.find(',', at), value.size());
      int64_t count;
      if (!parseInteger(value.substr(at, comma - at), 1, 1024, count))
        return false;
      options.clients.push_back(count);
      at = comma + 1;
    }
    return true;
  };
  auto seconds = [&options](const std::string &value) {
    return parseTolerance(value, options.seconds) && options.seconds >= 0.01 && options.seconds <= 1e6;
  };
  return {{"--inputs", nullptr, text(options.inputs), "a file"},
          {"--save-inputs", nullptr, text(options.saveInputs), "a file"},
          {"--outputs", nullptr, text(options.outputs), "a file"},
          {"--expect", nullptr, text(options.expect), "a file"},
          {"--entry", nullptr, text(options.entry), "a name"},
          {"--query", nullptr, text(options.query), "a name"},
          {"--isa", nullptr, text(options.isa), "a level: x86-64, x86-64-v2, x86-64-v3 or x86-64-v4"},
          {"--dim", nullptr, dims, "NAME=N,..."},
          {"--seed", nullptr, seed, "a number that is not negative"},
          {"--rtol", nullptr, tolerance(options.rtol), "a number that is not negative"},
          {"--atol", nullptr, tolerance(options.atol), "a number that is not negative"},
          {"--threads", nullptr, integer(options.threads, 0, 1024), "a number from 0 to 1024"},
          {"--repeat", nullptr, integer(options.repeat, 1, 100000000), "a number of at least 1"},
          {"--warmup", nullptr, integer(options.warmup, 0, 100000000), "a number of at least 0"},
          {"--steps", nullptr, integer(options.steps, 1, 100000000), "a number of at least 1"},
          {"--room", nullptr, integer(options.room, 1, INT64_MAX), "a number of at least 1"},
          {"--in-place", &options.inPlace, nullptr, ""},
          {"--clients", nullptr, clients, "numbers from 1 to 1024: 1,2,4"},
          {"--seconds", nullptr, seconds, "a number from 0.01 to 1000000"},
          {"--device", nullptr, [&options](const std::string &value) { return parseDevice(value, options.device); }, "cpu, cuda or cuda:N"},
          {"--random", &options.random, nullptr, ""},
          {"--json", &options.json, nullptr, ""},
          {"--describe", &options.describe, nullptr, ""},
          {"--profile", &options.profile, nullptr, ""},
          {"--profile-html", nullptr, text(options.profileHtml), "a file"},
          {"--check-nan", &options.checkNan, nullptr, ""},
          {"--dump-tensors", nullptr, text(options.dumpTensors), "a folder"},
          {"--dump-weights", nullptr, text(options.dumpWeights), "a file"},
          {"--names", nullptr, text(options.names), "a regular expression"},
          {"--compare-with", nullptr, text(options.compareWith), "a model.so"},
          {"--measure-machine", &options.measureMachine, nullptr, ""},
          {"--version", &options.version, nullptr, ""},
          {"--help", &options.help, nullptr, ""}};
}

static Status takeOption(const std::vector<Rule> &rules, const std::string &argument, int argc, char **argv,
                         int &at) {
  size_t equal = argument.find('=');
  std::string name = argument.substr(0, equal);
  for (const Rule &rule : rules) {
    if (rule.name != name)
      continue;
    if (rule.flag) {
      if (equal != std::string::npos)
        return badInput(name == "--profile" ? "--profile=FILE names a file for the trace; it was given none" : name + " takes no value");
      *rule.flag = true;
      return {};
    }
    if (equal == std::string::npos && at + 1 >= argc)
      return badInput(name + " needs a value: " + rule.wants);
    std::string value = equal == std::string::npos ? argv[++at] : argument.substr(equal + 1);
    return rule.take(value) ? Status{}
                            : badInput(name + " takes " + rule.wants + "; it was given '" + value + "'");
  }
  return badInput("unknown option '" + name + "'; tfc-run --help lists them");
}

static bool endsWith(const std::string &text, const std::string &end) {
  return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// --profile alone is a switch; `--profile=FILE` and `--profile FILE.json` name the trace.
static bool takeTraceFile(const std::string &argument, int argc, char **argv, int &at, Options &options) {
  const std::string prefix = "--profile=";
  if (argument.compare(0, prefix.size(), prefix) == 0 && argument.size() > prefix.size())
    options.profileTrace = argument.substr(prefix.size());
  else if (argument == "--profile" && at + 1 < argc && endsWith(argv[at + 1], ".json"))
    options.profileTrace = argv[++at];
  else
    return false;
  options.profile = true;
  return true;
}

Status parseOptions(int argc, char **argv, Options &options) {
  Status dimStatus;
  std::vector<Rule> rules = makeRules(options, dimStatus);
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument == "-h") {
      options.help = true;
    } else if (argument.size() > 1 && argument[0] == '-') {
      if (takeTraceFile(argument, argc, argv, i, options))
        continue;
      if (Status status = takeOption(rules, argument, argc, argv, i))
        return status;
      if (dimStatus)
        return dimStatus;
    } else if (options.model.empty()) {
      options.model = argument;
    } else {
      return badInput("one model at a time: '" + options.model + "' or '" + argument + "'?");
    }
  }
  if (options.help || options.version || options.measureMachine)
    return {};
  if (options.model.empty())
    return badInput("no model given; tfc-run --help says how it is used");
  if (options.random && !options.inputs.empty())
    return badInput("--random and --inputs exclude each other");
  if (!options.random && !options.describe && !options.dims.empty())
    return badInput("--dim sizes made-up inputs: it goes with --random or --describe");
  if (!options.dumpWeights.empty() && (options.inspects() || options.random || !options.inputs.empty() || options.profile || !options.profileHtml.empty() ||
                                       !options.clients.empty() || options.describe))
    return badInput("--dump-weights runs nothing: inputs, --profile, --clients, --describe and looking at tensors do not go with it");
  if (options.checkNan + !options.dumpTensors.empty() + !options.compareWith.empty() > 1)
    return badInput("--check-nan, --dump-tensors and --compare-with exclude each other");
  if (options.inspects() && (options.profile || !options.profileHtml.empty() || options.repeat > 1 || options.warmup > 0 ||
                             options.steps > 1 || options.inPlace || !options.expect.empty() || !options.outputs.empty()))
    return badInput("looking at tensors is a run of its own: --profile, --repeat, --warmup, --steps, --in-place, --expect and --outputs do not go with it");
  if (!options.clients.empty() && (options.inspects() || options.profile || !options.profileHtml.empty() || options.repeat > 1 ||
                                   options.steps > 1 || options.inPlace || !options.expect.empty() || !options.outputs.empty()))
    return badInput("--clients is a measurement of its own: --profile, --repeat, --steps, --in-place, --expect, --outputs and looking at tensors do not go with it");
  if (!options.names.empty() && options.dumpTensors.empty())
    return badInput("--names says which tensors --dump-tensors writes");
  if (options.steps > 1 && (!options.random || options.repeat > 1 || options.warmup > 0))
    return badInput("--steps goes with --random, and with neither --repeat nor --warmup");
  if (options.room && !options.inPlace)
    return badInput("--room goes with --in-place");
  if (options.warmup < 0)
    options.warmup = options.repeat > 1 ? 1 : 0;
  return {};
}

} // namespace tfc
