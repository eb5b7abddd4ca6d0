//===- KernelCacheTest.cpp - A cache gives what was put in, or nothing ----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "tfc/Target/KernelCache.h"

#include "gtest/gtest.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

using namespace tfc;
namespace fs = std::filesystem;

namespace {

struct Cache : testing::Test {
  fs::path folder = testing::TempDir() + "/tfc-cache-" + std::to_string(getpid());
  std::vector<std::string> warnings;

  Cache() { fs::remove_all(folder); }
  ~Cache() override { fs::remove_all(folder); }

  KernelCache open(uint64_t limit = KernelCache::kDefaultLimit) {
    return KernelCache(folder.string(), limit, [this](llvm::StringRef text) { warnings.push_back(text.str()); });
  }
  static CachedKernel kernel(size_t bytes, char fill = 'x') {
    return {"#tfc.expr<s0>", "#tfc.expr<64>", llvm::SmallString<0>(std::string(bytes, fill))};
  }
  std::vector<fs::path> files() {
    std::vector<fs::path> result;
    for (const auto &entry : fs::directory_iterator(folder))
      result.push_back(entry.path());
    return result;
  }
};

TEST_F(Cache, GivesWhatWasPutIn) {
  KernelCache cache = open();
  KernelCache::Key one = KernelCache::makeKey("one"), two = KernelCache::makeKey("two");
  EXPECT_NE(one, two);
  EXPECT_EQ(one, KernelCache::makeKey("one"));
  EXPECT_FALSE(cache.find(one));
  cache.store(one, kernel(1000));
  EXPECT_FALSE(cache.find(two));
  std::optional<CachedKernel> found = open().find(one);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->tiles, "#tfc.expr<s0>");
  EXPECT_EQ(found->scratch, "#tfc.expr<64>");
  EXPECT_EQ(found->object, kernel(1000).object);
  cache.store(one, kernel(0));
  EXPECT_TRUE(cache.find(one)->object.empty());
  EXPECT_TRUE(warnings.empty());
}

TEST_F(Cache, EveryDamageIsSeen) {
  KernelCache cache = open();
  KernelCache::Key key = KernelCache::makeKey("one");
  cache.store(key, kernel(50));
  fs::path path = files().at(0);
  std::string whole;
  {
    std::ifstream file(path, std::ios::binary);
    whole.assign(std::istreambuf_iterator<char>(file), {});
  }
  auto findIn = [&](const std::string &bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    return cache.find(key).has_value();
  };
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] ^= 4;
    EXPECT_FALSE(findIn(flipped)) << at;
    EXPECT_FALSE(findIn(whole.substr(0, at))) << at;
  }
  EXPECT_FALSE(findIn(whole + "x"));
  EXPECT_TRUE(findIn(whole));
  EXPECT_TRUE(warnings.empty());
}

TEST_F(Cache, ADiskThatIsFullIsOneWarning) {
  KernelCache cache = open();
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = {4096, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  KernelCache::Key key = KernelCache::makeKey("one");
  cache.store(key, kernel(100000));
  cache.store(key, kernel(100000));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(warnings.size(), 1u);
  EXPECT_FALSE(cache.find(key));
  EXPECT_TRUE(files().empty()) << "no draft stays behind";
}

TEST_F(Cache, StaysWithinItsLimit) {
  KernelCache cache = open(10000);
  std::vector<KernelCache::Key> keys;
  for (int i = 0; i < 8; ++i) {
    keys.push_back(KernelCache::makeKey("kernel " + std::to_string(i)));
    cache.store(keys.back(), kernel(2000));
  }
  // The first was used last, of the others the last ones.
  for (int i : {1, 2, 3, 4, 5, 6, 7, 0}) {
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
    EXPECT_TRUE(cache.find(keys[i]));
  }
  cache.prune();
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(cache.find(keys[i]).has_value(), i == 0 || i > 4) << i;
  cache.store(KernelCache::makeKey("large"), kernel(20000));
  EXPECT_FALSE(cache.find(KernelCache::makeKey("large"))) << "larger than all of the cache";
}

TEST_F(Cache, ManyWriters) {
  KernelCache::Key key = KernelCache::makeKey("one");
  open();
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      KernelCache cache(folder.string(), KernelCache::kDefaultLimit, [&](llvm::StringRef) { ++wrong; });
      for (int i = 0; i < 50; ++i) {
        cache.store(key, kernel(30000, char('a' + t)));
        std::optional<CachedKernel> found = cache.find(key);
        if (!found || found->object.size() != 30000 || found->object.front() != found->object.back())
          ++wrong;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(files().size(), 1u);
}

} // namespace
