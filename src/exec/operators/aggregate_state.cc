#include "exec/operators/aggregate_state.h"

#include <algorithm>
#include <cstring>

#include "exec/values/compare.h"
#include "exec/values/gather.h"
#include "exec/values/hash_rows.h"
#include "exec/values/long_sort.h"

namespace tideline::exec {
namespace {

// Below this many rows per run on average, aggregates scatter row by row.
constexpr std::size_t kRunRowsMin = 4;

void Mark(bool differs, std::uint8_t* change) {
  *change = static_cast<std::uint8_t>(*change | (differs ? 1U : 0U));
}

// Sets changes[i] where row i of the selection differs from the one before it, by what can be compared
// at once: a false difference costs one lookup, a false equality would be wrong.
template <typename T>
void MarkFlat(const Vector& vector, const Selection& rows, std::uint8_t* changes) {
  const Reader<T> reader(vector);
  const auto differs = [](const T& a, const T& b) {
    if constexpr (std::is_same_v<T, double>) {
      return std::bit_cast<std::uint64_t>(a) != std::bit_cast<std::uint64_t>(b);
    } else {
      return !(a == b);
    }
  };
  if (rows.is_all() && !reader.may_have_nulls()) {
    const T* values = vector.values<T>();
    for (std::size_t i = 1; i < rows.size(); ++i) Mark(differs(values[i - 1], values[i]), &changes[i]);
    return;
  }
  std::uint32_t last = rows[0];
  std::size_t i = 0;
  rows.ForEach([&](std::uint32_t row) {
    const bool null = reader.IsNull(row);
    const bool differ =
        null != reader.IsNull(last) || (!null && differs(reader[last], reader[row]));
    Mark(differ, &changes[i++]);
    last = row;
  });
}

void MarkCodes(const Vector& vector, const Selection& rows, std::uint8_t* changes) {
  const std::uint32_t* codes = vector.codes();
  if (rows.is_all()) {
    for (std::size_t i = 1; i < rows.size(); ++i) Mark(codes[i - 1] != codes[i], &changes[i]);
    return;
  }
  std::uint32_t last = rows[0];
  std::size_t i = 0;
  rows.ForEach([&](std::uint32_t row) {
    Mark(codes[last] != codes[row], &changes[i++]);
    last = row;
  });
}

void MarkChanges(const Vector& vector, const Selection& rows, std::uint8_t* changes) {
  if (vector.is_constant()) return;
  if (vector.kind() == VectorKind::kDictionary) return MarkCodes(vector, rows, changes);
  switch (vector.type().physical()) {
    case PhysicalType::kBool8:
      return MarkFlat<std::uint8_t>(vector, rows, changes);
    case PhysicalType::kInt32:
      return MarkFlat<std::int32_t>(vector, rows, changes);
    case PhysicalType::kInt64:
      return MarkFlat<std::int64_t>(vector, rows, changes);
    case PhysicalType::kDouble:
      return MarkFlat<double>(vector, rows, changes);
    case PhysicalType::kString:
      return MarkFlat<StringRef>(vector, rows, changes);
    case PhysicalType::kInt128:
    case PhysicalType::kList:
    case PhysicalType::kRow:
      std::fill(changes, changes + rows.size(), std::uint8_t{1});
      return;
  }
}

std::size_t BytesOf(const Vector& vector) {
  std::size_t bytes = vector.size() * (vector.kind() == VectorKind::kDictionary
                                           ? sizeof(std::uint32_t)
                                           : vector.type().value_bytes());
  if (vector.kind() == VectorKind::kFlat) {
    for (std::size_t c = 0; c < vector.child_count(); ++c) bytes += BytesOf(vector.child(c));
  }
  return bytes;
}

std::vector<Type> DistinctTypes(const AggregateLayout::Call& call) {
  std::vector<Type> types{Type::Bigint()};
  types.insert(types.end(), call.argument_types.begin(), call.argument_types.end());
  return types;
}

Vector GroupNumbers(std::span<const std::uint32_t> groups, const Selection& rows,
                    std::size_t row_count) {
  Vector vector = Vector::Flat(Type::Bigint(), row_count);
  auto* values = vector.mutable_values<std::int64_t>();
  for (std::size_t i = 0; i < rows.size(); ++i) values[rows[i]] = groups[i];
  return vector;
}

}  // namespace

// ---- StateStore ---------------------------------------------------------------------------------

StateStore::StateStore(const AggregateLayout* layout, MemoryBudget* budget)
    : layout_(layout), memory_(budget) {}

StateStore::~StateStore() {
  for (const AggregateLayout::Call& call : layout_->calls) {
    if (call.overload->destroy == nullptr) continue;
    for (std::size_t group = 0; group < count_; ++group) {
      call.overload->destroy(At(group) + call.state_offset);
    }
  }
}

Status StateStore::Grow(std::size_t count, std::span<const functions::KernelContext> contexts) {
  while (blocks_.size() * kBlockGroups < count) {
    TL_TRY(memory_.Grow(kBlockGroups * layout_->group_bytes));
    blocks_.push_back(std::make_unique<Buffer>(kBlockGroups * layout_->group_bytes));
  }
  for (; count_ < count; ++count_) {
    std::byte* state = At(count_);
    for (std::size_t i = 0; i < layout_->calls.size(); ++i) {
      const AggregateLayout::Call& call = layout_->calls[i];
      call.overload->initialize(contexts[i], state + call.state_offset);
    }
  }
  return OkStatus();
}

// ---- DeferredRows -------------------------------------------------------------------------------

DeferredRows::DeferredRows(const AggregateLayout::Call* call, OperatorContext* own, MemoryBudget* budget)
    : call_(call), own_(own), distinct_types_(DistinctTypes(*call)), budget_(budget), memory_(budget) {
  if (call->distinct) distinct_.emplace(distinct_types_, budget);
}

Status DeferredRows::Add(std::span<const Vector> arguments, std::span<const Vector> order_keys,
                         const Selection& rows, std::span<const std::uint32_t> groups) {
  if (rows.empty()) return OkStatus();
  if (call_->distinct) {
    std::vector<Vector> keys;
    const std::size_t row_count = rows[rows.size() - 1] + std::size_t{1};
    keys.push_back(GroupNumbers(groups, rows, row_count));
    keys.insert(keys.end(), arguments.begin(), arguments.end());
    std::vector<std::uint32_t> ignored;
    return distinct_->FindOrAdd(keys, rows, &ignored);
  }
  Kept kept;
  std::vector<std::uint32_t> list;
  rows.ForEach([&](std::uint32_t row) { list.push_back(row); });
  std::size_t bytes = groups.size() * sizeof(std::uint32_t);
  for (const auto vectors : {arguments, order_keys}) {
    for (const Vector& vector : vectors) {
      const bool is_flat = vector.kind() == VectorKind::kFlat;
      kept.columns.push_back(is_flat ? KeepRows(vector, list) : GatherRows(vector, list));
      bytes += BytesOf(kept.columns.back());
    }
  }
  TL_TRY(memory_.Grow(bytes));
  kept.groups.assign(groups.begin(), groups.end());
  kept_.push_back(std::move(kept));
  return OkStatus();
}

namespace {

// The rows of `numbers` (of groups) that have a place in `groups`, and their numbers there.
std::vector<std::uint32_t> Translate(const Vector& numbers, std::size_t count,
                                     std::span<const std::uint32_t> groups, Vector* translated) {
  std::vector<std::uint32_t> rows;
  *translated = Vector::Flat(Type::Bigint(), count);
  auto* values = translated->mutable_values<std::int64_t>();
  const Reader<std::int64_t> reader(numbers);
  for (std::uint32_t row = 0; row < count; ++row) {
    const auto group = static_cast<std::size_t>(reader[row]);
    const std::uint32_t mine = groups.empty() ? static_cast<std::uint32_t>(group) : groups[group];
    values[row] = mine;
    if (mine != DeferredRows::kNoGroup) rows.push_back(row);
  }
  return rows;
}

Selection Listed(const std::vector<std::uint32_t>& rows, std::size_t row_count) {
  return rows.size() == row_count ? Selection::All(row_count) : Selection::Of(rows);
}

}  // namespace

Status DeferredRows::Adopt(DeferredRows& other, std::span<const std::uint32_t> groups, bool last) {
  if (call_->distinct) {
    const GroupTable& theirs = *other.distinct_;
    std::vector<std::uint32_t> ignored;
    for (std::size_t first = 0; first < theirs.group_count(); first += kBatchRowsMax) {
      TL_TRY(own_->eval.CheckStillWanted());
      const std::size_t count = std::min(kBatchRowsMax, theirs.group_count() - first);
      std::vector<Vector> keys(1);
      const std::vector<std::uint32_t> rows =
          Translate(theirs.KeyColumn(0, first, count), count, groups, &keys[0]);
      if (rows.empty()) continue;
      for (std::size_t k = 1; k < distinct_types_.size(); ++k) {
        keys.push_back(theirs.KeyColumn(k, first, count));
      }
      TL_TRY(distinct_->FindOrAdd(keys, Listed(rows, count), &ignored));
    }
    for (const OnDisk& disk : other.on_disk_) {
      OnDisk mine{disk.parts, {}};
      if (disk.groups.empty()) {
        mine.groups.assign(groups.begin(), groups.end());
      } else {
        for (const std::uint32_t group : disk.groups) {
          mine.groups.push_back(group == kNoGroup ? kNoGroup : groups[group]);
        }
      }
      on_disk_.push_back(std::move(mine));
    }
    return OkStatus();
  }
  if (last) other.memory_.Clear();
  for (const Kept& kept : other.kept_) {
    Kept mine;
    std::vector<std::uint32_t> rows;
    for (std::uint32_t row = 0; row < kept.groups.size(); ++row) {
      const std::uint32_t group = groups[kept.groups[row]];
      if (group == kNoGroup) continue;
      rows.push_back(row);
      mine.groups.push_back(group);
    }
    if (rows.empty()) continue;
    std::size_t bytes = rows.size() * sizeof(std::uint32_t);
    for (const Vector& column : kept.columns) {
      mine.columns.push_back(rows.size() == kept.groups.size() ? column : KeepRows(column, rows));
      bytes += KeptBytes(mine.columns.back());
    }
    TL_TRY(memory_.Grow(bytes));
    kept_.push_back(std::move(mine));
  }
  return OkStatus();
}

Status DeferredRows::Spill() {
  if (writer_ == nullptr) writer_ = std::make_unique<PartitionWriter>(distinct_types_, own_, 0);
  std::vector<std::uint64_t> hashes;
  for (std::size_t first = 0; first < distinct_->group_count(); first += kBatchRowsMax) {
    TL_TRY(own_->eval.CheckStillWanted());
    Batch batch;
    batch.row_count = std::min(kBatchRowsMax, distinct_->group_count() - first);
    for (std::size_t k = 0; k < distinct_types_.size(); ++k) {
      batch.columns.push_back(distinct_->KeyColumn(k, first, batch.row_count));
    }
    // Not by the group's number, which another worker counts differently.
    HashRows(std::span(batch.columns).subspan(1), Selection::All(batch.row_count), &hashes);
    TL_TRY(writer_->Add(batch, Selection::All(batch.row_count), hashes));
  }
  distinct_.emplace(distinct_types_, budget_);
  return OkStatus();
}

Status DeferredRows::FinishSpill() {
  if (writer_ == nullptr) return OkStatus();
  OnDisk disk;
  disk.parts = TL_TRY(writer_->Finish());
  writer_.reset();
  on_disk_.push_back(std::move(disk));
  return OkStatus();
}

Status DeferredRows::Feed(const functions::KernelContext& context, const StateStore& states,
                          std::span<const Vector> arguments, std::span<const std::uint32_t> groups) {
  // Runs of one group go in one call, in order.
  const std::span<const std::uint32_t> iota = Iota();
  for (std::size_t first = 0; first < groups.size();) {
    std::size_t end = first + 1;
    while (end < groups.size() && groups[end] == groups[first]) ++end;
    TL_TRY(call_->overload->update_one(context, arguments,
                                       Selection::Of(iota.subspan(first, end - first)),
                                       states.At(groups[first]) + call_->state_offset));
    first = end;
  }
  return OkStatus();
}

Status DeferredRows::Apply(const functions::KernelContext& context, const StateStore& states) {
  if (call_->distinct) {
    TL_TRY(ApplyDistinct(context, states));
    if (call_->order_by.empty()) return OkStatus();
  }
  return ApplyOrdered(context, states);
}

Status DeferredRows::ApplyDistinct(const functions::KernelContext& context, const StateStore& states) {
  if (on_disk_.empty() && writer_ == nullptr) {
    TL_TRY(FeedDistinct(context, states, *distinct_));
    distinct_.emplace(distinct_types_, budget_);
    return OkStatus();
  }
  // Doubles may be on both sides.
  TL_TRY(Spill());
  TL_TRY(FinishSpill());
  for (std::size_t part = 0; part < kPartitions; ++part) {
    TL_TRY(ApplyPart(context, states, on_disk_, part, 0));
    for (OnDisk& disk : on_disk_) disk.parts[part] = {};
  }
  on_disk_.clear();
  return OkStatus();
}

Status DeferredRows::ApplyPart(const functions::KernelContext& context, const StateStore& states,
                               const std::vector<OnDisk>& from, std::size_t part, std::size_t level) {
  std::uint64_t bytes = 0;
  for (const OnDisk& disk : from) bytes += disk.parts[part].bytes;
  const bool divide = bytes > own_->share_bytes / 4 && level + 1 < kPartitionLevelsMax;
  GroupTable table(distinct_types_, budget_);
  std::unique_ptr<PartitionWriter> writer;
  if (divide) writer = std::make_unique<PartitionWriter>(distinct_types_, own_, level + 1);
  std::vector<std::uint32_t> ignored;
  std::vector<std::uint64_t> hashes;
  for (const OnDisk& disk : from) {
    SpilledRowsReader reader(&disk.parts[part], &distinct_types_);
    Batch batch;
    while (TL_TRY(reader.Next(&batch))) {
      TL_TRY(own_->eval.CheckStillWanted());
      Vector numbers;
      const std::vector<std::uint32_t> rows =
          Translate(batch.columns[0], batch.row_count, disk.groups, &numbers);
      if (rows.empty()) continue;
      batch.columns[0] = std::move(numbers);
      const Selection selection = Listed(rows, batch.row_count);
      if (divide) {
        HashRows(std::span(batch.columns).subspan(1), selection, &hashes);
        TL_TRY(writer->Add(batch, selection, hashes));
      } else {
        TL_TRY(table.FindOrAdd(batch.columns, selection, &ignored));
      }
    }
  }
  if (!divide) return FeedDistinct(context, states, table);
  std::vector<OnDisk> divided(1);
  divided[0].parts = TL_TRY(writer->Finish());
  for (std::size_t sub = 0; sub < kPartitions; ++sub) {
    TL_TRY(ApplyPart(context, states, divided, sub, level + 1));
  }
  return OkStatus();
}

// Hands the rows of `table` to their groups, or keeps them for the order that is asked for.
Status DeferredRows::FeedDistinct(const functions::KernelContext& context, const StateStore& states,
                                  const GroupTable& table) {
  for (std::size_t first = 0; first < table.group_count(); first += kBatchRowsMax) {
    TL_TRY(own_->eval.CheckStillWanted());
    const std::size_t count = std::min(kBatchRowsMax, table.group_count() - first);
    Kept kept;
    const Vector numbers = table.KeyColumn(0, first, count);
    for (std::size_t i = 0; i < count; ++i) {
      kept.groups.push_back(static_cast<std::uint32_t>(numbers.values<std::int64_t>()[i]));
    }
    for (std::size_t k = 0; k < call_->argument_types.size(); ++k) {
      kept.columns.push_back(table.KeyColumn(k + 1, first, count));
    }
    if (call_->order_by.empty()) {
      TL_TRY(Feed(context, states, kept.columns, kept.groups));
      continue;
    }
    std::size_t bytes = 0;
    for (const std::size_t argument : call_->order_arguments) {
      kept.columns.push_back(kept.columns[argument]);
    }
    for (const Vector& column : kept.columns) bytes += KeptBytes(column);
    TL_TRY(memory_.Grow(bytes));
    kept_.push_back(std::move(kept));
  }
  return OkStatus();
}

Status DeferredRows::ApplyOrdered(const functions::KernelContext& context,
                                  const StateStore& states) {
  struct Entry {
    std::uint32_t group;
    RowPlace place;
    std::string key;
  };
  std::vector<Entry> entries;
  const std::size_t argument_count = call_->argument_types.size();
  for (std::size_t k = 0; k < kept_.size(); ++k) {
    TL_TRY(own_->eval.CheckStillWanted());
    for (std::size_t i = 0; i < kept_[k].groups.size(); ++i) {
      Entry entry{kept_[k].groups[i], {static_cast<std::uint32_t>(k), static_cast<std::uint32_t>(i)}, {}};
      for (std::size_t o = 0; o < call_->order_by.size(); ++o) {
        const KeyOrder order{call_->order_by[o].descending, call_->order_by[o].nulls_first};
        AppendSortKey(kept_[k].columns[argument_count + o], i, order, &entry.key);
      }
      TL_TRY(memory_.Grow(sizeof(Entry) + entry.key.capacity()));
      entries.push_back(std::move(entry));
    }
  }
  TL_TRY(LongSort(own_->eval, &entries, [](const Entry& a, const Entry& b) {
    return a.group != b.group ? a.group < b.group : a.key < b.key;
  }));
  for (std::size_t first = 0; first < entries.size(); first += kBatchRowsMax) {
    TL_TRY(own_->eval.CheckStillWanted());
    const std::size_t count = std::min(kBatchRowsMax, entries.size() - first);
    std::vector<RowPlace> places;
    std::vector<std::uint32_t> groups;
    for (std::size_t i = first; i < first + count; ++i) {
      places.push_back(entries[i].place);
      groups.push_back(entries[i].group);
    }
    std::vector<Vector> arguments;
    for (std::size_t a = 0; a < argument_count; ++a) {
      std::vector<const Vector*> sources;
      for (const Kept& kept : kept_) sources.push_back(&kept.columns[a]);
      arguments.push_back(Gather(call_->argument_types[a], sources, places));
    }
    TL_TRY(Feed(context, states, arguments, groups));
  }
  kept_.clear();
  memory_.Clear();
  return OkStatus();
}

// ---- AggregateGroups ----------------------------------------------------------------------------

AggregateGroups::AggregateGroups(const AggregateLayout* layout, std::vector<Type> key_types,
                                 OperatorContext* own)
    : layout_(layout),
      key_count_(key_types.size()),
      own_(own),
      budget_(own->memory.name(), own->memory.bytes_max(), &own->memory),
      call_states_(layout->calls.size()),
      table_(std::move(key_types), &budget_),
      states_(layout, &budget_) {
  for (std::size_t i = 0; i < layout->calls.size(); ++i) {
    functions::KernelContext kernel;
    kernel.now = own->eval.now;
    kernel.compat_profile = own->eval.compat_profile;
    kernel.result_type = &layout->calls[i].result_type;
    kernel.state = &call_states_[i];
    kernel.cancel = own->eval.cancel;
    kernel.memory = &budget_;
    contexts_.push_back(kernel);
    deferred_.push_back(layout->calls[i].deferred()
                            ? std::make_unique<DeferredRows>(&layout->calls[i], own, &budget_)
                            : nullptr);
  }
}

Status AggregateGroups::Prepare() {
  for (std::size_t i = 0; i < layout_->calls.size(); ++i) {
    LambdaSet lambdas = TL_TRY(LambdaSet::Make(layout_->calls[i].lambdas, own_->eval));
    lambdas_.push_back(std::move(lambdas));
    contexts_[i].lambdas = lambdas_.back().pointers();
  }
  return OkStatus();
}

std::size_t AggregateGroups::group_count() const {
  return key_count_ == 0 ? states_.size() : table_.group_count();
}

void AggregateGroups::FindChanges(std::span<const Vector> keys, const Selection& rows,
                                  std::vector<std::uint32_t>* first_rows) {
  first_rows->assign(1, rows[0]);
  changes_.assign((rows.size() + 7) / 8 * 8, 0);
  if (std::all_of(keys.begin(), keys.end(), [](const Vector& key) { return key.is_constant(); })) return;
  for (const Vector& key : keys) MarkChanges(key, rows, changes_.data());
  for (std::size_t i = 0; i < rows.size(); i += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, changes_.data() + i, sizeof(eight));
    if (eight == 0) continue;
    for (std::size_t at = std::max<std::size_t>(i, 1); at < std::min(i + 8, rows.size()); ++at) {
      if (changes_[at] != 0) first_rows->push_back(rows[at]);
    }
  }
}

