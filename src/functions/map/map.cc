// functions/map/map.cc: making maps and taking them apart, without lambdas.
#include <numeric>

#include "functions/element_set.h"
#include "functions/kernel.h"
#include "functions/map/map_result.h"
#include "functions/nested.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

std::vector<std::uint32_t> IndicesOf(ListEntry entry) {
  std::vector<std::uint32_t> indices(entry.length);
  std::iota(indices.begin(), indices.end(), entry.offset);
  return indices;
}

Status EmptyMapKernel(const KernelContext&, std::span<const Vector>, const Selection& rows,
                      Vector* result, RowErrors*) {
  MapResult map(result);
  rows.ForEach([&](std::uint32_t row) { map.Begin(row); });
  return OkStatus();
}

Status MapOfArraysKernel(const KernelContext&, std::span<const Vector> arguments,
                         const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<ListEntry> keys(arguments[0]);
  const Reader<ListEntry> values(arguments[1]);
  MapResult map(result);
  rows.ForEach([&](std::uint32_t row) {
    map.Begin(row);
    if (keys[row].length != values[row].length) {
      errors->Add(row, ExecutionFailed("Key and value arrays must be the same length"));
      return;
    }
    Status status = CheckMapKeys(arguments[0].child(0), IndicesOf(keys[row]));
    if (!status.ok()) {
      errors->Add(row, std::move(status));
      return;
    }
    for (std::uint32_t i = 0; i < keys[row].length; ++i) {
      map.Add(keys[row].offset + i, values[row].offset + i);
    }
  });
  map.Finish(arguments[0].child(0), arguments[1].child(0));
  return OkStatus();
}

Status MapFromEntriesKernel(const KernelContext&, std::span<const Vector> arguments,
                            const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<ListEntry> lists(arguments[0]);
  const Vector entries = arguments[0].child(0).Flatten();
  MapResult map(result);
  const auto check = [&](const std::vector<std::uint32_t>& indices) -> Status {
    for (const std::uint32_t i : indices) {
      if (entries.IsNull(i)) return ExecutionFailed("map entry cannot be null");
    }
    return CheckMapKeys(entries.child(0), indices);
  };
  rows.ForEach([&](std::uint32_t row) {
    map.Begin(row);
    const std::vector<std::uint32_t> indices = IndicesOf(lists[row]);
    Status status = check(indices);
    if (!status.ok()) {
      errors->Add(row, std::move(status));
      return;
    }
    for (const std::uint32_t i : indices) map.Add(i, i);
  });
  if (map.entry_count() > 0) map.Finish(entries.child(0), entries.child(1));
  return OkStatus();
}

Status MapEntriesKernel(const KernelContext&, std::span<const Vector> arguments,
                        const Selection& rows, Vector* result, RowErrors*) {
  const Reader<ListEntry> maps(arguments[0]);
  ListEntry* out = result->mutable_values<ListEntry>();
  std::vector<std::uint32_t> picked;
  rows.ForEach([&](std::uint32_t row) {
    const ListEntry entry = maps[row];
    out[row] = {static_cast<std::uint32_t>(picked.size()), entry.length};
    for (std::uint32_t i = 0; i < entry.length; ++i) picked.push_back(entry.offset + i);
  });
  if (picked.empty()) return OkStatus();
  Vector entries = Vector::Flat(result->type().element(), picked.size());
  for (std::size_t i = 0; i < 2; ++i) entries.SetChild(i, Gather(arguments[0].child(i), picked));
  result->SetChild(0, std::move(entries));
  return OkStatus();
}

template <std::size_t child>
Status MapSideKernel(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                     Vector* result, RowErrors*) {
  const Reader<ListEntry> maps(arguments[0]);
  ListResult list(result);
  rows.ForEach([&](std::uint32_t row) {
    list.Begin(row);
    for (const std::uint32_t i : IndicesOf(maps[row])) list.Add(i);
  });
  list.Finish(arguments[0].child(child));
  return OkStatus();
}

