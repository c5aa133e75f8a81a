// Few distinct integers: the sorted distinct values and each value's position among them.
//
//   value_count (varint) | dictionary_bytes (varint) | dictionary (frame) | codes (frame)
#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "storage/codec/int64_codec.h"
#include "storage/codec/wrapping.h"

namespace tideline::codec {
namespace {

// One slice: a reader decodes the dictionary before anything else.
constexpr std::size_t kIntegerDictionaryMax = kSliceValues;
// Values this close together are counted in an array instead of a hash table.
constexpr std::uint64_t kCountedRangeMax = 65'536;

// The sorted distinct values; nothing when there are too many, or when their positions would take
// as many bits as the values themselves in a frame.
std::vector<std::int64_t> DistinctIntegers(std::span<const std::int64_t> values) {
  const std::size_t distinct_max = std::min(kIntegerDictionaryMax, values.size() / 4);
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const std::uint64_t range = Unsigned(*most) - Unsigned(*least);
  std::vector<std::int64_t> distinct;
  if (range < kCountedRangeMax) {
    std::vector<std::uint8_t> seen(static_cast<std::size_t>(range) + 1);
    for (const std::int64_t value : values) seen[Unsigned(value) - Unsigned(*least)] = 1;
    for (std::size_t i = 0; i < seen.size() && distinct.size() <= distinct_max; ++i) {
      if (seen[i] != 0) distinct.push_back(Signed(Unsigned(*least) + i));
    }
  } else {
    absl::flat_hash_set<std::int64_t> seen;
    for (const std::int64_t value : values) {
      seen.insert(value);
      if (seen.size() > distinct_max) return {};
    }
    distinct.assign(seen.begin(), seen.end());
    std::sort(distinct.begin(), distinct.end());
  }
  const bool pays = distinct.size() <= distinct_max &&
                    std::bit_width(distinct.size() - 1) < std::bit_width(range);
  return pays ? distinct : std::vector<std::int64_t>();
}

// The position of each value in the sorted dictionary.
std::vector<std::int64_t> CodesOf(std::span<const std::int64_t> values,
                                  std::span<const std::int64_t> dictionary) {
  absl::flat_hash_map<std::int64_t, std::int64_t> code_of;
  for (std::size_t i = 0; i < dictionary.size(); ++i) {
    code_of.emplace(dictionary[i], static_cast<std::int64_t>(i));
  }
  std::vector<std::int64_t> codes;
  codes.reserve(values.size());
  for (const std::int64_t value : values) codes.push_back(code_of.find(value)->second);
  return codes;
}

bool EncodeDictionary(std::span<const std::int64_t> values, Bytes* out) {
  const std::vector<std::int64_t> dictionary = DistinctIntegers(values);
  if (dictionary.empty()) return false;
  const std::vector<std::int64_t> codes = CodesOf(values, dictionary);
  Bytes encoded;
  kFrameInt64Codec.encode(dictionary, &encoded);
  ByteWriter writer(out);
  writer.Varint(dictionary.size());
  writer.Varint(encoded.size());
  writer.Append(encoded);
  return kFrameInt64Codec.encode(codes, out);
}

Status DecodeDictionary(BytesView payload, std::size_t value_count, std::size_t first,
                        std::span<std::int64_t> out) {
  ByteReader reader(payload);
  const std::uint64_t dictionary_count = TL_TRY(reader.Varint());
  const std::uint64_t dictionary_bytes = TL_TRY(reader.Varint());
  if (dictionary_count == 0 || dictionary_count > kIntegerDictionaryMax ||
      dictionary_bytes > reader.remaining()) {
    return DataLoss("integer dictionary: {} entries in {} bytes", dictionary_count,
                    dictionary_bytes);
  }
  const BytesView encoded = TL_TRY(reader.Take(static_cast<std::size_t>(dictionary_bytes)));
  std::array<std::int64_t, kIntegerDictionaryMax> dictionary;
  const auto count = static_cast<std::size_t>(dictionary_count);
  TL_TRY(kFrameInt64Codec.decode(encoded, count, 0, {dictionary.data(), count}));
  TL_TRY(kFrameInt64Codec.decode(payload.subspan(reader.position()), value_count, first, out));
  std::uint64_t out_of_range = 0;
  for (std::int64_t& value : out) {
    const auto code = static_cast<std::uint64_t>(value);
    const std::size_t bounded = code < count ? static_cast<std::size_t>(code) : 0;
    out_of_range |= static_cast<std::uint64_t>(code >= count);
    value = dictionary[bounded];
  }
  if (out_of_range != 0) return DataLoss("integer dictionary: code outside {} entries", count);
  return OkStatus();
}

}  // namespace

constinit const Int64Codec kDictionaryInt64Codec{
    .wire_id = 6, .name = "dictionary", .encode = EncodeDictionary, .decode = DecodeDictionary};

}  // namespace tideline::codec
