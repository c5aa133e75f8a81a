// Calls of scalar functions, casts, and the lambdas that calls take.

#include <any>

#include "exec/evaluator/argument_load.h"
#include "exec/evaluator/expr_node.h"
#include "exec/values/gather.h"
#include "functions/cast.h"
#include "functions/growth.h"

namespace tideline::exec {
namespace {

// Rows of `rows` on which no argument is null, and marks the others null in `result`. Returns false
// when all rows are without nulls (then `*out` is unused).
bool SplitNulls(std::span<const Vector> arguments, const Selection& rows, Vector* result,
                std::vector<std::uint32_t>* out) {
  bool any = false;
  for (const Vector& argument : arguments) any = any || argument.may_have_nulls();
  if (!any) return false;
  out->clear();
  bool first = true;
  for (const Vector& argument : arguments) {
    if (!argument.may_have_nulls()) continue;
    const Reader<std::uint8_t> reader(argument);
    if (first) {
      rows.ForEach([&](std::uint32_t row) {
        if (reader.IsNull(row)) {
          result->SetNull(row);
        } else {
          out->push_back(row);
        }
      });
    } else {
      std::erase_if(*out, [&](std::uint32_t row) {
        if (!reader.IsNull(row)) return false;
        result->SetNull(row);
        return true;
      });
    }
    first = false;
  }
  return true;
}

void NullFailed(const RowErrors& errors, std::size_t errors_before, Vector* result) {
  for (std::size_t i = errors_before; i < errors.entries().size(); ++i) {
    result->SetNull(errors.entries()[i].row);
  }
}

// The body of `x -> f(x, captured)`: compiled over its captures, then its parameters.
class LambdaBody {
 public:
  static Result<std::unique_ptr<LambdaBody>> Make(const sql::Expr& lambda, const CompileScope& scope) {
    auto body = std::make_unique<LambdaBody>();
    std::vector<sql::ColumnRef> reads;
    sql::CollectColumns(lambda, &reads);
    ColumnPositions columns;
    for (const sql::ColumnRef column : reads) {
      const std::uint32_t outer = scope.columns.Find(column);
      if (outer == ColumnPositions::kNone || columns.Find(column) != ColumnPositions::kNone) continue;
      columns.Set(column, body->captures_.size());
      body->captures_.push_back(outer);
    }
    for (std::size_t i = 0; i < lambda.parameters.size(); ++i) {
      columns.Set(lambda.parameters[i], body->captures_.size() + i);
    }
    const CompileScope inner{columns, scope.context, scope.random};
    body->root_ = TL_TRY(Compile(*lambda.children[0], inner, true));
    return body;
  }

  Status Apply(std::span<const Vector> outer, std::span<const Vector> arguments,
               std::span<const std::uint32_t> outer_rows, Vector* result, RowErrors* errors) const {
    std::vector<Vector> columns;
    columns.reserve(captures_.size() + arguments.size());
    for (const std::uint32_t position : captures_) columns.push_back(outer[position].Slice(outer_rows));
    columns.insert(columns.end(), arguments.begin(), arguments.end());
    const std::size_t count = outer_rows.size();
    Vector value;
    TL_TRY(root_->Eval({columns, count}, Selection::All(count), &value, errors));
    *result = value.Flatten();
    return OkStatus();
  }

 private:
  std::vector<std::uint32_t> captures_;
  ExprNodePtr root_;
};

class BoundLambda final : public functions::Lambda {
 public:
  BoundLambda(const LambdaBody* body, std::span<const Vector> outer) : body_(body), outer_(outer) {}
  Status Apply(std::span<const Vector> arguments, std::span<const std::uint32_t> outer_rows,
               Vector* result, RowErrors* errors) const override {
    return body_->Apply(outer_, arguments, outer_rows, result, errors);
  }

