// storage/hot/stable_array.h: an append-only array whose elements never move.
//
// One writer appends while readers read elements below a count that the writer published (with
// release) and they loaded (with acquire); the array itself keeps no count. Chunks double, so the
// directory is a few pointers and a small array is small: 2^kFirstLog2 elements, then as many again,
// then twice that. Memory comes zeroed, so elements never written read as zero and cost no page.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <type_traits>

#include "base/check.h"

namespace tideline::hot {

template <typename T, int kFirstLog2, int kChunks>
class StableArray {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  static constexpr std::size_t kSizeMax = std::size_t{1} << (kFirstLog2 + kChunks - 1);

  StableArray() = default;
  StableArray(const StableArray&) = delete;
  StableArray& operator=(const StableArray&) = delete;
  ~StableArray() {
    for (auto& chunk : chunks_) std::free(chunk.load(std::memory_order_relaxed));
  }

  /// For the writer: the element, its chunk made if it was not there. `index` < kSizeMax (checked).
  T& At(std::size_t index) {
    const Place place = PlaceOf(index);
    T* chunk = chunks_[place.chunk].load(std::memory_order_relaxed);
    if (chunk == nullptr) [[unlikely]] chunk = MakeChunk(place.chunk);
    return chunk[place.offset];
  }
  /// For the writer: elements from `index` to the end of its chunk, made if it was not there.
  std::span<T> RestOfChunk(std::size_t index) {
    T* first = &At(index);
    const Place place = PlaceOf(index);
    return {first, ChunkSize(place.chunk) - place.offset};
  }
  /// For readers: `index` was published.
  const T& operator[](std::size_t index) const {
    const Place place = PlaceOf(index);
    return chunks_[place.chunk].load(std::memory_order_acquire)[place.offset];
  }
  /// For readers of sparse arrays: `otherwise` where no chunk was made.
  T GetOr(std::size_t index, T otherwise) const {
    const Place place = PlaceOf(index);
    const T* chunk = chunks_[place.chunk].load(std::memory_order_acquire);
    return chunk == nullptr ? otherwise : chunk[place.offset];
  }
  /// Calls f(element) unless the element's chunk was never made.
  template <typename F>
  void VisitIfThere(std::size_t index, F&& f) const {
    const Place place = PlaceOf(index);
    const T* chunk = chunks_[place.chunk].load(std::memory_order_acquire);
    if (chunk != nullptr) f(chunk[place.offset]);
  }
  /// Calls f(first_index, pointer, count) for the contiguous pieces of [first, last).
  template <typename F>
  void ForPieces(std::size_t first, std::size_t last, F&& f) const {
    while (first < last) {
      const Place place = PlaceOf(first);
      const std::size_t room = ChunkSize(place.chunk) - place.offset;
      const std::size_t count = last - first < room ? last - first : room;
      f(first, chunks_[place.chunk].load(std::memory_order_acquire) + place.offset, count);
      first += count;
    }
  }
  std::size_t memory_bytes() const {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < kChunks; ++i) {
      if (chunks_[i].load(std::memory_order_relaxed) != nullptr) bytes += ChunkSize(i) * sizeof(T);
    }
    return bytes;
  }

 private:
  struct Place {
    std::size_t chunk;
    std::size_t offset;
  };
  static Place PlaceOf(std::size_t index) {
    const auto chunk = static_cast<std::size_t>(std::bit_width(index >> kFirstLog2));
    const std::size_t first = chunk == 0 ? 0 : std::size_t{1} << (kFirstLog2 + chunk - 1);
    return {chunk, index - first};
  }
  static std::size_t ChunkSize(std::size_t chunk) {
    return std::size_t{1} << (chunk == 0 ? kFirstLog2 : kFirstLog2 + static_cast<int>(chunk) - 1);
  }
  T* MakeChunk(std::size_t chunk) {
    TL_CHECK(chunk < kChunks);
    T* memory = static_cast<T*>(std::calloc(ChunkSize(chunk), sizeof(T)));
    TL_CHECK(memory != nullptr);
    chunks_[chunk].store(memory, std::memory_order_release);
    return memory;
  }

  std::atomic<T*> chunks_[kChunks] = {};
};

/// Per row of one sheet: at most 131,072.
template <typename T>
using RowArray = StableArray<T, 4, 14>;
/// Per series, or per distinct value, of one table: at most 2^31.
template <typename T>
using SeriesArray = StableArray<T, 6, 26>;
/// Several per series: at most 2^38.
template <typename T>
using SeriesPartArray = StableArray<T, 6, 33>;

}  // namespace tideline::hot
