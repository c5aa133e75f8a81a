#include "sql/plan_cache.h"

#include <gtest/gtest.h>

#include "sql/fake_catalog.h"

namespace tideline::sql {
namespace {

constexpr std::string_view kQuery = R"(SELECT max(load) FROM "db"."cpu" WHERE host = 'a')";

// One whose table `db.cpu` can be changed.
class ChangingCatalog final : public FakeCatalog {
 public:
  ChangingCatalog() : cpu_(FakeCatalog::FindTable("db", "cpu")) {}
  catalog::TableSchemaPtr FindTable(std::string_view database, std::string_view table) const override {
    return table == "cpu" ? cpu_ : FakeCatalog::FindTable(database, table);
  }
  void RenameColumn(std::size_t index, std::string name) {
    auto changed = std::make_shared<catalog::TableSchema>(*cpu_);
    changed->values[index].name = std::move(name);
    cpu_ = std::move(changed);
  }
  void Drop() { cpu_ = nullptr; }

 private:
  catalog::TableSchemaPtr cpu_;
};

class OneTableAccess final : public AccessChecker {
 public:
  Status Check(AccessAction action, std::string_view database, std::string_view table) const override {
    asked += std::string(AccessActionName(action)) + " " + std::string(database) + "." + std::string(table) + ";";
    return allowed ? OkStatus() : PermissionDenied("not allowed to read {}.{}", database, table);
  }
  bool allowed = true;
  mutable std::string asked;
};

CompileOptions OptionsAt(std::int64_t seconds) {
  CompileOptions options;
  options.bind.now = TimestampNs{seconds * kNsPerSecond};
  return options;
}

TEST(PlanCache, GivesOutTheSamePlanAgain) {
  const FakeCatalog catalog;
  PlanCache cache;
  const auto first = cache.Compile(kQuery, catalog, OptionsAt(100));
  const auto again = cache.Compile(kQuery, catalog, OptionsAt(101));
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(*first, *again);
  EXPECT_EQ(cache.entry_count(), 1U);
}

TEST(PlanCache, TellsProfilesAndOptimizerApart) {
  const FakeCatalog catalog;
  PlanCache cache;
  CompileOptions compat = OptionsAt(100);
  compat.bind.profile = Profile::kCompat;
  CompileOptions plain = OptionsAt(100);
  plain.optimizer_enabled = false;
  const auto a = cache.Compile(kQuery, catalog, OptionsAt(100));
  const auto b = cache.Compile(kQuery, catalog, compat);
  const auto c = cache.Compile(kQuery, catalog, plain);
  ASSERT_TRUE(a.ok() && b.ok() && c.ok());
  EXPECT_NE(*a, *b);
  EXPECT_NE(*a, *c);
  EXPECT_NE(*b, *c);
}

TEST(PlanCache, AsksForPermissionAtEachExecution) {
  const FakeCatalog catalog;
  PlanCache cache;
  OneTableAccess access;
  CompileOptions options = OptionsAt(100);
  options.bind.access = &access;
  ASSERT_TRUE(cache.Compile(kQuery, catalog, options).ok());
  EXPECT_EQ(access.asked, "timestream:Select db.cpu;");
  access.asked.clear();
  ASSERT_TRUE(cache.Compile(kQuery, catalog, options).ok());
  EXPECT_EQ(access.asked, "timestream:Select db.cpu;");
  access.allowed = false;  // revoked
  const auto refused = cache.Compile(kQuery, catalog, options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(CodeOf(refused.status()), ErrorCode::kPermissionDenied);
}

TEST(PlanCache, PlansAnewWhenATableChanged) {
  ChangingCatalog catalog;
  PlanCache cache;
  const auto before = cache.Compile(kQuery, catalog, OptionsAt(100));
  ASSERT_TRUE(before.ok());
  catalog.RenameColumn(2, "other");
  const auto after = cache.Compile(kQuery, catalog, OptionsAt(100));
  ASSERT_TRUE(after.ok());
  EXPECT_NE(*before, *after);
  EXPECT_EQ((*after)->tables[0], catalog.FindTable("db", "cpu"));
  catalog.RenameColumn(1, "renamed");  // load
  EXPECT_FALSE(cache.Compile(kQuery, catalog, OptionsAt(100)).ok());
  catalog.Drop();
  EXPECT_FALSE(cache.Compile(kQuery, catalog, OptionsAt(100)).ok());
}

TEST(PlanCache, BindsTheCurrentTimeEachTime) {
  const FakeCatalog catalog;
  PlanCache cache;
  constexpr std::string_view kRecent = R"(SELECT max(load) FROM "db"."cpu" WHERE time > ago(1h))";
  const auto first = cache.Compile(kRecent, catalog, OptionsAt(10'000));
  const auto later = cache.Compile(kRecent, catalog, OptionsAt(10'001));
  ASSERT_TRUE(first.ok() && later.ok());
  EXPECT_FALSE((*first)->reusable);
  EXPECT_NE(PrintPlan(*(*first)->root), PrintPlan(*(*later)->root));
  for (const std::string_view text :
       {R"(SELECT current_date FROM "db"."cpu")", R"(SELECT transform(ARRAY[1], x -> now()) FROM "db"."cpu")",
        R"(SELECT 1 FROM "db"."cpu" WHERE EXISTS (SELECT current_time))"}) {
    const auto bound = cache.Compile(text, catalog, OptionsAt(10'000));
    ASSERT_TRUE(bound.ok()) << text;
    EXPECT_FALSE((*bound)->reusable) << text;
  }
}

TEST(PlanCache, PlansAgeAndClocksMaySetBack) {
  const FakeCatalog catalog;
  PlanCache cache;
  const auto first = cache.Compile(kQuery, catalog, OptionsAt(1'000));
  const auto aged = cache.Compile(kQuery, catalog, OptionsAt(1'060));
  const auto back = cache.Compile(kQuery, catalog, OptionsAt(900));
  ASSERT_TRUE(first.ok() && aged.ok() && back.ok());
  EXPECT_NE(*first, *aged);
  EXPECT_NE(*aged, *back);
  EXPECT_EQ(cache.entry_count(), 1U);
}

TEST(PlanCache, KeepsNoMoreThanItsLimits) {
  const FakeCatalog catalog;
  PlanCache cache;
  for (std::size_t i = 0; i < PlanCache::kEntriesMax + 10; ++i) {
    ASSERT_TRUE(cache.Compile(std::string(kQuery) + " AND load > " + std::to_string(i), catalog, OptionsAt(100)).ok());
  }
  EXPECT_EQ(cache.entry_count(), PlanCache::kEntriesMax);
  const std::string last = std::string(kQuery) + " AND load > " + std::to_string(PlanCache::kEntriesMax + 9);
  const auto a = cache.Compile(last, catalog, OptionsAt(100));
  const auto b = cache.Compile(last, catalog, OptionsAt(100));
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(*a, *b);
  const std::string longer = std::string(kQuery) + std::string(PlanCache::kTextBytesMax, ' ');
  const auto c = cache.Compile(longer, catalog, OptionsAt(100));
  const auto d = cache.Compile(longer, catalog, OptionsAt(100));
  ASSERT_TRUE(c.ok() && d.ok());
  EXPECT_NE(*c, *d);
}

TEST(PlanCache, KeepsNoMorePlansThanItsNodes) {
  const FakeCatalog catalog;
  PlanCache cache;
  std::string wide = "SELECT load";
  for (int i = 0; i < 1'000; ++i) wide += ", load + " + std::to_string(i);
  wide += R"( FROM "db"."cpu" LIMIT )";
  std::size_t kept = 0;
  for (int i = 1; i <= 200; ++i) {
    const auto bound = cache.Compile(wide + std::to_string(i), catalog, OptionsAt(100));
    ASSERT_TRUE(bound.ok());
    ASSERT_LE((*bound)->node_count, PlanCache::kNodesMax);
    EXPECT_LE(cache.node_count(), PlanCache::kNodesTotalMax);
    kept = std::max(kept, cache.entry_count());
  }
  EXPECT_GT(kept, 1U);
  EXPECT_LT(kept, 200U);
}

TEST(PlanCache, SaysWhatIsWrongEachTime) {
  const FakeCatalog catalog;
  PlanCache cache;
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(cache.Compile("SELECT FROM", catalog, OptionsAt(100)).ok());
    EXPECT_FALSE(cache.Compile(R"(SELECT nope FROM "db"."cpu")", catalog, OptionsAt(100)).ok());
  }
  EXPECT_EQ(cache.entry_count(), 0U);
}

}  // namespace
}  // namespace tideline::sql
