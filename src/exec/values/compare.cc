#include "exec/values/compare.h"

#include <algorithm>
#include <cstring>

namespace tideline::exec {
namespace {

Tri Of(bool equal) { return equal ? Tri::kTrue : Tri::kFalse; }

// Unknown unless some element differs for certain.
Tri And(Tri a, Tri b) {
  if (a == Tri::kFalse || b == Tri::kFalse) return Tri::kFalse;
  return a == Tri::kUnknown || b == Tri::kUnknown ? Tri::kUnknown : Tri::kTrue;
}

Tri EqualLists(const Vector& a, std::size_t i, const Vector& b, std::size_t j) {
  const ListEntry left = a.values<ListEntry>()[i];
  const ListEntry right = b.values<ListEntry>()[j];
  if (left.length != right.length) return Tri::kFalse;
  Tri result = Tri::kTrue;
  for (std::uint32_t k = 0; k < left.length && result != Tri::kFalse; ++k) {
    for (std::size_t c = 0; c < a.child_count(); ++c) {
      result = And(result, SqlEqual(a.child(c), left.offset + k, b.child(c), right.offset + k));
    }
  }
  return result;
}

// Big-endian bytes of an unsigned word, so that memcmp orders as the number does.
template <typename U>
void AppendBigEndian(U word, std::string* out) {
  char bytes[sizeof(U)];
  for (std::size_t i = 0; i < sizeof(U); ++i) {
    bytes[i] = static_cast<char>(word >> (8 * (sizeof(U) - 1 - i)));
  }
  out->append(bytes, sizeof(U));
}

std::uint64_t OrderedBits(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(CanonicalDouble(value));
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

// Text: a zero byte becomes 00 ff, the end 00 00, so that a prefix sorts first.
void AppendOrderedText(std::string_view text, std::string* out) {
  std::size_t from = 0;
  for (;;) {
    const std::size_t zero = text.find('\0', from);
    out->append(text.substr(from, zero - from));
    if (zero == std::string_view::npos) break;
    out->append("\0\xff", 2);
    from = zero + 1;
  }
  out->append("\0\0", 2);
}

void AppendOrdered(const Vector& vector, std::size_t row, std::string* out);

// Inside a nested value: a marker, then the value; null sorts last.
void AppendElement(const Vector& vector, std::size_t row, std::string* out) {
  if (vector.IsNull(row)) {
    out->push_back('\x02');
    return;
  }
  out->push_back('\x01');
  AppendOrdered(vector, row, out);
}

// A row that is not null.
void AppendOrdered(const Vector& vector, std::size_t row, std::string* out) {
  const Vector& base = vector.base();
  const std::size_t index = vector.Index(row);
  switch (vector.type().physical()) {
    case PhysicalType::kBool8:
      out->push_back(static_cast<char>(base.values<std::uint8_t>()[index]));
      return;
    case PhysicalType::kInt32:
      AppendBigEndian(static_cast<std::uint32_t>(base.values<std::int32_t>()[index]) ^ 0x80000000U,
                      out);
      return;
    case PhysicalType::kInt64:
      AppendBigEndian(
          static_cast<std::uint64_t>(base.values<std::int64_t>()[index]) ^ (std::uint64_t{1} << 63),
          out);
      return;
    case PhysicalType::kDouble:
      AppendBigEndian(OrderedBits(base.values<double>()[index]), out);
      return;
    case PhysicalType::kInt128: {
      const Int128 bits = base.values<Int128>()[index];
      AppendBigEndian(static_cast<std::uint64_t>(bits >> 64) ^ (std::uint64_t{1} << 63), out);
      AppendBigEndian(static_cast<std::uint64_t>(bits), out);
      return;
    }
    case PhysicalType::kString:
      AppendOrderedText(base.values<StringRef>()[index].view(), out);
      return;
    case PhysicalType::kList: {
      const ListEntry entry = base.values<ListEntry>()[index];
      for (std::uint32_t k = 0; k < entry.length; ++k) {
        for (std::size_t c = 0; c < base.child_count(); ++c) {
          AppendElement(base.child(c), entry.offset + k, out);
        }
      }
      out->push_back('\0');
      return;
    }
    case PhysicalType::kRow:
      for (std::size_t c = 0; c < base.child_count(); ++c) AppendElement(base.child(c), index, out);
      return;
  }
}

}  // namespace

Tri SqlEqual(const Vector& a, std::size_t i, const Vector& b, std::size_t j) {
  if (a.IsNull(i) || b.IsNull(j)) return Tri::kUnknown;
  const Vector& left = a.base();
  const Vector& right = b.base();
  const std::size_t x = a.Index(i);
  const std::size_t y = b.Index(j);
  TL_DCHECK(a.type().physical() == b.type().physical());
  switch (a.type().physical()) {
    case PhysicalType::kBool8:
      return Of(left.values<std::uint8_t>()[x] == right.values<std::uint8_t>()[y]);
    case PhysicalType::kInt32:
      return Of(left.values<std::int32_t>()[x] == right.values<std::int32_t>()[y]);
    case PhysicalType::kInt64:
      return Of(left.values<std::int64_t>()[x] == right.values<std::int64_t>()[y]);
    case PhysicalType::kDouble:
      return Of(left.values<double>()[x] == right.values<double>()[y]);
    case PhysicalType::kInt128:
      return Of(left.values<Int128>()[x] == right.values<Int128>()[y]);
    case PhysicalType::kString:
      return Of(left.values<StringRef>()[x] == right.values<StringRef>()[y]);
    case PhysicalType::kList:
      return EqualLists(left, x, right, y);
    case PhysicalType::kRow: {
      Tri result = Tri::kTrue;
      for (std::size_t c = 0; c < left.child_count() && result != Tri::kFalse; ++c) {
        result = And(result, SqlEqual(left.child(c), x, right.child(c), y));
      }
      return result;
    }
  }
  return Tri::kUnknown;
}

void AppendGroupKey(const Vector& vector, std::size_t row, std::string* out) {
  // The order's bytes are canonical and free of prefixes, which is all that equality asks.
  AppendElement(vector, row, out);
}

void AppendSortKey(const Vector& vector, std::size_t row, const KeyOrder& order, std::string* out) {
  if (vector.IsNull(row)) {
    out->push_back(order.nulls_first ? '\0' : '\x02');
    return;
  }
  out->push_back('\x01');
  const std::size_t from = out->size();
  AppendOrdered(vector, row, out);
  if (!order.descending) return;
  for (std::size_t i = from; i < out->size(); ++i) (*out)[i] = static_cast<char>(~(*out)[i]);
}

}  // namespace tideline::exec
