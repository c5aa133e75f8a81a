// exec/operators/group_table.h: the distinct combinations of some key columns, numbered from 0.
//
// Every key becomes one 64-bit word: numbers as they are (doubles in canonical form), everything else
// as a number given out by an interner (text through a translation of dictionary codes, so that a
// dictionary entry is hashed once and not once per row). A group is then a short row of words, found
// by linear probing over slots that hold a group number and 32 bits of its hash. Lookups of a batch go
// column by column and prefetch their slots.
//
// Equality is that of GROUP BY (values/compare.h). Not thread-safe.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/memory_budget.h"
#include "base/status.h"
#include "columnar/vector.h"

namespace tideline::exec {

/// Numbers distinct texts (or other values by their bytes) from 1; 0 is null.
class Interner {
 public:
  explicit Interner(Type type) : type_(std::move(type)) {}

  /// Writes the number of each of `rows` of `vector` to `words[0], words[stride], …`.
  void Encode(const Vector& vector, const Selection& rows, std::size_t stride, std::uint64_t* words);
  /// The number of entry `id` of another interner of the same type in this one.
  std::uint32_t Adopt(const Interner& other, std::uint32_t id);
  /// The value of each `words[i * stride]`.
  Vector Decode(const std::uint64_t* words, std::size_t stride, std::size_t count) const;
  std::size_t memory_bytes() const { return bytes_; }
  /// The number of row `row` of `vector`, which is not null; 0 if it has none. `scratch` is for the
  /// caller to keep. Thread-safe while nothing is added.
  std::uint32_t Find(const Vector& vector, std::size_t row, std::string* scratch) const;

 private:
  std::uint32_t Number(const Vector& vector, std::size_t row);
  std::uint32_t NumberOfBytes(std::string_view bytes, bool* is_new);

  const Type type_;
  absl::flat_hash_map<std::string_view, std::uint32_t> ids_;
  StringHeap heap_;
  std::vector<std::string_view> bytes_of_;        // [id - 1]
  std::vector<Vector> values_;                    // [id - 1], one row each; not for text
  std::shared_ptr<const Vector> translated_base_;  // the dictionary that translation_ is for
  std::vector<std::uint32_t> translation_;         // code to id + 1; 0: not seen yet
  std::string scratch_;
  std::size_t bytes_ = 0;
};

class GroupTable {
 public:
  /// Most groups of one table.
  static constexpr std::size_t kGroupsMax = std::size_t{1} << 31;

  GroupTable(std::vector<Type> key_types, MemoryBudget* budget);

  /// Finds or adds the group of each of `rows`: `groups[i]` is that of rows[i]. kResourceExhausted
  /// when the budget is spent or kGroupsMax is reached.
  Status FindOrAdd(std::span<const Vector> keys, const Selection& rows,
                   std::vector<std::uint32_t>* groups);
  /// Finds or adds every group of `other` (same key types): `groups[g]` is its number here.
  Status Adopt(const GroupTable& other, std::vector<std::uint32_t>* groups);
  std::size_t group_count() const { return group_count_; }
  /// What is charged to the budget.
  std::size_t memory_bytes() const { return memory_.bytes(); }
  /// Key `key` of groups [first, first + count), flat.
  Vector KeyColumn(std::size_t key, std::size_t first, std::size_t count) const;

 private:
  struct Slot {
    std::uint32_t tag = 0;    // upper half of the hash
    std::uint32_t group = 0;  // number + 1; 0: empty
  };
  void EncodeKey(std::size_t key, const Vector& vector, const Selection& rows);
  Status Probe(std::size_t count, std::uint32_t* groups);
  void Rehash(std::size_t slot_count);
  std::uint64_t HashWords(const std::uint64_t* words) const;
  Status ChargeMemory();

  const std::vector<Type> key_types_;
  const std::size_t words_per_group_;  // one per key, then one null bit per key
  std::vector<std::unique_ptr<Interner>> interners_;  // null for keys that are their own word
  std::vector<std::uint64_t> words_;                  // of all groups
  std::vector<Slot> slots_;
  std::size_t group_count_ = 0;
  std::vector<std::uint64_t> probe_words_;
  std::vector<std::uint64_t> hashes_;
  MemoryReservation memory_;
  friend class GroupLookup;
};

/// Looks rows up in a table that no longer grows. One per thread; any number of them at once.
class GroupLookup {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  /// `table` outlives this.
  explicit GroupLookup(const GroupTable* table);
  /// `groups[i]` is the group of rows[i], kNone when there is none. A row with a null key has none.
  void Find(std::span<const Vector> keys, const Selection& rows, std::vector<std::uint32_t>* groups);

 private:
  static constexpr std::uint64_t kAbsent = UINT64_MAX;
  struct Translation {
    std::shared_ptr<const Vector> base;    // the dictionary that `words` is for
    std::vector<std::uint64_t> words;      // code to word + 1; 0: not seen yet
  };
  void EncodeInterned(std::size_t key, const Vector& vector, const Selection& rows);
  void EncodeNumbers(std::size_t key, const Vector& vector, const Selection& rows);

  const GroupTable* table_;
  std::vector<std::uint64_t> words_;
  std::vector<std::uint8_t> absent_;
  std::vector<Translation> translations_;
  std::string scratch_;
};

}  // namespace tideline::exec
