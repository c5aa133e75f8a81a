#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "exec/evaluator/evaluator.h"
#include "exec/operators/group_table.h"
#include "base/json.h"
#include "exec/operators/print_report.h"
#include "exec/testing.h"
#include "exec/values/compare.h"
#include "exec/values/gather.h"
#include "sql/plan/filter_node.h"
#include "sql/plan/limit_node.h"
#include "sql/plan/project_node.h"
#include "sql/plan/set_operation_node.h"
#include "sql/plan/sort_node.h"
#include "sql/plan/topn_node.h"
#include "sql/plan/values_node.h"

namespace tideline::exec {
namespace {

using testing::Aggregate;
using testing::Call;
using testing::Column;
using testing::Drain;
using testing::FakeScans;
using testing::MakeBatch;
using testing::MakeScan;

const Type kBig = Type::Bigint();
const Type kText = Type::Varchar();
const Type kReal = Type::Double();

Value Null() { return Value(); }
Value Big(std::int64_t v) { return Value::Bigint(v); }
Value Text(std::string v) { return Value::Varchar(std::move(v)); }
sql::ExprPtr Constant(Value value) { return sql::MakeConstant(std::move(value)); }

sql::ExprPtr Form(sql::ExprKind kind, Type type, std::vector<sql::ExprPtr> children) {
  auto expr = std::make_shared<sql::Expr>();
  expr->kind = kind;
  expr->type = std::move(type);
  expr->children = std::move(children);
  return expr;
}

ColumnPositions Positions(std::size_t count) {
  ColumnPositions positions;
  for (std::uint32_t i = 0; i < count; ++i) positions.Set({i}, i);
  return positions;
}

Result<std::vector<std::string>> Evaluate(const sql::ExprPtr& expr, const Batch& batch) {
  EvalContext context;
  Evaluator evaluator = TL_TRY(Evaluator::Make(*expr, Positions(batch.columns.size()), context));
  Vector result;
  TL_TRY(evaluator.Evaluate(batch, Selection::All(batch.row_count), &result));
  Batch out;
  out.row_count = batch.row_count;
  out.columns.push_back(std::move(result));
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < batch.row_count; ++i) rows.push_back(testing::RowText(out, i));
  return rows;
}

using Rows = std::vector<std::string>;

struct Env {
  FakeScans scans;
  MemoryBudget memory{"query", std::size_t{256} << 20};
  ThreadPool pool{{.name = "query", .thread_count = 2}};
  ~Env() { pool.Stop(); }