Status AggregateGroups::FindGroups(std::span<const Vector> keys, std::size_t row_count,
                                   const Selection& rows, RunsOfBatch* runs) {
  runs->scattered = false;
  if (key_count_ == 0) {
    runs->first_row.assign(1, rows[0]);
    runs->group.assign(1, 0);
    return states_.Grow(1, contexts_);
  }
  lookup_.reset();  // it knows the groups of before
  FindChanges(keys, rows, &runs->first_row);
  TL_TRY(table_.FindOrAdd(keys, Selection::Of(runs->first_row), &runs->group));
  TL_TRY(states_.Grow(table_.group_count(), contexts_));
  if (rows.size() >= runs->first_row.size() * kRunRowsMin) return OkStatus();
  runs->scattered = true;
  runs->group_of_row.resize(row_count);
  std::size_t run = 0;
  std::size_t i = 0;
  rows.ForEach([&](std::uint32_t row) {
    if (i != 0 && changes_[i] != 0) ++run;
    ++i;
    runs->group_of_row[row] = runs->group[run];
  });
  return OkStatus();
}

Status AggregateGroups::UpdateRuns(const AggregateLayout::Call& call,
                                   const functions::KernelContext& context,
                                   std::span<const Vector> arguments, const Selection& rows,
                                   const RunsOfBatch& runs) {
  const std::size_t run_count = runs.first_row.size();
  if (run_count == 1) {
    return call.overload->update_one(context, arguments, rows,
                                     states_.At(runs.group[0]) + call.state_offset);
  }
  // Row numbers as a list, of which each run is a piece.
  std::span<const std::uint32_t> list = Iota().subspan(0, std::min(rows.size(), kBatchRowsMax));
  std::vector<std::uint32_t> own;
  if (!rows.is_all() || rows.size() > kBatchRowsMax) {
    own.reserve(rows.size());
    rows.ForEach([&](std::uint32_t row) { own.push_back(row); });
    list = own;
  }
  std::size_t at = 0;
  for (std::size_t run = 0; run < run_count; ++run) {
    std::size_t end = list.size();
    if (run + 1 < run_count) {
      const std::uint32_t next = runs.first_row[run + 1];
      // A run of a list without gaps ends where its row numbers say.
      end = rows.is_all() ? next
                          : static_cast<std::size_t>(
                                std::lower_bound(list.begin() + static_cast<std::ptrdiff_t>(at),
                                                 list.end(), next) -
                                list.begin());
    }
    if (end == at) continue;
    TL_TRY(call.overload->update_one(context, arguments, Selection::Of(list.subspan(at, end - at)),
                                     states_.At(runs.group[run]) + call.state_offset));
    at = end;
  }
  return OkStatus();
}

