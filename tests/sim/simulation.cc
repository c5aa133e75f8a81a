#include "tests/sim/simulation.h"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/hash.h"
#include "base/random.h"
#include "storage/seal/key_ring.h"
#include "storage/seal/local_key_file.h"
#include "tests/sim/model.h"
#include "tests/support/sim_file_system.h"
#include "tests/support/sim_object_store.h"

namespace tideline::sim {
namespace {

using testing::Fault;
using testing::Keep;
using testing::SimFileSystem;
using testing::SimObjectFaults;
using testing::SimObjectStore;

constexpr std::int64_t kStart = 1'704'067'200'000'000'000;  // 2024-01-01
constexpr const char* kDirectory = "/data";
constexpr std::size_t kTablesMax = 3;
/// Records of a table that clients remember, to send others for them later.
constexpr std::size_t kSentMax = 200;
constexpr std::int64_t kYear = 365 * kNsPerDay;

/// What a run does, drawn once.
struct Mix {
  bool encrypted = false;
  bool power_cuts = false;
  bool io_errors = false;
  bool full_disk = false;
  bool read_errors = false;
  bool clock_jumps = false;
  bool bit_flip = false;
  bool retention = false;
  bool table_changes = false;
  bool async_writes = false;
  bool bucket = false;         ///< the magnetic store is a simulated object store
  bool bucket_faults = false;  ///< that loses answers, refuses and fails half-way
  bool deletes = false;
  bool rotten_manifests = false;  ///< the newest one cannot be read after a restart
  bool busy = false;           ///< writes and reads come while files are being written
  std::uint64_t hosts = 4;
  std::uint64_t span_minutes = 60;
};

class Run;

/// A write that waits for its answer; deletes itself never: Run owns it.
class PendingWrite final : public engine::WriteCompletion {
 public:
  PendingWrite(Run& run, std::string table, std::vector<SimRecord> records,
               std::vector<std::optional<engine::Verdict>> expected)
      : run_(run), table_(std::move(table)), records_(std::move(records)), expected_(std::move(expected)) {}
  void OnWritten(const Status& status, std::span<const engine::RecordResult> results) override;
  bool done() const { return done_; }
  const std::string& table() const { return table_; }
  const std::vector<SimRecord>& records() const { return records_; }

 private:
  friend class Run;
  Run& run_;
  const std::string table_;
  const std::vector<SimRecord> records_;
  const std::vector<std::optional<engine::Verdict>> expected_;
  bool done_ = false;
};

class Run {
 public:
  explicit Run(const RunOptions& options)
      : run_options_(options),
        random_(options.seed),
        disk_(options.seed ^ 0x5151),
        bucket_(options.seed ^ 0x7272),
        clock_({kStart}) {
    const auto flip = [this](std::uint64_t of) { return random_.Below(of) == 0; };
    mix_.encrypted = flip(3);
    mix_.power_cuts = !flip(4);
    mix_.io_errors = flip(3);
    mix_.full_disk = flip(3);
    mix_.read_errors = flip(4);
    mix_.clock_jumps = flip(3);
    mix_.bit_flip = flip(2);
    mix_.retention = flip(3);
    mix_.table_changes = flip(3);
    mix_.async_writes = flip(2);
    mix_.bucket = flip(2);
    mix_.bucket_faults = mix_.bucket && flip(2);
    mix_.deletes = flip(3);
    mix_.busy = flip(2);
    mix_.rotten_manifests = flip(3);
    mix_.hosts = 1 + random_.Below(6);
    mix_.span_minutes = flip(4) ? 60 * 24 * 40 : 60;
    options_.data_dir = kDirectory;
    options_.file_system = &disk_;
    options_.clock = &clock_;
    options_.own_threads = false;
    options_.uuid_seed = options.seed + 1;
    options_.wal_file_bytes = std::uint64_t{16 << 10} << random_.Below(4);
    options_.memory_bytes_max = std::size_t{1} << 30;
    options_.buffer_rows_max = 8 + random_.Below(60);
    options_.piece_rows_min = 1 + random_.Below(40);
    options_.checkpoint_wal_bytes = std::uint64_t{4 << 10} << random_.Below(6);
    if (mix_.bucket) {
      bucket_.DieWith([this] { return disk_.crashed() || fatal_; });
      options_.magnetic_store = &bucket_;
    }
    options_.magnetic_piece_rows_min = 1 + random_.Below(200);
    options_.on_fatal = [this](const Status&) { fatal_ = true; };
    if (mix_.busy) {
      disk_.BeforeWrites([this](std::string_view path) {
        if (path.find("/segments/") != std::string_view::npos) WhileWriting(false);
        if (path.find("/magnetic/") != std::string_view::npos) WhileWriting(true);
      });
      bucket_.BeforeAppends([this](std::string_view) { WhileWriting(true); });
    }
  }

