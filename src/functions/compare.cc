#include "functions/compare.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"

namespace tideline::functions {
namespace {

template <typename T>
int Three(const T& a, const T& b) {
  if (a < b) return -1;
  return b < a ? 1 : 0;
}

// Order of two non-null scalars at physical rows of flat vectors.
int OrderScalars(const Vector& a, std::size_t i, const Vector& b, std::size_t j) {
  switch (a.type().physical()) {
    case PhysicalType::kBool8:
      return Three(a.values<std::uint8_t>()[i], b.values<std::uint8_t>()[j]);
    case PhysicalType::kInt32:
      return Three(a.values<std::int32_t>()[i], b.values<std::int32_t>()[j]);
    case PhysicalType::kInt64:
      return Three(a.values<std::int64_t>()[i], b.values<std::int64_t>()[j]);
    case PhysicalType::kDouble:
      return OrderDoubles(a.values<double>()[i], b.values<double>()[j]);
    case PhysicalType::kInt128:
      return Three(a.values<Int128>()[i], b.values<Int128>()[j]);
    default:
      return a.values<StringRef>()[i].Compare(b.values<StringRef>()[j]);
  }
}

std::optional<bool> And(std::optional<bool> a, std::optional<bool> b) {
  if ((a && !*a) || (b && !*b)) return false;
  return a && b ? std::optional(true) : std::nullopt;
}

std::optional<bool> EqualElements(const Vector& a, std::size_t i, const Vector& b, std::size_t j) {
  if (a.IsNull(i) || b.IsNull(j)) return std::nullopt;
  return EqualRows(a, i, b, j);
}

// Maps are equal when each key of one is in the other with an equal value.
template <typename KeysAlike, typename ValuesAlike>
std::optional<bool> EqualMaps(const Vector& a, ListEntry x, const Vector& b, ListEntry y,
                              KeysAlike&& keys_alike, ValuesAlike&& values_alike) {
  if (x.length != y.length) return false;
  std::optional<bool> equal = true;
  for (std::uint32_t i = x.offset; i < x.offset + x.length; ++i) {
    std::uint32_t j = y.offset;
    while (j < y.offset + y.length && !keys_alike(a.child(0), i, b.child(0), j)) ++j;
    if (j == y.offset + y.length) return false;
    equal = And(equal, values_alike(a.child(1), i, b.child(1), j));
  }
  return equal;
}

std::uint64_t HashScalar(const Vector& a, std::size_t i) {
  switch (a.type().physical()) {
    case PhysicalType::kBool8:
      return MixHash(a.values<std::uint8_t>()[i]);
    case PhysicalType::kInt32:
      return MixHash(static_cast<std::uint64_t>(a.values<std::int32_t>()[i]));
    case PhysicalType::kInt64:
      return MixHash(static_cast<std::uint64_t>(a.values<std::int64_t>()[i]));
    case PhysicalType::kDouble: {
      double value = a.values<double>()[i];
      if (value == 0) value = 0;  // -0.0
      if (std::isnan(value)) value = std::nan("");
      std::uint64_t bits;
      std::memcpy(&bits, &value, sizeof(bits));
      return MixHash(bits);
    }
    case PhysicalType::kInt128: {
      const Int128 value = a.values<Int128>()[i];
      return CombineHash(static_cast<std::uint64_t>(value),
                         static_cast<std::uint64_t>(value >> 64));
    }
    default:
      return Hash64(a.values<StringRef>()[i].view());
  }
}

}  // namespace

std::optional<bool> EqualRows(const Vector& va, std::size_t row_a, const Vector& vb,
                              std::size_t row_b) {
  const Vector& a = va.base();
  const Vector& b = vb.base();
  const std::size_t i = va.Index(row_a);
  const std::size_t j = vb.Index(row_b);
  switch (a.type().id()) {
    case TypeId::kDouble:
      return a.values<double>()[i] == b.values<double>()[j];
    case TypeId::kVarchar:
    case TypeId::kVarbinary:
    case TypeId::kJson:
      return a.values<StringRef>()[i] == b.values<StringRef>()[j];
    case TypeId::kMap:
      return EqualMaps(
          a, a.values<ListEntry>()[i], b, b.values<ListEntry>()[j],
          [](const Vector& x, std::size_t p, const Vector& y, std::size_t q) {
            return SameRows(x, p, y, q);
          },
          [](const Vector& x, std::size_t p, const Vector& y, std::size_t q) {
            return EqualElements(x, p, y, q);
          });
    case TypeId::kArray: {
      const ListEntry x = a.values<ListEntry>()[i];
      const ListEntry y = b.values<ListEntry>()[j];
      if (x.length != y.length) return false;
      std::optional<bool> equal = true;
      for (std::uint32_t k = 0; k < x.length && equal != false; ++k) {
        equal = And(equal, EqualElements(a.child(0), x.offset + k, b.child(0), y.offset + k));
      }
      return equal;
    }
    case TypeId::kRow: {
      std::optional<bool> equal = true;
      for (std::size_t k = 0; k < a.child_count() && equal != false; ++k) {
        equal = And(equal, EqualElements(a.child(k), i, b.child(k), j));
      }
      return equal;
    }
    default:
      return OrderScalars(a, i, b, j) == 0;
  }
}

bool SameRows(const Vector& va, std::size_t row_a, const Vector& vb, std::size_t row_b) {
  const bool null_a = va.IsNull(row_a);
  const bool null_b = vb.IsNull(row_b);
  if (null_a || null_b) return null_a && null_b;
  const Vector& a = va.base();
  const Vector& b = vb.base();
  const std::size_t i = va.Index(row_a);
  const std::size_t j = vb.Index(row_b);
  switch (a.type().id()) {
    case TypeId::kMap: {
      const auto same = [](const Vector& x, std::size_t p, const Vector& y, std::size_t q) {
        return SameRows(x, p, y, q);
      };
      return EqualMaps(a, a.values<ListEntry>()[i], b, b.values<ListEntry>()[j], same, same)
          .value_or(false);
    }
    case TypeId::kArray:
    case TypeId::kTimeseries: {
      const ListEntry x = a.values<ListEntry>()[i];
      const ListEntry y = b.values<ListEntry>()[j];
      if (x.length != y.length) return false;
      for (std::size_t c = 0; c < a.child_count(); ++c) {
        for (std::uint32_t k = 0; k < x.length; ++k) {
          if (!SameRows(a.child(c), x.offset + k, b.child(c), y.offset + k)) return false;
        }
      }
      return true;
    }
    case TypeId::kRow:
      for (std::size_t k = 0; k < a.child_count(); ++k) {
        if (!SameRows(a.child(k), i, b.child(k), j)) return false;
      }
      return true;
    case TypeId::kVarchar:
    case TypeId::kVarbinary:
    case TypeId::kJson:
      return a.values<StringRef>()[i] == b.values<StringRef>()[j];
    default:
      return OrderScalars(a, i, b, j) == 0;
  }
}

std::uint64_t HashRow(const Vector& va, std::size_t row) {
  static constexpr std::uint64_t kNullHash = 0x9ae16a3b2f90404fU;
  if (va.IsNull(row)) return kNullHash;
  const Vector& a = va.base();
  const std::size_t i = va.Index(row);
  switch (a.type().physical()) {
    case PhysicalType::kList: {
      const ListEntry entry = a.values<ListEntry>()[i];
      const bool is_map = a.type().is(TypeId::kMap);
      std::uint64_t hash = MixHash(entry.length);
      for (std::uint32_t k = entry.offset; k < entry.offset + entry.length; ++k) {
        std::uint64_t one = HashRow(a.child(0), k);
        if (a.child_count() > 1) one = CombineHash(one, HashRow(a.child(1), k));
        hash = is_map ? hash + one : CombineHash(hash, one);  // a map has no order
      }
      return hash;
    }
    case PhysicalType::kRow: {
      std::uint64_t hash = 0;
      for (std::size_t k = 0; k < a.child_count(); ++k) {
        hash = CombineHash(hash, HashRow(a.child(k), i));
      }
      return hash;
    }
    default:
      return HashScalar(a, i);
  }
}

namespace {

// Lists and rows, element by element; `order` answers for two elements, or nothing to give up.
template <typename OrderElements>
std::optional<int> OrderNested(const Vector& a, std::size_t i, const Vector& b, std::size_t j,
                               OrderElements&& order) {
  if (a.type().physical() == PhysicalType::kRow) {
    for (std::size_t k = 0; k < a.child_count(); ++k) {
      const std::optional<int> one = order(a.child(k), i, b.child(k), j);
      if (one != 0) return one;
    }
    return 0;
  }
  const ListEntry x = a.values<ListEntry>()[i];
  const ListEntry y = b.values<ListEntry>()[j];
  for (std::uint32_t k = 0; k < std::min(x.length, y.length); ++k) {
    for (std::size_t c = 0; c < a.child_count(); ++c) {
      const std::optional<int> one = order(a.child(c), x.offset + k, b.child(c), y.offset + k);
      if (one != 0) return one;
    }
  }
  return Three(x.length, y.length);
}

bool IsNested(const Vector& a) {
  return a.type().physical() == PhysicalType::kList || a.type().physical() == PhysicalType::kRow;
}

}  // namespace

int OrderRows(const Vector& va, std::size_t row_a, const Vector& vb, std::size_t row_b) {
  const bool null_a = va.IsNull(row_a);
  const bool null_b = vb.IsNull(row_b);
  if (null_a || null_b) return static_cast<int>(null_a) - static_cast<int>(null_b);
  const Vector& a = va.base();
  const Vector& b = vb.base();
  const std::size_t i = va.Index(row_a);
  const std::size_t j = vb.Index(row_b);
  if (!IsNested(a)) return OrderScalars(a, i, b, j);
  return *OrderNested(a, i, b, j,
                      [](const Vector& x, std::size_t p, const Vector& y, std::size_t q) {
                        return std::optional<int>(OrderRows(x, p, y, q));
                      });
}

int OrderRowsUnorderedFirst(const Vector& va, std::size_t row_a, const Vector& vb,
                            std::size_t row_b) {
  const bool null_a = va.IsNull(row_a);
  const bool null_b = vb.IsNull(row_b);
  if (null_a || null_b) return static_cast<int>(null_b) - static_cast<int>(null_a);
  const Vector& a = va.base();
  const Vector& b = vb.base();
  const std::size_t i = va.Index(row_a);
  const std::size_t j = vb.Index(row_b);
  if (a.type().is(TypeId::kDouble)) {
    const bool nan_a = std::isnan(a.values<double>()[i]);
    const bool nan_b = std::isnan(b.values<double>()[j]);
    if (nan_a || nan_b) return static_cast<int>(nan_b) - static_cast<int>(nan_a);
  }
  if (!IsNested(a)) return OrderScalars(a, i, b, j);
  return *OrderNested(a, i, b, j,
                      [](const Vector& x, std::size_t p, const Vector& y, std::size_t q) {
                        return std::optional<int>(OrderRowsUnorderedFirst(x, p, y, q));
                      });
}

std::optional<int> OrderRowsIfKnown(const Vector& va, std::size_t row_a, const Vector& vb,
                                    std::size_t row_b) {
  const Vector& a = va.base();
  const Vector& b = vb.base();
  const std::size_t i = va.Index(row_a);
  const std::size_t j = vb.Index(row_b);
  if (!IsNested(a)) return OrderScalars(a, i, b, j);
  return OrderNested(a, i, b, j,
                     [](const Vector& x, std::size_t p, const Vector& y,
                        std::size_t q) -> std::optional<int> {
                       if (x.IsNull(p) || y.IsNull(q)) return std::nullopt;
                       return OrderRowsIfKnown(x, p, y, q);
                     });
}

bool HoldsNull(const Vector& va, std::size_t row) {
  const Vector& a = va.base();
  const std::size_t i = va.Index(row);
  if (a.type().physical() == PhysicalType::kRow) {
    for (std::size_t k = 0; k < a.child_count(); ++k) {
      if (a.child(k).IsNull(i) || HoldsNull(a.child(k), i)) return true;
    }
  } else if (a.type().physical() == PhysicalType::kList) {
    const ListEntry entry = a.values<ListEntry>()[i];
    for (std::size_t c = 0; c < a.child_count(); ++c) {
      for (std::uint32_t k = entry.offset; k < entry.offset + entry.length; ++k) {
        if (a.child(c).IsNull(k) || HoldsNull(a.child(c), k)) return true;
      }
    }
  }
  return false;
}

}  // namespace tideline::functions