 private:
  const LambdaBody* body_;
  std::span<const Vector> outer_;
};

// A body without captures, with no batch around it.
class FreeLambda final : public functions::Lambda {
 public:
  explicit FreeLambda(std::unique_ptr<LambdaBody> body) : body_(std::move(body)) {}
  Status Apply(std::span<const Vector> arguments, std::span<const std::uint32_t> outer_rows,
               Vector* result, RowErrors* errors) const override {
    return body_->Apply({}, arguments, outer_rows, result, errors);
  }

 private:
  std::unique_ptr<LambdaBody> body_;
};

functions::KernelContext ContextOf(const CompileScope& scope, const Type* type, std::any* state) {
  functions::KernelContext context;
  context.now = scope.context.now;
  context.compat_profile = scope.context.compat_profile;
  context.result_type = type;
  context.state = state;
  context.random = scope.random;
  context.cancel = scope.context.cancel;
  context.memory = scope.context.memory;
  return context;
}

// A pattern can take some ten milliseconds per row before its limit of steps ends it, which is seconds
// per batch: such kernels get few rows at a time, as many as they do in about this time.
constexpr std::int64_t kPieceNsMax = 10 * kNsPerMs;

// Rows with more lists and texts than the first are divided into pieces of about the second, so that someone looks
// at the token in between.
constexpr std::uint64_t kWeightMax = std::uint64_t{4} << 20;
constexpr std::uint64_t kPieceWeight = std::uint64_t{256} << 10;

bool IsSlow(const functions::ScalarFunction& function) { return function.name.starts_with("regexp"); }

class CallNode final : public ExprNode {
 public:
  CallNode(const sql::Expr& expr, const CompileScope& scope)
      : function_(expr.scalar),
        kernel_(expr.scalar->overloads[expr.overload].kernel),
        type_(expr.type),
        query_(scope.context),
        may_be_slow_(IsSlow(*expr.scalar)),
        context_(ContextOf(scope, &type_, &state_)) {}

  void AddArgument(ExprNodePtr node) { arguments_.push_back(std::move(node)); }
  void AddLambda(std::unique_ptr<LambdaBody> body) { lambdas_.push_back(std::move(body)); }

  Status Eval(const EvalInput& input, const Selection& rows, Vector* result,
              RowErrors* errors) override {
    const std::size_t errors_before = errors->entries().size();
    values_.resize(arguments_.size());
    bool constant = !arguments_.empty() && lambdas_.empty() &&
                    function_->volatility != functions::Volatility::kVolatile;
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      TL_TRY(arguments_[i]->Eval(input, rows, &values_[i], errors));
      constant = constant && values_[i].is_constant();
    }
    // A row whose argument failed is null in it; kernels that see nulls must not see that row.
    std::vector<std::uint32_t> live;
    const bool some_failed = errors->entries().size() != errors_before;
    if (some_failed) {
      live = RowsOf(rows);
      DropFailed(*errors, errors_before, &live);
    }
    const Selection run = some_failed ? Selection::Of(live) : rows;
    const Status status = constant && !run.empty()
                              ? EvalConstant(input, run, result, errors)
                              : EvalRows(input, run, result, errors);
    if (some_failed && status.ok()) NullFailedRows(*errors, errors_before, input.row_count, result);
    values_.clear();
    return status;
  }

 private:
  Status EvalRows(const EvalInput& input, const Selection& rows, Vector* result, RowErrors* errors) {
    Vector out = Vector::Flat(type_, input.row_count);
    const std::size_t errors_before = errors->entries().size();
    TL_TRY(Call(input, values_, rows, &out, errors));
    NullFailed(*errors, errors_before, &out);
    *result = std::move(out);
    return OkStatus();
  }