  RunResult Go() {
    Start();
    for (std::uint64_t step = 0; step < run_options_.steps && result_.failure.empty(); ++step) {
      Step();
      if (fatal_ || disk_.crashed()) Restart();
    }
    if (result_.failure.empty()) End();
    // Keys come from the system: what they seal, and which file a bit is inverted in, differs.
    if (!mix_.encrypted) {
      Note(disk_.StateHash());
      Note(bucket_.StateHash());
      Note(bucket_.call_count());
      Note(disk_.call_count());
    }
    result_.trace_hash = hash_;
    return result_;
  }

  void OnAnswer(PendingWrite& write, const Status& status,
                std::span<const engine::RecordResult> results);

 private:
  void Note(std::uint64_t value) { hash_ = CombineHash(hash_, value); }
  void Note(const Status& status) { Note(static_cast<std::uint64_t>(CodeOf(status))); }
  void Say(std::string_view what) {
    Note(Hash64(what));
    if (run_options_.verbose) std::fprintf(stderr, "%s\n", std::string(what).c_str());
  }
  void Fail(std::string text) {
    if (run_options_.verbose) std::fprintf(stderr, "FAILED: %s\n", text.c_str());
    if (result_.failure.empty()) result_.failure = std::move(text);
  }

  // ---- opening -----------------------------------------------------------------------------
  Status OpenKeys() {
    if (!mix_.encrypted) return OkStatus();
    TL_TRY(fs::CreateDirectories(disk_, kDirectory));
    auto file = seal::LocalKeyFile::Open(disk_, "/data/master-key");
    if (CodeOf(file.status()) == ErrorCode::kNotFound) {
      file = seal::LocalKeyFile::Create(disk_, "/data/master-key");
    }
    key_file_ = TL_TRY(std::move(file));
    ring_ = TL_TRY(seal::KeyRing::Open(disk_, "/data/keys", *key_file_));
    options_.sealer = ring_.get();
    return OkStatus();
  }

  Status Open() {
    fatal_ = false;
    TL_TRY(OpenKeys());
    options_.uuid_seed += 1000;  // differs at every start on one disk
    engine_ = TL_TRY(engine::Engine::Open(options_));
    jump_ns_ = 0;
    return OkStatus();
  }

  void Start() {
    const Status opened = Open();
    if (!opened.ok()) return Fail(fmt::format("a new database does not open: {}", MessageOf(opened)));
    const auto database = engine_->CreateDatabase({.name = "db"});
    if (!database.ok()) return Fail("no database can be made");
    for (std::size_t i = 0; i < 1 + random_.Below(2); ++i) CreateTable(fmt::format("t{}", i));
    if (tables_.empty()) Fail("no table can be made");
  }

  void CreateTable(const std::string& name) {
    catalog::TableProperties properties;
    if (mix_.retention) properties.retention = {.memory_hours = 1, .magnetic_days = 1};
    Say("create table " + name);
    const auto made = engine_->CreateTable("db", name, properties);
    Note(made.status());
    if (made.ok()) {
      tables_[name] = {};
      sent_.erase(name);
      retention_[name] = properties.retention;
      unsure_.erase(name);
    } else if (CodeOf(made.status()) == ErrorCode::kUnavailable) {
      unsure_.insert(name);
    }
  }

  // Ends the process; the disk keeps what `keep` says. All that had no answer is in doubt.
  void EndProcess(Keep keep) {
    if (!disk_.crashed()) disk_.CrashAtCall(1);
    engine_ = nullptr;
    std::map<std::string, std::vector<SimRecord>> unanswered;
    for (const auto& write : pending_) {
      if (write->done()) continue;
      auto& records = unanswered[write->table()];
      records.insert(records.end(), write->records().begin(), write->records().end());
    }
    pending_.clear();
    for (auto& [table, records] : unanswered) {
      if (tables_.contains(table)) tables_[table].Forget(records);
    }
    for (auto& [table, records] : doubtful_) {
      if (tables_.contains(table)) tables_[table].Forget(records);
    }
    doubtful_.clear();
    for (auto& [table, model] : tables_) model.Restarted();
    disk_.Restart(keep);
    disk_.ClearFaults();
    disk_.SetCapacity(UINT64_MAX);
    full_steps_ = 0;
    unreadable_steps_ = 0;
    fatal_ = false;
    if (jump_ns_ != 0) {
      clock_.SetWall({clock_.WallNow().value - jump_ns_});
      jump_ns_ = 0;
    }
  }

  void Restart() {
    ++result_.restarts;
    Say("restart");
    EndProcess(static_cast<Keep>(random_.Below(3)));
    if (mix_.rotten_manifests && random_.Below(2) == 0) RotManifest();
    // Recovery dies, too.
    while (mix_.power_cuts && random_.Below(3) == 0) {
      disk_.CrashAtCall(1 + random_.Below(25));
      const Status opened = Open();
      Note(opened);
      EndProcess(static_cast<Keep>(random_.Below(3)));
    }
    // However ill the bucket is: what replay cannot find there to mark is owed.
    const Status opened = Open();
    Note(opened);
    if (!opened.ok()) return Fail(fmt::format("recovery fails: {}", MessageOf(opened)));
    SettleTables();
    CheckAll(true);
    if (random_.Below(3) != 0 || bucket_steps_ > 0 || !result_.failure.empty()) return;
    const auto before = ReadTables();
    EndProcess(Keep::kNone);
    const Status again = Open();
    if (!again.ok()) return Fail(fmt::format("the second recovery fails: {}", MessageOf(again)));
    if (ReadTables() != before) Fail("recovery twice differs from recovery once");
  }

