#include "functions/registry.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>

#include "base/check.h"
#include "functions/signature.h"

namespace tideline::functions {
namespace internal {
namespace {

// Constant-initialised, so that it is there before any registration runs.
template <typename T>
constinit const Node<T>* list_head = nullptr;

}  // namespace

template <typename T>
Node<T>::Node(const T& f) : function(f), next(list_head<T>) {
  list_head<T> = this;
}
template struct Node<ScalarFunction>;
template struct Node<AggregateFunction>;
template struct Node<WindowFunction>;

}  // namespace internal

namespace {

std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Edit distance, given up past `limit`.
std::size_t EditDistance(std::string_view a, std::string_view b, std::size_t limit) {
  if (a.size() > b.size() + limit || b.size() > a.size() + limit) return limit + 1;
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

struct FunctionRegistry::Tables {
  std::vector<const ScalarFunction*> scalars;
  std::vector<const AggregateFunction*> aggregates;
  std::vector<const WindowFunction*> windows;
  absl::flat_hash_map<const void*, std::vector<Signature>> signatures;

  template <typename T>
  void Freeze(std::vector<const T*>* list) {
    for (const auto* node = internal::list_head<T>; node != nullptr; node = node->next) {
      list->push_back(&node->function);
    }
    std::sort(list->begin(), list->end(), [](const T* a, const T* b) { return a->name < b->name; });
    for (std::size_t i = 0; i < list->size(); ++i) {
      const T* function = (*list)[i];
      TL_CHECK(function->name == LowerAscii(function->name));
      TL_CHECK(i == 0 || (*list)[i - 1]->name != function->name);
      std::vector<Signature>& parsed = signatures[function];
      for (const auto& overload : function->overloads) {
        Result<Signature> signature = ParseSignature(overload.signature);
        TL_CHECK(signature.ok());
        parsed.push_back(*std::move(signature));
      }
    }
  }

  template <typename T>
  static const T* Find(const std::vector<const T*>& list, std::string_view name) {
    const std::string lower = LowerAscii(name);
    const auto at = std::lower_bound(
        list.begin(), list.end(), lower,
        [](const T* function, const std::string& wanted) { return function->name < wanted; });
    return at != list.end() && (*at)->name == lower ? *at : nullptr;
  }
};

FunctionRegistry::FunctionRegistry() {
  auto* tables = new Tables;  // lives as long as the process
  tables->Freeze(&tables->scalars);
  tables->Freeze(&tables->aggregates);
  tables->Freeze(&tables->windows);
  tables_ = tables;
}

const FunctionRegistry& FunctionRegistry::Get() {
  static const FunctionRegistry registry;
  return registry;
}

const ScalarFunction* FunctionRegistry::FindScalar(std::string_view name) const {
  return Tables::Find(tables_->scalars, name);
}
const AggregateFunction* FunctionRegistry::FindAggregate(std::string_view name) const {
  return Tables::Find(tables_->aggregates, name);
}
const WindowFunction* FunctionRegistry::FindWindow(std::string_view name) const {
  return Tables::Find(tables_->windows, name);
}
std::span<const Signature> FunctionRegistry::SignaturesOf(const ScalarFunction& function) const {
  return tables_->signatures.at(&function);
}
std::span<const Signature> FunctionRegistry::SignaturesOf(const AggregateFunction& function) const {
  return tables_->signatures.at(&function);
}
std::span<const Signature> FunctionRegistry::SignaturesOf(const WindowFunction& function) const {
  return tables_->signatures.at(&function);
}
std::span<const ScalarFunction* const> FunctionRegistry::scalars() const {
  return tables_->scalars;
}
std::span<const AggregateFunction* const> FunctionRegistry::aggregates() const {
  return tables_->aggregates;
}
std::span<const WindowFunction* const> FunctionRegistry::windows() const {
  return tables_->windows;
}

std::vector<std::string> FunctionRegistry::NamesLike(std::string_view name) const {
  static constexpr std::size_t kNamesMax = 3;
  const std::string lower = LowerAscii(name);
  const std::size_t limit = lower.size() < 4 ? 1 : 2 + lower.size() / 8;
  std::vector<std::pair<std::size_t, std::string>> near;
  const auto consider = [&](std::string_view candidate) {
    if (candidate.starts_with('$')) return;
    const std::size_t distance = EditDistance(lower, candidate, limit);
    if (distance <= limit) near.emplace_back(distance, std::string(candidate));
  };
  for (const auto* function : tables_->scalars) consider(function->name);
  for (const auto* function : tables_->aggregates) consider(function->name);
  for (const auto* function : tables_->windows) consider(function->name);
  std::sort(near.begin(), near.end());
  near.erase(std::unique(near.begin(), near.end()), near.end());
  std::vector<std::string> names;
  for (const auto& [distance, candidate] : near) {
    if (names.size() < kNamesMax) names.push_back(candidate);
  }
  return names;
}

}  // namespace tideline::functions