Status AggregateGroups::UpdateScattered(const AggregateLayout::Call& call,
                                        const functions::KernelContext& context,
                                        std::span<const Vector> arguments, const Selection& rows,
                                        const RunsOfBatch& runs) {
  scattered_states_.clear();
  rows.ForEach([&](std::uint32_t row) {
    scattered_states_.push_back(states_.At(runs.group_of_row[row]) + call.state_offset);
  });
  return call.overload->update(context, arguments, rows, scattered_states_.data());
}

Status AggregateGroups::Update(std::size_t index, std::span<const Vector> arguments,
                               std::span<const Vector> order_keys, const Selection& rows,
                               const RunsOfBatch& runs) {
  const AggregateLayout::Call& call = layout_->calls[index];
  if (call.skips_nulls && std::any_of(arguments.begin(), arguments.end(), [](const Vector& argument) {
        return argument.is_constant() && argument.IsNull(0);
      })) {
    return OkStatus();
  }
  Selection run = rows;
  std::vector<std::uint32_t> not_null;
  const bool may_skip = call.skips_nulls && std::any_of(arguments.begin(), arguments.end(),
                                                        [](const Vector& v) { return v.may_have_nulls(); });
  if (may_skip) {
    not_null.reserve(rows.size());
    rows.ForEach([&](std::uint32_t row) {
      for (const Vector& argument : arguments) {
        if (argument.IsNull(row)) return;
      }
      not_null.push_back(row);
    });
    // The whole batch stays the whole batch: kernels have a dense path for it.
    if (not_null.size() != rows.size()) run = Selection::Of(not_null);
  }
  if (run.empty()) return OkStatus();
  if (call.deferred()) {
    std::vector<std::uint32_t> groups;
    std::size_t at = 0;
    run.ForEach([&](std::uint32_t row) {
      if (runs.scattered) {
        groups.push_back(runs.group_of_row[row]);
        return;
      }
      while (at + 1 < runs.first_row.size() && runs.first_row[at + 1] <= row) ++at;
      groups.push_back(runs.group[at]);
    });
    return deferred_[index]->Add(arguments, order_keys, run, groups);
  }
  return runs.scattered ? UpdateScattered(call, contexts_[index], arguments, run, runs)
                        : UpdateRuns(call, contexts_[index], arguments, run, runs);
}