  // The manifest before the newest is kept with its files and its log, so any one of them may be lost.
  void RotManifest() {
    const auto entries = disk_.List("/data/manifest");
    if (!entries.ok()) return;
    std::vector<std::uint64_t> numbers;
    for (const auto& entry : *entries) {
      if (entry.name.find('.') == std::string::npos) numbers.push_back(std::strtoull(entry.name.c_str(), nullptr, 10));
    }
    std::sort(numbers.begin(), numbers.end());
    if (numbers.size() < 2) return;
    const std::uint64_t newest = numbers.back();
    const std::uint64_t before = numbers[numbers.size() - 2];
    if (before + 1 != newest || rotten_.contains(newest) || rotten_.contains(before)) return;
    const std::string path = fmt::format("/data/manifest/{:020}", newest);
    Say(fmt::format("manifest {} rots", newest));
    // Its length differs from run to run when keys do.
    if (!disk_.FlipBit(path, 8 * (disk_.Contents(path).size() / 2)).ok()) return Fail("no bit can be flipped");
    rotten_.insert(newest);
  }

  // Tables whose creation or end had no answer exist or not.
  void SettleTables() {
    for (const std::string& name : unsure_) {
      const bool exists = engine_->catalog().FindTable("db", name) != nullptr;
      if (exists && !tables_.contains(name)) {
        tables_[name] = {};
        retention_[name] = engine_->catalog().FindTable("db", name)->properties.retention;
      } else if (!exists) {
        tables_.erase(name);
      }
    }
    unsure_.clear();
    for (const auto& [name, model] : tables_) {
      if (engine_->catalog().FindTable("db", name) == nullptr) Fail("table " + name + " is lost");
    }
    const auto listed = engine_->catalog().ListTables("db", "", 100);
    for (const auto& table : listed) {
      if (!tables_.contains(table->table)) Fail("table " + table->table + " was deleted and is back");
    }
  }

  // ---- reading -----------------------------------------------------------------------------
  std::map<std::string, RowMap> ReadTables() {
    std::map<std::string, RowMap> all;
    for (const auto& [name, model] : tables_) {
      const auto snapshot = engine_->OpenSnapshot("db", name);
      if (!snapshot.ok()) continue;
      const auto rows = ReadAll(*snapshot);
      if (rows.ok()) all[name] = *rows;
    }
    return all;
  }

  void CheckAll(bool settle) {
    for (auto& [name, model] : tables_) {
      const auto snapshot = engine_->OpenSnapshot("db", name);
      if (!snapshot.ok()) {
        return Fail(fmt::format("no snapshot of {}: {}", name, MessageOf(snapshot.status())));
      }
      const auto rows = ReadAll(*snapshot);
      Note(rows.status());
      if (!rows.ok()) {
        if (Excused() && CodeOf(rows.status()) != ErrorCode::kInternal) continue;
        return Fail(fmt::format("{} cannot be read: {}", name, MessageOf(rows.status())));
      }
      Note(rows->size());
      const std::int64_t edge = snapshot->retention_edge_ns();
      const auto broken = model.Check(*rows, edge);
      if (broken.has_value()) return Fail(name + ": " + *broken);
      if (settle) model.Settle(*rows, edge);
    }
  }

  // ---- writing -----------------------------------------------------------------------------
  // A row that was sent before, however old, with another version and other values: such are rows that lie in files and
  // are being moved. Nothing when there is none after `oldest_ns`.
  std::optional<SimRecord> MakeReplacement(const std::string& table, std::int64_t oldest_ns) {
    const std::vector<SimRecord>& sent = sent_[table];
    if (sent.empty()) return std::nullopt;
    SimRecord record = sent[random_.Below(sent.size())];
    if (record.time_ns < oldest_ns) return std::nullopt;
    record.version += static_cast<std::int64_t>(random_.Below(3));
    const auto n = static_cast<std::int64_t>(random_.Below(3));
    if (record.multi) {
      record.numbers = {{"x", n}};
    } else {
      record.value = static_cast<double>(n) + 0.5;
    }
    return record;
  }

  void Remember(const std::string& table, const std::vector<SimRecord>& records) {
    std::vector<SimRecord>& sent = sent_[table];
    for (const SimRecord& record : records) {
      if (sent.size() < kSentMax) {
        sent.push_back(record);
      } else {
        sent[random_.Below(kSentMax)] = record;
      }
    }
  }

