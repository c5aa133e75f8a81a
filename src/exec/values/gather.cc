#include "exec/values/gather.h"

#include <algorithm>
#include <array>

namespace tideline::exec {
namespace {

// What the inner loop needs of one source, found once.
struct SourceShape {
  const Vector* vector = nullptr;
  const Vector* base = nullptr;
  const std::uint64_t* validity = nullptr;

  bool IsNull(std::size_t index) const {
    return validity != nullptr && ((validity[index >> 6] >> (index & 63)) & 1) == 0;
  }
};

template <typename T>
void GatherFixed(std::span<const SourceShape> shapes, std::span<const RowPlace> places, Vector* out) {
  T* values = out->mutable_values<T>();
  for (std::size_t i = 0; i < places.size(); ++i) {
    const RowPlace place = places[i];
    if (place.source == RowPlace::kNull) {
      values[i] = T{};
      out->SetNull(i);
      continue;
    }
    const SourceShape& shape = shapes[place.source];
    const std::size_t index = shape.vector->Index(place.row);
    if (shape.IsNull(index)) {
      values[i] = T{};
      out->SetNull(i);
    } else {
      values[i] = shape.base->values<T>()[index];
    }
  }
}

// Child `index` of a source; null pointer for a source that no place names or that is all null.
const Vector* ChildOf(const SourceShape& shape, const Type& type, std::size_t index) {
  if (shape.base == nullptr || shape.base->type().child_count() != type.child_count()) return nullptr;
  return &shape.base->child(index);
}

// Below so many elements, copying those that several rows share is no loss.
constexpr std::uint64_t kSharedElementsMin = 65'536;

// Elements of the rows of all places, and of the sources as they lie in memory.
struct ListSizes {
  std::uint64_t of_rows = 0;
  std::uint64_t of_sources = 0;
};
ListSizes SizesOf(std::span<const SourceShape> shapes, std::span<const RowPlace> places) {
  ListSizes sizes;
  for (const RowPlace place : places) {
    if (place.source == RowPlace::kNull) continue;
    const SourceShape& shape = shapes[place.source];
    const std::size_t index = shape.vector->Index(place.row);
    if (!shape.IsNull(index)) sizes.of_rows += shape.base->values<ListEntry>()[index].length;
  }
  for (const SourceShape& shape : shapes) {
    if (shape.base != nullptr && shape.base->child_count() > 0) sizes.of_sources += shape.base->child(0).size();
  }
  return sizes;
}

// Lists that share their elements: all elements of each source, once, and entries that point there.
void ShareLists(std::span<const SourceShape> shapes, std::span<const RowPlace> places, ListEntry* entries,
                Vector* out, std::vector<RowPlace>* elements) {
  std::vector<std::uint32_t> first(shapes.size(), 0);
  for (std::size_t s = 0; s < shapes.size(); ++s) {
    first[s] = static_cast<std::uint32_t>(elements->size());
    if (shapes[s].base == nullptr || shapes[s].base->child_count() == 0) continue;
    const std::size_t count = shapes[s].base->child(0).size();
    for (std::size_t k = 0; k < count; ++k) {
      elements->push_back({static_cast<std::uint32_t>(s), static_cast<std::uint32_t>(k)});
    }
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    const RowPlace place = places[i];
    const bool no_source = place.source == RowPlace::kNull;
    const std::size_t index = no_source ? 0 : shapes[place.source].vector->Index(place.row);
    entries[i] = {0, 0};
    if (no_source || shapes[place.source].IsNull(index)) {
      out->SetNull(i);
      continue;
    }
    entries[i] = shapes[place.source].base->values<ListEntry>()[index];
    entries[i].offset += first[place.source];
  }
}

// Lists: lay out the entries, then gather the elements of all of them one level down.
void LayOutLists(std::span<const SourceShape> shapes, std::span<const RowPlace> places, ListEntry* entries,
                 Vector* out, std::vector<RowPlace>* laid_out) {
  std::vector<RowPlace>& elements = *laid_out;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const RowPlace place = places[i];
    entries[i] = {static_cast<std::uint32_t>(elements.size()), 0};
    if (place.source == RowPlace::kNull) {
      out->SetNull(i);
      continue;
    }
    const SourceShape& shape = shapes[place.source];
    const std::size_t index = shape.vector->Index(place.row);
    if (shape.IsNull(index)) {
      out->SetNull(i);
      continue;
    }
    const ListEntry entry = shape.base->values<ListEntry>()[index];
    entries[i].length = entry.length;
    for (std::uint32_t k = 0; k < entry.length; ++k) {
      elements.push_back({place.source, entry.offset + k});
    }
  }
}

void GatherLists(const Type& type, std::span<const SourceShape> shapes,
                 std::span<const RowPlace> places, Vector* out) {
  ListEntry* entries = out->mutable_values<ListEntry>();
  std::vector<RowPlace> elements;
  const ListSizes sizes = SizesOf(shapes, places);
  if (sizes.of_rows > kSharedElementsMin && sizes.of_rows > 2 * sizes.of_sources) {
    ShareLists(shapes, places, entries, out, &elements);
  } else {
    LayOutLists(shapes, places, entries, out, &elements);
  }
  TL_CHECK(elements.size() < UINT32_MAX);
  std::vector<const Vector*> children(shapes.size());
  for (std::size_t c = 0; c < type.child_count(); ++c) {
    for (std::size_t s = 0; s < shapes.size(); ++s) {
      children[s] = ChildOf(shapes[s], type, c);
    }
    out->SetChild(c, Gather(type.child(c), children, elements));
  }
}

void GatherRowValues(const Type& type, std::span<const SourceShape> shapes,
                     std::span<const RowPlace> places, Vector* out) {
  std::vector<RowPlace> inner(places.begin(), places.end());
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (inner[i].source != RowPlace::kNull) {
      const SourceShape& shape = shapes[inner[i].source];
      const std::size_t index = shape.vector->Index(inner[i].row);
      inner[i].row = static_cast<std::uint32_t>(index);
      if (shape.IsNull(index)) inner[i].source = RowPlace::kNull;
    }
    if (inner[i].source == RowPlace::kNull) out->SetNull(i);
  }
  std::vector<const Vector*> children(shapes.size());
  for (std::size_t c = 0; c < type.child_count(); ++c) {
    for (std::size_t s = 0; s < shapes.size(); ++s) {
      children[s] = ChildOf(shapes[s], type, c);
    }
    out->SetChild(c, Gather(type.child(c), children, inner));
  }
}

}  // namespace

