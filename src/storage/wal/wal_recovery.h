// storage/wal/wal_recovery.h: reading the log back after a restart.
//
// Frames are read past the page cache, for after a failed sync the cache may show bytes that the
// disk does not hold. With own_threads a thread reads the next file while one is replayed: two files
// are in memory then. A frame is valid if header CRC, payload CRC, number order, chain and file
// uuid agree. At the first invalid one the rest of the log is searched: if any header found says
// that the bad frame was synced, promised data is damaged and recovery stops; otherwise it is a
// torn tail that no one was promised, and is cut. The valid frames of the last file are then copied
// into a new one, since nothing is ever appended behind a torn tail or under a used nonce.
//
// Recovery killed half-way and run again gives the same records. Layout: docs/file-format.md,
// "WAL".
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/sequence_number.h"
#include "base/status.h"
#include "base/uuid.h"
#include "storage/fs/file_system.h"
#include "storage/wal/wal_options.h"

namespace tideline::wal {

struct RecoverOptions {
  /// Start in spite of damage: damaged files are kept in `<directory>/quarantine/`, what is valid
  /// behind the damage is replayed, what is missing is reported now and at every later recovery
  /// until the floor has passed it.
  bool quarantine = false;
};

/// One log file.
struct LogFileInfo {
  SequenceNumber first_number;
  std::uint64_t used_bytes = 0;  ///< header and frames
};

/// Where the writer goes on. Made by RecoverWal, used by WalWriter::Open.
struct WalPosition {
  SequenceNumber next_number{1};
  bool has_file = false;  ///< false: no log file yet, the fields below are unset
  SequenceNumber file_first_number;
  Uuid file_uuid;
  seal::KeyId key_id;
  std::uint64_t offset = 0;      ///< end of the last frame
  std::uint64_t file_bytes = 0;  ///< of the file, what is free in it included
  std::uint32_t previous_crc = 0;
  /// Ascending, without the current one. Some may lie below the floor: the owner calls
  /// WalWriter::Truncate after it has opened, or keeps them for an older manifest.
  std::vector<LogFileInfo> older_files;
};

/// Records that were promised and are damaged.
struct WalGap {
  SequenceNumber first_number;
  SequenceNumber last_number;
  std::string file;  ///< name of the log file
};

struct WalRecovery {
  WalPosition position;
  std::uint64_t record_count = 0;  ///< handed to the callback
  std::uint64_t bytes_read = 0;
  std::uint64_t torn_bytes = 0;  ///< cut from the tail (up to the last byte that is not zero)
  std::vector<WalGap> gaps;      ///< empty unless quarantine was used, now or earlier
};

/// Receives one record. `payload` is valid during the call. An error ends recovery with that error.
using RecordVisitor = std::function<Status(SequenceNumber, std::uint16_t type, BytesView payload)>;

/// Removes temporary files, replays every record above `floor` in order, and makes the log ready to
/// be appended to. The caller holds the database's LOCK.
///
/// kDataLoss: damage before a number known durable, a missing file, or a log of another database;
/// the message names file, offset and numbers, and nothing was changed. kUnimplemented: the format
/// is newer than this binary. kResourceExhausted: no space for the new last file; run again.
Result<WalRecovery> RecoverWal(fs::FileSystem& fs, const WalOptions& options, SequenceNumber floor,
                               const RecoverOptions& recover, const RecordVisitor& visit);

}  // namespace tideline::wal