  SimRecord MakeRecord(const std::string& table, std::int64_t oldest_ns) {
    if (random_.Below(8) < (amid_move_ ? 6U : 1U)) {
      if (auto replacement = MakeReplacement(table, oldest_ns)) return *std::move(replacement);
    }
    SimRecord record;
    record.dimensions = {{"host", fmt::format("h{}", random_.Below(mix_.hosts))}};
    if (random_.Below(2) == 0) record.dimensions.emplace_back("rack", std::to_string(random_.Below(2)));
    const std::int64_t now = clock_.WallNow().value - jump_ns_;
    // Whole minutes since the start, so that keys meet again.
    const auto back = static_cast<std::int64_t>(random_.Below(mix_.span_minutes)) * kNsPerMinute;
    record.time_ns = (now - back) / kNsPerMinute * kNsPerMinute;
    if (record.time_ns < oldest_ns) record.time_ns = now / kNsPerMinute * kNsPerMinute;
    record.version = 1 + static_cast<std::int64_t>(random_.Below(4));
    const auto n = static_cast<std::int64_t>(random_.Below(3));
    if (random_.Below(2) == 0) {
      record.measure_name = fmt::format("s{}", random_.Below(3));
      record.value = static_cast<double>(n) + 0.5;
    } else {
      record.multi = true;
      record.measure_name = "m";
      record.numbers = {{"x", n}};
      if (random_.Below(2) == 0) record.texts = {{"text", fmt::format("value {}", n)}};
    }
    return record;
  }

  std::int64_t EdgeOf(const std::string& table) const {
    return clock_.WallNow().value - retention_.at(table).total_ns();
  }

  void Write() {
    const std::string table = SomeTable();
    TableModel& model = tables_[table];
    const std::int64_t oldest =
        std::max(model.expired_before_ns(), EdgeOf(table) + 10 * kNsPerMinute);
    std::vector<SimRecord> records;
    for (std::uint64_t i = 0, count = 1 + random_.Below(9); i < count; ++i) {
      SimRecord record = MakeRecord(table, oldest);
      if (record.time_ns >= oldest) records.push_back(std::move(record));
    }
    if (records.empty()) return;
    // A client whose patience ends sends again what has no answer yet.
    if (!pending_.empty() && random_.Below(4) == 0) {
      const PendingWrite& waiting = *pending_[random_.Below(pending_.size())];
      if (!waiting.done() && waiting.table() == table) {
        Say("again:");
        records = waiting.records();
      }
    }
    Say(fmt::format("write {} records to {}", records.size(), table));
    // A refused write changes nothing, so what is expected is worked out on a copy.
    TableModel after = model;
    std::vector<std::optional<engine::Verdict>> expected;
    for (const SimRecord& record : records) expected.push_back(after.Stage(record));
    if (run_options_.verbose) {
      for (std::size_t i = 0; i < records.size(); ++i) {
        std::fprintf(stderr, "  %s\n", Describe(records[i], expected[i]).c_str());
      }
    }
    auto write = std::make_unique<PendingWrite>(*this, table, records, std::move(expected));
    PendingWrite* const raw = write.get();
    pending_.push_back(std::move(write));
    std::swap(model, after);  // answers may come inside the call
    const Status status = WriteRecords(table, records, raw);
    Note(status);
    if (!status.ok()) {
      pending_.pop_back();
      std::swap(model, after);
      if (CodeOf(status) == ErrorCode::kUnavailable) {
        auto& doubtful = doubtful_[table];
        doubtful.insert(doubtful.end(), records.begin(), records.end());
        if (!Excused()) Fail(fmt::format("a write fails for no reason: {}", MessageOf(status)));
      } else if (CodeOf(status) != ErrorCode::kResourceExhausted && !Excused()) {
        Fail(fmt::format("a write is refused: {}", MessageOf(status)));
      }
      return;
    }
    Remember(table, records);
    if (!mix_.async_writes || random_.Below(3) == 0) DriveAll();
  }

  static std::string Describe(const SimRecord& record, std::optional<engine::Verdict> verdict) {
    const RowKey key = KeyOf(record);
    return fmt::format("{} at {} version {}: {} -> {}", key.series, key.time_ns, record.version, ValuesOf(record),
                       verdict.has_value() ? std::to_string(static_cast<int>(*verdict)) : "?");
  }