Vector Gather(const Type& type, std::span<const Vector* const> sources,
              std::span<const RowPlace> places) {
  std::vector<SourceShape> shapes(sources.size());
  std::vector<bool> used(sources.size(), false);
  for (const RowPlace& place : places) {
    if (place.source != RowPlace::kNull) used[place.source] = true;
  }
  Vector out = Vector::Flat(type, places.size());
  std::vector<const Vector*> texts;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i] == nullptr || !used[i]) continue;
    shapes[i] = {sources[i], &sources[i]->base(), sources[i]->validity()};
    if (type.physical() == PhysicalType::kString) texts.push_back(sources[i]);
  }
  if (!texts.empty()) out.ShareText(texts);
  switch (type.physical()) {
    case PhysicalType::kBool8:
      GatherFixed<std::uint8_t>(shapes, places, &out);
      break;
    case PhysicalType::kInt32:
      GatherFixed<std::int32_t>(shapes, places, &out);
      break;
    case PhysicalType::kInt64:
      GatherFixed<std::int64_t>(shapes, places, &out);
      break;
    case PhysicalType::kDouble:
      GatherFixed<double>(shapes, places, &out);
      break;
    case PhysicalType::kInt128:
      GatherFixed<Int128>(shapes, places, &out);
      break;
    case PhysicalType::kString:
      GatherFixed<StringRef>(shapes, places, &out);
      break;
    case PhysicalType::kList:
      GatherLists(type, shapes, places, &out);
      break;
    case PhysicalType::kRow:
      GatherRowValues(type, shapes, places, &out);
      break;
  }
  return out;
}

