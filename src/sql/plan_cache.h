// sql/plan_cache.h: plans of statements that come again, as those of dashboards do.
//
// Kept are the plans of queries over tables whose text says all: no current time, no system table, no
// parameters. A plan is given out again only while every table that it reads is in the very state it
// was bound to, and only after every permission that binding asked for was asked for once more. Of a
// query with the current time the syntax tree is kept, and bound anew each time.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/metrics.h"
#include "base/mutex.h"
#include "sql/compile.h"

namespace tideline::sql {

/// Thread-safe. Locks are held for lookups only.
class PlanCache {
 public:
  static constexpr std::size_t kEntriesMax = 512;
  /// Longer texts are not kept.
  static constexpr std::size_t kTextBytesMax = 16'384;
  /// Most expressions and columns of one plan, and of all: what grows beyond the texts, at a few hundred
  /// bytes each.
  static constexpr std::uint32_t kNodesMax = 20'000;
  static constexpr std::uint64_t kNodesTotalMax = 200'000;
  /// A plan is made anew after this time, since what was known of the data has changed.
  static constexpr std::int64_t kPlanNsMax = 60 * kNsPerSecond;

  PlanCache();

  /// As CompileStatement. The plan is shared and never changed.
  Result<std::shared_ptr<const BoundStatement>> Compile(std::string_view text, const CatalogView& catalog,
                                                        const CompileOptions& options);
  std::size_t entry_count() const;
  std::uint64_t node_count() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const ast::Statement> syntax;       // of a statement that is bound each time
    std::shared_ptr<const BoundStatement> statement;    // of one that is not
    TimestampNs bound_at;                               // now() of its binding
    std::uint32_t node_count() const { return statement == nullptr ? 0 : statement->node_count; }
  };
  using Entries = std::list<std::shared_ptr<const Entry>>;
  std::shared_ptr<const Entry> Find(const std::string& key);
  void Keep(std::shared_ptr<const Entry> entry);
  /// Moves the entry at `at` to `dropped`, which goes after the lock.
  void Drop(Entries::iterator at, Entries* dropped) TL_REQUIRES(mutex_);

  Counter& hits_;
  Counter& misses_;
  mutable Mutex mutex_;
  Entries entries_ TL_GUARDED_BY(mutex_);  // last used first
  std::unordered_map<std::string_view, Entries::iterator> by_key_ TL_GUARDED_BY(mutex_);  // keys are the entries'
  std::uint64_t nodes_ TL_GUARDED_BY(mutex_) = 0;  // of all entries
};

}  // namespace tideline::sql