  Status WriteRecords(const std::string& table, const std::vector<SimRecord>& records,
                      engine::WriteCompletion* completion) {
    std::vector<std::vector<engine::DimensionView>> dimensions(records.size());
    std::vector<std::vector<engine::MeasureView>> measures(records.size());
    std::vector<engine::RecordView> views;
    for (std::size_t i = 0; i < records.size(); ++i) {
      const SimRecord& record = records[i];
      for (const auto& [name, value] : record.dimensions) dimensions[i].push_back({name, value});
      for (const auto& [name, text] : record.texts) measures[i].push_back(engine::MeasureView::Varchar(text, name));
      for (const auto& [name, number] : record.numbers) measures[i].push_back(engine::MeasureView::Bigint(number, name));
      if (!record.multi) measures[i].push_back(engine::MeasureView::Double(record.value));
      engine::RecordView view;
      view.dimensions = dimensions[i];
      view.measure_name = record.measure_name;
      view.multi = record.multi;
      view.measures = measures[i];
      view.time = TimestampNs{record.time_ns};
      view.version = record.version;
      const std::int64_t memory_edge =
          clock_.WallNow().value - retention_.at(table).memory_hours * kNsPerHour;
      if (record.time_ns < memory_edge) view.store = engine::Store::kMagnetic;
      views.push_back(view);
    }
    return engine_->Write({.database = "db", .table = table, .records = views}, completion);
  }

  // A checkpoint or merge is amid writing a segment: clients go on, and beside a move the checkpoints do.
  void WhileWriting(bool moving) {
    if (!mid_maintenance_ || inside_ || !result_.failure.empty() || fatal_ || disk_.crashed()) return;
    if (random_.Below(3) != 0) return;
    inside_ = true;
    amid_move_ = moving;
    if (moving && random_.Below(3) == 0) {
      for (std::uint64_t i = random_.Below(4); i > 0; --i) Write();
      DriveAll();
      Say("meanwhile: checkpoint");
      const Status status = engine_->Checkpoint();
      Note(status);
      if (!status.ok() && !Excused()) Fail(fmt::format("a checkpoint beside a move fails: {}", MessageOf(status)));
    } else if (random_.Below(4) != 0) {
      Say("meanwhile:");
      Write();
    } else {
      Say("meanwhile: read");
      CheckAll(false);
    }
    amid_move_ = false;
    inside_ = false;
  }

  void DriveAll() {
    while (engine_->Drive()) {
    }
    std::erase_if(pending_, [](const auto& write) { return write->done(); });
  }

  std::string SomeTable() {
    auto at = tables_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.Below(tables_.size())));
    return at->first;
  }

  // ---- steps -------------------------------------------------------------------------------
  void Step() {
    if (full_steps_ > 0 && --full_steps_ == 0) {
      Say("the disk has room again");
      disk_.SetCapacity(UINT64_MAX);
    }
    if (unreadable_steps_ > 0 && --unreadable_steps_ == 0) {
      Say("files can be read again");
      disk_.ClearFaults();
    }
    if (bucket_steps_ > 0 && --bucket_steps_ == 0) {
      Say("the bucket is well again");
      bucket_.SetFaults({});
    }
    const std::uint64_t what = random_.Below(100);
    if (what < 55) return Write();
    if (what < 63) return Maintain(false);
    if (what < 70) return Maintain(true);
    if (what < 76) {
      DriveAll();
      Say("read");
      if (!fatal_ && !disk_.crashed()) CheckAll(false);
      return;
    }
    if (what < 82) return PassTime();
    if (what < 86 && mix_.table_changes) return ChangeTables();
    if (what < 89 && mix_.deletes) return Delete();
    if (what < 95) return Strike();
    DriveAll();
  }

  void Maintain(bool checkpoint) {
    Say(checkpoint ? "checkpoint" : "maintenance");
    const HeldSnapshot held = HoldSnapshot();
    mid_maintenance_ = true;
    const Status status = checkpoint ? engine_->Checkpoint() : engine_->RunMaintenance();
    mid_maintenance_ = false;
    Note(status);
    CheckHeld(held);
    if (!status.ok() && !Excused()) {
      Fail(fmt::format("{} fails: {}", checkpoint ? "a checkpoint" : "maintenance", MessageOf(status)));
    }
    if (!disk_.fault_pending()) struck_ = false;
    std::erase_if(pending_, [](const auto& write) { return write->done(); });
  }

  // A query that runs while files take each other's place reads what it would have read before.
  struct HeldSnapshot {
    std::optional<engine::Snapshot> snapshot{};
    RowMap rows{};
  };
  HeldSnapshot HoldSnapshot() {
    HeldSnapshot held;
    if (!mix_.busy || random_.Below(2) == 0) return held;
    auto snapshot = engine_->OpenSnapshot("db", SomeTable());
    if (!snapshot.ok()) return held;
    auto rows = ReadAll(*snapshot);
    if (!rows.ok()) return held;
    held.rows = *std::move(rows);
    held.snapshot = *std::move(snapshot);
    return held;
  }
  void CheckHeld(const HeldSnapshot& held) {
    if (!held.snapshot.has_value() || fatal_ || disk_.crashed()) return;
    const auto rows = ReadAll(*held.snapshot);
    Note(rows.status());
    if (!rows.ok()) {
      if (Excused() && CodeOf(rows.status()) != ErrorCode::kInternal) return;
      return Fail(fmt::format("an open snapshot can no longer be read: {}", MessageOf(rows.status())));
    }
    if (*rows != held.rows) {
      Fail(fmt::format("an open snapshot had {} rows and has {}, or others", held.rows.size(), rows->size()));
    }
  }