// Of equal keys the last map's value counts; the key stays where it first was.
Status MapConcatKernel(const KernelContext&, std::span<const Vector> arguments,
                       const Selection& rows, Vector* result, RowErrors*) {
  std::vector<const Vector*> key_parts;
  std::vector<const Vector*> value_parts;
  std::vector<std::uint32_t> bases;
  std::size_t total = 0;
  for (const Vector& argument : arguments) {
    key_parts.push_back(&argument.child(0));
    value_parts.push_back(&argument.child(1));
    bases.push_back(static_cast<std::uint32_t>(total));
    total += argument.child(0).size();
  }
  const Vector keys = Concatenate(result->type().map_key(), key_parts);
  const Vector values = Concatenate(result->type().map_value(), value_parts);
  std::vector<std::uint32_t> latest(total);  // of a key's first place: where its value is
  MapResult map(result);
  rows.ForEach([&](std::uint32_t row) {
    std::vector<std::uint32_t> all;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const ListEntry entry = Reader<ListEntry>(arguments[i])[row];
      for (std::uint32_t k = 0; k < entry.length; ++k) all.push_back(bases[i] + entry.offset + k);
    }
    ElementSet seen(keys, all.size());
    std::vector<std::uint32_t> first;
    for (const std::uint32_t i : all) {
      if (seen.Insert(i)) first.push_back(i);
      latest[seen.Equal(i)] = i;
    }
    map.Begin(row);
    for (const std::uint32_t i : first) map.Add(i, latest[i]);
  });
  map.Finish(keys, values);
  return OkStatus();
}

// ---- split_to_map ---------------------------------------------------------------------------

Status CheckDelimiters(std::string_view entry, std::string_view pair) {
  if (entry.empty()) return ExecutionFailed("entryDelimiter is empty");
  if (pair.empty()) return ExecutionFailed("keyValueDelimiter is empty");
  if (entry == pair) {
    return ExecutionFailed("entryDelimiter and keyValueDelimiter must not be the same");
  }
  return OkStatus();
}

Status SplitPairs(std::string_view text, std::string_view entry_delimiter,
                  std::string_view pair_delimiter,
                  std::vector<std::pair<std::string_view, std::string_view>>* pairs) {
  TL_TRY(CheckDelimiters(entry_delimiter, pair_delimiter));
  while (!text.empty()) {
    const std::size_t end = text.find(entry_delimiter);
    const std::string_view entry = text.substr(0, end);
    const std::size_t middle = entry.find(pair_delimiter);
    if (middle == entry.npos ||
        entry.find(pair_delimiter, middle + pair_delimiter.size()) != entry.npos) {
      return ExecutionFailed(
          "Key-value delimiter must appear exactly once in each entry. Bad "
          "input: '{}'",
          entry);
    }
    pairs->emplace_back(entry.substr(0, middle), entry.substr(middle + pair_delimiter.size()));
    if (end == text.npos) break;
    text.remove_prefix(end + entry_delimiter.size());
  }
  return OkStatus();
}

Status SplitToMapKernel(const KernelContext&, std::span<const Vector> arguments,
                        const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<StringRef> texts(arguments[0]);
  const Reader<StringRef> entry_delimiters(arguments[1]);
  const Reader<StringRef> pair_delimiters(arguments[2]);
  ListEntry* out = result->mutable_values<ListEntry>();
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  std::vector<std::uint32_t> done;
  rows.ForEach([&](std::uint32_t row) {
    const std::size_t first = pairs.size();
    Status status = SplitPairs(texts[row].view(), entry_delimiters[row].view(),
                               pair_delimiters[row].view(), &pairs);
    if (!status.ok()) {
      pairs.resize(first);
      errors->Add(row, std::move(status));
    }
    out[row] = {static_cast<std::uint32_t>(first),
                static_cast<std::uint32_t>(pairs.size() - first)};
    done.push_back(row);
  });
  Vector keys = Vector::Flat(Type::Varchar(), pairs.size());
  Vector values = Vector::Flat(Type::Varchar(), pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    keys.SetString(i, pairs[i].first);
    values.SetString(i, pairs[i].second);
  }
  for (const std::uint32_t row : done) {
    Status status = CheckMapKeys(keys, IndicesOf(out[row]));
    if (!status.ok()) errors->Add(row, std::move(status));
  }
  result->SetChild(0, std::move(keys));
  result->SetChild(1, std::move(values));
  return OkStatus();
}

// Keys keep the order of their first appearance, each with all its values.
Status SplitToMultimapKernel(const KernelContext&, std::span<const Vector> arguments,
                             const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<StringRef> texts(arguments[0]);
  const Reader<StringRef> entry_delimiters(arguments[1]);
  const Reader<StringRef> pair_delimiters(arguments[2]);
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  std::vector<std::pair<std::uint32_t, ListEntry>> done;  // rows and their pairs
  rows.ForEach([&](std::uint32_t row) {
    const auto first = static_cast<std::uint32_t>(pairs.size());
    Status status = SplitPairs(texts[row].view(), entry_delimiters[row].view(),
                               pair_delimiters[row].view(), &pairs);
    if (!status.ok()) {
      pairs.resize(first);
      errors->Add(row, std::move(status));
      return;
    }
    done.push_back({row, {first, static_cast<std::uint32_t>(pairs.size()) - first}});
  });
  Vector keys = Vector::Flat(Type::Varchar(), pairs.size());
  Vector values = Vector::Flat(Type::Varchar(), pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    keys.SetString(i, pairs[i].first);
    values.SetString(i, pairs[i].second);
  }
  MultimapResult out(result);
  for (const auto& [row, entry] : done) out.Add(row, keys, IndicesOf(entry));
  out.Finish(keys, values);
  return OkStatus();
}

