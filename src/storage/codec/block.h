// storage/codec/block.h: one column of one stripe, encoded.
//
// A block holds at most 32,768 rows of one physical kind. It is cut into slices of 1024 values,
// each decodable alone, so that a reader which wants 100 rows decodes 1024 and not 32,768.
//
//   +------+-------+----------+-----------+------------+----------------+----------+---------+
//   | kind | codec | validity | row_count | null_count | validity_bytes | validity | payload |
//   |  u8  |  u8   | kind, u8 |  varint   |   varint   |     varint     |  bytes   |  bytes  |
//   +------+-------+----------+-----------+------------+----------------+----------+---------+
//
// Only values that are not NULL are stored; a row finds its value by counting valid rows before it.
// A sparse column therefore costs what it holds, and a NULL never disturbs a delta. Validity is
// absent (all rows valid), a bitmap, or alternating run lengths, whichever is smallest.
//
// The codec of a block is chosen by encoding a sample with each candidate and keeping the smallest.
// Codecs are in int64_codecs.h, double_codecs.h, bool_codecs.h and string_codecs.h.
// On-disk layout: docs/file-format.md, "Blocks".
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace tideline::codec {

/// Values decodable alone.
inline constexpr std::size_t kSliceValues = 1024;
/// Most rows in a block; bounds what a decoder does on hostile input.
inline constexpr std::size_t kBlockRowsMax = 32'768;
/// Longest single string a block takes.
inline constexpr std::size_t kStringBytesMax = std::size_t{1} << 24;
/// Most bytes of string data in one block.
inline constexpr std::size_t kBlockStringBytesMax = std::size_t{1} << 30;

/// What the values of a block are in memory. Numbers are on disk: never reuse one.
enum class PhysicalKind : std::uint8_t { kInt64 = 1, kDouble = 2, kBool = 3, kString = 4 };

/// How hard blocks are compressed.
enum class Effort : std::uint8_t {
  kQuick,  ///< numbers as they are, at the speed of copying: runs in memory that are written again soon
  kLight,  ///< light blocks: the memory tier, runs when memory is short
  kSmall,  ///< with an entropy stage where it pays (entropy_stage.h): the magnetic tier
};

/// Words a validity bitmap of `row_count` rows takes. Bit i of word i / 64 is set when row i is
/// not NULL.
constexpr std::size_t ValidityWords(std::size_t row_count) { return (row_count + 63) / 64; }
/// Sets the bits of rows [first, first + count), which the words must have.
void MarkValid(std::span<std::uint64_t> validity, std::size_t first, std::size_t count);

/// Appends a block to `*out`.
///
/// `values`    the values of the valid rows only, in row order; as many as `validity` has set bits.
/// `validity`  ValidityWords(row_count) words, or empty when every row is valid.
/// `row_count` 0 <= row_count <= kBlockRowsMax (checked).
///
/// `effort`    kQuick, or anything else: the entropy stage is not applied here.
///
/// Any bit pattern round-trips: NaN payloads, -0.0, both int64 ends. Booleans are bytes, 0 or 1.
/// Thread-safe; keeps nothing.
void EncodeInt64Block(std::span<const std::int64_t> values, std::span<const std::uint64_t> validity,
                      std::size_t row_count, Bytes* out, Effort effort = Effort::kLight);
void EncodeDoubleBlock(std::span<const double> values, std::span<const std::uint64_t> validity,
                       std::size_t row_count, Bytes* out, Effort effort = Effort::kLight);
void EncodeBoolBlock(std::span<const std::uint8_t> values, std::span<const std::uint64_t> validity,
                     std::size_t row_count, Bytes* out);
/// Each string at most kStringBytesMax bytes, all together at most kBlockStringBytesMax (checked).
void EncodeStringBlock(std::span<const std::string_view> values,
                       std::span<const std::uint64_t> validity, std::size_t row_count, Bytes* out);

class TextCache;

/// A parsed block over bytes it does not own, which must outlive it and every view it hands out.
///
/// Reading is const and thread-safe. `out` gets rows [first_row, first_row + out.size()), which
/// must lie in the block (checked); a NULL row reads as 0, 0.0, false or an empty view. `validity`,
/// unless empty, has ValidityWords(out.size()) words and gets the rows' validity starting at bit 0;
/// bits past the last row are 0.
///
/// Errors: kDataLoss when the bytes are not a block; outputs are then unspecified.
/// kInvalidArgument when the method does not fit kind().
class BlockView {
 public:
  BlockView() = default;
  static Result<BlockView> Parse(BytesView block);

  PhysicalKind kind() const { return kind_; }
  std::size_t row_count() const { return row_count_; }
  std::size_t null_count() const { return row_count_ - value_count_; }
  /// The codec's wire id, and its name for people; ids of different kinds are unrelated.
  std::uint8_t codec_id() const { return codec_id_; }
  std::string_view codec_name() const;
  /// What the codec wrote, for those who look into it (block_filter.h).
  BytesView payload() const { return payload_; }

  Status ReadInt64(std::size_t first_row, std::span<std::int64_t> out,
                   std::span<std::uint64_t> validity) const;
  Status ReadDouble(std::size_t first_row, std::span<double> out,
                    std::span<std::uint64_t> validity) const;
  Status ReadBool(std::size_t first_row, std::span<std::uint8_t> out,
                  std::span<std::uint64_t> validity) const;
  /// Views point into the block's bytes, or into text() when that is not null.
  Status ReadString(std::size_t first_row, std::span<std::string_view> out,
                    std::span<std::uint64_t> validity) const;
  Status ReadValidity(std::size_t first_row, std::size_t row_count,
                      std::span<std::uint64_t> validity) const;

  /// Where coded text is decoded to, shared by copies of this view; null unless there is any. Views
  /// that ReadString handed out live as long as it does.
  const std::shared_ptr<TextCache>& text() const { return text_; }

  /// True for a string block that is coded by a dictionary; the next two methods then apply.
  bool has_dictionary() const;
  /// Distinct values in byte order; views point into the block's bytes.
  Result<std::vector<std::string_view>> ReadDictionary() const;
  /// Positions in the dictionary, all below its size; a NULL row reads as 0.
  Status ReadCodes(std::size_t first_row, std::span<std::uint32_t> out,
                   std::span<std::uint64_t> validity) const;

 private:
  template <typename T, typename DecodeDense>
  Status ReadRows(std::size_t first_row, std::span<T> out, std::span<std::uint64_t> validity,
                  DecodeDense decode_dense) const;
  Status CheckRead(PhysicalKind kind, std::size_t first_row, std::size_t count,
                   std::size_t validity_words) const;

  PhysicalKind kind_ = PhysicalKind::kInt64;
  std::uint8_t codec_id_ = 0;
  std::uint8_t validity_kind_ = 0;
  std::size_t row_count_ = 0;
  std::size_t value_count_ = 0;
  BytesView validity_;
  BytesView payload_;
  std::shared_ptr<TextCache> text_;
};

}  // namespace tideline::codec
