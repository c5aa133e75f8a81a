#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "exec/spill/batch_codec.h"
#include "exec/spill/spilled_rows.h"
#include "exec/testing.h"
#include "exec/values/gather.h"
#include "exec/values/hash_rows.h"
#include "sql/plan/join_node.h"
#include "sql/plan/set_operation_node.h"
#include "sql/plan/shared_node.h"
#include "sql/plan/sort_node.h"
#include "sql/plan/topn_node.h"
#include "tests/support/sim_file_system.h"

namespace tideline::exec {
namespace {

using testing::Aggregate;
using testing::Column;
using testing::MakeBatch;
using testing::MakeScan;

const Type kBig = Type::Bigint();
const Type kText = Type::Varchar();
const Type kReal = Type::Double();

Value Big(std::int64_t v) { return Value::Bigint(v); }
Value Text(std::string v) { return Value::Varchar(std::move(v)); }

using Rows = std::vector<std::string>;

Rows RowsOf(const Batch& batch) {
  Rows rows;
  for (std::size_t row = 0; row < batch.row_count; ++row) rows.push_back(testing::RowText(batch, row));
  return rows;
}

SpillOptions OptionsOn(fs::FileSystem* disk, seal::Sealer* sealer) {
  SpillOptions options;
  options.file_system = disk;
  options.directory = "/data/spill";
  options.sealer = sealer;
  return options;
}

struct Disk {
  tideline::testing::SimFileSystem files{7};
  seal::PlainSealer sealer;
};

// ---- batches as bytes -----------------------------------------------------------------------------

TEST(BatchCodecTest, EveryTypeComesBack) {
  const Type list = Type::Array(kText);
  const Type map = Type::Map(kText, kBig);
  const Type row = Type::Row({{"a", kBig}, {"b", list}});
  const Type series = Type::Timeseries(kReal);
  const Type money = Type::Decimal(38, 4);
  const std::vector<Type> types{kBig, Type::Boolean(), Type::Date(), kReal, money, kText, list, map, row, series};
  const Value items = Value::Nested(list, {Text("x"), Value::Null(kText), Text("a text of more than twelve bytes")});
  const Batch batch = MakeBatch(
      types,
      {{Big(INT64_MIN), Value::Boolean(true), Value::Date(-1), Value::Double(NAN),
        Value::Decimal(Int128{1} << 100, 38, 4), Text("same"), items, Value::Nested(map, {Text("k"), Big(1)}),
        Value::Nested(row, {Big(3), items}),
        Value::Nested(series, {Value::Timestamp(1), Value::Double(2), Value::Timestamp(3), Value::Double(4)})},
       {Value(), Value(), Value(), Value(), Value(), Value(), Value(), Value(), Value(), Value()},
       {Big(INT64_MAX), Value::Boolean(false), Value::Date(0), Value::Double(-0.0), Value::Decimal(-5, 38, 4),
        Text("same"), Value::Nested(list, {}), Value::Nested(map, {}), Value::Nested(row, {Value::Null(kBig), items}),
        Value::Nested(series, {})}});
  Bytes bytes;
  EncodeBatch(batch, types, &bytes);
  const Result<Batch> back = DecodeBatch(std::make_shared<const Bytes>(bytes), types);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(RowsOf(*back), RowsOf(batch));
}

TEST(BatchCodecTest, EncodingsBecomeTheSameRows) {
  const Batch flat = MakeBatch({kText, kBig}, {{Text("a"), Big(1)}, {Text("b"), Value()}, {Text("a"), Big(3)}});
  const std::vector<std::uint32_t> rows{2, 1, 1, 0};
  Batch batch;
  batch.row_count = rows.size();
  batch.columns = {flat.columns[0].Slice(rows), flat.columns[1].Slice(rows),
                   Vector::Constant(kText, Text("constant"), 4), Vector::ConstantNull(Type::Unknown(), 4)};
  Bytes bytes;
  const std::vector<Type> types{kText, kBig, kText, kReal};
  EncodeBatch(batch, types, &bytes);
  const Result<Batch> back = DecodeBatch(std::make_shared<const Bytes>(bytes), types);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(RowsOf(*back), (Rows{"a|3|constant|NULL", "b|NULL|constant|NULL", "b|NULL|constant|NULL",
                                 "a|1|constant|NULL"}));
}

TEST(BatchCodecTest, CutOrForeignBytesAreRefused) {
  const std::vector<Type> types{kText, kBig};
  const Batch batch = MakeBatch(types, {{Text("hello"), Big(1)}, {Text("world"), Value()}});
  Bytes bytes;
  EncodeBatch(batch, types, &bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = std::make_shared<const Bytes>(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(CodeOf(DecodeBatch(cut, types).status()), ErrorCode::kDataLoss) << size;
  }
  bytes.push_back(std::byte{0});
  EXPECT_EQ(CodeOf(DecodeBatch(std::make_shared<const Bytes>(bytes), types).status()), ErrorCode::kDataLoss);
}

TEST(HashRowsTest, EqualKeysHashEqualInEveryEncoding) {
  const Batch flat = MakeBatch({kReal, kText}, {{Value::Double(0.0), Text("a")},
                                                {Value::Double(-0.0), Text("a")},
                                                {Value::Double(NAN), Value()}});
  const std::vector<std::uint32_t> rows{0, 1, 2};
  const std::vector<Vector> sliced{flat.columns[0].Slice(rows), flat.columns[1].Slice(rows)};
  std::vector<std::uint64_t> a;
  std::vector<std::uint64_t> b;
  HashRows(flat.columns, Selection::All(3), &a);
  HashRows(sliced, Selection::All(3), &b);
  EXPECT_EQ(a, b);
  EXPECT_EQ(a[0], a[1]);
  EXPECT_NE(a[0], a[2]);
}

// ---- files ----------------------------------------------------------------------------------------

TEST(SpillSpaceTest, FilesHaveNoNameAndLimitsHaveOne) {
  Disk disk;
  ASSERT_TRUE(fs::CreateDirectories(disk.files, "/data/spill").ok());
  ASSERT_TRUE(fs::WriteFileOnce(disk.files, "/data/spill/17.spill", AsBytes("left by a crash")).ok());
  const std::vector<std::string> foreign{"/data/spill/1.spill.bak", "/data/spill/oil.spill", "/data/spill/thesis.txt"};
  for (const std::string& path : foreign) ASSERT_TRUE(fs::WriteFileOnce(disk.files, path, AsBytes("not ours")).ok());
  SpillOptions options = OptionsOn(&disk.files, &disk.sealer);
  options.query_bytes_max = 3'000;
  options.bytes_max = 4'000;
  const std::unique_ptr<SpillSpace> space = *SpillSpace::Open(options);
  EXPECT_EQ(disk.files.Paths(), foreign);
  SpillQuota first(space.get());
  SpillQuota second(space.get());
  {
    const std::shared_ptr<SpillFile> file = *first.NewFile();
    const std::shared_ptr<SpillFile> other = *second.NewFile();
    EXPECT_EQ(disk.files.Paths(), foreign);
    const Bytes frame(1'000, std::byte{42});
    EXPECT_EQ(*file->Append(frame), 0U);
    EXPECT_EQ(*file->Append(AsBytes("second")), 1U);
    EXPECT_EQ(AsText(**file->Read(1)), "second");
    EXPECT_EQ(**file->Read(0), frame);
    const Status of_query = file->Append(Bytes(2'000)).status();
    EXPECT_EQ(CodeOf(of_query), ErrorCode::kResourceExhausted);
    EXPECT_NE(MessageOf(of_query).find("query-spill-max"), std::string_view::npos);
    const Status of_all = other->Append(Bytes(2'990)).status();
    EXPECT_EQ(CodeOf(of_all), ErrorCode::kResourceExhausted);
    EXPECT_NE(MessageOf(of_all).find("spill-max"), std::string_view::npos);
    EXPECT_GT(space->used_bytes(), 1'000U);
  }
  EXPECT_EQ(space->used_bytes(), 0U);
}

// A large file is closed by another thread: gone from the query's account at once, from that of all when it is closed.
TEST(SpillSpaceTest, LargeFilesAreClosedApart) {
  Disk disk;
  const std::unique_ptr<SpillSpace> space = *SpillSpace::Open(OptionsOn(&disk.files, &disk.sealer));
  SpillQuota quota(space.get());
  std::shared_ptr<SpillFile> file = *quota.NewFile();
  const Bytes frame(std::size_t{4} << 20, std::byte{42});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(file->Append(frame).ok());
  EXPECT_GT(quota.used_bytes(), 5 * frame.size());
  file.reset();
  EXPECT_EQ(quota.used_bytes(), 0U);
  while (space->used_bytes() != 0) std::this_thread::yield();
}

TEST(SpillSpaceTest, KeepsRoomForTheLog) {
  Disk disk;
  disk.files.SetCapacity(10'000);
  SpillOptions options = OptionsOn(&disk.files, &disk.sealer);
  options.disk_free_bytes_min = 9'000;
  const std::unique_ptr<SpillSpace> space = *SpillSpace::Open(options);
  SpillQuota quota(space.get());
  const std::shared_ptr<SpillFile> file = *quota.NewFile();
  const Status status = file->Append(Bytes(5'000)).status();
  EXPECT_EQ(CodeOf(status), ErrorCode::kResourceExhausted);
  EXPECT_NE(MessageOf(status).find("spill-disk-free"), std::string_view::npos);
}

// ---- operators ------------------------------------------------------------------------------------

const std::vector<Type> kTypes{kBig, kText, kReal};

// Rows (i, text of i % groups, value) in batches of 100.
void Fill(testing::FakeScans* scans, std::int64_t rows, std::int64_t groups) {
  for (std::int64_t first = 0; first < rows; first += 100) {
    std::vector<std::vector<Value>> cells;
    for (std::int64_t i = first; i < std::min(rows, first + 100); ++i) {
      const std::int64_t scattered = i * 7919 % rows;
      cells.push_back({Big(scattered),
                       scattered % 13 == 0 ? Value() : Text(fmt::format("the text of number {:06}", scattered % groups)),
                       Value::Double(static_cast<double>(scattered % 10))});
    }
    scans->batches.push_back(MakeBatch(kTypes, cells));
  }
}

struct Env {
  testing::FakeScans scans;
  Disk disk;
  std::unique_ptr<SpillSpace> space;
  ThreadPool pool{{.name = "query", .thread_count = 2}};
  OperatorReport report;
  std::size_t peak_bytes = 0;
  ~Env() { pool.Stop(); }

  // All rows, under a budget and with a place to spill to or without.
  Result<Rows> Run(const sql::PlanNodePtr& plan, std::size_t budget_bytes, bool spill, std::size_t threads = 1,
                   bool eagerly = false) {
    if (space == nullptr) space = *SpillSpace::Open(OptionsOn(&disk.files, &disk.sealer));
    MemoryBudget memory("query", budget_bytes);
    Result<Rows> rows = Rows();
    {
      ExecutionContext context;
      context.scans = &scans;
      context.memory = &memory;
      context.spill = spill ? space.get() : nullptr;
      context.spill_eagerly = eagerly;
      if (threads > 1) {
        context.pool = &pool;
        context.workers_max = threads;
        context.inline_rows_max = 0;
      }
      const std::unique_ptr<QueryExecution> query = TL_TRY(Execute(plan, context));
      rows = testing::Drain(*query);
      report = query->Report();
    }
    peak_bytes = memory.peak_bytes();
    EXPECT_EQ(memory.used_bytes(), 0U);
    EXPECT_EQ(space->used_bytes(), 0U);
    return rows;
  }

  // The plan spills under a small budget, fails there without a disk, and answers as with much memory.
  void ExpectSpills(const sql::PlanNodePtr& plan, std::size_t small, bool ordered, bool also_eagerly = true) {
    Result<Rows> expected = Run(plan, std::size_t{1} << 30, false);
    ASSERT_TRUE(expected.ok()) << expected.status();
    if (!ordered) std::sort(expected->begin(), expected->end());
    EXPECT_EQ(CodeOf(Run(plan, small, false).status()), ErrorCode::kResourceExhausted);
    for (const std::size_t threads : {1, 2}) {
      for (const bool eagerly : {false, true}) {
        if (eagerly && !also_eagerly) continue;
        Result<Rows> rows = Run(plan, small, true, threads, eagerly);
        ASSERT_TRUE(rows.ok()) << rows.status();
        if (!ordered) std::sort(rows->begin(), rows->end());
        EXPECT_EQ(*rows, *expected) << "threads " << threads << " eagerly " << eagerly;
        EXPECT_GT(report.spilled_bytes, 0U);
        if (!eagerly) {
          EXPECT_FALSE(report.adaptations.empty());
        }
        EXPECT_LE(peak_bytes, small);
      }
    }
  }
};

sql::PlanNodePtr SortBy(sql::PlanNodePtr child, std::vector<sql::SortKey> keys) {
  return std::make_shared<sql::SortNode>(std::move(child), std::move(keys));
}

TEST(SpillingTest, SortMergesRuns) {
  Env env;
  Fill(&env.scans, 30'000, 700);
  env.ExpectSpills(SortBy(MakeScan(kTypes), {{{1}, true, true}, {{0}, false, false}}), 2 << 20, true);
}

TEST(SpillingTest, LimitsHoldOverRuns) {
  Env env;
  Fill(&env.scans, 30'000, 700);
  for (const bool ties : {false, true}) {
    const auto plan = std::make_shared<sql::TopNNode>(
        MakeScan(kTypes), std::vector<sql::SortKey>{{{2}, false, false}, {{1}, false, false}}, 20'000, 50, ties);
    // Rows that tie may be any of them: what is compared are the keys.
    const auto keys_of = [](Rows rows) {
      for (std::string& row : rows) row = row.substr(row.find('|'));
      return rows;
    };
    const Result<Rows> expected = env.Run(plan, std::size_t{1} << 30, false);
    const Result<Rows> rows = env.Run(plan, 2 << 20, true, 2);
    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_EQ(keys_of(*rows), keys_of(*expected));
    EXPECT_GT(env.report.spilled_bytes, 0U);
  }
}

sql::PlanNodePtr GroupBy(std::vector<sql::ExprPtr> keys, std::vector<sql::AggregateCall> calls) {
  std::vector<sql::AggregateNode::Key> named;
  std::uint32_t id = 100;
  for (sql::ExprPtr& key : keys) named.push_back({{{id++}, "k", key->type}, key});
  return std::make_shared<sql::AggregateNode>(MakeScan(kTypes), std::move(named), std::move(calls));
}

TEST(SpillingTest, GroupsWithStatesOfFixedSize) {
  Env env;
  Fill(&env.scans, 40'000, 20'000);
  env.ExpectSpills(GroupBy({Column(1, kText), Column(2, kReal)},
                           {Aggregate("count", {}, 200), Aggregate("sum", {Column(0, kBig)}, 201),
                            Aggregate("max", {Column(2, kReal)}, 202)}),
                   2 << 20, false);
}

TEST(SpillingTest, GroupsWithStatesThatGrow) {
  Env env;
  Fill(&env.scans, 30'000, 3'000);
  sql::AggregateCall ordered = Aggregate("array_agg", {Column(0, kBig)}, 200);
  ordered.order_by.push_back({Column(0, kBig), true, false});
  sql::AggregateCall distinct = Aggregate("count", {Column(2, kReal)}, 201);
  distinct.distinct = true;
  env.ExpectSpills(GroupBy({Column(1, kText)}, {ordered, distinct, Aggregate("approx_distinct", {Column(0, kBig)}, 202)}),
                   4 << 20, false);
}

TEST(SpillingTest, DistinctValuesOfOneGroup) {
  Env env;
  Fill(&env.scans, 60'000, 60'000);
  sql::AggregateCall distinct = Aggregate("count", {Column(1, kText)}, 200);
  distinct.distinct = true;
  env.ExpectSpills(GroupBy({}, {distinct}), 4 << 20, false);
}

TEST(SpillingTest, SelectDistinct) {
  Env env;
  Fill(&env.scans, 40'000, 30'000);
  env.ExpectSpills(GroupBy({Column(1, kText)}, {}), 2 << 20, false);
}

TEST(SpillingTest, OneGroupThatCannotFitIsRefusedByName) {
  Env env;
  Fill(&env.scans, 60'000, 60'000);
  const Status status = env.Run(GroupBy({}, {Aggregate("array_agg", {Column(1, kText)}, 200)}), 2 << 20, true).status();
  EXPECT_EQ(CodeOf(status), ErrorCode::kResourceExhausted);
  EXPECT_NE(MessageOf(status).find("'query'"), std::string_view::npos) << MessageOf(status);
  EXPECT_NE(MessageOf(status).find("'aggregate'"), std::string_view::npos) << MessageOf(status);
}

sql::PlanNodePtr Join(sql::JoinKind kind, sql::ExprPtr condition) {
  sql::JoinNode::Spec spec;
  spec.kind = kind;
  spec.condition = std::move(condition);
  return std::make_shared<sql::JoinNode>(MakeScan(kTypes), MakeScan(kTypes, 10), std::move(spec));
}

TEST(SpillingTest, JoinsByKey) {
  Env env;
  Fill(&env.scans, 5'000, 4'500);
  const sql::ExprPtr same_text = testing::Call("$equal", {Column(1, kText), Column(11, kText)});
  for (const sql::JoinKind kind :
       {sql::JoinKind::kInner, sql::JoinKind::kLeft, sql::JoinKind::kRight, sql::JoinKind::kFull}) {
    env.ExpectSpills(Join(kind, same_text), 1 << 20, false);
  }
}

// Rows of which all but 40 have one key, with texts of `width`.
std::vector<Batch> OneLargeKey(std::int64_t rows, int width) {
  std::vector<Batch> batches;
  std::vector<std::vector<Value>> cells;
  for (std::int64_t i = 0; i < rows; ++i) {
    const bool matched = i < 40;
    cells.push_back({Big(matched ? i : 1'000'000), Text(fmt::format("{:0{}}", i, width)), Value::Double(i == 50 ? 1 : 0)});
    if (cells.size() < 100 && i + 1 < rows) continue;
    batches.push_back(MakeBatch(kTypes, cells));
    cells.clear();
  }
  return batches;
}

// `right` rows of one key are kept and `left` stream by, each with each, of which the residual leaves the pairs with
// row 50 of the right.
void ExpectJoinsOfOneKey(sql::JoinKind kind, std::int64_t left, std::int64_t right, int width) {
  Env env;
  env.scans.batches = OneLargeKey(left, width);
  env.scans.others[10] = OneLargeKey(right, width);
  auto both = std::make_shared<sql::Expr>();
  both->kind = sql::ExprKind::kAnd;
  both->type = Type::Boolean();
  both->children = {testing::Call("$equal", {Column(0, kBig), Column(10, kBig)}),
                    testing::Call("$less", {Column(2, kReal), Column(12, kReal)})};
  env.ExpectSpills(Join(kind, std::move(both)), 1 << 20, false, false);
}

// One key has most of the rows: hashing cannot divide it, blocks can. All pairs of a key are tried, which is what takes
// the time here: 36 million a run with 6,000 rows on both sides. An outer join keeps the right side however few rows
// are on the left; an inner one would turn round, so its left side does not fit either.
TEST(SpillingTest, JoinsOfOneLargeKeyGoBlockByBlock) {
  ExpectJoinsOfOneKey(sql::JoinKind::kInner, 1'600, 6'000, 80);
  ExpectJoinsOfOneKey(sql::JoinKind::kLeft, 200, 6'000, 80);
  ExpectJoinsOfOneKey(sql::JoinKind::kFull, 200, 6'000, 80);
}

// Rows of a thousand bytes: neither the frames of partitions, nor blocks, nor batches of pairs may be as many rows
// as they are of narrow ones.
TEST(SpillingTest, WideRowsOfOneKeyStayWithinTheBudget) {
  ExpectJoinsOfOneKey(sql::JoinKind::kInner, 600, 1'500, 1'000);
  ExpectJoinsOfOneKey(sql::JoinKind::kLeft, 200, 1'500, 1'000);
  ExpectJoinsOfOneKey(sql::JoinKind::kFull, 200, 1'500, 1'000);
}

// One shared plan, read by both sides of a UNION ALL.
sql::PlanNodePtr TwiceShared() {
  const sql::PlanNodePtr scan = MakeScan(kTypes);
  const auto plan = std::make_shared<const sql::SharedPlan>(sql::SharedPlan{1, scan});
  std::vector<sql::PlanNodePtr> readers;
  std::vector<std::vector<sql::ColumnRef>> inputs;
  for (std::uint32_t first : {20U, 30U}) {
    std::vector<sql::OutputColumn> outputs;
    std::vector<sql::ColumnRef> columns;
    std::vector<sql::ColumnRef> refs;
    for (std::uint32_t i = 0; i < kTypes.size(); ++i) {
      outputs.push_back({{first + i}, fmt::format("s{}", i), kTypes[i]});
      columns.push_back(scan->outputs()[i].column);
      refs.push_back({first + i});
    }
    readers.push_back(std::make_shared<sql::SharedNode>(plan, outputs, columns));
    inputs.push_back(refs);
  }
  std::vector<sql::OutputColumn> outputs;
  for (std::uint32_t i = 0; i < kTypes.size(); ++i) outputs.push_back({{40 + i}, fmt::format("u{}", i), kTypes[i]});
  return std::make_shared<sql::SetOperationNode>(std::move(readers), std::move(outputs), std::move(inputs));
}

TEST(SpillingTest, SharedRowsAreReadFromDiskByEachReader) {
  Env env;
  Fill(&env.scans, 30'000, 700);
  const sql::PlanNodePtr plan = TwiceShared();
  Result<Rows> expected = env.Run(plan, std::size_t{1} << 30, false);
  ASSERT_TRUE(expected.ok()) << expected.status();
  EXPECT_EQ(expected->size(), 60'000U);
  std::sort(expected->begin(), expected->end());
  EXPECT_EQ(CodeOf(env.Run(plan, 1 << 20, false).status()), ErrorCode::kResourceExhausted);
  for (const std::size_t threads : {1, 2}) {
    for (const bool eagerly : {false, true}) {
      Result<Rows> rows = env.Run(plan, 1 << 20, true, threads, eagerly);
      ASSERT_TRUE(rows.ok()) << rows.status();
      std::sort(rows->begin(), rows->end());
      EXPECT_EQ(*rows, *expected) << "threads " << threads << " eagerly " << eagerly;
      const OperatorReport& first = env.report.children[0];
      EXPECT_GT(first.spilled_bytes, 0U);
      // Once, though they are read twice; what a worker was just keeping stays in memory.
      EXPECT_LE(first.spilled_rows, 30'000U);
      EXPECT_GT(first.spilled_rows, 25'000U);
      EXPECT_EQ(first.adaptations.empty(), eagerly);
      EXPECT_LE(env.peak_bytes, std::size_t{1} << 20);
    }
  }
}

TEST(SpillingTest, JoinsWithoutKeys) {
  Env env;
  Fill(&env.scans, 3'000, 8'000);
  const sql::ExprPtr condition = testing::Call(
      "$equal", {testing::Call("$add", {Column(0, kBig), Column(10, kBig)}), sql::MakeConstant(Big(100))});
  for (const sql::JoinKind kind : {sql::JoinKind::kInner, sql::JoinKind::kLeft, sql::JoinKind::kFull}) {
    const sql::PlanNodePtr plan = Join(kind, condition);
    Result<Rows> expected = env.Run(plan, std::size_t{1} << 30, false);
    Result<Rows> rows = env.Run(plan, 512 << 10, true, 2);
    ASSERT_TRUE(rows.ok()) << rows.status();
    std::sort(expected->begin(), expected->end());
    std::sort(rows->begin(), rows->end());
    EXPECT_EQ(*rows, *expected);
    EXPECT_GT(env.report.spilled_bytes, 0U);
  }
}

TEST(SpillingTest, FullDiskFailsTheQueryAlone) {
  Env env;
  Fill(&env.scans, 30'000, 700);
  const sql::PlanNodePtr plan = SortBy(MakeScan(kTypes), {{{0}, false, false}});
  env.space = *SpillSpace::Open(OptionsOn(&env.disk.files, &env.disk.sealer));
  env.disk.files.FailCall(12, tideline::testing::Fault::kNoSpace, true);
  const Status status = env.Run(plan, 2 << 20, true).status();
  EXPECT_EQ(CodeOf(status), ErrorCode::kResourceExhausted);
  EXPECT_NE(MessageOf(status).find("spilling to disk"), std::string_view::npos) << MessageOf(status);
  env.disk.files.ClearFaults();
  EXPECT_TRUE(env.Run(plan, 2 << 20, true).ok());
}

TEST(SpillingTest, AbandonedQueriesLeaveNothingOnDisk) {
  Env env;
  Fill(&env.scans, 30'000, 700);
  env.space = *SpillSpace::Open(OptionsOn(&env.disk.files, &env.disk.sealer));
  MemoryBudget memory("query", 2 << 20);
  {
    ExecutionContext context;
    context.scans = &env.scans;
    context.memory = &memory;
    context.spill = env.space.get();
    const std::unique_ptr<QueryExecution> query = *Execute(SortBy(MakeScan(kTypes), {{{0}, false, false}}), context);
    Batch batch;
    ASSERT_TRUE(*query->Next(&batch));
    EXPECT_GT(env.space->used_bytes(), 0U);
    EXPECT_TRUE(env.disk.files.Paths().empty());
  }
  EXPECT_EQ(env.space->used_bytes(), 0U);
  EXPECT_EQ(memory.used_bytes(), 0U);
}

}  // namespace
}  // namespace tideline::exec