  void PassTime() {
    const std::int64_t ns = static_cast<std::int64_t>(random_.Below(40)) * kNsPerMinute *
                            (mix_.retention && random_.Below(4) == 0 ? 30 : 1);
    Say(fmt::format("{} s pass", ns / kNsPerSecond));
    clock_.Advance(ns);
    if (mix_.clock_jumps && random_.Below(3) == 0) {
      if (jump_ns_ == 0) {
        jump_ns_ = random_.Below(2) == 0 ? 10 * kYear : -static_cast<std::int64_t>(random_.Below(30)) * kNsPerMinute;
        clock_.SetWall({clock_.WallNow().value + jump_ns_});
        Say(fmt::format("the wall clock jumps by {} s", jump_ns_ / kNsPerSecond));
      } else {
        clock_.SetWall({clock_.WallNow().value - jump_ns_});
        jump_ns_ = 0;
        Say("the wall clock is right again");
      }
    }
    // Past a jump ahead nothing may expire: it is noticed against the steady clock.
    for (auto& [name, model] : tables_) {
      if (jump_ns_ <= 0) model.MayExpire(EdgeOf(name) - std::min<std::int64_t>(jump_ns_, 0));
    }
  }

  void ChangeTables() {
    DriveAll();
    if (fatal_ || disk_.crashed()) return;
    if (tables_.size() < kTablesMax && random_.Below(2) == 0) {
      std::string name = "t0";
      for (std::size_t i = 1; tables_.contains(name) || unsure_.contains(name); ++i) name = fmt::format("t{}", i);
      return CreateTable(name);
    }
    if (tables_.size() < 2) return;
    const std::string name = SomeTable();
    Say("delete table " + name);
    const Status dropped = engine_->DeleteTable("db", name);
    Note(dropped);
    if (dropped.ok()) {
      tables_.erase(name);
    } else if (CodeOf(dropped) == ErrorCode::kUnavailable) {
      unsure_.insert(name);
    }
  }

  void Delete() {
    DriveAll();
    if (fatal_ || disk_.crashed()) return;
    const std::string table = SomeTable();
    const auto schema = engine_->catalog().FindTable("db", table);
    if (schema == nullptr || schema->FindColumn("host") == nullptr) return;
    const std::string host = fmt::format("h{}", random_.Below(mix_.hosts));
    const std::int64_t now = clock_.WallNow().value - jump_ns_;
    const engine::TimeRange times{
        now - static_cast<std::int64_t>(1 + random_.Below(mix_.span_minutes)) * kNsPerMinute, now};
    Say(fmt::format("delete {} of {} since {}", host, table, times.first_ns));
    engine::DeleteRequest request{.database = "db", .table = table, .times = {times}};
    request.series.push_back({.column = schema->FindColumn("host")->id, .values = {host}});
    const auto matches = [&](const RowKey& key) {
      return key.series.starts_with("host=" + host + ",") && key.time_ns >= times.first_ns &&
             key.time_ns <= times.last_ns;
    };
    const auto deleted = engine_->DeleteRows(request);
    Note(deleted.status());
    if (deleted.ok()) {
      // What the clock of now, right or wrong, holds for past retention is not there to be deleted.
      const auto snapshot = engine_->OpenSnapshot("db", table);
      const std::int64_t edge = snapshot.ok() ? snapshot->retention_edge_ns() : INT64_MAX;
      tables_[table].MaybeDelete([&](const RowKey& key) { return matches(key) && key.time_ns < edge; });
      return tables_[table].Delete([&](const RowKey& key) { return matches(key) && key.time_ns >= edge; });
    }
    if (fatal_ || disk_.crashed()) return tables_[table].MaybeDelete(matches);
    // A gate is a refusal, not a failure; it stays closed a little longer than the disk is full.
    const bool refused = CodeOf(deleted.status()) == ErrorCode::kResourceExhausted;
    if (!refused && !Excused()) Fail(fmt::format("a delete fails: {}", MessageOf(deleted.status())));
    if (!refused) tables_[table].MaybeDelete(matches);
    if (!disk_.fault_pending()) struck_ = false;
  }

  /// Whether something that went wrong is owed to a fault that is still there.
  bool Excused() const {
    return fatal_ || disk_.crashed() || full_steps_ > 0 || unreadable_steps_ > 0 || struck_ ||
           bucket_steps_ > 0;
  }