namespace {

template <typename T>
void CopyRowValues(const Vector& from, const std::uint32_t* rows, std::size_t count, Vector* out) {
  const T* source = from.values<T>();
  T* values = out->mutable_values<T>();
  for (std::size_t i = 0; i < count; ++i) values[i] = source[rows[i]];
}

// Rows of a flat vector of plain values: most of what joins and sorts move.
Vector GatherPlain(const Vector& from, std::span<const std::uint32_t> rows) {
  Vector out = Vector::Flat(from.type(), rows.size());
  switch (from.type().physical()) {
    case PhysicalType::kBool8:
      CopyRowValues<std::uint8_t>(from, rows.data(), rows.size(), &out);
      break;
    case PhysicalType::kInt32:
      CopyRowValues<std::int32_t>(from, rows.data(), rows.size(), &out);
      break;
    case PhysicalType::kInt64:
      CopyRowValues<std::int64_t>(from, rows.data(), rows.size(), &out);
      break;
    case PhysicalType::kDouble:
      CopyRowValues<double>(from, rows.data(), rows.size(), &out);
      break;
    case PhysicalType::kInt128:
      CopyRowValues<Int128>(from, rows.data(), rows.size(), &out);
      break;
    case PhysicalType::kString:
      CopyRowValues<StringRef>(from, rows.data(), rows.size(), &out);
      out.ShareText(from);
      break;
    case PhysicalType::kList:
    case PhysicalType::kRow:
      TL_CHECK(false);
  }
  if (const std::uint64_t* validity = from.validity(); validity != nullptr) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (((validity[rows[i] >> 6] >> (rows[i] & 63)) & 1) == 0) out.SetNull(i);
    }
  }
  return out;
}

}  // namespace

Vector GatherRows(const Vector& vector, std::span<const std::uint32_t> rows) {
  if (vector.kind() == VectorKind::kFlat && !vector.type().is_nested()) return GatherPlain(vector, rows);
  std::vector<RowPlace> places(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) places[i] = {0, rows[i]};
  const Vector* source = &vector;
  return Gather(vector.type(), {&source, 1}, places);
}

namespace {

// Text that is not part of a flat vector's values, without that of its children.
std::size_t OwnTextBytes(const Vector& vector) {
  if (vector.kind() != VectorKind::kFlat || vector.type().physical() != PhysicalType::kString) return 0;
  const StringRef* values = vector.values<StringRef>();
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < vector.size(); ++i) bytes += values[i].is_inline() ? 0 : values[i].size();
  return bytes;
}

std::size_t TextBytes(const Vector& flat) {
  std::size_t bytes = OwnTextBytes(flat);
  for (std::size_t c = 0; c < flat.child_count(); ++c) bytes += TextBytes(flat.child(c));
  return bytes;
}

}  // namespace

Vector KeepRows(const Vector& vector, std::span<const std::uint32_t> rows) {
  if (vector.kind() != VectorKind::kFlat) return vector.Slice(rows);
  Vector kept = GatherRows(vector, rows);
  if (rows.size() == vector.size()) return kept;
  const std::size_t all = TextBytes(vector);
  if (all > 0 && TextBytes(kept) <= all / 2) OwnText(&kept);
  return kept;
}

void OwnText(Vector* kept) {
  if (kept->kind() == VectorKind::kFlat && TextBytes(*kept) <= kOwnTextBytesMax) kept->OwnText();
}

std::size_t KeptBytes(const Vector& vector) {
  if (vector.is_constant()) return sizeof(Vector);
  if (vector.kind() == VectorKind::kDictionary) {
    return sizeof(Vector) + vector.size() * sizeof(std::uint32_t);
  }
  std::size_t bytes = sizeof(Vector) + vector.size() * vector.type().value_bytes() + OwnTextBytes(vector);
  for (std::size_t c = 0; c < vector.child_count(); ++c) bytes += KeptBytes(vector.child(c));
  return bytes;
}