  // All arguments are the same for every row: so is the answer.
  Status EvalConstant(const EvalInput& input, const Selection& rows, Vector* result,
                      RowErrors* errors) {
    std::vector<Vector> ones;
    ones.reserve(values_.size());
    for (const Vector& value : values_) ones.push_back(Vector::ConstantOf(value, 0, 1));
    Vector out = Vector::Flat(type_, 1);
    RowErrors own;
    TL_TRY(Call(input, ones, Selection::All(1), &out, &own));
    if (own.empty()) {
      *result = Vector::ConstantOf(out, 0, input.row_count);
      return OkStatus();
    }
    const Status& status = own.entries().front().status;
    rows.ForEach([&](std::uint32_t row) { errors->Add(row, status); });
    *result = Vector::ConstantNull(type_, input.row_count);
    return OkStatus();
  }

  Status Call(const EvalInput& input, std::span<const Vector> arguments, const Selection& rows,
              Vector* out, RowErrors* errors) {
    Selection run = rows;
    std::vector<std::uint32_t> not_null;
    if (function_->nulls == functions::NullPolicy::kNullInNullOut &&
        SplitNulls(arguments, rows, out, &not_null)) {
      run = Selection::Of(not_null);
    }
    if (run.empty()) return OkStatus();
    if (lambdas_.empty()) return RunKernel(context_, arguments, run, out, errors);
    std::vector<BoundLambda> bound;
    bound.reserve(lambdas_.size());
    for (const auto& body : lambdas_) bound.emplace_back(body.get(), input.columns);
    std::vector<const functions::Lambda*> pointers;
    for (const BoundLambda& lambda : bound) pointers.push_back(&lambda);
    functions::KernelContext context = context_;
    context.lambdas = pointers;
    return RunKernel(context, arguments, run, out, errors);
  }

  // Rows that bring much are taken some at a time, so that no kernel runs long unseen. A nested result has limits
  // too, since rows of it that lead to much would lead others to more.
  Status RunKernel(const functions::KernelContext& context, std::span<const Vector> arguments, const Selection& rows,
                   Vector* out, RowErrors* errors) {
    const ArgumentLoad loads(arguments);
    const Load load = loads.none() ? Load() : loads.Of(rows);
    if (type_.is_nested()) {
      TL_TRY(functions::CheckCallElements(function_->name, load.elements));
      TL_TRY(functions::CheckCallTextBytes(function_->name, load.text_bytes));
      if (load.weight() <= kWeightMax) {
        TL_TRY(kernel_(context, arguments, rows, out, errors));
      } else {
        TL_TRY(RunNested(context, loads, arguments, rows, out, errors));
      }
      return functions::CheckCallElements(function_->name, ElementsOf(*out, rows));
    }
    if (may_be_slow_) return RunTimed(context, arguments, rows, out, errors);
    if (load.weight() <= kWeightMax) return kernel_(context, arguments, rows, out, errors);
    return RunWeighed(context, loads, arguments, rows, out, errors);
  }

  // The rows from `first` on that weigh a piece; one at least.
  static std::span<const std::uint32_t> NextPiece(const ArgumentLoad& loads, std::span<const std::uint32_t> rows) {
    std::size_t end = 0;
    std::uint64_t weight = 0;
    for (; end < rows.size() && (end == 0 || weight <= kPieceWeight); ++end) weight += loads.Of(rows[end]).weight();
    return rows.first(end);
  }

