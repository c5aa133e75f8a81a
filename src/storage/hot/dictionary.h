// storage/hot/dictionary.h: the distinct values of one dimension (or the measure names) of a table.
//
// Codes are dense and grow by arrival; code 0 is NULL (no value), values begin at 1. One writer adds;
// anyone reads values below a published size. Find needs the writer's lock or the index's.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/mutex.h"
#include "columnar/vector.h"
#include "storage/hot/hash_index.h"
#include "storage/hot/stable_array.h"

namespace tideline::hot {

inline constexpr std::uint32_t kNullCode = 0;

class Dictionary {
 public:
  Dictionary();

  /// Stable hash of a value; the caller may compute it once and use it with Find and Add.
  static std::uint64_t HashOf(std::string_view value);

  /// The code, or kNullCode when absent.
  std::uint32_t Find(std::string_view value, std::uint64_t hash) const;
  /// Adds a value that is not there and returns its code. Writer only.
  std::uint32_t Add(std::string_view value, std::uint64_t hash);

  /// Codes below this may be read.
  std::uint32_t size() const { return size_.load(std::memory_order_acquire); }
  /// `code` in [1, size()). Valid as long as the dictionary (or a vector made of it) lives.
  std::string_view Value(std::uint32_t code) const {
    const Text text = texts_[code];
    return {text.data, text.size};
  }
  std::uint64_t Hash(std::uint32_t code) const { return hashes_[code]; }

  /// All values as a flat varchar vector, row = code, row 0 NULL: at least codes below size() at the
  /// call. The same pointer until a value is added.
  std::shared_ptr<const Vector> FlatValues() const;
  std::size_t memory_bytes() const;

 private:
  struct Text {
    const char* data;
    std::uint32_t size;
  };
  std::shared_ptr<StringHeap> heap_;  ///< shared with the vectors
  SeriesArray<Text> texts_;
  SeriesArray<std::uint64_t> hashes_;
  HashIndex index_;
  std::atomic<std::uint32_t> size_{1};
  mutable Mutex flat_mutex_;
  mutable std::shared_ptr<const Vector> flat_ TL_GUARDED_BY(flat_mutex_);
};

}  // namespace tideline::hot