namespace {

constexpr std::uint64_t kElementsCountMax = std::uint64_t{1} << 62;

std::uint64_t AddElements(std::uint64_t a, std::uint64_t b) { return std::min(a + b, kElementsCountMax); }

// What row `row` of a flat `vector` holds, one level: its elements, and theirs by `below` (counts of all rows of the
// children before each, or none when they are no lists).
using Totals = std::vector<std::uint64_t>;

// totals[i]: elements of the rows of `vector` before row i; empty when it has none.
Totals TotalsOf(const Vector& vector);

std::uint64_t ElementsInRow(const Vector& base, std::span<const Totals> children, std::size_t index) {
  if (base.IsNull(index)) return 0;
  std::uint64_t count = 0;
  const bool is_list = base.type().physical() == PhysicalType::kList;
  const ListEntry entry = is_list ? base.values<ListEntry>()[index] : ListEntry{static_cast<std::uint32_t>(index), 1};
  if (is_list) count = entry.length;
  for (const Totals& totals : children) {
    if (totals.empty() || entry.length == 0) continue;
    count = AddElements(count, totals[entry.offset + entry.length] - totals[entry.offset]);
  }
  return count;
}

std::vector<Totals> TotalsOfChildren(const Vector& base) {
  std::vector<Totals> children;
  for (std::size_t c = 0; c < base.child_count(); ++c) children.push_back(TotalsOf(base.child(c)));
  return children;
}

Totals TotalsOf(const Vector& vector) {
  if (!vector.type().is_nested()) return {};
  const std::vector<Totals> children = TotalsOfChildren(vector.base());
  Totals totals(vector.size() + 1, 0);
  for (std::size_t i = 0; i < vector.size(); ++i) {
    totals[i + 1] = AddElements(totals[i], ElementsInRow(vector.base(), children, vector.Index(i)));
  }
  return totals;
}

}  // namespace

std::uint64_t ElementsOf(const Vector& vector, const Selection& rows) {
  const std::vector<Totals> children = TotalsOfChildren(vector.base());
  std::uint64_t count = 0;
  rows.ForEach([&](std::uint32_t row) {
    count = AddElements(count, ElementsInRow(vector.base(), children, vector.Index(row)));
  });
  return count;
}

std::size_t RowsWithin(const Batch& batch, std::span<const std::uint32_t> rows, std::size_t bytes_max) {
  std::size_t fixed = 0;
  std::vector<const Vector*> texts;
  for (const Vector& column : batch.columns) {
    const Vector& base = column.base();
    fixed += column.type().value_bytes();
    if (column.type().physical() == PhysicalType::kString) {
      texts.push_back(&column);
      continue;
    }
    if (base.child_count() == 0 || base.size() == 0) continue;
    std::size_t children = 0;
    for (std::size_t c = 0; c < base.child_count(); ++c) children += KeptBytes(base.child(c));
    fixed += children / base.size();
  }
  if (texts.empty() && fixed * rows.size() <= bytes_max) return rows.size();
  std::size_t bytes = 0;
  std::size_t count = 0;
  while (count < rows.size() && bytes <= bytes_max) {
    bytes += fixed;
    for (const Vector* column : texts) {
      const std::size_t index = column->Index(rows[count]);
      if (column->base().IsNull(index)) continue;
      const StringRef& text = column->base().values<StringRef>()[index];
      bytes += text.is_inline() ? 0 : text.size();
    }
    ++count;
  }
  return count;
}

std::span<const std::uint32_t> Iota() {
  static constexpr auto kIota = [] {
    std::array<std::uint32_t, kBatchRowsMax> rows{};
    for (std::uint32_t i = 0; i < kBatchRowsMax; ++i) rows[i] = i;
    return rows;
  }();
  return kIota;
}

}  // namespace tideline::exec