  // A kernel sets the children of its result once, so that each piece has a vector of its own and all are put
  // together at the end.
  Status RunNested(const functions::KernelContext& context, const ArgumentLoad& loads,
                   std::span<const Vector> arguments, const Selection& rows, Vector* out, RowErrors* errors) {
    const std::vector<std::uint32_t> list = RowsOf(rows);
    std::vector<Vector> parts;
    std::vector<RowPlace> places(out->size());
    for (std::span<const std::uint32_t> left(list); !left.empty();) {
      TL_TRY(query_.CheckStillWanted());
      const std::span<const std::uint32_t> piece = NextPiece(loads, left);
      left = left.subspan(piece.size());
      const auto part = static_cast<std::uint32_t>(parts.size());
      if (context.lambdas.empty()) {
        // Kernels may go over all elements of their arguments: these have no others than the piece's.
        std::vector<Vector> own;
        for (const Vector& argument : arguments) own.push_back(GatherRows(argument, piece));
        parts.push_back(Vector::Flat(type_, piece.size()));
        RowErrors failed;
        TL_TRY(kernel_(context, own, Selection::All(piece.size()), &parts.back(), &failed));
        for (const RowErrors::Entry& entry : failed.entries()) errors->Add(piece[entry.row], entry.status);
        for (std::uint32_t i = 0; i < piece.size(); ++i) places[piece[i]] = {part, i};
      } else {
        parts.push_back(Vector::Flat(type_, out->size()));  // a lambda knows rows by their numbers
        TL_TRY(kernel_(context, arguments, Selection::Of(piece), &parts.back(), errors));
        for (const std::uint32_t row : piece) places[row] = {part, row};
      }
    }
    std::vector<const Vector*> sources;
    for (const Vector& part : parts) sources.push_back(&part);
    *out = Gather(type_, sources, places);
    return OkStatus();
  }

  Status RunWeighed(const functions::KernelContext& context, const ArgumentLoad& loads,
                    std::span<const Vector> arguments, const Selection& rows, Vector* out, RowErrors* errors) {
    const std::vector<std::uint32_t> list = RowsOf(rows);
    for (std::span<const std::uint32_t> left(list); !left.empty();) {
      TL_TRY(query_.CheckStillWanted());
      const std::span<const std::uint32_t> piece = NextPiece(loads, left);
      left = left.subspan(piece.size());
      TL_TRY(kernel_(context, arguments, Selection::Of(piece), out, errors));
      if (type_.physical() == PhysicalType::kString) {
        TL_TRY(functions::CheckCallTextBytes(function_->name, out->heap().bytes()));
      }
    }
    return OkStatus();
  }

  Status RunTimed(const functions::KernelContext& context, std::span<const Vector> arguments, const Selection& rows,
                  Vector* out, RowErrors* errors) {
    const std::vector<std::uint32_t> list = RowsOf(rows);
    const Clock& clock = query_.clock != nullptr ? *query_.clock : SystemClock();
    for (std::size_t first = 0; first < list.size();) {
      TL_TRY(query_.CheckStillWanted());
      const std::size_t count = std::min(piece_rows_, list.size() - first);
      const std::int64_t start = clock.SteadyNow().value;
      TL_TRY(kernel_(context, arguments, Selection::Of(std::span(list).subspan(first, count)), out, errors));
      const std::int64_t spent = clock.SteadyNow().value - start;
      if (spent > kPieceNsMax) piece_rows_ = std::max<std::size_t>(1, count / 2);
      if (spent < kPieceNsMax / 8) piece_rows_ = std::min(2 * piece_rows_, kBatchRowsMax);
      first += count;
    }
    return OkStatus();
  }

  static void NullFailedRows(const RowErrors& errors, std::size_t errors_before,
                             std::size_t row_count, Vector* result) {
    if (result->kind() != VectorKind::kFlat) {
      if (result->is_constant() && result->IsNull(0)) return;
      *result = Vector::ConstantOf(*result, 0, row_count).Flatten();
    }
    NullFailed(errors, errors_before, result);
  }

  const functions::ScalarFunction* function_;
  const functions::ScalarKernel kernel_;
  const Type type_;
  const EvalContext& query_;
  const bool may_be_slow_;
  std::size_t piece_rows_ = 1;  // rows of the next call of a slow kernel
  std::any state_;
  const functions::KernelContext context_;
  std::vector<ExprNodePtr> arguments_;
  std::vector<std::unique_ptr<LambdaBody>> lambdas_;
  std::vector<Vector> values_;
};

class CastNode final : public ExprNode {
 public:
  CastNode(const sql::Expr& expr, ExprNodePtr child, const CompileScope& scope)
      : type_(expr.type),
        try_cast_(expr.try_cast),
        child_(std::move(child)),
        context_(ContextOf(scope, &type_, &state_)) {}