Status AggregateGroups::UpdateSummaries(std::size_t index, std::span<const RunSummary> summaries,
                                        const Selection& rows, const RunsOfBatch& runs) {
  const AggregateLayout::Call& call = layout_->calls[index];
  std::size_t at = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::uint32_t row = rows[i];
    if (summaries[row].count == 0) continue;
    while (!runs.scattered && at + 1 < runs.first_row.size() && runs.first_row[at + 1] <= row) ++at;
    const std::uint32_t group = runs.scattered ? runs.group_of_row[row] : runs.group[at];
    TL_TRY(call.overload->update_summary(contexts_[index], summaries[row], states_.At(group) + call.state_offset));
  }
  return OkStatus();
}

void AggregateGroups::LookUp(std::span<const Vector> keys, const Selection& rows,
                             std::vector<std::uint32_t>* groups) {
  if (lookup_ == nullptr) lookup_ = std::make_unique<GroupLookup>(&table_);
  lookup_->Find(keys, rows, groups);
}

Status AggregateGroups::Merge(AggregateGroups& other) {
  std::vector<std::uint32_t> groups;
  if (key_count_ == 0) {
    groups.assign(other.states_.size(), 0);
    TL_TRY(states_.Grow(std::max(groups.size(), states_.size()), contexts_));
  } else {
    TL_TRY(table_.Adopt(other.table_, &groups));
    TL_TRY(states_.Grow(table_.group_count(), contexts_));
  }
  return AdoptStates(other, groups, true);
}

