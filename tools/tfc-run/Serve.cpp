//===- Serve.cpp - Several clients of one model ------------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Serve.h"
#include "Format.h"
#include "Inputs.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>

namespace tfc {

namespace {
/// Times of requests in steps of 2 %, from a microsecond on: of a fixed size, for runs of any length.
class Histogram {
public:
  void add(double seconds) {
    double step = std::log(std::max(seconds * 1e6, 1.0)) / std::log(kStep);
    ++counts[std::min(size_t(step), counts.size() - 1)];
    ++total;
  }
  void add(const Histogram &other) {
    for (size_t i = 0; i < counts.size(); ++i)
      counts[i] += other.counts[i];
    total += other.total;
  }
  int64_t count() const { return total; }
  /// Milliseconds that this part of the requests did not exceed.
  double quantile(double part) const {
    int64_t below = 0;
    for (size_t i = 0; i < counts.size(); ++i)
      if ((below += counts[i]) >= part * double(total) && below > 0)
        return std::pow(kStep, double(i) + 0.5) * 1e-3;
    return 0;
  }

private:
  static constexpr double kStep = 1.02;
  std::array<int64_t, 1024> counts = {};
  int64_t total = 0;
};

struct Client {
  Session session;
  Histogram times;
  Status status;
};

struct Throughput {
  int64_t clients = 0;
  double seconds = 0;
  Histogram times;
  int64_t memoryEarly = 0, memoryLate = 0; ///< Resident bytes: after a tenth of the time, and at the end.
};
} // namespace

static int64_t residentBytes() {
  long long pages = 0;
  if (FILE *file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%*s %lld", &pages) != 1)
      pages = 0;
    std::fclose(file);
  }
  return pages * 4096;
}

static void answer(Client &client, const std::atomic<bool> &go, const std::atomic<bool> &stop) {
  std::vector<double> seconds;
  while (!go)
    std::this_thread::yield();
  // At least one each, however little of the time a busy machine leaves: else there would be no times to tell.
  do {
    seconds.clear();
    client.status = client.session.run(0, 1, seconds);
    if (!client.status)
      client.times.add(seconds.front());
  } while (!stop && !client.status);
}

static Status measure(const Options &options, const Session &model, const std::vector<Array> &inputs, Throughput &result) {
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<double> warmup;
  for (int64_t i = 0; i < result.clients; ++i) {
    clients.push_back(std::make_unique<Client>());
    clients.back()->session.share(model);
    // Clients already are as many threads as one wants; the runs of each stay on its own, unless asked otherwise.
    if (Status status = clients.back()->session.prepare(options.threads ? int32_t(options.threads) : 1, nullptr, inputs))
      return status;
    if (Status status = clients.back()->session.run(1, 1, warmup))
      return status;
  }
  std::atomic<bool> go{false}, stop{false};
  std::vector<std::thread> threads;
  for (auto &client : clients)
    threads.emplace_back(answer, std::ref(*client), std::cref(go), std::cref(stop));
  double start = now();
  go = true;
  auto sleepUntil = [&](double part) {
    double left = start + part * options.seconds - now();
    if (left > 0)
      std::this_thread::sleep_for(std::chrono::duration<double>(left));
  };
  sleepUntil(0.1);
  result.memoryEarly = residentBytes();
  sleepUntil(1);
  stop = true;
  for (std::thread &thread : threads)
    thread.join();
  result.seconds = now() - start;
  result.memoryLate = residentBytes();
  for (auto &client : clients) {
    if (client->status)
      return client->status;
    result.times.add(client->times);
  }
  return {};
}

Status serveModel(const Options &options, Session &session) {
  std::vector<Array> inputs;
  if (Status status = readOrMakeInputs(options, session.entry(), inputs))
    return status;
  std::string rows;
  double single = 0;
  std::printf("clients  requests/s  of one   median ms      p90 ms  memory MB  grown KB\n");
  for (int64_t count : options.clients) {
    Throughput result;
    result.clients = count;
    if (Status status = measure(options, session, inputs, result))
      return status;
    double rate = double(result.times.count()) / result.seconds;
    if (single == 0)
      single = rate / double(count);
    int64_t grown = (result.memoryLate - result.memoryEarly) / 1024;
    std::printf("%7lld %11.1f %6.2fx %11.3f %11.3f %10.1f %9lld\n", static_cast<long long>(count), rate, rate / single,
                result.times.quantile(0.5), result.times.quantile(0.9), double(result.memoryLate) * 1e-6, static_cast<long long>(grown));
    std::fflush(stdout);
    rows += (rows.empty() ? "" : ", ") +
            format("{\"clients\": %lld, \"seconds\": %.6f, \"requests_per_s\": %.6f, \"requests\": %lld, \"median_ms\": %.4f, \"p90_ms\": %.4f, \"grown_kb\": %lld}",
                   static_cast<long long>(count), result.seconds, rate, static_cast<long long>(result.times.count()), result.times.quantile(0.5),
                   result.times.quantile(0.9), static_cast<long long>(grown));
  }
  if (options.json)
    std::printf("{\"throughput\": [%s]}\n", rows.c_str());
  return {};
}

} // namespace tfc
