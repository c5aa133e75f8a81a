// storage/segment/page_file.h: a file as checked, optionally sealed pages.
//
//   |<----------------- kPageBytes ------------------>|<--- the last page may be shorter --->|
//   | body: plain bytes, or those sealed | CRC32C u32 | body                      | CRC32C   |
//
// The CRC covers the stored body and starts from the CRC of the page's index (u64), so that a page
// in another page's place does not validate. Pages know nothing of what they hold: all offsets
// elsewhere in a segment are logical, counted in plain bytes, as if page ends were not there.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/status.h"
#include "storage/segment/segment_io.h"

namespace tideline::segment {

inline constexpr std::size_t kPageBytes = 32'768;
inline constexpr std::size_t kPageCrcBytes = 4;

/// Cuts appended bytes into pages. Not thread-safe.
class PageWriter {
 public:
  /// `seal` may be null; both outlive the writer.
  PageWriter(ByteSink& sink, PageSeal* seal);

  Status Append(BytesView bytes);
  /// Writes the last page. Call once, then read the totals.
  Status Finish();

  /// Logical position of the next byte.
  std::uint64_t offset() const { return offset_; }
  std::uint64_t file_bytes() const { return file_bytes_; }
  Hash128 file_hash() const { return hasher_.Finish(); }

 private:
  Status WritePage();

  ByteSink& sink_;
  PageSeal* const seal_;
  const std::size_t plain_bytes_max_;
  Bytes plain_;
  Bytes stored_;
  std::uint64_t page_index_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t file_bytes_ = 0;
  WideHasher hasher_;
};

/// Reads logical ranges; every page touched is checked. Thread-safe.
class PageReader {
 public:
  /// kDataLoss when no file of pages has this size.
  static Result<std::unique_ptr<PageReader>> Open(std::shared_ptr<RangeReader> file,
                                                  std::uint64_t file_bytes, PageSeal* seal);
  std::uint64_t size() const { return logical_bytes_; }
  /// kDataLoss for a range past size() or a page whose CRC or seal does not hold.
  Status Read(std::uint64_t offset, std::span<std::byte> out) const;
  /// Checks every page; returns the hash of all stored bytes.
  Result<Hash128> Scrub() const;

 private:
  PageReader() = default;
  std::size_t StoredBytes(std::uint64_t page_index) const;
  /// `stored` is one page. Leaves its plain bytes in `*plain`, which may use `*scratch`.
  Status OpenPage(std::uint64_t page_index, BytesView stored, Bytes* scratch,
                  BytesView* plain) const;

  std::shared_ptr<RangeReader> file_;
  PageSeal* seal_ = nullptr;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t logical_bytes_ = 0;
  std::size_t plain_bytes_max_ = 0;
};

}  // namespace tideline::segment