Status AggregateGroups::AdoptStates(AggregateGroups& other, std::span<const std::uint32_t> groups,
                                    bool last) {
  for (std::size_t i = 0; i < layout_->calls.size(); ++i) {
    const AggregateLayout::Call& call = layout_->calls[i];
    if (call.deferred()) {
      TL_TRY(other.deferred_[i]->FinishSpill());
      TL_TRY(deferred_[i]->Adopt(*other.deferred_[i], groups, last));
      continue;
    }
    for (std::size_t group = 0; group < groups.size(); ++group) {
      if (group % kBatchRowsMax == 0) TL_TRY(own_->eval.CheckStillWanted());
      if (groups[group] == DeferredRows::kNoGroup) continue;
      TL_TRY(call.overload->combine(contexts_[i], other.states_.At(group) + call.state_offset,
                                    states_.At(groups[group]) + call.state_offset));
    }
  }
  return OkStatus();
}

Status AggregateGroups::MergePartition(AggregateGroups& other, std::span<const std::uint8_t> partitions,
                                       std::uint8_t partition) {
  std::vector<std::uint32_t> groups(partitions.size(), DeferredRows::kNoGroup);
  std::vector<std::uint32_t> rows;
  std::vector<std::uint32_t> found;
  for (std::size_t first = 0; first < partitions.size(); first += kBatchRowsMax) {
    TL_TRY(own_->eval.CheckStillWanted());
    const std::size_t count = std::min(kBatchRowsMax, partitions.size() - first);
    rows.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
      if (partitions[first + i] == partition) rows.push_back(i);
    }
    if (rows.empty()) continue;
    std::vector<Vector> keys;
    for (std::size_t key = 0; key < key_count_; ++key) {
      keys.push_back(other.table_.KeyColumn(key, first, count));
    }
    TL_TRY(table_.FindOrAdd(keys, Listed(rows, count), &found));
    for (std::size_t i = 0; i < rows.size(); ++i) groups[first + rows[i]] = found[i];
  }
  TL_TRY(states_.Grow(table_.group_count(), contexts_));
  return AdoptStates(other, groups, false);
}

