#include "functions/cast.h"

#include <cmath>
#include <limits>
#include <numeric>

#include "base/time.h"
#include "columnar/text_format.h"
#include "columnar/value.h"
#include "functions/cast_json.h"
#include "functions/decimal.h"
#include "functions/map/map_result.h"
#include "functions/nested.h"
#include "functions/utf8.h"

namespace tideline::functions {
namespace {

bool IsNumber(TypeId id) {
  return id == TypeId::kInteger || id == TypeId::kBigint || id == TypeId::kDouble ||
         id == TypeId::kDecimal;
}

bool CanCastScalar(TypeId from, TypeId to) {
  if (from == to) return true;
  switch (from) {
    case TypeId::kBoolean:
      return IsNumber(to) || to == TypeId::kVarchar;
    case TypeId::kInteger:
    case TypeId::kBigint:
    case TypeId::kDouble:
    case TypeId::kDecimal:
      return IsNumber(to) || to == TypeId::kBoolean || to == TypeId::kVarchar;
    case TypeId::kVarchar:
      return IsNumber(to) || to == TypeId::kBoolean || to == TypeId::kDate || to == TypeId::kTime ||
             to == TypeId::kTimestamp || to == TypeId::kVarbinary;
    case TypeId::kDate:
    case TypeId::kTime:
      return to == TypeId::kTimestamp || to == TypeId::kVarchar;
    case TypeId::kTimestamp:
      return to == TypeId::kDate || to == TypeId::kTime || to == TypeId::kVarchar;
    case TypeId::kIntervalDayToSecond:
    case TypeId::kIntervalYearToMonth:
      return to == TypeId::kVarchar;
    default:
      return false;
  }
}

// timeseries(T) as array(row(time, value)).
bool IsPointArray(const Type& type) {
  return type.is(TypeId::kArray) && type.element().is(TypeId::kRow) &&
         type.element().fields().size() == 2 &&
         type.element().fields()[0].type.is(TypeId::kTimestamp);
}

bool EveryChild(const Type& from, const Type& to, bool (*test)(const Type&, const Type&)) {
  if (from.child_count() != to.child_count()) return false;
  for (std::size_t i = 0; i < from.child_count(); ++i) {
    if (!test(from.child(i), to.child(i))) return false;
  }
  return true;
}

// Whether the bytes of `from` are those of `to`: nothing to compute.
bool SameBytes(const Type& from, const Type& to) {
  if (from.id() != to.id()) return false;
  if (from.is(TypeId::kVarchar)) {
    return to.varchar_length() == Type::kUnboundedLength ||
           (from.varchar_length() != Type::kUnboundedLength &&
            from.varchar_length() <= to.varchar_length());
  }
  if (from.is(TypeId::kDecimal)) {
    return from.scale() == to.scale() && from.precision() <= to.precision();
  }
  return EveryChild(from, to, SameBytes);
}

// ---- one kernel per pair of scalar types
// ----------------------------------------------------------

struct Cast {
  const Vector& input;
  const Type& to;
  const Selection& rows;
  Vector* result;
  RowErrors* errors;
};

// `convert` maps a From to a To, or says why not.
template <typename From, typename To, typename F>
void Convert(const Cast& cast, F&& convert) {
  const Reader<From> reader(cast.input);
  To* out = cast.result->mutable_values<To>();
  cast.rows.ForEach([&](std::uint32_t row) {
    if (reader.IsNull(row)) {
      cast.result->SetNull(row);
      return;
    }
    Result<To> value = convert(reader[row]);
    if (value.ok()) {
      out[row] = *value;
    } else {
      cast.errors->Add(row, value.status());
    }
  });
}

// The same for conversions that cannot fail.
template <typename From, typename To, typename F>
void ConvertAlways(const Cast& cast, F&& convert) {
  const Reader<From> reader(cast.input);
  To* out = cast.result->mutable_values<To>();
  if (!reader.may_have_nulls()) {
    cast.rows.ForEach([&](std::uint32_t row) { out[row] = convert(reader[row]); });
    return;
  }
  cast.rows.ForEach([&](std::uint32_t row) {
    if (reader.IsNull(row)) {
      cast.result->SetNull(row);
    } else {
      out[row] = convert(reader[row]);
    }
  });
}

void CastToText(const Cast& cast) {
  const std::int32_t length = cast.to.varchar_length();
  const bool truncates = cast.input.type().is(TypeId::kVarchar);
  std::string text;
  cast.rows.ForEach([&](std::uint32_t row) {
    if (cast.input.IsNull(row)) {
      cast.result->SetNull(row);
      return;
    }
    text.clear();
    AppendText(cast.input, row, &text);
    if (length != Type::kUnboundedLength) {
      const std::size_t end = Utf8Prefix(text, static_cast<std::size_t>(length));
      if (end < text.size() && !truncates) {
        cast.errors->Add(
            row, ExecutionFailed("Value {} cannot be represented as varchar({})", text, length));
        return;
      }
      text.resize(end);
    }
    cast.result->SetString(row, text);
  });
}

Result<std::int64_t> ToInteger(double value, const Type& to) {
  const bool is_int = to.is(TypeId::kInteger);
  const std::string_view name = is_int ? "integer" : "bigint";
  if (std::isnan(value)) return ExecutionFailed("Cannot cast NaN to {}", name);
  const double rounded = std::round(value);
  const double bound = is_int ? 0x1p31 : 0x1p63;
  if (rounded < -bound || rounded >= bound) {
    std::string text;
    AppendDouble(value, &text);
    return ExecutionFailed("Out of range for {}: {}", name, text);
  }
  return static_cast<std::int64_t>(rounded);
}

Result<std::int64_t> Narrow(std::int64_t value) {
  if (value < std::numeric_limits<std::int32_t>::min() ||
      value > std::numeric_limits<std::int32_t>::max()) {
    return ExecutionFailed("Out of range for integer: {}", value);
  }
  return value;
}

Result<std::int64_t> TextToInteger(std::string_view text, const Type& to) {
  if (to.is(TypeId::kBigint)) return ParseBigint(text);
  const Result<std::int64_t> value = ParseBigint(text);
  if (!value.ok() || !Narrow(*value).ok()) return ExecutionFailed("Cannot cast '{}' to INT", text);
  return *value;
}

Result<std::uint8_t> TextToBoolean(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (lower == "true" || lower == "t" || lower == "1") return 1;
  if (lower == "false" || lower == "f" || lower == "0") return 0;
  return ExecutionFailed("Cannot cast '{}' to BOOLEAN", text);
}

// To integer or bigint; F yields Result<int64_t>.
template <typename From, typename F>
void ConvertToInteger(const Cast& cast, F&& convert) {
  if (cast.to.is(TypeId::kBigint)) {
    Convert<From, std::int64_t>(cast, convert);
    return;
  }
  Convert<From, std::int32_t>(cast, [&](const From& value) -> Result<std::int32_t> {
    const std::int64_t wide = TL_TRY(convert(value));
    return static_cast<std::int32_t>(TL_TRY(Narrow(wide)));
  });
}

void CastToInteger(const Cast& cast) {
  switch (cast.input.type().id()) {
    case TypeId::kBoolean:
      return ConvertToInteger<std::uint8_t>(
          cast, [](std::uint8_t v) -> Result<std::int64_t> { return v; });
    case TypeId::kInteger:
      return ConvertToInteger<std::int32_t>(
          cast, [](std::int32_t v) -> Result<std::int64_t> { return v; });
    case TypeId::kBigint:
      return ConvertToInteger<std::int64_t>(
          cast, [](std::int64_t v) -> Result<std::int64_t> { return v; });
    case TypeId::kDouble:
      return ConvertToInteger<double>(cast, [&](double v) { return ToInteger(v, cast.to); });
    case TypeId::kDecimal: {
      const int scale = cast.input.type().scale();
      return ConvertToInteger<Int128>(cast, [&](Int128 v) -> Result<std::int64_t> {
        const Int128 whole = DivideRounded(v, PowerOfTen(scale));
        if (whole < std::numeric_limits<std::int64_t>::min() ||
            whole > std::numeric_limits<std::int64_t>::max()) {
          std::string text;
          AppendDecimal(v, scale, &text);
          return ExecutionFailed("Cannot cast '{}' to BIGINT", text);
        }
        return static_cast<std::int64_t>(whole);
      });
    }
    default:
      return ConvertToInteger<StringRef>(
          cast, [&](const StringRef& v) { return TextToInteger(v.view(), cast.to); });
  }
}

void CastToBoolean(const Cast& cast) {
  const auto nonzero = [](auto v) { return static_cast<std::uint8_t>(v != 0 ? 1 : 0); };
  switch (cast.input.type().id()) {
    case TypeId::kInteger:
      return ConvertAlways<std::int32_t, std::uint8_t>(cast, nonzero);
    case TypeId::kBigint:
      return ConvertAlways<std::int64_t, std::uint8_t>(cast, nonzero);
    case TypeId::kDouble:
      return ConvertAlways<double, std::uint8_t>(cast, nonzero);
    case TypeId::kDecimal:
      return ConvertAlways<Int128, std::uint8_t>(cast, nonzero);
    default:
      return Convert<StringRef, std::uint8_t>(
          cast, [](const StringRef& v) { return TextToBoolean(v.view()); });
  }
}

void CastToDouble(const Cast& cast) {
  const auto widen = [](auto v) { return static_cast<double>(v); };
  switch (cast.input.type().id()) {
    case TypeId::kBoolean:
      return ConvertAlways<std::uint8_t, double>(cast, widen);
    case TypeId::kInteger:
      return ConvertAlways<std::int32_t, double>(cast, widen);
    case TypeId::kBigint:
      return ConvertAlways<std::int64_t, double>(cast, widen);
    case TypeId::kDecimal: {
      const int scale = cast.input.type().scale();
      return ConvertAlways<Int128, double>(cast,
                                           [&](Int128 v) { return DecimalToDouble(v, scale); });
    }
    default:
      return Convert<StringRef, double>(cast,
                                        [](const StringRef& v) { return ParseDouble(v.view()); });
  }
}

void CastToDecimal(const Cast& cast) {
  const int precision = cast.to.precision();
  const int scale = cast.to.scale();
  const auto checked = [&](bool ok, Int128 value, std::string_view type,
                           const std::string& text) -> Result<Int128> {
    if (ok && FitsPrecision(value, precision)) return value;
    return ExecutionFailed("Cannot cast {} '{}' to DECIMAL({}, {})", type, text, precision, scale);
  };
  const auto from_integer = [&](Int128 v, std::string_view type) -> Result<Int128> {
    Int128 out = 0;
    const bool ok = RescaleDecimal(v, 0, scale, &out);
    return checked(ok, out, type, std::to_string(static_cast<std::int64_t>(v)));
  };
  switch (cast.input.type().id()) {
    case TypeId::kBoolean:
      return Convert<std::uint8_t, Int128>(
          cast, [&](std::uint8_t v) { return from_integer(v, "BOOLEAN"); });
    case TypeId::kInteger:
      return Convert<std::int32_t, Int128>(
          cast, [&](std::int32_t v) { return from_integer(v, "INTEGER"); });
    case TypeId::kBigint:
      return Convert<std::int64_t, Int128>(
          cast, [&](std::int64_t v) { return from_integer(v, "BIGINT"); });
    case TypeId::kDouble:
      return Convert<double, Int128>(cast, [&](double v) {
        Int128 out = 0;
        const bool ok = DoubleToDecimal(v, precision, scale, &out);
        std::string text;
        AppendDouble(v, &text);
        return checked(ok, out, "DOUBLE", text);
      });
    case TypeId::kDecimal: {
      const int from_scale = cast.input.type().scale();
      return Convert<Int128, Int128>(cast, [&](Int128 v) {
        Int128 out = 0;
        const bool ok = RescaleDecimal(v, from_scale, scale, &out);
        std::string text;
        AppendDecimal(v, from_scale, &text);
        return checked(ok, out, "DECIMAL", text);
      });
    }
    default:
      return Convert<StringRef, Int128>(cast, [&](const StringRef& v) {
        Int128 out = 0;
        const bool ok = ParseDecimal(v.view(), precision, scale, &out);
        return checked(ok, out, "VARCHAR", std::string(v.view()));
      });
  }
}

std::int64_t FloorDays(std::int64_t ns) { return ns / kNsPerDay - (ns % kNsPerDay < 0 ? 1 : 0); }

void CastToTemporal(const Cast& cast) {
  const TypeId from = cast.input.type().id();
  if (cast.to.is(TypeId::kTimestamp)) {
    if (from == TypeId::kVarchar) {
      return Convert<StringRef, std::int64_t>(
          cast, [](const StringRef& v) { return ParseTimestamp(v.view()); });
    }
    if (from == TypeId::kTime) {
      return ConvertAlways<std::int64_t, std::int64_t>(cast, [](std::int64_t v) { return v; });
    }
    return Convert<std::int32_t, std::int64_t>(cast, [](std::int32_t v) -> Result<std::int64_t> {
      std::int64_t ns = 0;
      if (__builtin_mul_overflow(std::int64_t{v}, kNsPerDay, &ns)) {
        return ExecutionFailed("Timestamp out of range");
      }
      return ns;
    });
  }
  if (cast.to.is(TypeId::kDate)) {
    if (from == TypeId::kVarchar) {
      return Convert<StringRef, std::int32_t>(
          cast, [](const StringRef& v) { return ParseDate(v.view()); });
    }
    return ConvertAlways<std::int64_t, std::int32_t>(
        cast, [](std::int64_t v) { return static_cast<std::int32_t>(FloorDays(v)); });
  }
  if (from == TypeId::kVarchar) {
    return Convert<StringRef, std::int64_t>(cast,
                                            [](const StringRef& v) { return ParseTime(v.view()); });
  }
  ConvertAlways<std::int64_t, std::int64_t>(cast, [](std::int64_t v) {
    const std::int64_t remainder = v % kNsPerDay;
    return remainder < 0 ? remainder + kNsPerDay : remainder;
  });
}

// ---- nested types -------------------------------------------------------------------------------

// The elements of the selected lists, in order, and the row that each belongs to.
struct Elements {
  std::vector<std::uint32_t> indices;
  std::vector<std::uint32_t> owners;
};

Elements PlaceLists(const Cast& cast) {
  Elements elements;
  const Reader<ListEntry> reader(cast.input);
  ListEntry* out = cast.result->mutable_values<ListEntry>();
  cast.rows.ForEach([&](std::uint32_t row) {
    if (reader.IsNull(row)) {
      cast.result->SetNull(row);
      return;
    }
    const ListEntry entry = reader[row];
    out[row] = {static_cast<std::uint32_t>(elements.indices.size()), entry.length};
    for (std::uint32_t i = 0; i < entry.length; ++i) {
      elements.indices.push_back(entry.offset + i);
      elements.owners.push_back(row);
    }
  });
  return elements;
}

Status CastElements(const KernelContext& context, const Vector& source, const Elements& elements,
                    const Type& to, Vector* result, RowErrors* errors) {
  *result = Vector::Flat(to, elements.indices.size());
  if (elements.indices.empty()) return OkStatus();
  RowErrors inner;
  const Vector sliced = source.Slice(elements.indices);
  TL_TRY(CastVector(context, sliced, to, Selection::All(sliced.size()), result, &inner));
  std::uint32_t last = std::numeric_limits<std::uint32_t>::max();
  for (const RowErrors::Entry& entry : inner.entries()) {
    const std::uint32_t owner = elements.owners[entry.row];
    if (owner != last) errors->Add(owner, entry.status);
    last = owner;
  }
  return OkStatus();
}

// Keys that differed may be equal in their new type: 1 and 2 are both true.
void CheckKeys(const Cast& cast) {
  const ListEntry* entries = cast.result->values<ListEntry>();
  std::vector<std::uint32_t> indices;
  cast.rows.ForEach([&](std::uint32_t row) {
    if (cast.result->IsNull(row)) return;
    indices.resize(entries[row].length);
    std::iota(indices.begin(), indices.end(), entries[row].offset);
    Status status = CheckMapKeys(cast.result->child(0), indices);
    if (!status.ok()) cast.errors->Add(row, std::move(status));
  });
}

Status CastLists(const KernelContext& context, const Cast& cast) {
  const Elements elements = PlaceLists(cast);
  const Type& from = cast.input.type();
  if (from.is(TypeId::kTimeseries) && cast.to.is(TypeId::kArray)) {
    const Type& point = cast.to.element();
    Vector points = Vector::Flat(point, elements.indices.size());
    for (std::size_t i = 0; i < 2; ++i) {
      TL_TRY(CastElements(context, cast.input.child(i), elements, point.child(i),
                          &points.mutable_child(i), cast.errors));
    }
    cast.result->SetChild(0, std::move(points));
    return OkStatus();
  }
  if (from.is(TypeId::kArray) && cast.to.is(TypeId::kTimeseries)) {
    Vector points = Gather(cast.input.child(0), elements.indices);
    Elements all = elements;
    for (std::size_t i = 0; i < all.indices.size(); ++i) {
      all.indices[i] = static_cast<std::uint32_t>(i);
    }
    for (std::size_t i = 0; i < 2; ++i) {
      Vector child;
      TL_TRY(CastElements(context, points.child(i), all, cast.to.child(i), &child, cast.errors));
      cast.result->SetChild(i, std::move(child));
    }
    return OkStatus();
  }
  for (std::size_t i = 0; i < cast.to.child_count(); ++i) {
    Vector child;
    TL_TRY(CastElements(context, cast.input.child(i), elements, cast.to.child(i), &child,
                        cast.errors));
    cast.result->SetChild(i, std::move(child));
  }
  if (cast.to.is(TypeId::kMap) && from.map_key() != cast.to.map_key()) CheckKeys(cast);
  return OkStatus();
}

Status CastRows(const KernelContext& context, const Cast& cast) {
  std::vector<std::uint32_t> indices(cast.result->size(), 0);
  std::vector<std::uint32_t> present;
  cast.rows.ForEach([&](std::uint32_t row) {
    if (cast.input.IsNull(row)) {
      cast.result->SetNull(row);
      return;
    }
    indices[row] = static_cast<std::uint32_t>(cast.input.Index(row));
    present.push_back(row);
  });
  for (std::size_t i = 0; i < cast.to.child_count(); ++i) {
    Vector& child = cast.result->mutable_child(i);
    child = Vector::Flat(cast.to.child(i), cast.result->size());
    if (present.empty()) continue;
    TL_TRY(CastVector(context, cast.input.child(i).Slice(indices), cast.to.child(i),
                      Selection::Of(present), &child, cast.errors));
  }
  return OkStatus();
}

Status CastByTarget(const KernelContext& context, const Cast& cast) {
  switch (cast.to.id()) {
    case TypeId::kUnknown:
      return Internal("CAST to unknown");
    case TypeId::kBoolean:
      CastToBoolean(cast);
      return OkStatus();
    case TypeId::kInteger:
    case TypeId::kBigint:
      CastToInteger(cast);
      return OkStatus();
    case TypeId::kDouble:
      CastToDouble(cast);
      return OkStatus();
    case TypeId::kDecimal:
      CastToDecimal(cast);
      return OkStatus();
    case TypeId::kVarchar:
    case TypeId::kVarbinary:
    case TypeId::kJson:
    case TypeId::kIntervalDayToSecond:
    case TypeId::kIntervalYearToMonth:
      CastToText(cast);
      return OkStatus();
    case TypeId::kDate:
    case TypeId::kTime:
    case TypeId::kTimestamp:
      CastToTemporal(cast);
      return OkStatus();
    case TypeId::kArray:
    case TypeId::kMap:
    case TypeId::kTimeseries:
      return CastLists(context, cast);
    case TypeId::kRow:
      return CastRows(context, cast);
  }
  return OkStatus();
}

}  // namespace

bool CanCast(const Type& from, const Type& to) {
  if (from == to || from.is(TypeId::kUnknown)) return true;
  if (to.is(TypeId::kUnknown)) return false;
  if (from.is(TypeId::kJson) || to.is(TypeId::kJson)) return CanCastJson(from, to);
  if (!from.is_nested() && !to.is_nested()) return CanCastScalar(from.id(), to.id());
  if (from.is_nested() && to.is(TypeId::kVarchar)) return true;
  if (from.is(TypeId::kTimeseries) && IsPointArray(to)) {
    return CanCast(from.element(), to.element().fields()[1].type);
  }
  if (IsPointArray(from) && to.is(TypeId::kTimeseries)) {
    return CanCast(from.element().fields()[1].type, to.element());
  }
  return from.id() == to.id() && EveryChild(from, to, CanCast);
}

bool CanCoerce(const Type& from, const Type& to, bool in_timestamp_context) {
  if (from == to || from.is(TypeId::kUnknown)) return true;
  switch (from.id()) {
    case TypeId::kInteger:
      if (to.is(TypeId::kDecimal)) return to.precision() - to.scale() >= 10;
      return to.is(TypeId::kBigint) || to.is(TypeId::kDouble);
    case TypeId::kBigint:
      if (to.is(TypeId::kDecimal)) return to.precision() - to.scale() >= 19;
      return to.is(TypeId::kDouble);
    case TypeId::kDecimal:
      if (to.is(TypeId::kDecimal)) {
        return to.scale() >= from.scale() &&
               to.precision() - to.scale() >= from.precision() - from.scale();
      }
      return to.is(TypeId::kDouble);
    case TypeId::kVarchar:
      if (to.is(TypeId::kVarchar)) return SameBytes(from, to);
      return in_timestamp_context &&
             (to.is(TypeId::kTimestamp) || to.is(TypeId::kDate) || to.is(TypeId::kTime));
    case TypeId::kDate:
      return to.is(TypeId::kTimestamp);
    case TypeId::kArray:
    case TypeId::kMap:
    case TypeId::kRow:
    case TypeId::kTimeseries:
      if (from.id() != to.id()) return false;
      return EveryChild(
          from, to,
          in_timestamp_context
              ? [](const Type& a, const Type& b) { return CanCoerce(a, b, true); }
              : [](const Type& a, const Type& b) { return CanCoerce(a, b, false); });
    default:
      return false;
  }
}

namespace {

using Combine = std::optional<Type> (*)(const Type&, const Type&);

std::optional<Type> CombineNested(const Type& a, const Type& b, Combine combine) {
  if (a.child_count() != b.child_count()) return std::nullopt;
  std::vector<Type> children;
  for (std::size_t i = 0; i < a.child_count(); ++i) {
    const std::optional<Type> child = combine(a.child(i), b.child(i));
    if (!child) return std::nullopt;
    children.push_back(*child);
  }
  switch (a.id()) {
    case TypeId::kArray:
      return Type::Array(children[0]);
    case TypeId::kMap:
      return Type::Map(children[0], children[1]);
    case TypeId::kTimeseries:
      return Type::Timeseries(children[1]);
    default:
      break;
  }
  std::vector<Type::Field> fields;
  for (std::size_t i = 0; i < children.size(); ++i) {
    const std::string& name = a.fields()[i].name;
    fields.push_back({name == b.fields()[i].name ? name : std::string(), children[i]});
  }
  return Type::Row(std::move(fields));
}

std::optional<Type> CombineDecimals(const Type& a, const Type& b) {
  const int scale = std::max(a.scale(), b.scale());
  const int whole = std::max(a.precision() - a.scale(), b.precision() - b.scale());
  return Type::Decimal(std::clamp(whole + scale, 1, kDecimalPrecisionMax), scale);
}

std::optional<Type> CombineTypes(const Type& a, const Type& b, bool text_becomes_time,
                                 Combine again) {
  if (a == b || b.is(TypeId::kUnknown)) return a;
  if (a.is(TypeId::kUnknown)) return b;
  if (a.id() == b.id() && a.is(TypeId::kVarchar)) {
    const bool unbounded = a.varchar_length() == Type::kUnboundedLength ||
                           b.varchar_length() == Type::kUnboundedLength;
    return unbounded ? Type::Varchar()
                     : Type::Varchar(std::max(a.varchar_length(), b.varchar_length()));
  }
  const auto as_decimal = [](const Type& type) {
    if (type.is(TypeId::kInteger)) return Type::Decimal(10, 0);
    if (type.is(TypeId::kBigint)) return Type::Decimal(19, 0);
    return type;
  };
  if (as_decimal(a).is(TypeId::kDecimal) && as_decimal(b).is(TypeId::kDecimal) &&
      (a.is(TypeId::kDecimal) || b.is(TypeId::kDecimal))) {
    return CombineDecimals(as_decimal(a), as_decimal(b));
  }
  if (a.is_nested() && a.id() == b.id()) return CombineNested(a, b, again);
  if (CanCoerce(a, b, text_becomes_time)) return b;
  if (CanCoerce(b, a, text_becomes_time)) return a;
  return std::nullopt;
}

}  // namespace

std::optional<Type> CommonSuperType(const Type& a, const Type& b) {
  return CombineTypes(a, b, false, CommonSuperType);
}

std::optional<Type> CommonComparisonType(const Type& a, const Type& b) {
  return CombineTypes(a, b, true, CommonComparisonType);
}

Status CastVector(const KernelContext& context, const Vector& input, const Type& to,
                  const Selection& rows, Vector* result, RowErrors* errors) {
  const Type& from = input.type();
  if (from.is(TypeId::kUnknown)) {
    rows.ForEach([&](std::uint32_t row) { result->SetNull(row); });
    return OkStatus();
  }
  if (SameBytes(from, to)) {
    CopyRows(input, rows, result);
    return OkStatus();
  }
  if (!CanCast(from, to)) {
    return InvalidArgument("Cannot cast {} to {}", from.ToString(), to.ToString());
  }
  if (from.is(TypeId::kJson) || to.is(TypeId::kJson)) {
    return CastJson(context, input, to, rows, result, errors);
  }
  if (from.is(TypeId::kVarchar) && to.is(TypeId::kVarbinary)) {
    CopyRows(input, rows, result);
    return OkStatus();
  }
  return CastByTarget(context, Cast{input, to, rows, result, errors});
}

Result<Value> CastValue(const Value& value, const Type& to) {
  if (!CanCast(value.type(), to)) {
    return InvalidArgument("Cannot cast {} to {}", value.type().ToString(), to.ToString());
  }
  if (value.is_null()) return Value::Null(to);
  const Vector input = Vector::FromValues(value.type(), std::span(&value, 1));
  Vector result = Vector::Flat(to, 1);
  RowErrors errors;
  TL_TRY(CastVector(KernelContext{}, input, to, Selection::All(1), &result, &errors));
  if (!errors.empty()) return errors.entries()[0].status;
  return result.GetValue(0);
}

}  // namespace tideline::functions
