// Repeated strings: the sorted distinct values and each value's position among them.
//
//   entry_count (varint) | lengths_bytes (varint) | lengths (int64 sequence)
//   | text_bytes (varint) | text of all entries | codes (int64 sequence)
#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "base/check.h"
#include "storage/codec/int64_codec.h"
#include "storage/codec/string_codec.h"

namespace tideline::codec {
namespace {

// Fewer repetitions than this on average do not pay for the codes.
constexpr std::size_t kRepetitionsMin = 2;

struct StandardHash {
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

// Distinct values in order of appearance and a code per value; false when there are too many.
bool CollectDistinct(std::span<const std::string_view> values,
                     std::vector<std::string_view>* distinct, std::vector<std::int64_t>* codes) {
  const std::size_t distinct_max = std::max<std::size_t>(1, values.size() / kRepetitionsMin);
  absl::flat_hash_map<std::string_view, std::int64_t, StandardHash> code_of;
  codes->reserve(values.size());
  for (const std::string_view value : values) {
    // Sorted input repeats its last value far more often than any other.
    if (!codes->empty() && value == (*distinct)[static_cast<std::size_t>(codes->back())]) {
      codes->push_back(codes->back());
      continue;
    }
    const auto [at, is_new] =
        code_of.try_emplace(value, static_cast<std::int64_t>(distinct->size()));
    if (is_new) {
      if (distinct->size() == distinct_max) return false;
      distinct->push_back(value);
    }
    codes->push_back(at->second);
  }
  return true;
}

bool EncodeStringDictionary(std::span<const std::string_view> values, Bytes* out) {
  std::vector<std::string_view> distinct;
  std::vector<std::int64_t> codes;
  if (!CollectDistinct(values, &distinct, &codes)) return false;
  std::vector<std::uint32_t> order(distinct.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&distinct](std::uint32_t a, std::uint32_t b) { return distinct[a] < distinct[b]; });
  std::vector<std::int64_t> rank(distinct.size());
  std::vector<std::int64_t> lengths;
  std::size_t text_bytes = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    rank[order[i]] = static_cast<std::int64_t>(i);
    lengths.push_back(static_cast<std::int64_t>(distinct[order[i]].size()));
    text_bytes += distinct[order[i]].size();
  }
  for (std::int64_t& code : codes) code = rank[static_cast<std::size_t>(code)];
  Bytes encoded_lengths;
  EncodeInt64Sequence(lengths, &encoded_lengths);
  ByteWriter writer(out);
  writer.Varint(distinct.size());
  writer.Varint(encoded_lengths.size());
  writer.Append(encoded_lengths);
  writer.Varint(text_bytes);
  for (const std::uint32_t entry : order) writer.Append(distinct[entry]);
  EncodeInt64Sequence(codes, out);
  return true;
}

struct DictionaryParts {
  std::size_t entry_count = 0;
  BytesView lengths;
  BytesView text;
  BytesView codes;
};

Result<DictionaryParts> SplitDictionary(BytesView payload, std::size_t value_count) {
  ByteReader reader(payload);
  const auto take = [&reader](std::uint64_t bytes) -> Result<BytesView> {
    if (bytes > reader.remaining()) return DataLoss("string dictionary: {} bytes missing", bytes);
    return reader.Take(static_cast<std::size_t>(bytes));
  };
  DictionaryParts parts;
  const std::uint64_t entry_count = TL_TRY(reader.Varint());
  if (entry_count == 0 || entry_count > value_count) {
    return DataLoss("string dictionary: {} entries for {} values", entry_count, value_count);
  }
  parts.entry_count = static_cast<std::size_t>(entry_count);
  const std::uint64_t lengths_bytes = TL_TRY(reader.Varint());
  parts.lengths = TL_TRY(take(lengths_bytes));
  const std::uint64_t text_bytes = TL_TRY(reader.Varint());
  parts.text = TL_TRY(take(text_bytes));
  parts.codes = payload.subspan(reader.position());
  return parts;
}

Result<std::vector<std::string_view>> EntriesOf(const DictionaryParts& parts) {
  std::vector<std::int64_t> lengths(parts.entry_count);
  TL_TRY(DecodeInt64Sequence(parts.lengths, parts.entry_count, 0, lengths));
  std::vector<std::string_view> entries;
  entries.reserve(parts.entry_count);
  std::size_t at = 0;
  for (const std::int64_t length : lengths) {
    const auto bytes = static_cast<std::uint64_t>(length);
    if (bytes > parts.text.size() - at)
      return DataLoss("string dictionary: entry of {} bytes", bytes);
    entries.push_back(AsText(parts.text.subspan(at, static_cast<std::size_t>(bytes))));
    at += static_cast<std::size_t>(bytes);
  }
  return entries;
}

// Calls `take(i, code)` for each value of the range, codes checked.
template <typename Take>
Status ForEachCode(const DictionaryParts& parts, std::size_t value_count, std::size_t first,
                   std::size_t count, Take take) {
  std::array<std::int64_t, kSliceValues> codes;
  std::size_t done = 0;
  while (done < count) {
    const std::size_t at = first + done;
    const std::size_t step = std::min(kSliceValues - at % kSliceValues, count - done);
    TL_TRY(DecodeInt64Sequence(parts.codes, value_count, at, {codes.data(), step}));
    for (std::size_t i = 0; i < step; ++i) {
      const auto code = static_cast<std::uint64_t>(codes[i]);
      if (code >= parts.entry_count) {
        return DataLoss("string dictionary: code {} of {} entries", code, parts.entry_count);
      }
      take(done + i, static_cast<std::size_t>(code));
    }
    done += step;
  }
  return OkStatus();
}

Status DecodeStringDictionary(BytesView payload, std::size_t value_count, std::size_t first,
                              std::span<std::string_view> out, TextCache*) {
  const DictionaryParts parts = TL_TRY(SplitDictionary(payload, value_count));
  const std::vector<std::string_view> entries = TL_TRY(EntriesOf(parts));
  return ForEachCode(parts, value_count, first, out.size(),
                     [&](std::size_t i, std::size_t code) { out[i] = entries[code]; });
}

}  // namespace

Result<std::vector<std::string_view>> ReadStringDictionary(BytesView payload,
                                                           std::size_t value_count) {
  const DictionaryParts parts = TL_TRY(SplitDictionary(payload, value_count));
  return EntriesOf(parts);
}

Status ReadStringCodes(BytesView payload, std::size_t value_count, std::size_t first,
                       std::span<std::uint32_t> out) {
  const DictionaryParts parts = TL_TRY(SplitDictionary(payload, value_count));
  return ForEachCode(parts, value_count, first, out.size(), [&](std::size_t i, std::size_t code) {
    out[i] = static_cast<std::uint32_t>(code);
  });
}

constinit const StringCodec kDictionaryStringCodec{.wire_id = 2,
                                                   .name = "dictionary",
                                                   .encode = EncodeStringDictionary,
                                                   .decode = DecodeStringDictionary};

}  // namespace tideline::codec
