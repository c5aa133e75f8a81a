// storage/codec/validity.h: which rows of a block are not NULL, as stored.
//
//   kind 0  nothing: all rows are valid
//   kind 1  a bit a row, the first lowest, padded with zeros to a byte
//   kind 2  run lengths (varints), valid and NULL in turn, a valid run first; all but the first
//   above 0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/status.h"
#include "storage/codec/block.h"

namespace tideline::codec {

inline constexpr std::uint8_t kValidityAll = 0;
inline constexpr std::uint8_t kValidityBitmap = 1;
inline constexpr std::uint8_t kValidityRuns = 2;

using BlockValidity = std::array<std::uint64_t, ValidityWords(kBlockRowsMax)>;

std::size_t CountValid(std::span<const std::uint64_t> words, std::size_t row_count);

/// Appends the smaller form of rows of which some are NULL, and returns its kind. Bits past the
/// last row are ignored.
std::uint8_t EncodeValidity(std::span<const std::uint64_t> words, std::size_t row_count,
                            Bytes* out);

/// Fills the words of `row_count` rows; bits past the last are 0. kDataLoss when the bytes do not
/// fit.
Status DecodeValidity(std::uint8_t kind, BytesView stored, std::size_t row_count,
                      BlockValidity* words);

/// Copies bits [first, first + count) to bit 0 of `out` on; bits past the last are 0.
void CopyBits(std::span<const std::uint64_t> words, std::size_t first, std::size_t count,
              std::span<std::uint64_t> out);

}  // namespace tideline::codec