Status MultimapFromEntriesKernel(const KernelContext&, std::span<const Vector> arguments,
                                 const Selection& rows, Vector* result, RowErrors* errors) {
  const Reader<ListEntry> lists(arguments[0]);
  const Vector entries = arguments[0].child(0).Flatten();
  MultimapResult out(result);
  rows.ForEach([&](std::uint32_t row) {
    const std::vector<std::uint32_t> all = IndicesOf(lists[row]);
    for (const std::uint32_t i : all) {
      if (entries.IsNull(i)) {
        errors->Add(row, ExecutionFailed("map entry cannot be null"));
        return;
      }
      if (entries.child(0).IsNull(i)) {
        errors->Add(row, ExecutionFailed("map key cannot be null"));
        return;
      }
    }
    out.Add(row, entries.child(0), all);
  });
  out.Finish(entries.child(0), entries.child(1));
  return OkStatus();
}

#define TL_MAP(object, text, summary_text, example_text, result_text, ...)             \
  constexpr ScalarOverload object##Overloads[] = {__VA_ARGS__};                        \
  constexpr ScalarFunction object{                                                     \
      .name = text,                                                                    \
      .overloads = object##Overloads,                                                  \
      .profile = Profile::kExtendedOnly,                                               \
      .doc = {"map", summary_text, "SELECT " text "(" example_text ")", result_text}}; \
  TL_REGISTER_SCALAR(object)
#define TL_MAP_SAMPLE "map(ARRAY['a', 'b'], ARRAY[1, 2])"

TL_MAP(kMap, "map", "The map of an array of keys and an array of values; empty without them.",
       "ARRAY['a', 'b'], ARRAY[1, 2]", "{a=1, b=2}",
       {"() -> map(unknown, unknown)", EmptyMapKernel},
       {"(array(K:comparable), array(V)) -> map(K, V)", MapOfArraysKernel});
TL_MAP(kMapFromEntries, "map_from_entries", "The map of an array of (key, value) rows.",
       "ARRAY[('a', 1), ('b', 2)]", "{a=1, b=2}",
       {"(array(row(K, V))) -> map(K, V)", MapFromEntriesKernel});
TL_MAP(kMapEntries, "map_entries", "The (key, value) rows of a map.", TL_MAP_SAMPLE,
       "[(a,1),(b,2)]", {"(map(K, V)) -> array(row(K, V))", MapEntriesKernel});
TL_MAP(kMapKeys, "map_keys", "The keys of a map.", TL_MAP_SAMPLE, "[a,b]",
       {"(map(K, V)) -> array(K)", MapSideKernel<0>});
TL_MAP(kMapValues, "map_values", "The values of a map.", TL_MAP_SAMPLE, "[1,2]",
       {"(map(K, V)) -> array(V)", MapSideKernel<1>});
TL_MAP(kMapConcat, "map_concat", "The entries of all maps; of equal keys the last counts.",
       TL_MAP_SAMPLE ", map(ARRAY['b'], ARRAY[3])", "{a=1, b=3}",
       {"(map(K, V), map(K, V)...) -> map(K, V)", MapConcatKernel});
TL_MAP(kSplitToMap, "split_to_map", "The map a text writes with two delimiters.",
       "'a:1,b:2', ',', ':'", "{a=1, b=2}",
       {"(varchar, varchar, varchar) -> map(varchar, varchar)", SplitToMapKernel});
TL_MAP(kSplitToMultimap, "split_to_multimap",
       "The map a text writes with two delimiters, of each key to all its values.",
       "'a:1,b:2,a:3', ',', ':'", "{a=[1,3], b=[2]}",
       {"(varchar, varchar, varchar) -> map(varchar, array(varchar))", SplitToMultimapKernel});
TL_MAP(kMultimapFromEntries, "multimap_from_entries",
       "The map of an array of (key, value) rows, of each key to all its values.",
       "ARRAY[('a', 1), ('a', 2)]", "{a=[1,2]}",
       {"(array(row(K, V))) -> map(K, array(V))", MultimapFromEntriesKernel});
#undef TL_MAP_SAMPLE
#undef TL_MAP

}  // namespace
}  // namespace tideline::functions
