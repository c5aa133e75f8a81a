// Durable appends per second on the real disk: each thread appends a record and waits for its sync.
// The directory is $TIDELINE_BENCH_DIR, else the current one; a run leaves nothing behind.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "base/check.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/random.h"
#include "storage/fs/posix_file_system.h"
#include "storage/wal/wal_recovery.h"
#include "storage/wal/wal_writer.h"

namespace tideline::wal {
namespace {

class Waiter final : public WalCompletion {
 public:
  void OnDurable(const Status& status, SequenceNumber) override {
    const MutexLock lock(mutex_);
    TL_CHECK(status.ok());
    done_ = true;
    changed_.NotifyOne();
  }
  void Wait() {
    const MutexLock lock(mutex_);
    while (!done_) changed_.Wait(mutex_);
    done_ = false;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool done_ TL_GUARDED_BY(mutex_) = false;
};

struct BenchLog {
  seal::PlainSealer sealer;
  WalOptions options;
  std::unique_ptr<WalWriter> wal;
};
BenchLog& TheLog() {
  static BenchLog log;
  return log;
}

void RemoveLog() {
  fs::FileSystem& fs = fs::PosixFileSystem();
  const std::string& directory = TheLog().options.directory;
  const auto entries = fs.List(directory);
  if (!entries.ok()) return;
  for (const fs::DirectoryEntry& entry : *entries) {
    fs.Remove(fs::JoinPath(directory, entry.name)).IgnoreError();
  }
  fs.RemoveDirectory(directory).IgnoreError();
}

void OpenLog(const benchmark::State&) {
  SetLogLevel(LogLevel::kOff);
  BenchLog& log = TheLog();
  const char* root = std::getenv("TIDELINE_BENCH_DIR");
  log.options.directory = fs::JoinPath(root != nullptr ? root : ".", "wal_bench_data");
  log.options.sealer = &log.sealer;
  RemoveLog();
  const auto recovery = RecoverWal(fs::PosixFileSystem(), log.options, SequenceNumber{}, {},
                                   [](auto, auto, auto) { return OkStatus(); });
  TL_CHECK(recovery.ok());
  auto wal = WalWriter::Open(fs::PosixFileSystem(), log.options, recovery->position);
  TL_CHECK(wal.ok());
  log.wal = *std::move(wal);
}

void CloseLog(const benchmark::State&) {
  TL_CHECK(TheLog().wal->Stop().ok());
  TheLog().wal.reset();
  RemoveLog();
}

// A payload like a batch of outcomes: half of it repeats, half does not.
Bytes MakePayload(std::size_t bytes, int thread) {
  Random random(static_cast<std::uint64_t>(thread) + 1);
  Bytes payload(bytes);
  for (std::size_t i = 0; i < bytes; ++i) {
    payload[i] = static_cast<std::byte>(i % 16 < 8 ? i % 16 : random.Next());
  }
  return payload;
}

void DurableAppend(benchmark::State& state) {
  WalWriter& wal = *TheLog().wal;
  const Bytes payload = MakePayload(static_cast<std::size_t>(state.range(0)), state.thread_index());
  Waiter waiter;
  for (auto _ : state) {
    Result<WalReservation> space = wal.Reserve(payload.size());
    while (!space.ok()) {
      wal.Truncate(wal.durable_number()).IgnoreError();
      space = wal.Reserve(payload.size());
    }
    wal.Append(*space, 1, payload, &waiter);
    waiter.Wait();
  }
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) {
    const WalStats stats = wal.stats();
    state.counters["records_per_group"] =
        static_cast<double>(stats.record_count) / static_cast<double>(stats.group_count);
    state.counters["stored_ratio"] =
        static_cast<double>(stats.frame_bytes) / static_cast<double>(stats.payload_bytes);
  }
}
BENCHMARK(DurableAppend)
    ->Arg(512)
    ->Arg(8 << 10)
    ->Arg(64 << 10)
    ->ThreadRange(1, 16)
    ->UseRealTime()
    ->Setup(OpenLog)
    ->Teardown(CloseLog);

}  // namespace
}  // namespace tideline::wal
