#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/hash.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "storage/wal/log_format.h"
#include "storage/wal/wal_recovery.h"
#include "storage/wal/wal_writer.h"
#include "tests/support/sim_file_system.h"

namespace tideline::wal {
namespace {

using testing::Fault;
using testing::Keep;
using testing::SimFileSystem;

constexpr std::uint16_t kType = 7;

// Faults by the thousand would be told by the thousand.
class QuietLog final : public ::testing::Environment {
  void SetUp() override { SetLogLevel(LogLevel::kOff); }
};
const auto* const kQuietLog = ::testing::AddGlobalTestEnvironment(new QuietLog);

Uuid DatabaseUuid() {
  Random random(99);
  return MakeUuid(random);
}

struct Failures final : WalListener {
  void OnWalFailed(const Status& status) override { failed = status; }
  void OnGroupDurable(SequenceNumber through) override { durable = through; }
  Status failed = OkStatus();
  SequenceNumber durable;
};

struct Waiter final : WalCompletion {
  void OnDurable(const Status& status, SequenceNumber number) override {
    ++calls;
    result = status;
    seen = number;
    if (order != nullptr) order->push_back(number.value);
  }
  int calls = 0;
  std::optional<Status> result;
  SequenceNumber seen;
  std::vector<std::uint64_t>* order = nullptr;
};

using Records = std::map<std::uint64_t, std::string>;

// One disk, one database, one life after another, all on this thread.
class Lane {
 public:
  explicit Lane(std::uint64_t seed) : disk(seed), seed_(seed) {
    options.directory = "/wal";
    options.database_uuid = DatabaseUuid();
    options.file_bytes = 32 << 10;
    options.start_room_bytes = 32 << 10;
    options.wal_bytes_max = 1 << 20;
    options.own_threads = false;
    options.clock = &clock;
    options.sealer = &sealer;
    options.listener = &failures;
  }

  Status Recover(bool quarantine = false) {
    records.clear();
    options.uuid_seed = ++life_ * 1000 + seed_ + 1;
    Result<WalRecovery> recovered =
        RecoverWal(disk, options, floor, {.quarantine = quarantine},
                   [this](SequenceNumber number, std::uint16_t type, BytesView payload) {
                     EXPECT_EQ(type, kType);
                     EXPECT_TRUE(records.empty() || records.rbegin()->first < number.value);
                     records[number.value] = AsText(payload);
                     return OkStatus();
                   });
    if (!recovered.ok()) return recovered.status();
    recovery = *std::move(recovered);
    return OkStatus();
  }
  Status Open() {
    wal.reset();
    failures = Failures();
    TL_TRY(Recover());
    wal = TL_TRY(WalWriter::Open(disk, options, recovery.position));
    return OkStatus();
  }
  // Appends and commits one group.
  Status Write(const std::vector<std::string>& payloads) {
    for (const std::string& payload : payloads) {
      WalReservation space = TL_TRY(wal->Reserve(payload.size()));
      wal->Append(space, kType, AsBytes(payload), nullptr);
    }
    return wal->Flush();
  }
  Status Write(std::string_view payload) { return Write(std::vector{std::string(payload)}); }
  void DriveAll() {
    while (wal->Drive()) {
    }
  }
  // The process dies; the disk keeps its cache.
  void Kill() {
    disk.Restart(Keep::kAll);
    wal.reset();
  }
  std::string LastFile() const {
    std::string last;
    for (const std::string& path : disk.Paths()) {
      if (path.find(".tmp") == std::string::npos && path.find("quarantine") == std::string::npos) {
        last = path;
      }
    }
    return last;
  }
  // Offsets of the frames of a file, in order.
  std::vector<std::uint64_t> Frames(const std::string& path) const {
    const Bytes bytes = disk.Contents(path);
    std::uint32_t crc = 0;
    const LogFileHeader header = *DecodeFileHeader(bytes, &crc);
    std::vector<std::uint64_t> offsets;
    for (std::uint64_t at = kFileHeaderBytes; at < bytes.size();) {
      const auto frame = DecodeFrameHeader(header.file_uuid, BytesView(bytes).subspan(at));
      if (!frame.has_value()) break;
      offsets.push_back(at);
      at += FrameBytes(frame->payload_bytes);
    }
    return offsets;
  }

  SimFileSystem disk;
  ManualClock clock{TimestampNs{0}};
  seal::PlainSealer sealer;
  Failures failures;
  WalOptions options;
  SequenceNumber floor;
  WalRecovery recovery;
  Records records;
  std::unique_ptr<WalWriter> wal;

 private:
  std::uint64_t seed_;
  std::uint64_t life_ = 0;
};

TEST(LogFormat, FileNamesRoundTrip) {
  EXPECT_EQ(LogFileName(SequenceNumber{42}), "00000000000000000042");
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX}) {
    EXPECT_EQ(ParseLogFileName(LogFileName(SequenceNumber{number}))->value, number);
  }
  for (const char* name : {"", "1", "0000000000000000004x", "99999999999999999999", "LOCK"}) {
    EXPECT_FALSE(ParseLogFileName(name).has_value()) << name;
  }
}