  Status Eval(const EvalInput& input, const Selection& rows, Vector* result,
              RowErrors* errors) override {
    Vector value;
    TL_TRY(child_->Eval(input, rows, &value, errors));
    if (value.type() == type_) {
      *result = std::move(value);
      return OkStatus();
    }
    const bool once = value.is_constant();
    const std::size_t count = once ? 1 : input.row_count;
    if (once) value = Vector::ConstantOf(value, 0, 1);
    Vector out = Vector::Flat(type_, count);
    RowErrors own;
    if (!rows.empty()) {
      TL_TRY(Cast(value, once ? Selection::All(1) : rows, &out, &own));
    }
    NullFailed(own, 0, &out);
    if (!try_cast_) Report(own, once, rows, errors);
    *result = once ? Vector::ConstantOf(out, 0, input.row_count) : std::move(out);
    return OkStatus();
  }

 private:
  Status Cast(const Vector& value, const Selection& rows, Vector* out, RowErrors* own) {
    std::vector<std::uint32_t> not_null;
    const bool split = SplitNulls({&value, 1}, rows, out, &not_null);
    const Selection run = split ? Selection::Of(not_null) : rows;
    if (run.empty()) return OkStatus();
    return functions::CastVector(context_, value, type_, run, out, own);
  }

  static void Report(const RowErrors& own, bool once, const Selection& rows, RowErrors* errors) {
    for (const RowErrors::Entry& entry : own.entries()) {
      if (!once) {
        errors->Add(entry.row, entry.status);
        continue;
      }
      rows.ForEach([&](std::uint32_t row) { errors->Add(row, entry.status); });
    }
  }

  const Type type_;
  const bool try_cast_;
  const ExprNodePtr child_;
  std::any state_;
  const functions::KernelContext context_;
};

}  // namespace

Result<ExprNodePtr> MakeCallNode(const sql::Expr& expr, const CompileScope& scope,
                                 bool per_entry_allowed) {
  TL_CHECK(expr.scalar != nullptr && expr.overload < expr.scalar->overloads.size());
  auto node = std::make_unique<CallNode>(expr, scope);
  for (const sql::ExprPtr& child : expr.children) {
    if (child->kind == sql::ExprKind::kLambda) {
      std::unique_ptr<LambdaBody> body = TL_TRY(LambdaBody::Make(*child, scope));
      node->AddLambda(std::move(body));
    } else {
      ExprNodePtr argument = TL_TRY(Compile(*child, scope, per_entry_allowed));
      node->AddArgument(std::move(argument));
    }
  }
  return ExprNodePtr(std::move(node));
}

Result<ExprNodePtr> MakeCastNode(const sql::Expr& expr, const CompileScope& scope,
                                 bool per_entry_allowed) {
  ExprNodePtr child = TL_TRY(Compile(*expr.children[0], scope, per_entry_allowed));
  return ExprNodePtr(std::make_unique<CastNode>(expr, std::move(child), scope));
}

LambdaSet::LambdaSet() = default;
LambdaSet::LambdaSet(LambdaSet&&) noexcept = default;
LambdaSet& LambdaSet::operator=(LambdaSet&&) noexcept = default;
LambdaSet::~LambdaSet() = default;

Result<LambdaSet> LambdaSet::Make(std::span<const sql::ExprPtr> lambdas, const EvalContext& context) {
  LambdaSet set;
  if (lambdas.empty()) return set;
  set.random_ = std::make_unique<Random>(context.random_seed);
  const ColumnPositions none;
  const CompileScope scope{none, context, set.random_.get()};
  for (const sql::ExprPtr& lambda : lambdas) {
    std::unique_ptr<LambdaBody> body = TL_TRY(LambdaBody::Make(*lambda, scope));
    set.lambdas_.push_back(std::make_unique<FreeLambda>(std::move(body)));
    set.pointers_.push_back(set.lambdas_.back().get());
  }
  return set;
}

}  // namespace tideline::exec
