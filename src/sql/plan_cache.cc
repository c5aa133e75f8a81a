#include "sql/plan_cache.h"

#include <algorithm>
#include <iterator>

namespace tideline::sql {

namespace {

// What else than the text a plan depends on.
std::string KeyOf(std::string_view text, const CompileOptions& options) {
  std::string key;
  key.reserve(text.size() + 2);
  key += options.bind.profile == Profile::kCompat ? 'c' : 'x';
  key += options.optimizer_enabled ? 'o' : '-';
  key += text;
  return key;
}

bool TablesAreTheSame(const BoundStatement& statement, const CatalogView& catalog) {
  return std::all_of(statement.tables.begin(), statement.tables.end(), [&](const catalog::TableSchemaPtr& table) {
    return catalog.FindTable(table->database, table->table) == table;
  });
}

Status CheckAccess(const BoundStatement& statement, const AccessChecker* access) {
  if (access == nullptr) return OkStatus();
  for (const AccessNeed& need : statement.access) TL_TRY(access->Check(need.action, need.database, need.table));
  return OkStatus();
}

}  // namespace

PlanCache::PlanCache()
    : hits_(Metrics().MakeCounter("tideline_plan_cache_hits_total", "Queries whose plan was there already")),
      misses_(Metrics().MakeCounter("tideline_plan_cache_misses_total", "Queries that had to be planned")) {}

Result<std::shared_ptr<const BoundStatement>> PlanCache::Compile(std::string_view text, const CatalogView& catalog,
                                                                 const CompileOptions& options) {
  const bool keeps = text.size() <= kTextBytesMax && options.bind.parameters.empty() &&
                     !options.bind.allow_unbound_parameters;
  if (!keeps) {
    BoundStatement statement = TL_TRY(CompileStatement(text, catalog, options));
    return std::make_shared<const BoundStatement>(std::move(statement));
  }
  std::string key = KeyOf(text, options);
  const std::shared_ptr<const Entry> found = Find(key);
  if (found != nullptr && found->statement != nullptr) {
    const std::int64_t age = options.bind.now.value - found->bound_at.value;
    if (age >= 0 && age < kPlanNsMax && TablesAreTheSame(*found->statement, catalog)) {
      TL_TRY(CheckAccess(*found->statement, options.bind.access));
      hits_.Add();
      return found->statement;
    }
  }
  misses_.Add();
  std::shared_ptr<const ast::Statement> syntax = found == nullptr ? nullptr : found->syntax;
  if (syntax == nullptr) {
    ParseOptions parse;
    parse.profile = options.bind.profile;
    syntax = TL_TRY(ParseStatement(text, parse));
  }
  BoundStatement bound = TL_TRY(CompileStatement(*syntax, catalog, options));
  const auto statement = std::make_shared<const BoundStatement>(std::move(bound));
  if (statement->kind != BoundStatementKind::kQuery || statement->node_count > kNodesMax) return statement;
  const bool whole = statement->reusable && !statement->tables.empty();
  if (!whole && found != nullptr && found->syntax != nullptr) return statement;
  auto entry = std::make_shared<Entry>();
  entry->key = std::move(key);
  if (whole) entry->statement = statement;
  // The tree of a plan that ages is kept too, so that making it anew is quicker.
  entry->syntax = std::move(syntax);
  entry->bound_at = options.bind.now;
  Keep(std::move(entry));
  return statement;
}

std::size_t PlanCache::entry_count() const {
  const MutexLock lock(mutex_);
  return entries_.size();
}

std::shared_ptr<const PlanCache::Entry> PlanCache::Find(const std::string& key) {
  const MutexLock lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return *found->second;
}

std::uint64_t PlanCache::node_count() const {
  const MutexLock lock(mutex_);
  return nodes_;
}

void PlanCache::Keep(std::shared_ptr<const Entry> entry) {
  Entries dropped;
  const MutexLock lock(mutex_);
  const auto found = by_key_.find(entry->key);
  if (found != by_key_.end()) Drop(found->second, &dropped);
  nodes_ += entry->node_count();
  entries_.push_front(std::move(entry));
  by_key_.emplace(entries_.front()->key, entries_.begin());
  while (entries_.size() > kEntriesMax || nodes_ > kNodesTotalMax) Drop(std::prev(entries_.end()), &dropped);
}

void PlanCache::Drop(Entries::iterator at, Entries* dropped) {
  by_key_.erase((*at)->key);
  nodes_ -= (*at)->node_count();
  dropped->splice(dropped->end(), entries_, at);
}

}  // namespace tideline::sql
