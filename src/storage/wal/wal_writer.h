// storage/wal/wal_writer.h: the append side of the log, one per lane.
//
// Many threads append, one commit thread writes. It takes all that is queued as one group, writes
// the group as one frame with one pwrite, syncs, and runs the group's completions in order; while
// it syncs, the next group fills. So the cost of a sync is shared by whoever waits, without a
// timer. (Group commit: DeWitt et al., "Implementation Techniques for Main Memory Database
// Systems", SIGMOD 1984.) Log files are filled with zeros before use, so that the sync does not
// journal; the next one is prepared in the background. The one that a start makes is small, and a
// clean stop cuts the last one behind its frames, so that neither start nor stop waits for zeros;
// where files hold all of its records, the stop begins a new one, so that the start reads nothing.
//
//   WalReservation space = TL_TRY(wal.Reserve(payload_bytes_max));    // before the shard's lock
//   ... under the shard's lock: verdict, staging, encoding ...
//   number = wal.Append(space, kRowsRecord, payload, &request);       // cheap: a memcpy
//   ... later, on the commit thread: request.OnDurable(status, number)
//
// Failure. The first write or sync of a frame that fails (whatever the error, ENOSPC too: the
// blocks were written before, so it cannot mean "wait") poisons the log: the file is never synced
// again, the listener is told, and every waiter and later call gets kUnavailable. Nothing staged is
// rolled back: the process ends and recovery decides. A full disk shows earlier, where it harms no
// one: the next file cannot be prepared, and Reserve says kResourceExhausted until it can.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/sequence_number.h"
#include "base/status.h"
#include "storage/fs/file_system.h"
#include "storage/wal/wal_options.h"
#include "storage/wal/wal_recovery.h"

namespace tideline::wal {

class WalWriter;

/// What waits for durability. Embedded in the waiter's own object, so that queueing allocates
/// nothing. It must live until OnDurable has been called, may be waited with again afterwards, and
/// may delete itself inside the call.
class WalCompletion {
 public:
  /// Called once, with no lock held. OK: everything through `number` is durable. kUnavailable: the
  /// log is poisoned; whether the record survives is known after restart. Must be short (hand the
  /// answer to a loop): the next group waits for it.
  virtual void OnDurable(const Status& status, SequenceNumber number) = 0;

 protected:
  WalCompletion() = default;
  virtual ~WalCompletion() = default;

 private:
  friend class CompletionList;
  WalCompletion* next_ = nullptr;
  SequenceNumber number_;
};

/// Room in the log, given back when it dies. Used by one thread at a time; must not outlive the
/// writer.
class WalReservation {
 public:
  WalReservation() = default;
  WalReservation(WalReservation&& other) noexcept;
  WalReservation& operator=(WalReservation&& other) noexcept;
  ~WalReservation();
  /// Bytes of room left, including what each record costs beyond its payload.
  std::uint64_t charged_bytes() const { return charged_bytes_; }

 private:
  friend class WalWriter;
  WalReservation(WalWriter* writer, std::uint64_t bytes) : writer_(writer), charged_bytes_(bytes) {}
  WalWriter* writer_ = nullptr;
  std::uint64_t charged_bytes_ = 0;
};

/// Figures of one writer since it was opened. Also exported as metrics `tideline_wal_*`.
struct WalStats {
  std::uint64_t group_count = 0;
  std::uint64_t record_count = 0;
  std::uint64_t frame_bytes = 0;    ///< written
  std::uint64_t payload_bytes = 0;  ///< before compression
  std::uint64_t sync_count = 0;
  /// groups_by_records[i]: groups of 2^i to 2^(i+1) - 1 records; the last also counts all larger.
  std::array<std::uint64_t, 12> groups_by_records{};
};

/// All methods are thread-safe.
class WalWriter {
 public:
  /// Goes on where recovery ended; creates the first log file of a new database. `fs` outlives the
  /// writer. kInvalidArgument: an option out of range; kResourceExhausted: disk full; kUnavailable:
  /// I/O.
  static Result<std::unique_ptr<WalWriter>> Open(fs::FileSystem& fs, const WalOptions& options,
                                                 const WalPosition& position);
  /// Stops if Stop was not called, ignoring its status.
  virtual ~WalWriter() = default;

  /// Reserves room for `record_count` records of `payload_bytes` together. Never blocks.
  /// kInvalidArgument: more than record_bytes_max(). kResourceExhausted: the log above the floor is
  /// at `wal_bytes_max` (a checkpoint must catch up), or the next file is not ready (disk full, or
  /// ingest outruns the disk); heals by itself. kUnavailable: poisoned or stopping.
  virtual Result<WalReservation> Reserve(std::uint64_t payload_bytes,
                                         std::uint32_t record_count = 1) = 0;

  /// Appends one record, the concatenation of `pieces`, and returns its number: consecutive in call
  /// order. Copies the pieces; does no I/O; takes one lock for the length of a memcpy. Draws on
  /// `reservation`, which must have room (checked). `completion` may be null.
  virtual SequenceNumber Append(WalReservation& reservation, std::uint16_t type,
                                std::span<const BytesView> pieces, WalCompletion* completion) = 0;
  SequenceNumber Append(WalReservation& reservation, std::uint16_t type, BytesView payload,
                        WalCompletion* completion) {
    return Append(reservation, type, std::span<const BytesView>(&payload, 1), completion);
  }

  /// Runs `completion` when everything through `number` (appended before; checked) is durable: at
  /// once on this thread if it is, or if the log is poisoned; else on the commit thread.
  virtual void WhenDurable(SequenceNumber number, WalCompletion* completion) = 0;

  /// The last number whose completion may have run with OK: synced, or in interval mode written.
  virtual SequenceNumber durable_number() const = 0;
  /// The last number known synced.
  virtual SequenceNumber synced_number() const = 0;
  /// The last number given out by Append.
  virtual SequenceNumber last_number() const = 0;
  /// Bytes of the log that a replay would read now; compare with `wal_bytes_max` to time
  /// checkpoints.
  virtual std::uint64_t retained_bytes() const = 0;
  /// Largest payload of one record.
  virtual std::uint64_t record_bytes_max() const = 0;
  virtual WalStats stats() const = 0;

  /// Removes log files that hold nothing above `floor`. Does I/O; not from a loop thread. On error
  /// what is left is removed by a later call.
  virtual Status Truncate(SequenceNumber floor) = 0;

  /// Blocks until everything appended before is durable.
  virtual Status Flush() = 0;

  /// Refuses new reservations, waits until those given out are used or gone, commits what is
  /// queued, appends the seal frame, syncs, ends the threads. Where `floor`, the one that the next
  /// start will have, covers every record, the log goes on in an empty file; that this fails is
  /// logged and no error. Idempotent: returns the first call's status.
  virtual Status Stop(SequenceNumber floor) = 0;
  Status Stop() { return Stop(SequenceNumber{0}); }

  /// With `own_threads` false: does the next thing the threads would do now (prepare a file, commit
  /// a group, sync, seal); false when there is nothing.
  virtual bool Drive() = 0;

 protected:
  WalWriter() = default;
  /// For WalReservation's destructor.
  virtual void Release(std::uint64_t charged_bytes) = 0;
  friend class WalReservation;
  static WalReservation MakeReservation(WalWriter* writer, std::uint64_t bytes) {
    return {writer, bytes};
  }
  static std::uint64_t& ChargeOf(WalReservation& reservation) { return reservation.charged_bytes_; }
};

}  // namespace tideline::wal
