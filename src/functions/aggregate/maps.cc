// functions/aggregate/maps.cc: aggregates that answer a map or a set: map_agg, multimap_agg,
// map_union, histogram, set_agg, set_union. Keys keep the order of their first appearance.
#include "functions/aggregate/key_table.h"
#include "functions/nested.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;

// A key's first value counts. The child rows of `from` and `into` run in step.
struct KeyedValues {
  KeyTable keys;
  std::unique_ptr<Vector> values;  // one per key
  StateMemory memory;

  Status Put(const KernelContext& context, const Vector& key, std::size_t key_row,
             const Vector& value, std::size_t value_row) {
    const std::size_t known = keys.size();
    if (keys.FindOrAdd(key, key_row) < known) return OkStatus();
    if (values == nullptr) values = std::make_unique<Vector>(Vector::Flat(value.type(), 0));
    const auto one = static_cast<std::uint32_t>(value_row);
    values->Append(value, Selection::Of(std::span(&one, 1)));
    return memory.Hold(context, keys.memory_bytes() + values->memory_bytes());
  }
  Status PutAll(const KernelContext& context, const KeyedValues& from) {
    for (std::size_t i = 0; i < from.keys.size(); ++i) {
      TL_TRY(Put(context, from.keys.values(), i, *from.values, i));
    }
    return OkStatus();
  }
  void Write(std::size_t row, Vector* result) const {
    if (keys.size() == 0) return result->SetNull(row);
    const Vector* const children[] = {&keys.values(), values.get()};
    PutChildren(children, row, result);
  }
};

// Rows with a null key are left out; null values are kept.
struct MapAgg {
  using State = KeyedValues;
  static Status Add(const KernelContext& context, State& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    if (arguments[0].IsNull(row)) return OkStatus();
    return state.Put(context, arguments[0], row, arguments[1], row);
  }
  static Status Merge(const KernelContext& context, State& into, State& from) {
    return into.PutAll(context, from);
  }
  static Status Finish(const KernelContext&, State& state, std::size_t row, Vector* result) {
    state.Write(row, result);
    return OkStatus();
  }
};

struct UnionState : KeyedValues {
  bool any = false;  // an empty map is an answer, no map is none
};
struct MapUnion {
  using State = UnionState;
  static Status Add(const KernelContext& context, State& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    state.any = true;
    const Vector& map = arguments[0].base();
    const ListEntry entry = map.values<ListEntry>()[arguments[0].Index(row)];
    for (std::uint32_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      TL_TRY(state.Put(context, map.child(0), i, map.child(1), i));
    }
    return OkStatus();
  }
  static Status Merge(const KernelContext& context, State& into, State& from) {
    into.any |= from.any;
    return into.PutAll(context, from);
  }
  static Status Finish(const KernelContext&, State& state, std::size_t row, Vector* result) {
    if (state.any && state.keys.size() == 0) {
      result->mutable_values<ListEntry>()[row] = {};
    } else {
      state.Write(row, result);
    }
    return OkStatus();
  }
};

struct MultimapState {
  KeyTable keys;
  std::unique_ptr<Vector> values;
  std::vector<std::uint32_t> key_of;  // of each value
  StateMemory memory;
};
struct MultimapAgg {
  using State = MultimapState;
  static Status Put(const KernelContext& context, State& state, const Vector& key,
                    std::size_t key_row, const Vector& value, std::size_t value_row) {
    if (state.values == nullptr) {
      state.values = std::make_unique<Vector>(Vector::Flat(value.type(), 0));
    }
    state.key_of.push_back(state.keys.FindOrAdd(key, key_row));
    const auto one = static_cast<std::uint32_t>(value_row);
    state.values->Append(value, Selection::Of(std::span(&one, 1)));
    return state.memory.Hold(context, state.keys.memory_bytes() + state.values->memory_bytes() +
                                          state.key_of.size() * sizeof(state.key_of[0]));
  }
  static Status Add(const KernelContext& context, State& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    if (arguments[0].IsNull(row)) return OkStatus();
    return Put(context, state, arguments[0], row, arguments[1], row);
  }
  static Status Merge(const KernelContext& context, State& into, State& from) {
    for (std::size_t i = 0; i < from.key_of.size(); ++i) {
      TL_TRY(Put(context, into, from.keys.values(), from.key_of[i], *from.values, i));
    }
    return OkStatus();
  }
  static Status Finish(const KernelContext&, State& state, std::size_t row, Vector* result) {
    if (state.keys.size() == 0) {
      result->SetNull(row);
      return OkStatus();
    }
    // Values grouped by key, in order within each, by counting.
    std::vector<std::uint32_t> ends(state.keys.size() + 1, 0);
    for (const std::uint32_t key : state.key_of) ++ends[key + 1];
    for (std::size_t i = 1; i < ends.size(); ++i) ends[i] += ends[i - 1];
    std::vector<std::uint32_t> order(state.key_of.size());
    std::vector<std::uint32_t> next(ends.begin(), ends.end() - 1);
    for (std::uint32_t i = 0; i < order.size(); ++i) order[next[state.key_of[i]]++] = i;
    Vector lists = Vector::Flat(result->type().map_value(), state.keys.size());
    for (std::size_t i = 0; i < state.keys.size(); ++i) {
      lists.mutable_values<ListEntry>()[i] = {ends[i], ends[i + 1] - ends[i]};
    }
    lists.SetChild(0, Gather(*state.values, order));
    const Vector* const children[] = {&state.keys.values(), &lists};
    PutChildren(children, row, result);
    return OkStatus();
  }
};