std::vector<std::uint8_t> AggregateGroups::PartitionGroups(std::size_t level) const {
  std::vector<std::uint8_t> partitions;
  partitions.reserve(table_.group_count());
  std::vector<std::uint64_t> hashes;
  for (std::size_t first = 0; first < table_.group_count(); first += kBatchRowsMax) {
    const std::size_t count = std::min(kBatchRowsMax, table_.group_count() - first);
    std::vector<Vector> keys;
    for (std::size_t key = 0; key < key_count_; ++key) keys.push_back(table_.KeyColumn(key, first, count));
    HashRows(keys, Selection::All(count), &hashes);
    for (const std::uint64_t hash : hashes) {
      partitions.push_back(static_cast<std::uint8_t>(PartitionOf(hash, level)));
    }
  }
  return partitions;
}

Result<bool> AggregateGroups::SpillDistinct() {
  std::size_t bytes = 0;
  bool any = false;
  for (const auto& deferred : deferred_) {
    if (deferred == nullptr || !deferred->spillable()) continue;
    bytes += deferred->distinct_bytes();
    any = true;
  }
  if (!any || bytes < budget_.used_bytes() / 2) return false;
  for (const auto& deferred : deferred_) {
    if (deferred != nullptr && deferred->spillable()) TL_TRY(deferred->Spill());
  }
  return true;
}

Status AggregateGroups::Complete() {
  if (key_count_ == 0) {
    TL_TRY(states_.Grow(1, contexts_));
  }
  for (std::size_t i = 0; i < layout_->calls.size(); ++i) {
    if (deferred_[i] == nullptr) continue;
    TL_TRY(own_->eval.CheckStillWanted());
    TL_TRY(deferred_[i]->Apply(contexts_[i], states_));
  }
  return OkStatus();
}

Status AggregateGroups::Emit(std::size_t first, std::size_t count, Batch* batch) const {
  batch->columns.clear();
  batch->row_count = count;
  for (std::size_t key = 0; key < key_count_; ++key) {
    batch->columns.push_back(table_.KeyColumn(key, first, count));
  }
  for (std::size_t i = 0; i < layout_->calls.size(); ++i) {
    const AggregateLayout::Call& call = layout_->calls[i];
    Vector result = Vector::Flat(call.result_type, count);
    for (std::size_t row = 0; row < count; ++row) {
      TL_TRY(call.overload->finalize(contexts_[i], states_.At(first + row) + call.state_offset, row,
                                     &result));
    }
    batch->columns.push_back(std::move(result));
  }
  return OkStatus();
}

}  // namespace tideline::exec
