#include "exec/values/hash_rows.h"

#include <bit>

#include "base/hash.h"
#include "exec/values/compare.h"

namespace tideline::exec {
namespace {

constexpr std::uint64_t kNullHash = 0x5851f42d4c957f2dU;

// The finalizer of splitmix64: every bit of the word reaches every bit of the hash.
std::uint64_t MixWord(std::uint64_t word) {
  word ^= word >> 30;
  word *= 0xbf58476d1ce4e5b9U;
  word ^= word >> 27;
  word *= 0x94d049bb133111ebU;
  return word ^ (word >> 31);
}

std::uint64_t Combine(std::uint64_t hash, std::uint64_t next) {
  return MixWord(hash * 0x9e3779b97f4a7c15U + next);
}

template <typename T>
std::uint64_t HashOf(const T& value) {
  if constexpr (std::is_same_v<T, double>) {
    return MixWord(std::bit_cast<std::uint64_t>(CanonicalDouble(value)));
  } else if constexpr (std::is_same_v<T, StringRef>) {
    return Hash64(value.view());
  } else {
    return MixWord(static_cast<std::uint64_t>(value));
  }
}

template <typename T>
void AddFlat(const Vector& key, const Selection& rows, std::uint64_t* hashes) {
  const Reader<T> reader(key);
  rows.ForEach([&](std::uint32_t row) {
    *hashes = Combine(*hashes, reader.IsNull(row) ? kNullHash : HashOf<T>(reader[row]));
    ++hashes;
  });
}

// By the bytes that GROUP BY compares.
std::uint64_t HashByKey(const Vector& key, std::size_t row, std::string* scratch) {
  if (key.IsNull(row)) return kNullHash;
  if (key.type().physical() == PhysicalType::kString) {
    return Hash64(key.base().values<StringRef>()[key.Index(row)].view());
  }
  scratch->clear();
  AppendGroupKey(key, row, scratch);
  return Hash64(*scratch);
}

void AddSlow(const Vector& key, const Selection& rows, std::uint64_t* hashes) {
  std::string scratch;
  std::vector<std::uint64_t> known;
  std::vector<bool> is_known;
  const bool dictionary = key.kind() == VectorKind::kDictionary && key.base().size() <= 4 * rows.size();
  if (dictionary) {
    known.resize(key.base().size());
    is_known.resize(key.base().size());
  }
  rows.ForEach([&](std::uint32_t row) {
    std::uint64_t hash;
    if (dictionary) {
      const std::uint32_t code = key.codes()[row];
      if (!is_known[code]) {
        known[code] = HashByKey(key, row, &scratch);
        is_known[code] = true;
      }
      hash = known[code];
    } else {
      hash = HashByKey(key, row, &scratch);
    }
    *hashes = Combine(*hashes, hash);
    ++hashes;
  });
}

}  // namespace

void HashRows(std::span<const Vector> keys, const Selection& rows, std::vector<std::uint64_t>* hashes) {
  hashes->assign(rows.size(), 0);
  for (const Vector& key : keys) {
    switch (key.type().physical()) {
      case PhysicalType::kBool8:
        AddFlat<std::uint8_t>(key, rows, hashes->data());
        break;
      case PhysicalType::kInt32:
        AddFlat<std::int32_t>(key, rows, hashes->data());
        break;
      case PhysicalType::kInt64:
        AddFlat<std::int64_t>(key, rows, hashes->data());
        break;
      case PhysicalType::kDouble:
        AddFlat<double>(key, rows, hashes->data());
        break;
      case PhysicalType::kInt128:
      case PhysicalType::kString:
      case PhysicalType::kList:
      case PhysicalType::kRow:
        AddSlow(key, rows, hashes->data());
        break;
    }
  }
}

}  // namespace tideline::exec