  void Strike() {
    ++result_.faults;
    switch (random_.Below(5)) {
      case 0:
        if (!mix_.power_cuts) break;
        Say("the power goes soon");
        disk_.CrashAtCall(1 + random_.Below(100));
        return;
      case 1: {
        if (!mix_.io_errors) break;
        const Fault fault = random_.Below(2) == 0 ? Fault::kIoError : Fault::kShortWrite;
        Say("a call fails soon");
        disk_.FailCall(1 + random_.Below(40), fault);
        struck_ = true;
        return;
      }
      case 2:
        if (!mix_.full_disk || full_steps_ > 0) break;
        Say("the disk is full");
        disk_.SetCapacity(UsedBytes() + random_.Below(30'000));
        full_steps_ = 5 + random_.Below(20);
        return;
      case 3: {
        if (!mix_.bucket_faults || bucket_steps_ > 0) break;
        Say("the bucket is ill");
        SimObjectFaults faults;
        for (double* chance : {&faults.lose_before, &faults.lose_after, &faults.late, &faults.refuse,
                               &faults.fail_read, &faults.cut_upload}) {
          if (random_.Below(2) == 0) *chance = 0.05 + 0.4 * random_.NextDouble();
        }
        bucket_.SetFaults(faults);
        bucket_steps_ = 5 + random_.Below(30);
        return;
      }
      default:
        if (!mix_.read_errors || unreadable_steps_ > 0) break;
        Say("segments cannot be read");
        disk_.FailReadsOf("/segments/");
        unreadable_steps_ = 2 + random_.Below(8);
        return;
    }
    if (random_.Below(4) != 0) return;
    Say("the process is killed");
    disk_.CrashAtCall(1);
    static_cast<void>(disk_.SyncDirectory(kDirectory));
  }

  std::uint64_t UsedBytes() const {
    std::uint64_t bytes = 0;
    for (const std::string& path : disk_.Paths()) bytes += disk_.Contents(path).size();
    return bytes;
  }

  // ---- the end -----------------------------------------------------------------------------
  // Without faults everything must work again.
  void End() {
    Say("the faults end");
    bucket_steps_ = 0;
    bucket_.SetFaults({});
    Restart();
    if (!result_.failure.empty()) return;
    mix_.async_writes = false;
    for (int i = 0; i < 5 && result_.failure.empty(); ++i) {
      const std::uint64_t before = result_.acknowledged;
      last_answer_ = OkStatus();  // not that of the process before
      Write();
      if (result_.acknowledged == before && CodeOf(last_answer_) != ErrorCode::kOk) {
        return Fail(fmt::format("a write is not acknowledged though all is well: {}", MessageOf(last_answer_)));
      }
    }
    Maintain(true);
    for (int i = 0; i < 3; ++i) Maintain(false);
    CheckAll(false);
    if (!result_.failure.empty()) return;
    const Status stopped = engine_->Stop();
    if (!stopped.ok()) return Fail(fmt::format("the engine does not stop: {}", MessageOf(stopped)));
    CheckManifests();
    EndProcess(Keep::kNone);
    const Status opened = Open();
    if (!opened.ok()) return Fail(fmt::format("a clean start fails: {}", MessageOf(opened)));
    if (engine_->stats().replayed_records != 0) Fail("a clean start replays records");
    CheckAll(false);
    if (!result_.failure.empty() || !mix_.bit_flip) {
      engine_ = nullptr;
      return;
    }
    if (random_.Below(4) == 0) LeaveALog();
    if (result_.failure.empty()) FlipABit();
    engine_ = nullptr;
  }

  // The process ends without a checkpoint, after its log was sealed: rot of any promised frame must show.
  void LeaveALog() {
    for (int i = 0; i < 8; ++i) Write();
    DriveAll();
    clock_.Advance(2 * kNsPerSecond);
    DriveAll();
    CheckAll(false);
    EndProcess(Keep::kAll);
    flip_log_ = true;
  }

  // Manifests that are kept have neighbouring numbers, unless one was damaged: then nothing is removed at the start.
  void CheckManifests() {
    if (!rotten_.empty()) return;
    std::uint64_t before = 0;
    const auto names = disk_.List("/data/manifest");
    if (!names.ok()) return Fail("manifests cannot be listed");
    for (const auto& entry : *names) {
      const std::uint64_t number = std::strtoull(entry.name.c_str(), nullptr, 10);
      if (before != 0 && number != before + 1) Fail(fmt::format("manifest {} follows {}", number, before));
      before = number;
    }
  }

  // The right answer or an explicit error.
  void FlipABit() {
    engine_ = nullptr;
    const std::vector<std::string> paths = disk_.Paths();
    std::vector<std::string> candidates;
    std::string newest_manifest;
    std::size_t manifests = 0;
    for (const std::string& path : paths) {
      if (path.find("/manifest/") != std::string::npos) {
        ++manifests;
        newest_manifest = path;
      }
      if (flip_log_) {
        // A file that was only prepared holds zeros and has another name.
        if (path.find("/wal/") != std::string::npos) candidates.push_back(path);
        continue;
      }
      const bool counts = path.find("/segments/") != std::string::npos ||
                          path.find("/series/") != std::string::npos ||
                          path.find("/deleted/") != std::string::npos ||
                          path.find("/manifest/") != std::string::npos ||
                          path.find("/keys/") != std::string::npos;
      if (counts && !disk_.Contents(path).empty()) candidates.push_back(path);
    }
    if (candidates.empty()) return;
    std::string path = candidates[random_.Below(candidates.size())];
    if (!flip_log_ && random_.Below(4) == 0) path = newest_manifest;
    std::uint64_t bits = disk_.Contents(path).size() * 8;
    // The rest of a log file is zeros that no one reads.
    if (flip_log_) bits = UsedBytesOf(path) * 8;
    const std::uint64_t bit = random_.Below(bits);
    // The key's name is random, and so is its place in the list.
    if (!mix_.encrypted) Say(fmt::format("bit {} of {} flips", bit, path));
    if (!disk_.FlipBit(path, bit).ok()) return Fail("no bit can be flipped");
    const Status opened = Open();
    // The manifest before the newest is kept with its files and its log, so one of them may be lost.
    if (!opened.ok() && path == newest_manifest && manifests > 1) {
      return Fail(fmt::format("the manifest before does not stand in for {}: {}", path, MessageOf(opened)));
    }
    if (!opened.ok()) return;
    for (auto& [name, model] : tables_) {
      if (engine_->catalog().FindTable("db", name) == nullptr) {
        return Fail(fmt::format("after a flipped bit in {} table {} is gone", path, name));
      }
      const auto snapshot = engine_->OpenSnapshot("db", name);
      if (!snapshot.ok()) continue;
      const auto rows = ReadAll(*snapshot);
      if (CodeOf(rows.status()) == ErrorCode::kInternal) Fail(fmt::format("after a flipped bit in {}: {}", path, MessageOf(rows.status())));
      if (!rows.ok()) continue;
      const auto broken = model.Check(*rows, snapshot->retention_edge_ns());
      if (broken.has_value()) Fail(fmt::format("after bit {} of {} was inverted: {}", bit, path, *broken));
    }
  }

  std::uint64_t UsedBytesOf(const std::string& path) const {
    const Bytes contents = disk_.Contents(path);
    std::size_t used = contents.size();
    while (used > 1 && contents[used - 1] == std::byte{0}) --used;
    return used;
  }

  const RunOptions run_options_;
  Random random_;
  Mix mix_;
  SimFileSystem disk_;
  SimObjectStore bucket_;
  ManualClock clock_;
  engine::EngineOptions options_;
  std::unique_ptr<seal::LocalKeyFile> key_file_;
  std::unique_ptr<seal::KeyRing> ring_;
  std::deque<std::unique_ptr<PendingWrite>> pending_;
  std::map<std::string, TableModel> tables_;
  std::map<std::string, catalog::Retention> retention_;
  std::map<std::string, std::vector<SimRecord>> sent_;
  std::map<std::string, std::vector<SimRecord>> doubtful_;
  std::set<std::string> unsure_;
  std::set<std::uint64_t> rotten_;  ///< numbers of manifests
  std::unique_ptr<engine::Engine> engine_;
  RunResult result_;
  std::uint64_t hash_ = 0;
  std::int64_t jump_ns_ = 0;
  std::uint64_t full_steps_ = 0;
  std::uint64_t unreadable_steps_ = 0;
  std::uint64_t bucket_steps_ = 0;
  bool struck_ = false;
  bool fatal_ = false;
  bool mid_maintenance_ = false;
  bool inside_ = false;     ///< a client's step amid maintenance
  bool amid_move_ = false;  ///< of rows to the magnetic store, so that what clients write replaces old rows
  bool flip_log_ = false;  ///< the bit is one of the log
  Status last_answer_ = OkStatus();
};

void PendingWrite::OnWritten(const Status& status, std::span<const engine::RecordResult> results) {
  run_.OnAnswer(*this, status, results);
}

void Run::OnAnswer(PendingWrite& write, const Status& status,
                   std::span<const engine::RecordResult> results) {
  Note(status);
  last_answer_ = status;
  const auto table = tables_.find(write.table());
  if (!status.ok()) {
    // In doubt: until the restart if the process ends of it; else any of its records may be there.
    if (fatal_ || disk_.crashed()) return;
    write.done_ = true;
    if (table != tables_.end()) table->second.Forget(write.records());
    return;
  }
  write.done_ = true;
  if (table == tables_.end()) return;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const engine::Verdict verdict = results[i].verdict;
    Note(static_cast<std::uint64_t>(verdict));
    if (run_options_.verbose) {
      std::fprintf(stderr, "  answer: %s\n", Describe(write.records()[i], verdict).c_str());
    }
    const auto& expected = write.expected_[i];
    if (expected.has_value() && *expected != verdict) {
      Fail(fmt::format("a record of {} at {} with version {} got verdict {}, not {}",
                       KeyOf(write.records()[i]).series, write.records()[i].time_ns,
                       write.records()[i].version, static_cast<int>(verdict),
                       static_cast<int>(*expected)));
    }
    table->second.Acknowledge(write.records()[i], verdict);
    ++result_.acknowledged;
  }
}

}  // namespace

RunResult RunSimulation(const RunOptions& options) { return Run(options).Go(); }

}  // namespace tideline::sim
