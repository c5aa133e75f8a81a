#include "storage/codec/validity.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace tideline::codec {
namespace {

// Sets bits [first, first + count).
void SetBits(std::span<std::uint64_t> words, std::size_t first, std::size_t count) {
  while (count > 0) {
    const std::size_t shift = first % 64;
    const std::size_t step = std::min<std::size_t>(64 - shift, count);
    const std::uint64_t ones = step == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << step) - 1;
    words[first / 64] |= ones << shift;
    first += step;
    count -= step;
  }
}

Status DecodeRuns(BytesView stored, std::size_t row_count, BlockValidity* words) {
  ByteReader reader(stored);
  std::size_t row = 0;
  for (std::size_t run = 0; row < row_count; ++run) {
    const std::uint64_t length = TL_TRY(reader.Varint());
    if (length > row_count - row || (length == 0 && run > 0)) {
      return DataLoss("validity runs: {} rows at {} of {}", length, row, row_count);
    }
    if (run % 2 == 0) SetBits(*words, row, static_cast<std::size_t>(length));
    row += static_cast<std::size_t>(length);
  }
  if (!reader.at_end()) return DataLoss("validity runs: {} bytes too many", reader.remaining());
  return OkStatus();
}

}  // namespace

std::size_t CountValid(std::span<const std::uint64_t> words, std::size_t row_count) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < row_count / 64; ++i) {
    count += static_cast<std::size_t>(std::popcount(words[i]));
  }
  if (row_count % 64 != 0) {
    const std::uint64_t mask = (std::uint64_t{1} << (row_count % 64)) - 1;
    count += static_cast<std::size_t>(std::popcount(words[row_count / 64] & mask));
  }
  return count;
}

std::uint8_t EncodeValidity(std::span<const std::uint64_t> words, std::size_t row_count,
                            Bytes* out) {
  const std::size_t bitmap_bytes = (row_count + 7) / 8;
  const std::size_t start = out->size();
  ByteWriter writer(out);
  bool valid = true;
  std::size_t run_start = 0;
  for (std::size_t row = 0; row < row_count && out->size() - start < bitmap_bytes; ++row) {
    if (((words[row / 64] >> (row % 64) & 1) != 0) != valid) {
      writer.Varint(row - run_start);
      run_start = row;
      valid = !valid;
    }
  }
  writer.Varint(row_count - run_start);
  if (out->size() - start < bitmap_bytes) return kValidityRuns;
  out->resize(start + bitmap_bytes);
  BlockValidity exact{};
  CopyBits(words, 0, row_count, exact);
  std::memcpy(out->data() + start, exact.data(), bitmap_bytes);
  return kValidityBitmap;
}

Status DecodeValidity(std::uint8_t kind, BytesView stored, std::size_t row_count,
                      BlockValidity* words) {
  TL_CHECK(row_count <= kBlockRowsMax);
  words->fill(0);
  switch (kind) {
    case kValidityAll:
      if (!stored.empty()) return DataLoss("validity: {} bytes where none belong", stored.size());
      SetBits(*words, 0, row_count);
      return OkStatus();
    case kValidityBitmap:
      if (stored.size() != (row_count + 7) / 8) {
        return DataLoss("validity bitmap: {} bytes for {} rows", stored.size(), row_count);
      }
      std::memcpy(words->data(), stored.data(), stored.size());
      if (row_count % 64 != 0 && (*words)[row_count / 64] >> (row_count % 64) != 0) {
        return DataLoss("validity bitmap: bits past row {}", row_count);
      }
      return OkStatus();
    case kValidityRuns:
      return DecodeRuns(stored, row_count, words);
    default:
      return DataLoss("validity: unknown kind {}", kind);
  }
}

void CopyBits(std::span<const std::uint64_t> words, std::size_t first, std::size_t count,
              std::span<std::uint64_t> out) {
  const std::size_t word_count = ValidityWords(count);
  TL_CHECK(out.size() >= word_count && first + count <= words.size() * 64);
  const std::size_t shift = first % 64;
  for (std::size_t i = 0; i < word_count; ++i) {
    const std::size_t at = first / 64 + i;
    std::uint64_t bits = words[at] >> shift;
    if (shift != 0 && at + 1 < words.size()) bits |= words[at + 1] << (64 - shift);
    out[i] = bits;
  }
  if (count % 64 != 0) out[word_count - 1] &= (std::uint64_t{1} << (count % 64)) - 1;
}

}  // namespace tideline::codec
