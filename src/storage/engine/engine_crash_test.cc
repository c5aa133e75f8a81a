// Random workloads with power cuts, against a model: acknowledged rows survive, unacknowledged ones appear
// whole or not at all, no row appears twice, and recovery twice equals recovery once.
#include <set>

#include "base/log.h"
#include "base/random.h"
#include "storage/engine/engine_test_support.h"
#include "storage/seal/key_ring.h"
#include "storage/seal/local_key_file.h"

namespace tideline::engine {
namespace {

using testing::RowKey;
using testing::Rows;
using testing::RowValues;
using testing::SimEngine;
using testing::TestRecord;
using tideline::testing::Keep;

/// What the client knows of one key: the acknowledged state, and states a lost answer may have left.
struct Known {
  std::optional<std::pair<std::int64_t, RowValues>> acked{};
  std::vector<std::pair<std::int64_t, RowValues>> maybe{};
};

class Workload {
 public:
  Workload(std::uint64_t seed, bool encrypted)
      : encrypted_(encrypted), random_(seed), sim_(seed) {
    sim_.options.buffer_rows_max = 8 + random_.Below(60);
    sim_.options.piece_rows_min = 1 + random_.Below(40);
    sim_.options.encode_runs = random_.Below(4) != 0;
    sim_.options.wal_file_bytes = 64 << 10;
  }

  void Run(int rounds) {
    ASSERT_TRUE(Open().ok());
    ASSERT_TRUE(sim_.Create().ok());
    for (int round = 0; round < rounds; ++round) {
      sim_.disk.CrashAtCall(5 + random_.Below(120));
      bool alive = true;
      for (int step = 0; alive && step < 60; ++step) alive = Step();
      sim_.Crash(static_cast<Keep>(random_.Below(3)));
      // Recovery itself may die, too.
      while (random_.Below(3) == 0) {
        sim_.disk.CrashAtCall(1 + random_.Below(12));
        if (Open().ok()) {
          sim_.Crash(static_cast<Keep>(random_.Below(3)));
        } else {
          sim_.disk.Restart(static_cast<Keep>(random_.Below(3)));
        }
      }
      const Status opened = Open();
      ASSERT_TRUE(opened.ok()) << opened << " in round " << round;
      const Rows rows = sim_.Read();
      Check(rows);
      if (::testing::Test::HasFailure()) {
        FAIL() << "in round " << round;
      }
      if (random_.Below(2) == 0) {
        sim_.Crash(Keep::kNone);
        ASSERT_TRUE(Open().ok());
        ASSERT_EQ(sim_.Read(), rows) << "recovery twice differs from once";
      }
    }
  }

 private:
  // Keys come from the disk at each start, as they do for a server.
  Status Open() {
    if (!encrypted_) return sim_.Open();
    TL_TRY(fs::CreateDirectories(sim_.disk, "/data"));
    auto opened = seal::LocalKeyFile::Open(sim_.disk, "/data/master-key");
    if (CodeOf(opened.status()) == ErrorCode::kNotFound) {
      opened = seal::LocalKeyFile::Create(sim_.disk, "/data/master-key");
    }
    key_file_ = TL_TRY(std::move(opened));
    ring_ = TL_TRY(seal::KeyRing::Open(sim_.disk, "/data/keys", *key_file_));
    sim_.options.sealer = ring_.get();
    return sim_.Open();
  }

  TestRecord MakeRecord() {
    TestRecord record;
    record.dimensions = {{"host", "h" + std::to_string(random_.Below(4))}};
    if (random_.Below(2) == 0) record.dimensions.emplace_back("rack", std::to_string(random_.Below(2)));
    record.time_ns = SimEngine::kNow - static_cast<std::int64_t>(random_.Below(60)) * kNsPerMinute;
    record.version = 1 + static_cast<std::int64_t>(random_.Below(4));
    const auto n = static_cast<std::int64_t>(random_.Below(3));
    if (random_.Below(2) == 0) {
      record.measure_name = "s" + std::to_string(random_.Below(3));
      record.measures = {{"", static_cast<double>(n)}};
    } else {
      record.measure_name = "m";
      record.measures = {{"x", n}};
      if (random_.Below(2) == 0) record.measures.emplace_back("text", "value " + std::to_string(n));
      if (random_.Below(4) == 0) record.measures.emplace_back("at", TimestampNs{n});
    }
    return record;
  }

  // False once the power is cut.
  bool Step() {
    const std::uint64_t what = random_.Below(20);
    if (what == 0) return sim_.engine().Checkpoint().ok() || !sim_.disk.crashed();
    if (what == 1) return sim_.engine().RunMaintenance().ok() || !sim_.disk.crashed();
    if (what == 2) {
      sim_.engine().Drive();
      return !sim_.disk.crashed();
    }
    std::vector<TestRecord> records;
    for (std::uint64_t i = 0; i <= random_.Below(8); ++i) records.push_back(MakeRecord());
    const auto results = sim_.Write(records);
    if (!results.ok() && CodeOf(results.status()) == ErrorCode::kResourceExhausted) return true;
    for (std::size_t i = 0; i < records.size(); ++i) {
      Known& known = known_[testing::KeyOf(records[i])];
      const std::pair<std::int64_t, RowValues> state{records[i].version, testing::ValuesOf(records[i])};
      if (!results.ok()) {
        known.maybe.push_back(state);
        continue;
      }
      switch ((*results)[i].verdict) {
        case Verdict::kNew:
          EXPECT_TRUE(!known.acked.has_value());
          known = {.acked = state};
          break;
        case Verdict::kReplaced:
          known = {.acked = state};
          break;
        case Verdict::kEqual:
          known = {.acked = state};
          break;
        default:
          break;
      }
    }
    return results.ok();
  }

  void Check(const Rows& rows) {
    for (const auto& [key, values] : rows) {
      ASSERT_TRUE(known_.contains(key)) << "a row that no one sent: " << key.first;
    }
    for (auto& [key, known] : known_) {
      const auto row = rows.find(key);
      if (row == rows.end()) {
        EXPECT_FALSE(known.acked.has_value()) << "an acknowledged row is missing: " << key.first;
        known = {};
        continue;
      }
      bool explained = known.acked.has_value() && known.acked->second == row->second;
      std::optional<std::pair<std::int64_t, RowValues>> now;
      if (explained) now = known.acked;
      for (const auto& state : known.maybe) {
        if (state.second != row->second) continue;
        if (known.acked.has_value() && state.first < known.acked->first) continue;
        explained = true;
        if (!now.has_value() || state.first > now->first) now = state;
      }
      EXPECT_TRUE(explained) << "a row has values no one wrote last: " << key.first;
      // Of several lost writes of the same values the highest version is taken to have won; the verdicts
      // that follow are checked against values alone.
      known.maybe.clear();
      known.acked = now;
    }
  }

  const bool encrypted_;
  Random random_;
  std::unique_ptr<seal::LocalKeyFile> key_file_;
  std::unique_ptr<seal::KeyRing> ring_;
  SimEngine sim_;
  std::map<RowKey, Known> known_;
};

TEST(EngineCrash, AcknowledgedRowsSurvivePowerCuts) {
  SetLogLevel(LogLevel::kOff);
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Workload workload(seed, seed % 3 == 0);
    workload.Run(6);
    if (HasFatalFailure() || HasFailure()) break;
  }
  SetLogLevel(LogLevel::kInfo);
}

}  // namespace
}  // namespace tideline::engine