TEST(LogFormat, WorkedExampleOfTheDocument) {
  Uuid file_uuid;
  file_uuid.bytes.fill(std::byte{1});
  std::byte record[kRecordHeaderBytesMax];
  Bytes payload(record, record + EncodeRecordHeader(kType, 3, record));
  for (const char c : {'a', 'b', 'c'}) payload.push_back(static_cast<std::byte>(c));
  FrameHeader header;
  header.payload_bytes = static_cast<std::uint32_t>(payload.size());
  header.first_number = SequenceNumber{42};
  header.record_count = 1;
  header.durable_number = SequenceNumber{41};
  header.previous_crc = 0x11223344;
  header.payload_crc = Crc32c(payload);
  Bytes frame(FrameBytes(payload.size()));
  EncodeFrameHeader(file_uuid, &header, frame);
  std::copy(payload.begin(), payload.end(), frame.begin() + kFrameHeaderBytes);
  std::string hex;
  for (std::size_t i = 0; i < frame.size(); ++i) {
    hex += fmt::format("{:02x}{}", std::to_integer<int>(frame[i]),
                       i % 16 == 15 || i + 1 == frame.size() ? '\n' : ' ');
  }
  EXPECT_EQ(hex,
            "54 46 52 4d 06 00 00 00 2a 00 00 00 00 00 00 00\n"
            "01 00 00 00 01 00 00 00 29 00 00 00 00 00 00 00\n"
            "44 33 22 11 d3 95 6e e5 89 35 35 4c 07 00 03 61\n"
            "62 63 00 00 00 00 00 00\n");
}

TEST(Wal, WhatWasWrittenComesBackInOrder) {
  Lane lane(1);
  ASSERT_TRUE(lane.Open().ok());
  ASSERT_TRUE(lane.Write(std::vector<std::string>{"one", "two"}).ok());
  ASSERT_TRUE(lane.Write("").ok());
  ASSERT_TRUE(lane.Write(std::string(5000, 'x')).ok());
  EXPECT_EQ(lane.failures.durable.value, 4U);
  ASSERT_TRUE(lane.wal->Stop().ok());
  const Records expected = {{1, "one"}, {2, "two"}, {3, ""}, {4, std::string(5000, 'x')}};
  for (int life = 0; life < 3; ++life) {
    ASSERT_TRUE(lane.Open().ok());
    EXPECT_EQ(lane.records, expected);
    EXPECT_EQ(lane.recovery.torn_bytes, 0U);
    EXPECT_EQ(lane.wal->last_number().value, 4U);
  }
  lane.floor = SequenceNumber{2};
  ASSERT_TRUE(lane.Recover().ok());
  EXPECT_EQ(lane.records.begin()->first, 3U);
}