  ExecutionContext Context(std::size_t threads) {
    ExecutionContext context;
    context.scans = &scans;
    context.memory = &memory;
    if (threads > 1) {
      context.pool = &pool;
      context.workers_max = threads;
      context.inline_rows_max = 0;
    }
    return context;
  }
  Result<Rows> Run(const sql::PlanNodePtr& plan, std::size_t threads = 1) {
    const std::unique_ptr<QueryExecution> query = TL_TRY(Execute(plan, Context(threads)));
    return Drain(*query);
  }
  Rows Sorted(const sql::PlanNodePtr& plan, std::size_t threads = 1) {
    Result<Rows> rows = Run(plan, threads);
    EXPECT_TRUE(rows.ok()) << rows.status();
    if (!rows.ok()) return {};
    std::sort(rows->begin(), rows->end());
    return *rows;
  }
};

TEST(QueryExecutionTest, NextUntilGivesUpWithoutLosingRows) {
  Env env;
  const sql::PlanNodePtr plan = std::make_shared<sql::ValuesNode>(
      std::vector<sql::OutputColumn>{{sql::ColumnRef{1}, "x", kBig}},
      std::vector<std::vector<sql::ExprPtr>>{{Constant(Big(1))}, {Constant(Big(2))}});
  const std::unique_ptr<QueryExecution> query = *Execute(plan, env.Context(1));
  Batch batch;
  const Result<bool> early = query->NextUntil(&batch, SteadyNs{0});
  ASSERT_TRUE(early.ok());
  EXPECT_TRUE(*early);
  EXPECT_EQ(batch.row_count, 0U);
  EXPECT_EQ(*Drain(*query), (Rows{"1", "2"}));
}

// ---- evaluator ----------------------------------------------------------------------------------

TEST(EvaluatorTest, CallsSkipNulls) {
  const Batch batch = MakeBatch({kBig, kBig}, {{Big(1), Big(2)}, {Null(), Big(3)}, {Big(4), Null()}});
  EXPECT_EQ(*Evaluate(Call("$add", {Column(0, kBig), Column(1, kBig)}), batch),
            (Rows{"3", "NULL", "NULL"}));
}

TEST(EvaluatorTest, FirstFailingRowFailsTheQuery) {
  const Batch batch = MakeBatch({kBig, kBig}, {{Big(6), Big(2)}, {Big(1), Big(0)}});
  const auto result = Evaluate(Call("$divide", {Column(0, kBig), Column(1, kBig)}), batch);
  EXPECT_EQ(CodeOf(result.status()), ErrorCode::kExecutionFailed);
}

TEST(EvaluatorTest, BranchesNotTakenDoNotFail) {
  const Batch batch = MakeBatch({kBig, kBig}, {{Big(6), Big(2)}, {Big(1), Big(0)}, {Big(9), Big(3)}});
  const sql::ExprPtr divide = Call("$divide", {Column(0, kBig), Column(1, kBig)});
  const sql::ExprPtr not_zero = Call("$not_equal", {Column(1, kBig), Constant(Big(0))});
  EXPECT_EQ(*Evaluate(Form(sql::ExprKind::kCase, kBig, {not_zero, divide, Constant(Big(-1))}), batch),
            (Rows{"3", "-1", "3"}));
  EXPECT_EQ(*Evaluate(Form(sql::ExprKind::kTry, kBig, {divide}), batch), (Rows{"3", "NULL", "3"}));
  // TRY takes the whole of what is inside.
  const sql::ExprPtr coalesce = Form(sql::ExprKind::kCoalesce, kBig, {divide, Constant(Big(7))});
  EXPECT_EQ(*Evaluate(Form(sql::ExprKind::kTry, kBig, {coalesce}), batch), (Rows{"3", "NULL", "3"}));
  const sql::ExprPtr three = Call("$equal", {divide, Constant(Big(3))});
  EXPECT_EQ(*Evaluate(Form(sql::ExprKind::kAnd, Type::Boolean(), {not_zero, three}), batch),
            (Rows{"true", "false", "true"}));
}

TEST(EvaluatorTest, ConstantThatFailsFailsOnlyWhereItIsTaken) {
  const Batch batch = MakeBatch({kBig}, {{Big(1)}, {Null()}});
  const sql::ExprPtr bad = Call("$divide", {Constant(Big(1)), Constant(Big(0))});
  const sql::ExprPtr coalesce = Form(sql::ExprKind::kCoalesce, kBig, {Column(0, kBig), bad});
  EXPECT_FALSE(Evaluate(coalesce, batch).ok());
  const Batch valid = MakeBatch({kBig}, {{Big(1)}, {Big(2)}});
  EXPECT_EQ(*Evaluate(coalesce, valid), (Rows{"1", "2"}));
}

TEST(EvaluatorTest, LogicIsThreeValued) {
  const Type boolean = Type::Boolean();
  const auto b = [](bool v) { return Value::Boolean(v); };
  const Batch batch = MakeBatch({boolean, boolean}, {{b(true), b(true)}, {b(true), Null()},
                                                     {b(false), Null()}, {Null(), b(false)},
                                                     {Null(), b(true)}, {Null(), Null()}});
  const std::vector<sql::ExprPtr> both{Column(0, boolean), Column(1, boolean)};
  EXPECT_EQ(*Evaluate(Form(sql::ExprKind::kAnd, boolean, both), batch),
            (Rows{"true", "NULL", "false", "false", "NULL", "NULL"}));
  EXPECT_EQ(*Evaluate(Form(sql::ExprKind::kOr, boolean, both), batch),
            (Rows{"true", "true", "NULL", "NULL", "true", "NULL"}));
}

TEST(EvaluatorTest, InListsKnowNullAndNan) {
  const Batch batch = MakeBatch({kBig}, {{Big(1)}, {Big(5)}, {Null()}});
  const auto in = [&](std::vector<Value> values) {
    std::vector<sql::ExprPtr> children{Column(0, kBig)};
    for (Value& value : values) children.push_back(Constant(std::move(value)));
    return *Evaluate(Form(sql::ExprKind::kIn, Type::Boolean(), std::move(children)), batch);
  };
  EXPECT_EQ(in({Big(1), Big(2)}), (Rows{"true", "false", "NULL"}));
  EXPECT_EQ(in({Big(1), Value::Null(kBig)}), (Rows{"true", "NULL", "NULL"}));
  const Batch reals = MakeBatch({kReal}, {{Value::Double(NAN)}, {Value::Double(-0.0)}});
  EXPECT_EQ(*Evaluate(Form(sql::ExprKind::kIn, Type::Boolean(),
                           {Column(0, kReal), Constant(Value::Double(NAN)), Constant(Value::Double(0))}),
                      reals),
            (Rows{"false", "true"}));
}

// The same expression over every encoding of the same column.
TEST(EvaluatorTest, EncodingsAgree) {
  std::vector<std::vector<Value>> entries;
  for (int i = 0; i < 40; ++i) {
    std::vector<Value> entry;
    entry.push_back(i % 7 == 0 ? Null() : Text(fmt::format("host-{}", i)));
    entries.push_back(std::move(entry));
  }
  const Batch base = MakeBatch({kText}, entries);
  const sql::ExprPtr expr = Call("$concat", {Column(0, kText), Constant(Text("!"))});
  std::vector<std::uint32_t> rows;
  for (std::uint32_t i = 0; i < 1000; ++i) rows.push_back(i / 25 % 40);
  Batch dictionary{{base.columns[0].Slice(rows)}, rows.size()};
  Batch flat{{dictionary.columns[0].Flatten()}, rows.size()};
  const Rows expected = *Evaluate(expr, flat);
  EXPECT_EQ(*Evaluate(expr, dictionary), expected);
  // A dictionary much larger than the batch is computed run by run, then whole when it comes again.
  EvalContext context;
  Evaluator evaluator = *Evaluator::Make(*expr, Positions(1), context);
  const std::vector<std::uint32_t> few{3, 3, 3, 9, 9, 9};
  const auto shared = std::make_shared<const Vector>(base.columns[0]);
  auto codes = std::make_shared<Buffer>(few.size() * sizeof(std::uint32_t));
  std::memcpy(codes->data(), few.data(), codes->size());
  const Batch narrow{{Vector::Dictionary(shared, codes, few.size())}, few.size()};
  for (int round = 0; round < 3; ++round) {
    Vector result;
    ASSERT_TRUE(evaluator.Evaluate(narrow, Selection::All(few.size()), &result).ok());
    EXPECT_EQ(result.GetValue(0).text(), "host-3!");
    EXPECT_EQ(result.GetValue(5).text(), "host-9!");
  }
}

TEST(EvaluatorTest, DictionaryEntriesThatFailCountOnlyWhenReferredTo) {
  const Batch base = MakeBatch({kText}, {{Text("1")}, {Text("x")}, {Text("3")}});
  const sql::ExprPtr cast = sql::MakeCast(Column(0, kText), kBig);
  const std::vector<std::uint32_t> good{0, 2, 2, 0};
  EXPECT_EQ(*Evaluate(cast, {{base.columns[0].Slice(good)}, 4}), (Rows{"1", "3", "3", "1"}));
  const std::vector<std::uint32_t> bad{0, 1};
  EXPECT_FALSE(Evaluate(cast, {{base.columns[0].Slice(bad)}, 2}).ok());
  EXPECT_EQ(*Evaluate(sql::MakeCast(Column(0, kText), kBig, true), {{base.columns[0].Slice(bad)}, 2}),
            (Rows{"1", "NULL"}));
}

// ---- values -------------------------------------------------------------------------------------

TEST(CompareTest, SortKeysOrderAsValuesDo) {
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<double> ascending{-inf, -1.5, -1e-300, 0.0, 1e-300, 2, inf, NAN};
  std::vector<std::string> keys;
  for (const double value : ascending) {
    const Value boxed = Value::Double(value);
    keys.emplace_back();
    AppendSortKey(Vector::FromValues(kReal, {&boxed, 1}), 0, {}, &keys.back());
  }
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  const std::vector<std::string> texts{"", std::string("\0", 1), std::string("\0\1", 2), "a", "a!", "aa", "b"};
  keys.clear();
  for (const std::string& text : texts) {
    const Value boxed = Text(text);
    keys.emplace_back();
    AppendSortKey(Vector::FromValues(kText, {&boxed, 1}), 0, {}, &keys.back());
  }
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
}

TEST(GroupTableTest, KeysCompareAsGroupByDoes) {
  MemoryBudget budget("test", 1 << 24);
  GroupTable table({kReal, kText}, &budget);
  const Batch batch = MakeBatch({kReal, kText}, {{Value::Double(0.0), Text("a")},
                                                 {Value::Double(-0.0), Text("a")},
                                                 {Value::Double(NAN), Null()},
                                                 {Value::Double(-NAN), Null()},
                                                 {Null(), Text("a")},
                                                 {Null(), Text("")}});
  std::vector<std::uint32_t> groups;
  ASSERT_TRUE(table.FindOrAdd(batch.columns, Selection::All(6), &groups).ok());
  EXPECT_EQ(groups, (std::vector<std::uint32_t>{0, 0, 1, 1, 2, 3}));
  EXPECT_EQ(table.KeyColumn(1, 0, 4).GetValue(0).text(), "a");
  EXPECT_TRUE(table.KeyColumn(1, 0, 4).IsNull(1));
  EXPECT_TRUE(table.KeyColumn(0, 0, 4).IsNull(2));
}

TEST(GroupTableTest, NamesTheBudgetWhenItIsSpent) {
  MemoryBudget budget("small", 4096);
  GroupTable table({kBig}, &budget);
  Vector keys = Vector::Flat(kBig, 2048);
  std::iota(keys.mutable_values<std::int64_t>(), keys.mutable_values<std::int64_t>() + 2048, 0);
  std::vector<std::uint32_t> groups;
  const Status status = table.FindOrAdd({&keys, 1}, Selection::All(2048), &groups);
  EXPECT_EQ(CodeOf(status), ErrorCode::kResourceExhausted);
}

TEST(GatherTest, ListsBringTheirElements) {
  const Type type = Type::Array(kBig);
  const std::vector<Value> values{Value::Nested(type, {Big(1), Big(2)}), Value::Null(type),
                                  Value::Nested(type, {}), Value::Nested(type, {Big(3)})};
  const Vector vector = Vector::FromValues(type, values);
  const std::vector<std::uint32_t> rows{3, 1, 0, 2};
  const Vector gathered = GatherRows(vector, rows);
  EXPECT_EQ(gathered.GetValue(0), values[3]);
  EXPECT_TRUE(gathered.IsNull(1));
  EXPECT_EQ(gathered.GetValue(2), values[0]);
  EXPECT_EQ(gathered.GetValue(3), values[2]);
}

// Rows of one text of `bytes`, and what tells whether it is still there.
std::pair<Vector, std::weak_ptr<const void>> LongTexts(std::size_t count, std::size_t bytes = 100) {
  const auto text = std::make_shared<const std::string>(bytes, 'x');
  Vector vector = Vector::Flat(kText, count);
  for (std::size_t i = 0; i < count; ++i) vector.mutable_values<StringRef>()[i] = StringRef(*text);
  vector.KeepAlive(text);
  return {vector, text};
}

TEST(GatherTest, RowsThatAreKeptLetGoOfTheTextOfTheRest) {
  std::vector<std::uint32_t> rows(50);
  std::iota(rows.begin(), rows.end(), 0);
  for (const bool nested : {false, true}) {
    auto [texts, alive] = LongTexts(100);
    Vector vector = std::exchange(texts, Vector());
    if (nested) {
      Vector outer = Vector::Flat(Type::Row({{"note", kText}}), 100);
      outer.SetChild(0, std::move(vector));
      vector = std::move(outer);
    }
    const Vector few = KeepRows(vector, rows);
    const Value last = vector.GetValue(49);
    vector = Vector();
    EXPECT_TRUE(alive.expired());
    EXPECT_EQ(few.GetValue(49), last);
  }
}

TEST(GatherTest, RowsThatAreMostOfAVectorShareItsText) {
  std::vector<std::uint32_t> rows(51);
  std::iota(rows.begin(), rows.end(), 0);
  auto [vector, alive] = LongTexts(100);
  const Vector most = KeepRows(vector, rows);
  vector = Vector();
  EXPECT_FALSE(alive.expired());
}

TEST(GatherTest, TextThatManyRowsShareIsNotCopiedForEach) {
  std::vector<std::uint32_t> rows(50);
  std::iota(rows.begin(), rows.end(), 0);
  auto [vector, alive] = LongTexts(100, kOwnTextBytesMax / 40);
  const Vector few = KeepRows(vector, rows);
  vector = Vector();
  EXPECT_FALSE(alive.expired());
}

// ---- operators ----------------------------------------------------------------------------------

// Rows (host, time, value, count) as a scan delivers them: grouped by host, ascending in time.
void FillSeries(FakeScans* scans, std::size_t hosts, std::size_t rows_per_host, std::size_t batch_rows) {
  std::vector<Value> names;
  for (std::size_t h = 0; h < hosts; ++h) names.push_back(Text(fmt::format("host_{:04}", h)));
  const auto base = std::make_shared<const Vector>(Vector::FromValues(kText, names));
  const std::size_t total = hosts * rows_per_host;
  for (std::size_t first = 0; first < total; first += batch_rows) {
    const std::size_t count = std::min(batch_rows, total - first);
    auto codes = std::make_shared<Buffer>(count * sizeof(std::uint32_t));
    Vector times = Vector::Flat(Type::Timestamp(), count);
    Vector values = Vector::Flat(kReal, count);
    Vector counts = Vector::Flat(kBig, count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t row = first + i;
      reinterpret_cast<std::uint32_t*>(codes->data())[i] = static_cast<std::uint32_t>(row / rows_per_host);
      times.mutable_values<std::int64_t>()[i] =
          static_cast<std::int64_t>(row % rows_per_host) * 10 * kNsPerSecond;
      values.mutable_values<double>()[i] = static_cast<double>(row % 97);
      counts.mutable_values<std::int64_t>()[i] = static_cast<std::int64_t>(row % 5);
      if (row % 11 == 0) counts.SetNull(i);
    }
    scans->batches.push_back({{Vector::Dictionary(base, codes, count), times, values, counts}, count});
  }
}
const std::vector<Type> kSeriesTypes{kText, Type::Timestamp(), kReal, kBig};

sql::PlanNodePtr GroupBy(sql::PlanNodePtr child, std::vector<sql::ExprPtr> keys,
                         std::vector<sql::AggregateCall> calls) {
  std::vector<sql::AggregateNode::Key> named;
  std::uint32_t id = 100;
  for (sql::ExprPtr& key : keys) {
    named.push_back({{{id++}, "k", key->type}, key});
  }
  return std::make_shared<sql::AggregateNode>(std::move(child), std::move(named), std::move(calls));
}

TEST(AggregateTest, RunsAndScatteredRowsAgree) {
  Env env;
  FillSeries(&env.scans, 7, 500, 300);
  const auto plan = [&](sql::ExprPtr key) {
    return GroupBy(MakeScan(kSeriesTypes), {std::move(key)},
                   {Aggregate("count", {}, 200), Aggregate("sum", {Column(3, kBig)}, 201),
                    Aggregate("count", {Column(3, kBig)}, 202), Aggregate("max", {Column(2, kReal)}, 203)});
  };
  // By host: long runs. By count: runs of one row.
  EXPECT_EQ(env.Sorted(plan(Column(0, kText))).size(), 7U);
  std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> expected;
  std::int64_t nulls = 0;
  for (std::size_t row = 0; row < 3500; ++row) {
    if (row % 11 == 0) {
      ++nulls;
      continue;
    }
    auto& [count, sum] = expected[static_cast<std::int64_t>(row % 5)];
    ++count;
    sum += static_cast<std::int64_t>(row % 5);
  }
  Rows rows;
  for (const auto& [key, figures] : expected) {
    rows.push_back(fmt::format("{}|{}|{}|{}|96.0", key, figures.first, figures.second, figures.first));
  }
  rows.push_back(fmt::format("NULL|{}|NULL|0|96.0", nulls));
  EXPECT_EQ(env.Sorted(plan(Column(3, kBig))), rows);
  EXPECT_EQ(env.Sorted(plan(Column(3, kBig)), 2), rows);
}

TEST(AggregateTest, WithoutKeysThereIsAlwaysOneRow) {
  Env env;
  const sql::PlanNodePtr plan = GroupBy(MakeScan(kSeriesTypes), {},
                                        {Aggregate("count", {}, 200), Aggregate("sum", {Column(3, kBig)}, 201)});
  EXPECT_EQ(env.Sorted(plan), (Rows{"0|NULL"}));
  FillSeries(&env.scans, 3, 100, 64);
  for (const std::size_t threads : {1, 2}) EXPECT_EQ(env.Sorted(plan, threads).size(), 1U);
}

TEST(AggregateTest, DistinctFilterAndOrder) {
  Env env;
  FillSeries(&env.scans, 4, 300, 128);
  sql::AggregateCall distinct = Aggregate("count", {Column(3, kBig)}, 200);
  distinct.distinct = true;
  sql::AggregateCall filtered = Aggregate("count", {}, 201);
  filtered.filter = Call("$equal", {Column(3, kBig), Constant(Big(2))});
  sql::AggregateCall ordered = Aggregate("array_agg", {Column(3, kBig)}, 202);
  ordered.distinct = true;
  ordered.order_by.push_back({Column(3, kBig), true, false});
  for (const std::size_t threads : {1, 2}) {
    const Rows rows = env.Sorted(
        GroupBy(MakeScan(kSeriesTypes), {}, {distinct, filtered, ordered}), threads);
    EXPECT_EQ(rows, (Rows{"5|218|[4,3,2,1,0,null]"}));
  }
}

TEST(AggregateTest, OverBudgetIsANamedError) {
  Env env;
  FillSeries(&env.scans, 1, 20'000, 2048);
  MemoryBudget small("query 7", 200'000);
  ExecutionContext context = env.Context(1);
  context.memory = &small;
  const auto query = *Execute(GroupBy(MakeScan(kSeriesTypes), {Column(1, Type::Timestamp())}, {}), context);
  const auto rows = Drain(*query);
  EXPECT_EQ(CodeOf(rows.status()), ErrorCode::kResourceExhausted);
  EXPECT_NE(MessageOf(rows.status()).find("query 7"), std::string_view::npos);
}

TEST(SortTest, SortAndTopNAgree) {
  Env env;
  FillSeries(&env.scans, 5, 3000, 700);
  const std::vector<sql::SortKey> keys{{{3}, true, false}, {{2}, false, false}, {{0}, true, false}, {{1}, false, false}};
  const auto scan = MakeScan(kSeriesTypes);
  const Rows all = *env.Run(std::make_shared<sql::SortNode>(scan, keys));
  ASSERT_EQ(all.size(), 15'000U);
  EXPECT_EQ(*env.Run(std::make_shared<sql::SortNode>(scan, keys), 2), all);
  for (const std::size_t threads : {1, 2}) {
    for (const std::int64_t count : {0, 1, 10, 2500, 20'000}) {
      for (const std::int64_t offset : {0, 3, 14'999, 30'000}) {
        const Rows some = *env.Run(std::make_shared<sql::TopNNode>(scan, keys, count, offset, false), threads);
        const auto from = std::min<std::int64_t>(offset, 15'000);
        const auto to = std::min<std::int64_t>(from + count, 15'000);
        EXPECT_EQ(some, Rows(all.begin() + from, all.begin() + to)) << count << " " << offset;
      }
    }
  }
}

TEST(SortTest, TiesComeWithTheLastRow) {
  Env env;
  env.scans.batches.push_back(MakeBatch({kBig}, {{Big(2)}, {Big(1)}, {Big(2)}, {Big(2)}, {Big(3)}}));
  const std::vector<sql::SortKey> keys{{{0}, false, false}};
  EXPECT_EQ(*env.Run(std::make_shared<sql::TopNNode>(MakeScan({kBig}), keys, 2, 0, true)),
            (Rows{"1", "2", "2", "2"}));
}

TEST(LimitTest, StopsTheScanEarly) {
  Env env;
  FillSeries(&env.scans, 10, 10'000, 2000);
  const auto plan = std::make_shared<sql::LimitNode>(MakeScan(kSeriesTypes), 5, 2);
  EXPECT_EQ(env.Run(plan)->size(), 5U);
  EXPECT_LE(env.scans.last->rows_read(), 4000U);
  EXPECT_EQ(env.Run(plan, 2)->size(), 5U);
}

TEST(UnionTest, DeliversAllChildrenInTheOutputsOrder) {
  Env env;
  env.scans.batches.push_back(MakeBatch({kBig, kText}, {{Big(1), Text("x")}}));
  const auto scan = MakeScan({kBig, kText});
  std::vector<sql::OutputColumn> outputs{{{50}, "t", kText}, {{51}, "b", kBig}};
  const auto plan = std::make_shared<sql::SetOperationNode>(
      std::vector<sql::PlanNodePtr>{scan, scan}, outputs,
      std::vector<std::vector<sql::ColumnRef>>{{{1}, {0}}, {{1}, {0}}});
  EXPECT_EQ(*env.Run(plan), (Rows{"x|1", "x|1"}));
}

// ---- the driver ---------------------------------------------------------------------------------

TEST(QueryTest, FilterAndProjectOverManyBatches) {
  Env env;
  FillSeries(&env.scans, 20, 4000, 2048);
  const auto filter = std::make_shared<sql::FilterNode>(
      MakeScan(kSeriesTypes), Call("$less", {Column(2, kReal), Constant(Value::Double(10))}));
  std::vector<sql::ProjectNode::Item> items;
  items.push_back({{{60}, "twice", kReal}, Call("$multiply", {Column(2, kReal), Constant(Value::Double(2))})});
  const auto plan = std::make_shared<sql::ProjectNode>(filter, items);
  const Rows one = env.Sorted(plan, 1);
  EXPECT_EQ(one.size(), 8250U);
  EXPECT_EQ(env.Sorted(plan, 2), one);
}

TEST(QueryTest, WorkersPauseForASlowReader) {
  Env env;
  FillSeries(&env.scans, 100, 4000, 2000);
  const auto query = *Execute(MakeScan(kSeriesTypes), env.Context(2));
  Batch batch;
  ASSERT_TRUE(*query->Next(&batch));
  // Whatever the workers do meanwhile, they stop near the bound; one batch each may be under way.
  EXPECT_LE(env.scans.last->rows_read(), (ResultSink::kBatchesMax + 8) * 2000);
  std::size_t rows = batch.row_count;
  while (*query->Next(&batch)) rows += batch.row_count;
  EXPECT_EQ(rows, 400'000U);
  EXPECT_EQ(query->statistics().progress_percentage, 100);
  EXPECT_EQ(query->statistics().rows_scanned, 400'000U);
}

TEST(QueryTest, CancelAndDeadlineEndIt) {
  Env env;
  FillSeries(&env.scans, 100, 4000, 2000);
  for (const std::size_t threads : {1, 2}) {
    ExecutionContext context = env.Context(threads);
    context.cancel = CancelToken();
    const auto query = *Execute(MakeScan(kSeriesTypes), context);
    Batch batch;
    ASSERT_TRUE(*query->Next(&batch));
    context.cancel.Cancel();
    EXPECT_EQ(CodeOf(query->Next(&batch).status()), ErrorCode::kCancelled);
    EXPECT_EQ(CodeOf(query->Next(&batch).status()), ErrorCode::kCancelled);
  }
  ManualClock clock(TimestampNs{0});
  ExecutionContext context = env.Context(1);
  context.clock = &clock;
  context.deadline = Deadline::After(clock, kNsPerSecond);
  const auto query = *Execute(MakeScan(kSeriesTypes), context);
  Batch batch;
  ASSERT_TRUE(*query->Next(&batch));
  clock.Advance(2 * kNsPerSecond);
  EXPECT_EQ(CodeOf(query->Next(&batch).status()), ErrorCode::kDeadlineExceeded);
}

TEST(QueryTest, AbandonedQueriesLeaveNothingBehind) {
  Env env;
  FillSeries(&env.scans, 50, 4000, 2000);
  for (int i = 0; i < 50; ++i) {
    const auto query = *Execute(MakeScan(kSeriesTypes), env.Context(2));
    Batch batch;
    if (i % 2 == 0) {
      ASSERT_TRUE(*query->Next(&batch));
    }
  }
  EXPECT_EQ(env.memory.used_bytes(), 0U);
}

TEST(QueryTest, ErrorsOfWorkersReachTheReader) {
  Env env;
  FillSeries(&env.scans, 20, 4000, 2000);
  const auto plan = std::make_shared<sql::FilterNode>(
      MakeScan(kSeriesTypes),
      Call("$equal", {Call("$divide", {Column(3, kBig), Column(3, kBig)}), Constant(Big(1))}));
  for (const std::size_t threads : {1, 2}) {
    EXPECT_EQ(CodeOf(env.Run(plan, threads).status()), ErrorCode::kExecutionFailed);
  }
}

TEST(QueryTest, ReportNamesOperatorsWithRows) {
  Env env;
  FillSeries(&env.scans, 2, 100, 64);
  const auto query = *Execute(
      GroupBy(MakeScan(kSeriesTypes), {Column(0, kText)}, {Aggregate("count", {}, 200)}), env.Context(1));
  ASSERT_TRUE(Drain(*query).ok());
  const OperatorReport report = query->Report();
  EXPECT_EQ(report.rows_in, 200U);
  EXPECT_EQ(report.rows_out, 2U);
  EXPECT_GT(report.memory_bytes_peak, 0U);
  ASSERT_EQ(report.children.size(), 1U);
  EXPECT_EQ(report.children[0].rows_out, 200U);
  const std::string text = PrintReport(report);
  EXPECT_NE(text.find("rows: 200"), std::string::npos) << text;
  EXPECT_NE(text.find("rows: 2,"), std::string::npos) << text;
  const Result<JsonValue> json = JsonValue::Parse(PrintReportJson(report));
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ(json->FindText("name"), "Aggregate");
  const JsonValue& actual = *json->Find("actual");
  EXPECT_EQ(actual.Find("rows")->integer(), 2);
  EXPECT_EQ(actual.Find("rowsIn")->integer(), 200);
  EXPECT_GT(actual.Find("memoryBytesPeak")->integer(), 0);
  EXPECT_GT(actual.Find("timeMs")->number(), 0);
  ASSERT_EQ(json->Find("children")->items().size(), 1U);
  EXPECT_EQ(json->Find("children")->items()[0].Find("actual")->Find("rows")->integer(), 200);
}

}  // namespace
}  // namespace tideline::exec
