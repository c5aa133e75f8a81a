#include "sql/bind/scope.h"

#include <functional>
#include <set>

#include "sql/bind/messages.h"

namespace tideline::sql {

namespace {

struct Found {
  const ScopeColumn* column = nullptr;
  bool ambiguous = false;
};

/// The one column that `matches` accepts. Never-written measures give way to columns that exist.
Found FindOne(const std::vector<ScopeColumn>& columns, const std::function<bool(const ScopeColumn&)>& matches) {
  for (const bool in_star : {true, false}) {
    Found found;
    for (const ScopeColumn& column : columns) {
      if (column.in_star != in_star || !matches(column)) continue;
      if (found.column != nullptr) return {found.column, true};
      found.column = &column;
    }
    if (found.column != nullptr) return found;
  }
  return {};
}

/// By bytes first, then without case.
Found FindByName(const std::vector<ScopeColumn>& columns, std::string_view name,
                 const std::function<bool(const ScopeColumn&)>& relation_matches) {
  Found found = FindOne(columns, [&](const ScopeColumn& column) {
    return column.name == name && relation_matches(column);
  });
  if (found.column != nullptr) return found;
  return FindOne(columns, [&](const ScopeColumn& column) {
    return EqualsIgnoreCase(column.name, name) && relation_matches(column);
  });
}

std::string JoinParts(const std::vector<ast::Identifier>& parts) {
  std::string out;
  for (const ast::Identifier& part : parts) {
    if (!out.empty()) out += '.';
    out += part.text;
  }
  return out;
}

}  // namespace

Result<Scope::Match> Scope::Resolve(const std::vector<ast::Identifier>& parts,
                                    const ast::SourcePosition& at, bool extended) const {
  const auto try_match = [&](std::size_t used, const std::function<bool(const ScopeColumn&)>& relation,
                             Match* match) -> Result<bool> {
    const Found found = FindByName(columns, parts[used - 1].text, relation);
    if (found.column == nullptr) return false;
    // What is left of the chain must be fields of a row.
    if (used < parts.size() && !found.column->expr->type.is(TypeId::kRow)) return false;
    if (found.ambiguous) return ErrorAt(at, "Column '{}' is ambiguous", JoinParts(parts));
    *match = {found.column, used};
    return true;
  };
  Match match{};
  if (extended && parts.size() >= 3) {
    const bool hit = TL_TRY(try_match(3, [&](const ScopeColumn& column) {
      return column.database == parts[0].text && column.table == parts[1].text;
    }, &match));
    if (hit) return match;
  }
  if (parts.size() >= 2) {
    const bool hit = TL_TRY(try_match(2, [&](const ScopeColumn& column) {
      return EqualsIgnoreCase(column.relation, parts[0].text);
    }, &match));
    if (hit) return match;
  }
  const bool hit = TL_TRY(try_match(1, [](const ScopeColumn&) { return true; }, &match));
  if (hit) return match;
  if (outer != nullptr) {
    Result<Match> outside = outer->Resolve(parts, at, extended);
    if (outside.ok()) return outside;
  }
  std::string hint;
  if (extended) {
    std::set<std::string> names;
    for (const ScopeColumn& column : columns) {
      if (!column.in_star) continue;
      names.insert(parts.size() == 1 ? column.name : column.relation + "." + column.name);
    }
    hint = NameHint(JoinParts(parts), {names.begin(), names.end()});
  }
  return ErrorAt(at, "Column '{}' does not exist{}", JoinParts(parts), hint);
}

std::vector<const ScopeColumn*> Scope::OfRelation(const ast::QualifiedName& qualifier) const {
  std::vector<const ScopeColumn*> out;
  for (const ScopeColumn& column : columns) {
    if (!column.in_star) continue;
    const bool matches = qualifier.parts.size() == 1
                             ? EqualsIgnoreCase(column.relation, qualifier.parts[0].text)
                             : qualifier.parts.size() == 2 && column.database == qualifier.parts[0].text &&
                                   column.table == qualifier.parts[1].text;
    if (matches) out.push_back(&column);
  }
  return out;
}

}  // namespace tideline::sql