struct HistogramState {
  KeyTable keys;
  std::vector<I64> counts;
  StateMemory memory;
};
struct Histogram {
  using State = HistogramState;
  static Status Put(const KernelContext& context, State& state, const Vector& key, std::size_t row,
                    I64 count) {
    const std::uint32_t number = state.keys.FindOrAdd(key, row);
    if (number == state.counts.size()) state.counts.push_back(0);
    state.counts[number] += count;
    return state.memory.Hold(context,
                             state.keys.memory_bytes() + state.counts.size() * sizeof(I64));
  }
  static Status Add(const KernelContext& context, State& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    return Put(context, state, arguments[0], row, 1);
  }
  static Status Merge(const KernelContext& context, State& into, State& from) {
    for (std::size_t i = 0; i < from.counts.size(); ++i) {
      TL_TRY(Put(context, into, from.keys.values(), i, from.counts[i]));
    }
    return OkStatus();
  }
  static Status Finish(const KernelContext&, State& state, std::size_t row, Vector* result) {
    if (state.counts.empty()) {
      result->SetNull(row);
      return OkStatus();
    }
    Vector counts = Vector::Flat(Type::Bigint(), state.counts.size());
    std::copy(state.counts.begin(), state.counts.end(), counts.mutable_values<I64>());
    const Vector* const children[] = {&state.keys.values(), &counts};
    PutChildren(children, row, result);
    return OkStatus();
  }
};

struct SetState {
  KeyTable keys;
  bool any = false;
  StateMemory memory;
};
template <bool of_arrays>
struct SetOf {
  using State = SetState;
  static Status Add(const KernelContext& context, State& state, std::span<const Vector> arguments,
                    std::uint32_t row) {
    state.any = true;
    if constexpr (of_arrays) {
      const Vector& list = arguments[0].base();
      const ListEntry entry = list.values<ListEntry>()[arguments[0].Index(row)];
      for (std::uint32_t i = entry.offset; i < entry.offset + entry.length; ++i) {
        state.keys.FindOrAdd(list.child(0), i);
      }
    } else {
      state.keys.FindOrAdd(arguments[0], row);
    }
    return state.memory.Hold(context, state.keys.memory_bytes());
  }
  static Status Merge(const KernelContext& context, State& into, State& from) {
    into.any |= from.any;
    for (std::size_t i = 0; i < from.keys.size(); ++i) into.keys.FindOrAdd(from.keys.values(), i);
    return into.memory.Hold(context, into.keys.memory_bytes());
  }
  static Status Finish(const KernelContext&, State& state, std::size_t row, Vector* result) {
    if (state.keys.size() > 0) {
      const Vector* const children[] = {&state.keys.values()};
      PutChildren(children, row, result);
    } else if (state.any) {
      result->mutable_values<ListEntry>()[row] = {};
    } else {
      result->SetNull(row);
    }
    return OkStatus();
  }
};

#define TL_MAP_AGGREGATE(object, text, op, signature_text, skips, summary_text, example_text,      \
                         result_text)                                                              \
  constexpr AggregateOverload object##Overloads[] = {AggregateRows<op>::Overload(signature_text)}; \
  constexpr AggregateFunction object{                                                              \
      .name = text,                                                                                \
      .overloads = object##Overloads,                                                              \
      .skips_nulls = skips,                                                                        \
      .order_sensitive = true,                                                                     \
      .doc = {"aggregate", summary_text, "SELECT " text example_text, result_text}};               \
  TL_REGISTER_AGGREGATE(object)

TL_MAP_AGGREGATE(kMapAgg, "map_agg", MapAgg, "(K:comparable, V) -> map(K, V)", false,
                 "A map from keys to values; a key's first value counts.",
                 "(k, v) FROM (VALUES ('a', 1)) AS t(k, v)", "{a=1}");
TL_MAP_AGGREGATE(kMultimapAgg, "multimap_agg", MultimapAgg, "(K:comparable, V) -> map(K, array(V))",
                 false, "A map from keys to the arrays of all their values.",
                 "(k, v) FROM (VALUES ('a', 1), ('a', 2)) AS t(k, v)", "{a=[1,2]}");
TL_MAP_AGGREGATE(kMapUnion, "map_union", MapUnion, "(map(K, V)) -> map(K, V)", true,
                 "The entries of all maps; a key's first value counts.",
                 "(map(ARRAY['a'], ARRAY[x])) FROM (VALUES 1) AS t(x)", "{a=1}");
TL_MAP_AGGREGATE(kHistogram, "histogram", Histogram, "(T:comparable) -> map(T, bigint)", true,
                 "How often each value comes.", "(x) FROM (VALUES 7, 7) AS t(x)", "{7=2}");
TL_MAP_AGGREGATE(kSetAgg, "set_agg", SetOf<false>, "(T:comparable) -> array(T)", false,
                 "The different values, NULL too.", "(x) FROM (VALUES 7, 7) AS t(x)", "[7]");
TL_MAP_AGGREGATE(kSetUnion, "set_union", SetOf<true>, "(array(T:comparable)) -> array(T)", true,
                 "The different elements of all arrays.",
                 "(x) FROM (VALUES ARRAY[1, 2], ARRAY[2, 3]) AS t(x)", "[1,2,3]");
#undef TL_MAP_AGGREGATE

}  // namespace
}  // namespace tideline::functions