TEST(Wal, GathersTheQueueIntoOneGroupAndAnswersInOrder) {
  Lane lane(2);
  ASSERT_TRUE(lane.Open().ok());
  std::vector<std::uint64_t> order;
  std::vector<Waiter> waiters(10);
  WalReservation space = *lane.wal->Reserve(1000, 10);
  for (Waiter& waiter : waiters) {
    waiter.order = &order;
    lane.wal->Append(space, kType, AsBytes("abc"), &waiter);
  }
  EXPECT_EQ(lane.wal->durable_number().value, 0U);
  EXPECT_TRUE(lane.wal->Drive());
  EXPECT_EQ(lane.wal->stats().group_count, 1U);
  EXPECT_EQ(lane.wal->stats().sync_count, 1U);
  EXPECT_EQ(lane.wal->stats().groups_by_records[3], 1U);
  EXPECT_EQ(order, (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(lane.wal->durable_number().value, 10U);
}

TEST(Wal, AnEqualRecordWaitsForTheRowItRepeats) {
  Lane lane(3);
  ASSERT_TRUE(lane.Open().ok());
  WalReservation space = *lane.wal->Reserve(100, 2);
  const SequenceNumber first = lane.wal->Append(space, kType, AsBytes("a"), nullptr);
  Waiter repeat;
  lane.wal->WhenDurable(first, &repeat);
  EXPECT_EQ(repeat.calls, 0);
  lane.DriveAll();
  EXPECT_EQ(repeat.calls, 1);
  EXPECT_TRUE(repeat.result->ok());
  EXPECT_EQ(repeat.seen, first);
  lane.wal->WhenDurable(first, &repeat);
  EXPECT_EQ(repeat.calls, 2) << "durable already: at once";
}

TEST(Wal, RunsThroughManyFilesAndTruncates) {
  Lane lane(4);
  ASSERT_TRUE(lane.Open().ok());
  Random random(4);
  Records expected;
  for (std::uint64_t number = 1; number <= 200; ++number) {
    const std::string payload = random.Text(1 + random.Below(3000), "abcdefghijklmnopqrstuvwxyz");
    ASSERT_TRUE(lane.Write(payload).ok());
    lane.DriveAll();
    expected[number] = payload;
  }
  const std::size_t file_count = lane.disk.Paths().size();
  EXPECT_GT(file_count, 5U);
  lane.Kill();
  ASSERT_TRUE(lane.Open().ok());
  EXPECT_EQ(lane.records, expected);
  lane.floor = SequenceNumber{150};
  const std::uint64_t before = lane.wal->retained_bytes();
  ASSERT_TRUE(lane.wal->Truncate(lane.floor).ok());
  EXPECT_LT(lane.wal->retained_bytes(), before / 2);
  lane.Kill();
  ASSERT_TRUE(lane.Open().ok());
  EXPECT_EQ(lane.records.begin()->first, 151U);
  EXPECT_EQ(lane.records.size(), 50U);
  lane.floor = SequenceNumber{200};
  ASSERT_TRUE(lane.Open().ok());
  EXPECT_TRUE(lane.records.empty());
  ASSERT_TRUE(lane.wal->Truncate(lane.floor).ok());
  EXPECT_EQ(lane.disk.Paths().size(), 1U);
  ASSERT_TRUE(lane.Write("next").ok());
  ASSERT_TRUE(lane.Open().ok());
  EXPECT_EQ(lane.records, (Records{{201, "next"}}));
}

TEST(Wal, ACleanStopKeepsOfTheLastFileWhatWasWritten) {
  Lane lane(14);
  ASSERT_TRUE(lane.Open().ok());
  ASSERT_TRUE(lane.Write("one").ok());
  ASSERT_TRUE(lane.wal->Stop().ok());
  const std::uint64_t used = kFileHeaderBytes + 2 * FrameBytes(0) + 8;  // a record and a seal
  EXPECT_EQ(lane.disk.Contents(lane.LastFile()).size(), used);
  lane.disk.Restart(Keep::kNone);
  ASSERT_TRUE(lane.Open().ok());
  EXPECT_EQ(lane.records, (Records{{1, "one"}}));
  EXPECT_EQ(lane.recovery.bytes_read, used);
}

TEST(Wal, ARoomThatCannotBeGivenBackHarmsNothing) {
  for (const std::uint64_t call : {std::uint64_t{1}, std::uint64_t{2}}) {  // the cut, its sync
    Lane lane(15);
    ASSERT_TRUE(lane.Open().ok());
    ASSERT_TRUE(lane.Write("one").ok());
    lane.clock.Advance(2 * kNsPerSecond);
    lane.DriveAll();  // sealed: a stop has nothing to do but to cut the file
    const std::uint64_t bytes = lane.disk.Contents(lane.LastFile()).size();
    lane.disk.FailCall(call, Fault::kIoError);
    EXPECT_TRUE(lane.wal->Stop().ok());
    EXPECT_FALSE(lane.disk.fault_pending());
    EXPECT_EQ(lane.disk.Contents(lane.LastFile()).size() == bytes, call == 1);
    lane.disk.ClearFaults();
    lane.disk.Restart(Keep::kNone);
    ASSERT_TRUE(lane.Open().ok());
    EXPECT_EQ(lane.records, (Records{{1, "one"}}));
  }
}

TEST(Wal, AfterAStopThatTheFloorCoversAStartReadsNothing) {
  Lane lane(18);
  ASSERT_TRUE(lane.Open().ok());
  ASSERT_TRUE(lane.Write("one").ok());
  ASSERT_TRUE(lane.wal->Stop(SequenceNumber{1}).ok());
  EXPECT_EQ(lane.disk.Paths().size(), 2U);
  EXPECT_EQ(lane.disk.Contents(lane.LastFile()).size(), kFileHeaderBytes);
  lane.disk.Restart(Keep::kNone);
  lane.floor = SequenceNumber{1};
  ASSERT_TRUE(lane.Open().ok());
  EXPECT_TRUE(lane.records.empty());
  EXPECT_EQ(lane.recovery.bytes_read, kFileHeaderBytes);
  // A stop without a new record has no file to leave.
  const std::size_t files = lane.disk.Paths().size();
  ASSERT_TRUE(lane.wal->Stop(SequenceNumber{1}).ok());
  EXPECT_EQ(lane.disk.Paths().size(), files);
  ASSERT_TRUE(lane.Open().ok());
  ASSERT_TRUE(lane.Write("two").ok());
  ASSERT_TRUE(lane.wal->Truncate(lane.floor).ok());
  EXPECT_EQ(lane.disk.Paths().size(), 1U);
  ASSERT_TRUE(lane.Open().ok());
  EXPECT_EQ(lane.records, (Records{{2, "two"}}));
}

TEST(Wal, AnOlderFloorStillFindsWhatAStopHasLeft) {
  Lane lane(19);
  ASSERT_TRUE(lane.Open().ok());
  ASSERT_TRUE(lane.Write("one").ok());
  ASSERT_TRUE(lane.wal->Stop(SequenceNumber{1}).ok());
  lane.disk.Restart(Keep::kNone);
  ASSERT_TRUE(lane.Open().ok());  // the floor is still 0, as an older manifest would have it
  EXPECT_EQ(lane.records, (Records{{1, "one"}}));
  EXPECT_EQ(lane.recovery.position.next_number.value, 2U);
}

TEST(Wal, AStopThatTheFloorDoesNotCoverStaysInItsFile) {
  Lane lane(20);
  ASSERT_TRUE(lane.Open().ok());
  ASSERT_TRUE(lane.Write(std::vector<std::string>{"one", "two"}).ok());
  ASSERT_TRUE(lane.wal->Stop(SequenceNumber{1}).ok());
  EXPECT_EQ(lane.disk.Paths().size(), 1U);
}

// Whatever a stop is doing when the power goes or a call fails, no record is lost.
TEST(Wal, EveryCallOfAStopMayBeTheLast) {
  for (const bool crash : {false, true}) {
    for (std::uint64_t call = 1;; ++call) {
      Lane lane(1000 + call);
      ASSERT_TRUE(lane.Open().ok());
      ASSERT_TRUE(lane.Write("one").ok());
      lane.clock.Advance(2 * kNsPerSecond);
      lane.DriveAll();  // sealed
      crash ? lane.disk.CrashAtCall(call) : lane.disk.FailCall(call, Fault::kIoError);
      const std::uint64_t before = lane.disk.call_count();
      const Status stopped = lane.wal->Stop(SequenceNumber{1});
      const bool reached = lane.disk.call_count() - before >= call;
      EXPECT_TRUE(crash || stopped.ok()) << call << ": " << MessageOf(stopped);
      lane.disk.ClearFaults();
      lane.disk.Restart(Keep::kRandom);
      lane.floor = SequenceNumber{call % 2};
      ASSERT_EQ(lane.Open(), OkStatus()) << call;
      EXPECT_EQ(lane.records.size(), 1 - call % 2) << call;
      ASSERT_TRUE(lane.Write("two").ok());
      lane.Kill();
      lane.floor = SequenceNumber{0};
      ASSERT_EQ(lane.Open(), OkStatus()) << call;
      EXPECT_EQ(lane.records, (Records{{1, "one"}, {2, "two"}})) << call;
      if (!reached) break;
      ASSERT_LT(call, 100U);
    }
  }
}

TEST(Wal, AStartMakesASmallFileAndTheNextOneIsWhole) {
  Lane lane(16);
  lane.options.start_room_bytes = 4 << 10;
  lane.options.compress = false;
  for (std::uint64_t life = 0; life < 2; ++life) {
    ASSERT_TRUE(lane.Open().ok());
    const std::string first = lane.LastFile();
    EXPECT_EQ(lane.disk.Contents(first).size(),
              lane.recovery.position.has_file ? lane.recovery.position.file_bytes : kFileHeaderBytes + (4U << 10));
    EXPECT_LT(lane.disk.Contents(first).size(), lane.options.file_bytes);
    ASSERT_EQ(lane.Write("first"), OkStatus());
    // More than the file has room for waits for the next one, and is taken then.
    EXPECT_EQ(CodeOf(lane.wal->Reserve(6'000).status()), ErrorCode::kResourceExhausted);
    lane.DriveAll();
    ASSERT_EQ(lane.Write(std::string(6'000, 'x')), OkStatus());
    lane.DriveAll();
    EXPECT_NE(lane.LastFile(), first);
    EXPECT_EQ(lane.disk.Contents(lane.LastFile()).size(), lane.options.file_bytes);
    lane.floor = lane.wal->durable_number();
    lane.Kill();
  }
}

TEST(Wal, AFrameLargerThanTheFirstFileMakesItGrow) {
  Lane lane(17);
  lane.options.start_room_bytes = 4 << 10;
  lane.options.compress = false;
  ASSERT_TRUE(lane.Open().ok());
  const std::string only = lane.LastFile();
  EXPECT_EQ(CodeOf(lane.wal->Reserve(6'000).status()), ErrorCode::kResourceExhausted);
  lane.DriveAll();
  ASSERT_EQ(lane.Write(std::string(6'000, 'x')), OkStatus());
  EXPECT_EQ(lane.LastFile(), only);
  EXPECT_GT(lane.disk.Contents(only).size(), kFileHeaderBytes + 6'000);
  ASSERT_EQ(lane.Write("next"), OkStatus());
  EXPECT_NE(lane.LastFile(), only);
  lane.Kill();
  ASSERT_TRUE(lane.Open().ok());
  EXPECT_EQ(lane.records, (Records{{1, std::string(6'000, 'x')}, {2, "next"}}));
}

TEST(Wal, ALogAtItsLimitThrottlesUntilTheFloorRises) {
  Lane lane(5);
  lane.options.wal_bytes_max = 2 * lane.options.file_bytes;
  lane.options.compress = false;
  ASSERT_TRUE(lane.Open().ok());
  Status refused = OkStatus();
  while (refused.ok()) {
    refused = lane.Write(std::string(1000, 'x'));
    lane.DriveAll();
  }
  EXPECT_EQ(CodeOf(refused), ErrorCode::kResourceExhausted);
  EXPECT_LE(lane.wal->retained_bytes(), lane.options.wal_bytes_max);
  ASSERT_TRUE(lane.wal->Truncate(lane.wal->durable_number()).ok());
  EXPECT_TRUE(lane.Write(std::string(1000, 'x')).ok());
  EXPECT_EQ(CodeOf(lane.wal->Reserve(lane.wal->record_bytes_max() + 1).status()),
            ErrorCode::kInvalidArgument);
}

TEST(Wal, AFullDiskThrottlesAndHealsByItself) {
  Lane lane(6);
  lane.options.compress = false;
  ASSERT_TRUE(lane.Open().ok());
  lane.disk.SetCapacity(lane.options.file_bytes + 1000);  // no room for a second file
  Status refused = OkStatus();
  int written = 0;
  for (; refused.ok(); ++written) {
    refused = lane.Write(std::string(1000, 'x'));
    lane.DriveAll();
  }
  EXPECT_EQ(CodeOf(refused), ErrorCode::kResourceExhausted);
  EXPECT_GT(written, 20);
  EXPECT_TRUE(lane.failures.failed.ok()) << "a full disk is no failure of the log";
  lane.disk.SetCapacity(UINT64_MAX);
  EXPECT_FALSE(lane.Write(std::string(1000, 'x')).ok()) << "not tried again at once";
  lane.clock.Advance(lane.options.prepare_retry_ns);
  EXPECT_FALSE(lane.wal->Reserve(1000).ok());
  lane.DriveAll();
  EXPECT_TRUE(lane.Write(std::string(1000, 'x')).ok());
  lane.Kill();
  ASSERT_TRUE(lane.Open().ok());
  EXPECT_EQ(lane.records.size(), static_cast<std::size_t>(written));
}

TEST(Wal, AFailedSyncPoisonsTheLog) {
  for (const std::uint64_t call : {std::uint64_t{1}, std::uint64_t{2}}) {  // the write, the sync
    Lane lane(7);
    ASSERT_TRUE(lane.Open().ok());
    ASSERT_TRUE(lane.Write("before").ok());
    lane.disk.FailCall(call, Fault::kIoError);
    WalReservation space = *lane.wal->Reserve(100, 3);
    Waiter waiter, repeat, later, late_repeat;
    const SequenceNumber number = lane.wal->Append(space, kType, AsBytes("lost"), &waiter);
    lane.wal->WhenDurable(number, &repeat);
    lane.DriveAll();
    EXPECT_EQ(CodeOf(*waiter.result), ErrorCode::kUnavailable);
    EXPECT_EQ(CodeOf(*repeat.result), ErrorCode::kUnavailable);
    EXPECT_EQ(CodeOf(lane.failures.failed), ErrorCode::kUnavailable);
    EXPECT_EQ(lane.wal->durable_number().value, 1U);
    const std::uint64_t calls = lane.disk.call_count();
    const SequenceNumber next = lane.wal->Append(space, kType, AsBytes("more"), &later);
    lane.wal->WhenDurable(next, &late_repeat);
    lane.DriveAll();
    EXPECT_EQ(CodeOf(*later.result), ErrorCode::kUnavailable);
    EXPECT_EQ(CodeOf(*late_repeat.result), ErrorCode::kUnavailable);
    EXPECT_EQ(CodeOf(lane.wal->Reserve(1).status()), ErrorCode::kUnavailable);
    EXPECT_EQ(CodeOf(lane.wal->Truncate(number)), ErrorCode::kUnavailable);
    space = WalReservation();
    EXPECT_EQ(CodeOf(lane.wal->Stop()), ErrorCode::kUnavailable);
    EXPECT_EQ(lane.disk.call_count(), calls) << "the file is never written or synced again";
    ASSERT_TRUE(lane.Open().ok());
    EXPECT_EQ(lane.records[1], "before");
  }
}

TEST(Wal, SealsAfterASecondOfIdlenessOnce) {
  Lane lane(8);
  ASSERT_TRUE(lane.Open().ok());
  ASSERT_TRUE(lane.Write("a").ok());
  EXPECT_EQ(lane.Frames(lane.LastFile()).size(), 1U);
  EXPECT_FALSE(lane.wal->Drive());
  lane.clock.Advance(kNsPerSecond);
  EXPECT_TRUE(lane.wal->Drive());
  EXPECT_FALSE(lane.wal->Drive());
  EXPECT_EQ(lane.Frames(lane.LastFile()).size(), 2U);
  ASSERT_TRUE(lane.wal->Stop().ok());
  EXPECT_EQ(lane.Frames(lane.LastFile()).size(), 2U) << "sealed already";
}

TEST(Wal, IntervalModeAcknowledgesAtOnceAndSyncsInTime) {
  Lane lane(9);
  lane.options.sync = SyncMode::kInterval;
  ASSERT_TRUE(lane.Open().ok());
  WalReservation space = *lane.wal->Reserve(100, 2);
  Waiter waiter;
  lane.wal->Append(space, kType, AsBytes("a"), &waiter);
  EXPECT_TRUE(lane.wal->Drive());
  EXPECT_TRUE(waiter.result->ok());
  EXPECT_EQ(lane.wal->durable_number().value, 1U);
  EXPECT_EQ(lane.wal->synced_number().value, 0U);
  lane.clock.Advance(lane.options.sync_interval_ns);
  EXPECT_TRUE(lane.wal->Drive());
  EXPECT_EQ(lane.wal->synced_number().value, 1U);
  lane.wal->Append(space, kType, AsBytes("b"), nullptr);
  EXPECT_TRUE(lane.wal->Flush().ok());
  EXPECT_EQ(lane.wal->synced_number().value, 2U);
}

TEST(WalDamage, RotOfTheLastFrameIsATornTailUntilASealCoversIt) {
  for (const bool sealed : {false, true}) {
    Lane lane(10);
    ASSERT_TRUE(lane.Open().ok());
    ASSERT_TRUE(lane.Write("first").ok());
    ASSERT_TRUE(lane.Write("second").ok());
    if (sealed) {
      ASSERT_TRUE(lane.wal->Stop().ok());
    }
    const std::string file = lane.LastFile();
    const std::uint64_t last = lane.Frames(file)[1];
    lane.Kill();
    ASSERT_TRUE(lane.disk.FlipBit(file, (last + kFrameHeaderBytes + 3) * 8).ok());
    const Status recovered = lane.Recover();
    if (sealed) {
      EXPECT_EQ(CodeOf(recovered), ErrorCode::kDataLoss);
    } else {
      ASSERT_TRUE(recovered.ok());
      EXPECT_EQ(lane.records, (Records{{1, "first"}}));
      EXPECT_GT(lane.recovery.torn_bytes, 0U);
    }
  }
}

// Every bit of every frame but the last (the unsealed tail), and of the header.
TEST(WalDamage, EveryBitFlipIsFoundAndChangesNothing) {
  Lane lane(11);
  lane.options.compress = false;
  ASSERT_TRUE(lane.Open().ok());
  for (const char* payload : {"one", "two", "three", "four"}) ASSERT_TRUE(lane.Write(payload).ok());
  const std::string file = lane.LastFile();
  const std::vector<std::uint64_t> frames = lane.Frames(file);
  ASSERT_EQ(frames.size(), 4U);
  lane.Kill();
  const std::uint64_t state = lane.disk.StateHash();
  const auto must_fail = [&](std::uint64_t bit) {
    ASSERT_TRUE(lane.disk.FlipBit(file, bit).ok());
    ASSERT_FALSE(lane.Recover().ok()) << "bit " << bit;
    ASSERT_TRUE(lane.disk.FlipBit(file, bit).ok());
    ASSERT_EQ(lane.disk.StateHash(), state);
  };
  for (std::uint64_t bit = 0; bit < kFileHeaderBytes * 8; bit += 61) must_fail(bit);
  for (std::size_t i = 0; i + 1 < frames.size(); ++i) {
    const std::uint64_t payload_bytes = std::string("one").size() + 3;
    for (std::uint64_t bit = 0; bit < (kFrameHeaderBytes + payload_bytes) * 8; ++bit) {
      must_fail(frames[i] * 8 + bit);
    }
  }
  ASSERT_TRUE(lane.Recover().ok());
  EXPECT_EQ(lane.records.size(), 4U);
}

TEST(WalDamage, DamageInAnOlderFileOrAMissingFileStops) {
  for (int kind = 0; kind < 6; ++kind) {
    const bool reads_ahead = kind >= 3;
    Lane lane(12);
    ASSERT_TRUE(lane.Open().ok());
    Random random(1);
    for (int i = 0; i < 60; ++i) {
      ASSERT_TRUE(lane.Write(random.Text(2000, "abcdefghijklmnopqrstuvwxyz")).ok());
      lane.DriveAll();
    }
    lane.Kill();
    const std::vector<std::string> paths = lane.disk.Paths();
    ASSERT_GT(paths.size(), 3U);
    if (kind % 3 == 0) {
      ASSERT_TRUE(lane.disk.FlipBit(paths[1], lane.Frames(paths[1]).back() * 8).ok());
    }
    if (kind % 3 == 1) {
      ASSERT_TRUE(lane.disk.Remove(paths[0]).ok());
    }
    if (kind % 3 == 2) {
      ASSERT_TRUE(lane.disk.Remove(paths[1]).ok());
    }
    lane.options.own_threads = reads_ahead;
    EXPECT_EQ(CodeOf(lane.Recover()), ErrorCode::kDataLoss);
    // Quarantine saves the rest, and the log then opens without it, reporting the gap each time.
    ASSERT_TRUE(lane.Recover(/*quarantine=*/true).ok());
    lane.options.own_threads = false;
    const Records saved = lane.records;
    EXPECT_GT(saved.size(), 20U);
    EXPECT_LT(saved.size(), 60U);
    for (int again = 0; again < 2; ++again) {
      ASSERT_EQ(lane.Open(), OkStatus());
      EXPECT_EQ(lane.records, saved);
      std::uint64_t missing = 0;
      for (const WalGap& gap : lane.recovery.gaps) {
        missing += gap.last_number.value - gap.first_number.value + 1;
      }
      EXPECT_EQ(missing, 60 - saved.size());
      EXPECT_EQ(lane.wal->last_number().value, 60U);
    }
    ASSERT_TRUE(lane.Write("after").ok());
  }
}

TEST(WalDamage, QuarantineKeepsTheBytesAndTheRest) {
  Lane lane(13);
  ASSERT_TRUE(lane.Open().ok());
  for (const char* payload : {"1", "2", "3", "4", "5"}) ASSERT_TRUE(lane.Write(payload).ok());
  const std::string file = lane.LastFile();
  const std::vector<std::uint64_t> frames = lane.Frames(file);
  lane.Kill();
  ASSERT_TRUE(lane.disk.FlipBit(file, frames[1] * 8 + 9).ok());
  ASSERT_TRUE(lane.disk.FlipBit(file, frames[2] * 8 + 9).ok());
  const Bytes damaged = lane.disk.Contents(file);
  EXPECT_EQ(CodeOf(lane.Recover()), ErrorCode::kDataLoss);
  ASSERT_TRUE(lane.Recover(true).ok());
  const Records expected = {{1, "1"}, {4, "4"}, {5, "5"}};
  EXPECT_EQ(lane.records, expected);
  ASSERT_EQ(lane.recovery.gaps.size(), 1U);
  EXPECT_EQ(lane.recovery.gaps[0].first_number.value, 2U);
  EXPECT_EQ(lane.recovery.gaps[0].last_number.value, 3U);
  EXPECT_EQ(lane.disk.Contents("/wal/quarantine/00000000000000000001"), damaged);
  ASSERT_TRUE(lane.Open().ok());
  EXPECT_EQ(lane.records, expected);
  EXPECT_EQ(lane.recovery.gaps.size(), 1U);
}

TEST(WalDamage, FramesOfARecycledBlockAreNotOurs) {
  Lane lane(14);
  ASSERT_TRUE(lane.Open().ok());
  ASSERT_TRUE(lane.Write("old one").ok());
  ASSERT_TRUE(lane.Write("old two").ok());
  const Bytes old = lane.disk.Contents(lane.LastFile());
  ASSERT_TRUE(lane.wal->Stop().ok());
  ASSERT_TRUE(lane.Open().ok());  // a new file with the same numbers, then one more
  const std::vector<std::uint64_t> frames = lane.Frames(lane.LastFile());
  const std::uint64_t end = frames.back() + FrameBytes(0);
  lane.Kill();
  const BytesView old_frames = BytesView(old).subspan(kFileHeaderBytes, 200);
  ASSERT_TRUE(lane.disk.Corrupt(lane.LastFile(), end, old_frames).ok());
  ASSERT_TRUE(lane.Recover().ok());
  EXPECT_EQ(lane.records, (Records{{1, "old one"}, {2, "old two"}}));
}

// One frame behind the last, right in all but one respect.
TEST(WalDamage, AFrameMustAgreeInFileNumberAndChain) {
  enum class Wrong { kNothing, kFile, kNumber, kChain, kPayload };
  for (const Wrong wrong :
       {Wrong::kNothing, Wrong::kFile, Wrong::kNumber, Wrong::kChain, Wrong::kPayload}) {
    Lane lane(17);
    ASSERT_TRUE(lane.Open().ok());
    ASSERT_TRUE(lane.Write("a").ok());
    const std::string file = lane.LastFile();
    const Bytes bytes = lane.disk.Contents(file);
    std::uint32_t crc = 0;
    const LogFileHeader file_header = *DecodeFileHeader(bytes, &crc);
    const std::uint64_t at = lane.Frames(file).back();
    const FrameHeader last =
        *DecodeFrameHeader(file_header.file_uuid, BytesView(bytes).subspan(at));
    lane.Kill();

    std::byte record[kRecordHeaderBytesMax];
    const std::size_t record_bytes = EncodeRecordHeader(kType, 0, record);
    FrameHeader header;
    header.payload_bytes = static_cast<std::uint32_t>(record_bytes);
    header.first_number = SequenceNumber{wrong == Wrong::kNumber ? 3U : 2U};
    header.record_count = 1;
    header.previous_crc = last.header_crc ^ (wrong == Wrong::kChain ? 1U : 0U);
    header.payload_crc =
        Crc32c(BytesView(record, record_bytes)) ^ (wrong == Wrong::kPayload ? 1U : 0U);
    Bytes frame(FrameBytes(record_bytes));
    EncodeFrameHeader(wrong == Wrong::kFile ? Uuid() : file_header.file_uuid, &header, frame);
    std::copy(record, record + record_bytes, frame.begin() + kFrameHeaderBytes);
    ASSERT_TRUE(lane.disk.Corrupt(file, at + FrameBytes(last.payload_bytes), frame).ok());
    ASSERT_TRUE(lane.Recover().ok());
    EXPECT_EQ(lane.records.size(), wrong == Wrong::kNothing ? 2U : 1U) << static_cast<int>(wrong);
    EXPECT_EQ(lane.recovery.torn_bytes > 0, wrong != Wrong::kNothing);
  }
}

TEST(WalDamage, ForeignAndNewerLogsAreRefused) {
  Lane lane(15);
  ASSERT_TRUE(lane.Open().ok());
  ASSERT_TRUE(lane.Write("a").ok());
  lane.Kill();
  lane.options.database_uuid = Uuid();
  EXPECT_EQ(CodeOf(lane.Recover()), ErrorCode::kDataLoss);
}

TEST(WalDamage, AReadErrorIsNeverATornTail) {
  Lane lane(16);
  ASSERT_TRUE(lane.Open().ok());
  ASSERT_TRUE(lane.Write("a").ok());
  lane.Kill();
  lane.disk.FailReadsOf("/wal/0");
  EXPECT_EQ(CodeOf(lane.Recover()), ErrorCode::kDataLoss);
  lane.disk.ClearFaults();
  ASSERT_TRUE(lane.Recover().ok());
  EXPECT_EQ(lane.records.size(), 1U);
}

// --- Crash points --------------------------------------------------------------------------------

struct Ledger {
  Records sent;
  std::uint64_t acked = 0;
};

// Writes groups of random records until the power goes or `group_count` are done.
void RunWorkload(Lane& lane, Random& random, int group_count, Ledger* ledger) {
  struct Ack final : WalCompletion {
    explicit Ack(std::uint64_t* out) : acked(out) {}
    void OnDurable(const Status& status, SequenceNumber number) override {
      if (status.ok()) *acked = std::max(*acked, number.value);
    }
    std::uint64_t* acked;
  };
  Ack ack(&ledger->acked);
  for (int group = 0; group < group_count && lane.failures.failed.ok(); ++group) {
    const std::uint64_t count = 1 + random.Below(4);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t size = random.Below(10) == 0 ? random.Below(6000) : random.Below(700);
      const std::string payload = random.Text(size, "abcdefghijklmnopqrstuvwxyz0123456789");
      Result<WalReservation> space = lane.wal->Reserve(payload.size());
      if (!space.ok()) break;
      // Each record waits through an object of its own in the engine; here the last one answers for
      // all.
      WalCompletion* waits = i + 1 == count ? &ack : nullptr;
      const SequenceNumber number = lane.wal->Append(*space, kType, AsBytes(payload), waits);
      ledger->sent[number.value] = payload;
    }
    lane.DriveAll();
    if (random.Below(8) == 0) lane.clock.Advance(kNsPerSecond);
    lane.DriveAll();
    if (random.Below(6) == 0 && lane.wal->durable_number().value > 5) {
      lane.floor = std::max(lane.floor, SequenceNumber{lane.wal->durable_number().value - 5});
      lane.wal->Truncate(lane.floor).IgnoreError();
    }
  }
  lane.wal->Stop().IgnoreError();
}

// The laws: what was acknowledged is there, whole and in order; what is there was sent.
void CheckLaws(const Lane& lane, const Ledger& ledger, const std::string& where) {
  std::uint64_t expected = lane.floor.value + 1;
  for (const auto& [number, payload] : lane.records) {
    ASSERT_EQ(number, expected++) << where;
    const auto sent = ledger.sent.find(number);
    ASSERT_TRUE(sent != ledger.sent.end()) << where;
    ASSERT_EQ(payload, sent->second) << where;
  }
  ASSERT_GE(lane.recovery.position.next_number.value, ledger.acked + 1) << where;
  ASSERT_EQ(lane.recovery.position.next_number.value, expected) << where;
}

void CrashEverywhere(std::uint64_t seed, Keep keep, SyncMode mode, std::uint64_t stride) {
  for (std::uint64_t point = 1 + seed % stride;; point += stride) {
    const std::string where =
        fmt::format("seed {} keep {} point {}", seed, static_cast<int>(keep), point);
    Lane lane(seed * 1'000'003 + point);
    lane.options.sync = mode;
    lane.options.file_bytes = 20 << 10;
    Random random(seed);
    Ledger ledger;
    lane.disk.CrashAtCall(point);
    const Status opened = lane.Open();
    if (opened.ok()) RunWorkload(lane, random, 25, &ledger);
    const bool was_cut = lane.disk.crashed();
    lane.wal.reset();
    lane.disk.Restart(keep);
    if (mode == SyncMode::kInterval) ledger.acked = 0;  // promised only to the process
    ASSERT_EQ(lane.Recover(), OkStatus()) << where;
    CheckLaws(lane, ledger, where);
    const Records once = lane.records;
    // Recovery is cut too, then repeated; the state is the same.
    lane.disk.CrashAtCall(1 + random.Below(12));
    lane.Recover().IgnoreError();
    lane.disk.Restart(keep);
    ASSERT_EQ(lane.Recover(), OkStatus()) << where;
    ASSERT_EQ(lane.records, once) << where;
    // And it goes on from there.
    const std::uint64_t next = lane.recovery.position.next_number.value;
    ledger.sent.erase(ledger.sent.lower_bound(next), ledger.sent.end());
    ASSERT_EQ(lane.Open(), OkStatus()) << where;
    RunWorkload(lane, random, 4, &ledger);
    ASSERT_EQ(lane.Open(), OkStatus()) << where;
    CheckLaws(lane, ledger, where);
    if (!was_cut) return;
  }
}

TEST(WalCrash, EveryPointKeepNone) { CrashEverywhere(1, Keep::kNone, SyncMode::kFull, 1); }
TEST(WalCrash, EveryPointKeepAll) { CrashEverywhere(2, Keep::kAll, SyncMode::kFull, 1); }
TEST(WalCrash, EveryPointTornSectors) {
  for (std::uint64_t seed = 3; seed < 9; ++seed) {
    CrashEverywhere(seed, Keep::kRandom, SyncMode::kFull, 3);
  }
}
TEST(WalCrash, IntervalMode) {
  for (std::uint64_t seed = 10; seed < 14; ++seed) {
    CrashEverywhere(seed, Keep::kRandom, SyncMode::kInterval, 3);
  }
}

TEST(WalFaults, FailTheNthCallForEveryN) {
  for (const Fault fault : {Fault::kIoError, Fault::kNoSpace, Fault::kQuota, Fault::kShortWrite}) {
    for (std::uint64_t n = 1;; n += 2) {
      const std::string where = fmt::format("fault {} call {}", static_cast<int>(fault), n);
      Lane lane(n);
      lane.options.file_bytes = 20 << 10;
      lane.options.start_room_bytes = 9 << 10;
      Random random(n);
      Ledger ledger;
      lane.disk.FailCall(n, fault);
      if (lane.Open().ok()) RunWorkload(lane, random, 12, &ledger);
      const bool reached = lane.disk.call_count() >= n;
      lane.wal.reset();
      lane.disk.Restart(Keep::kRandom);
      lane.disk.ClearFaults();
      ASSERT_EQ(lane.Recover(), OkStatus()) << where;
      CheckLaws(lane, ledger, where);
      if (!reached) break;
    }
  }
}

// --- Threads -------------------------------------------------------------------------------------

TEST(WalThreads, ManyWritersAreAllAcknowledgedAndComeBack) {
  Lane lane(20);
  lane.options.own_threads = true;
  lane.options.clock = &SystemClock();
  lane.options.file_bytes = 256 << 10;
  lane.options.wal_bytes_max = 64 << 20;
  ASSERT_TRUE(lane.Open().ok());
  struct Wait final : WalCompletion {
    void OnDurable(const Status& result, SequenceNumber) override {
      const MutexLock lock(mutex);
      status = result;
      done = true;
      changed.NotifyAll();
    }
    Mutex mutex;
    CondVar changed;
    bool done = false;
    Status status;
  };
  constexpr int kThreads = 8;
  constexpr int kPerThread = 200;
  std::atomic<int> acked{0};
  {
    ThreadPool pool({.name = "writers", .thread_count = kThreads});
    for (int thread = 0; thread < kThreads; ++thread) {
      ASSERT_TRUE(pool.Submit([&, thread] {
                        Random random(static_cast<std::uint64_t>(thread));
                        for (int i = 0; i < kPerThread; ++i) {
                          const std::string payload =
                              random.Text(random.Below(2000), "0123456789abcdef");
                          Result<WalReservation> space = lane.wal->Reserve(payload.size());
                          while (!space.ok()) space = lane.wal->Reserve(payload.size());
                          Wait wait;
                          lane.wal->Append(*space, kType, AsBytes(payload), &wait);
                          const MutexLock lock(wait.mutex);
                          while (!wait.done) wait.changed.Wait(wait.mutex);
                          if (wait.status.ok()) ++acked;
                        }
                      })
                      .ok());
    }
  }
  EXPECT_EQ(acked.load(), kThreads * kPerThread);
  EXPECT_EQ(lane.wal->durable_number().value, static_cast<std::uint64_t>(kThreads * kPerThread));
  ASSERT_TRUE(lane.wal->Flush().ok());
  ASSERT_TRUE(lane.wal->Stop().ok());
  lane.wal.reset();
  ASSERT_GT(lane.disk.Paths().size(), 3U) << "several files: a thread reads ahead";
  ASSERT_TRUE(lane.Recover().ok());
  EXPECT_EQ(lane.records.size(), static_cast<std::size_t>(kThreads * kPerThread));
}

}  // namespace
}  // namespace tideline::wal
