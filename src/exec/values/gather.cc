#include "exec/values/gather.h"

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

// Lists: lay out the entries, then gather the elements of all of them one level down.
void GatherLists(const Type& type, std::span<const SourceShape> shapes,
                 std::span<const RowPlace> places, Vector* out) {
  ListEntry* entries = out->mutable_values<ListEntry>();
  std::vector<RowPlace> elements;
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
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i] == nullptr || !used[i]) continue;
    shapes[i] = {sources[i], &sources[i]->base(), sources[i]->validity()};
    if (type.physical() == PhysicalType::kString) out.ShareText(*sources[i]);
  }
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

Vector GatherRows(const Vector& vector, std::span<const std::uint32_t> rows) {
  std::vector<RowPlace> places(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) places[i] = {0, rows[i]};
  const Vector* source = &vector;
  return Gather(vector.type(), {&source, 1}, places);
}

std::size_t KeptBytes(const Vector& vector) {
  if (vector.is_constant()) return sizeof(Vector);
  if (vector.kind() == VectorKind::kDictionary) {
    return sizeof(Vector) + vector.size() * sizeof(std::uint32_t);
  }
  std::size_t bytes = sizeof(Vector) + vector.size() * vector.type().value_bytes();
  if (vector.type().physical() == PhysicalType::kString) {
    const StringRef* values = vector.values<StringRef>();
    for (std::size_t i = 0; i < vector.size(); ++i) bytes += values[i].is_inline() ? 0 : values[i].size();
  }
  for (std::size_t c = 0; c < vector.child_count(); ++c) bytes += KeptBytes(vector.child(c));
  return bytes;
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
