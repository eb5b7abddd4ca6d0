//===- ToolTest.cpp - tfc-run as a user or a script sees it; what is linked with what -------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace {

struct Result {
  int code;
  std::string text;
};

/// Runs a shell command; both streams are caught.
Result shell(const std::string &command) {
  Result result = {-1, ""};
  FILE *pipe = popen(("( " + command + " ) 2>&1").c_str(), "r");
  char block[4096];
  while (size_t got = fread(block, 1, sizeof(block), pipe))
    result.text.append(block, got);
  int status = pclose(pipe);
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return result;
}

std::string model(const std::string &name) { return std::string(TFC_TEST_MODELS "/") + name; }
Result tool(const std::string &arguments) { return shell(TFC_RUN " " + arguments); }

std::string temporary(const std::string &name) {
  return testing::TempDir() + "/tfc-tool-" + std::to_string(getpid()) + "-" + name;
}

bool has(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

const std::string dims = " --random --dim batch=2,seq=7,past=3 ";

TEST(TfcRun, HelpTeaches) {
  Result result = tool("--help");
  EXPECT_EQ(result.code, 0);
  for (const char *part : {"--inputs", "--random", "--expect", "--describe", "--repeat", "Exit code"})
    EXPECT_TRUE(has(result.text, part)) << part;
}

TEST(TfcRun, RoundTrip) {
  std::string out = temporary("out.npz");
  ASSERT_EQ(tool(model("lookup.so") + dims + "--outputs " + out).code, 0);
  Result same = tool(model("lookup.so") + dims + "--expect=" + out);
  EXPECT_EQ(same.code, 0) << same.text;
  EXPECT_TRUE(has(same.text, "1 output is as expected: 56 elements, largest error 0")) << same.text;
  Result other = tool(model("lookup.so") + dims + "--seed 9 --expect " + out);
  EXPECT_EQ(other.code, 1);
  EXPECT_TRUE(has(other.text, "check failed: output 'hidden' at [")) << other.text;
  Result shape = tool(model("lookup.so") + " --random --dim batch=1,seq=7,past=3 --expect " + out);
  EXPECT_EQ(shape.code, 1);
  EXPECT_TRUE(has(shape.text, "output 'hidden' is [1, 7, 4], but [2, 7, 4] is expected")) << shape.text;
  unlink(out.c_str());
}

TEST(TfcRun, ExpectSeesAChangedValue) {
  std::string out = temporary("out.npz"), changed = temporary("changed.npz");
  ASSERT_EQ(tool(model("lookup_seed.so") + " --random --dim batch=1,seq=3,past=0 --outputs " + out).code, 0);
  // With the tolerance at zero one bit is enough; the archive's checksum is recomputed by numpy.
  Result python = shell("/usr/bin/python3 -c \"import numpy as n; d=dict(n.load('" + out +
                        "')); d['hidden'][0,2,1]+=0.01; n.savez('" + changed + "',**d)\"");
  if (python.code != 0)
    GTEST_SKIP() << "python3 with numpy is not here";
  Result result = tool(model("lookup_seed.so") + " --random --dim batch=1,seq=3,past=0 --expect " + changed);
  EXPECT_EQ(result.code, 1);
  EXPECT_TRUE(has(result.text, "output 'hidden' at [0, 2, 1] is ") &&
              has(result.text, "1 of 12 elements differ"))
      << result.text;
  unlink(out.c_str());
  unlink(changed.c_str());
}

TEST(TfcRun, NumpyReadsAndWrites) {
  std::string in = temporary("in.npz"), out = temporary("out.npz");
  Result python = shell("/usr/bin/python3 -c \"import numpy as n; n.savez_compressed('" + in +
                        "', input_ids=n.asfortranarray([[1,2],[3,99]]), "
                        "attention_mask=n.full((2,2),2,'>f4'), past_key=n.zeros((2,0,4),'f4'))\"");
  if (python.code != 0)
    GTEST_SKIP() << "python3 with numpy is not here";
  ASSERT_EQ(tool(model("lookup.so") + " --inputs " + in + " --outputs " + out).code, 0);
  Result check = shell("/usr/bin/python3 -c \"import numpy as n; d=n.load('" + out +
                       "'); h=d['hidden']; print(list(d), h.shape, h.dtype, h[1,1,3], h[0,1,0])\"");
  EXPECT_EQ(check.text, "['hidden'] (2, 2, 4) float32 199.5 4.0\n");
  unlink(in.c_str());
  unlink(out.c_str());
}

TEST(TfcRun, BadInputIsTwo) {
  const char *cases[][2] = {
      {" --random", "the sizes of all symbols are needed; add --dim batch=N,seq=N,past=N"},
      {" --random --dim batch=1,seq=2", "add --dim past=N"},
      {" --random --dim batch=1,seq=2,past=0,len=3",
       "the model has no symbol 'len'; it has batch, seq, past"},
      {" --random --dim batch=1,seq=513,past=0", "--dim seq=513: the model takes 0 to 512"},
      {" --random --dim batch=-1", "--dim takes NAME=N"},
      {" --random --dim batch=1,batch=2", "twice"},
      {" --random --dim batch=1,seq=500,past=1000", "node 'Add_7': 'past + seq' is 1500"},
      {"", "give --inputs FILE.npz or --random"},
      {" --dim batch=1", "it goes with --random"},
      {" --random --inputs x.npz", "exclude each other"},
      {" --inputs /nowhere.npz", "'/nowhere.npz': cannot be opened"},
      {" --inputs " TFC_TEST_MODELS "/lookup.so", "is neither an npz nor an npy file"},
      {" --frobnicate", "unknown option '--frobnicate'"},
      {" --repeat 0", "--repeat takes a number of at least 1"},
      {" --threads many", "--threads takes a number"},
      {" --rtol -1", "--rtol takes"},
      {" --json=yes", "--json takes no value"},
      {" --seed", "--seed needs a value"},
      {" --entry decode --describe", "no entry 'decode'; it has: 'main'"},
      {" --query nothing --describe", "it has no function 'nothing'"},
      {" second.so", "one model at a time"},
  };
  for (const auto &one : cases) {
    Result result = tool(model("lookup.so") + one[0]);
    EXPECT_EQ(result.code, 2) << one[0];
    EXPECT_TRUE(has(result.text, one[1])) << one[0] << ": " << result.text;
    EXPECT_EQ(result.text.find('\n'), result.text.size() - 1) << "one line: " << result.text;
  }
  EXPECT_EQ(tool("").code, 2);
  EXPECT_EQ(tool("/nowhere.so --describe").code, 2);
}

TEST(TfcRun, OutputsToBadPlaces) {
  EXPECT_EQ(tool(model("lookup.so") + dims + "--outputs /nowhere/x.npz").code, 2);
  EXPECT_EQ(tool(model("lookup.so") + dims + "--outputs /tmp").code, 2);
  // A file that may not grow stands for a full disk.
  std::string out = temporary("full.npz");
  Result full = shell("ulimit -f 1; trap '' XFSZ; " TFC_RUN " " + model("lookup.so") +
                      " --random --dim batch=9,seq=500,past=0 --outputs " + out);
  EXPECT_EQ(full.code, 3) << full.text;
  EXPECT_EQ(shell("ls " + out + "*").code, 2) << "no partial file is left";
}

TEST(TfcRun, Json) {
  Result result = tool(model("lookup.so") + dims + "--repeat 5 --warmup 2 --threads 2 --profile --json");
  EXPECT_EQ(result.code, 0);
  std::string last = result.text.substr(result.text.rfind('\n', result.text.size() - 2) + 1);
  EXPECT_EQ(last.find("{\"min_ms\": "), 0u) << last;
  EXPECT_TRUE(has(last, "\"median_ms\": ") && has(last, "\"p90_ms\": ") &&
              has(last, "\"repeat\": 5, \"threads\": 2, \"peak_bytes\": "))
      << last;
  EXPECT_TRUE(has(result.text, "gather_0") && has(result.text, "outside kernels")) << result.text;
}

TEST(TfcRun, Describe) {
  Result text = tool(model("lookup.so") + " --describe");
  EXPECT_EQ(text.code, 0);
  EXPECT_TRUE(has(text.text, "input   attention_mask  f32    [batch, past + seq]  mask")) << text.text;
  EXPECT_TRUE(has(text.text, "seq                    0 to 512")) << text.text;
  Result json = tool(model("compact.so") + " --describe --json");
  EXPECT_EQ(json.code, 0);
  EXPECT_TRUE(has(json.text, "\"arena_bytes\": [\"64\", \"4*found\"]")) << json.text;
}

TEST(TfcRun, SizesFromData) {
  Result result = tool(model("compact.so") + " --random --dim n=8");
  EXPECT_EQ(result.code, 0) << result.text;
  EXPECT_TRUE(has(result.text, "output positive: f32 [")) << result.text;
}

//===-- What is linked with what
//---------------------------------------------------------------------------===//

/// Libraries that a file needs, without their paths.
std::string needed(const std::string &path) {
  return shell("readelf -d '" + path + "' | sed -n 's/.*NEEDED.*\\[\\(.*\\)\\]/\\1/p'").text;
}

TEST(Linkage, ModelNeedsOnlyTheCLibrary) {
  for (const char *name : {"lookup_alone.so", "compact_alone.so"}) {
    EXPECT_EQ(needed(model(name)), "libc.so.6\n") << name;
    EXPECT_EQ(shell("nm -D --defined-only '" + model(name) + "' | awk '{print $3}'").text,
              "tfc_model_query\n");
  }
}

TEST(Linkage, CoreNeedsOnlyTheCLibrary) {
  std::string libc = temporary("libc-symbols");
  shell("nm -D --defined-only $(ldconfig -p | awk '/libc.so.6.*(x86-64|AArch64)/{print $NF; exit}') | awk "
        "'{sub(/@.*/, \"\", $3); print $3}' | sort -u > " +
        libc);
  // The last two are made by the linker itself.
  Result undefined = shell("nm -u '" TFC_CORE_OBJECT "' | awk '{print $2}' | grep -v -x -e _TLS_MODULE_BASE_ "
                                                     "-e _GLOBAL_OFFSET_TABLE_ | sort -u | comm -23 - " +
                           libc);
  unlink(libc.c_str());
  EXPECT_EQ(undefined.text, "");
  // Weak is what LLVM calls by a name of a compiler's library (HalfFloat.c).
  EXPECT_EQ(shell("nm -g --defined-only '" TFC_CORE_OBJECT "' | grep -v -E ' W __(extendhfsf2|truncsfhf2)$' | awk '{print $3}'").text,
            "tfc_core_api\n");
  EXPECT_EQ(shell("readelf -S '" TFC_CORE_OBJECT "' | grep -e init_array -e fini_array -e ctors").text, "")
      << "no constructors";
}

TEST(Linkage, RuntimeLibraryShowsItsHeaderOnly) {
  // AddressSanitizer marks the ends of its section.
  std::string shown = shell("nm -D --defined-only '" TFC_RUNTIME_LIBRARY
                            "' | awk '{print $3}' | grep -v -e '^tfc_' -e '^_init$' -e '^_fini$' -e '^__st.*_asan_globals$'")
                          .text;
  EXPECT_EQ(shown, "");
  EXPECT_EQ(shell("nm -D --defined-only '" TFC_RUNTIME_LIBRARY "' | grep -c tfc_core").text, "0\n");
  EXPECT_FALSE(has(needed(TFC_RUNTIME_LIBRARY), "stdc++"));
  EXPECT_FALSE(has(needed(TFC_RUN), "LLVM"));
}

} // namespace
