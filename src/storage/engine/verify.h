// storage/engine/verify.h: checks everything a database's files promise (`tideline verify`).
//
// Of the newest manifest: that every file it names is there, of its size and hash; that every page and every block
// decodes; that counts, times and order are what manifest, footer and series table say; that no deletion vector names a
// row that is not there; that no key is alive twice; that series files rebuild an index that has every series of
// every segment. Of the log: that every frame of every file is whole, but for a torn tail in the last.
// Reads only. Files that a newer manifest has dropped meanwhile are left out, so it may run beside a live engine.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "storage/catalog/manifest.h"
#include "storage/engine/segment_source.h"
#include "storage/fs/file_system.h"
#include "storage/objstore/object_store.h"
#include "storage/seal/sealer.h"

namespace tideline::engine {

/// Problems told; beyond it they are only counted.
inline constexpr std::size_t kProblemsToldMax = 1'000;

struct VerifyReport {
  std::uint64_t manifest = 0;
  std::uint64_t segments = 0;
  std::uint64_t other_files = 0;  ///< manifests, series files, deletion vectors, log files
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
  std::uint64_t log_records = 0;
  std::uint64_t problem_count = 0;
  std::vector<std::string> problems{};

  void Tell(std::string problem);
  /// For people.
  std::string Text() const;
};

struct VerifyTarget {
  SegmentEnvironment environment{};  ///< without a cache: what is on the disk counts
  seal::Sealer* sealer = nullptr;
  /// Whether the newest manifest still names a file.
  std::function<bool(const std::string& key)> still_named{};
};

/// Checks what one manifest names.
void VerifyManifest(const VerifyTarget& target, const catalog::Manifest& manifest,
                    VerifyReport* report);
/// Checks the log files in `directory`; no log is no problem.
void VerifyLog(fs::FileSystem& fs, const std::string& directory, const Uuid& database_uuid,
               seal::Sealer& sealer, VerifyReport* report);
/// Checks a data directory whose engine runs elsewhere or nowhere. `magnetic` may be null: in the directory.
/// kNotFound: no manifest; kDataLoss: none can be read.
Result<VerifyReport> VerifyDirectory(fs::FileSystem& fs, const std::string& data_dir,
                                     seal::Sealer& sealer, objstore::ObjectStore* magnetic);

}  // namespace tideline::engine
