#include "exec/spill/batch_codec.h"

#include "exec/values/gather.h"

namespace tideline::exec {
namespace {

enum : std::uint8_t { kFlatForm = 0, kConstantForm = 1, kNullForm = 2, kDictionaryForm = 3 };
/// Most entries of the dictionary of a column in that form: codes take two bytes.
constexpr std::size_t kEntriesMax = std::size_t{1} << 16;
/// Of a larger dictionary few entries are used, and finding them costs more than writing the texts.
constexpr std::size_t kBaseRowsMax = 4 * kBatchRowsMax;
/// More rows in one column are not a batch, nor the elements of one.
constexpr std::uint64_t kDecodedRowsMax = std::uint64_t{1} << 31;

std::size_t BitmapBytes(std::size_t rows) { return (rows + 63) / 64 * 8; }

void EncodeColumn(const Vector& column, const Type& type, std::size_t rows, ByteWriter* out);

bool WriteNulls(const Vector& flat, std::size_t rows, ByteWriter* out) {
  const std::uint64_t* validity = flat.validity();
  out->U8(validity != nullptr ? 1 : 0);
  if (validity == nullptr) return false;
  out->Append(BytesView(reinterpret_cast<const std::byte*>(validity), BitmapBytes(rows)));
  return true;
}

void WriteText(const Vector& flat, std::size_t rows, ByteWriter* out) {
  const StringRef* values = flat.values<StringRef>();
  const StringRef* last = nullptr;
  const bool nulls = flat.may_have_nulls();
  for (std::size_t row = 0; row < rows; ++row) {
    if (nulls && flat.IsNull(row)) {
      out->Varint(0);
    } else if (last != nullptr && *last == values[row]) {
      out->Varint(1);
    } else {
      last = &values[row];
      out->Varint(std::uint64_t{last->size()} + 2);
      out->Append(last->view());
    }
  }
}

// A flat vector of exactly `rows` rows whose lists have no gaps between them.
void EncodeFlat(const Vector& flat, const Type& type, std::size_t rows, ByteWriter* out) {
  switch (type.physical()) {
    case PhysicalType::kString:
      return WriteText(flat, rows, out);
    case PhysicalType::kList: {
      WriteNulls(flat, rows, out);
      const ListEntry* entries = flat.values<ListEntry>();
      std::size_t elements = 0;
      for (std::size_t row = 0; row < rows; ++row) {
        const std::uint32_t length = flat.IsNull(row) ? 0 : entries[row].length;
        out->Varint(length);
        elements += length;
      }
      for (std::size_t c = 0; c < type.child_count(); ++c) {
        EncodeColumn(flat.child(c), type.child(c), elements, out);
      }
      return;
    }
    case PhysicalType::kRow:
      WriteNulls(flat, rows, out);
      for (std::size_t c = 0; c < type.child_count(); ++c) {
        EncodeColumn(flat.child(c), type.child(c), rows, out);
      }
      return;
    default:
      WriteNulls(flat, rows, out);
      out->Append(BytesView(flat.values<std::byte>(), rows * type.value_bytes()));
      return;
  }
}

bool IsCompact(const Vector& column, const Type& type) {
  return column.kind() == VectorKind::kFlat && column.type().physical() == type.physical() && !type.is_nested();
}

Vector CompactRows(const Vector& column, const Type& type, std::size_t rows) {
  std::vector<RowPlace> places(rows);
  for (std::size_t i = 0; i < rows; ++i) places[i] = {0, static_cast<std::uint32_t>(i)};
  const Vector* source = &column;
  return Gather(type, {&source, 1}, places);
}

// The entries that rows refer to, then a code for each row.
void EncodeDictionary(const Vector& column, std::size_t rows, ByteWriter* out) {
  const Vector& base = *column.dictionary_base();
  std::vector<std::uint32_t> code_of(base.size(), UINT32_MAX);
  std::vector<std::uint32_t> entries;
  std::vector<std::uint16_t> codes(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    std::uint32_t& code = code_of[column.codes()[row]];
    if (code == UINT32_MAX) {
      code = static_cast<std::uint32_t>(entries.size());
      entries.push_back(column.codes()[row]);
    }
    codes[row] = static_cast<std::uint16_t>(code);
  }
  out->Varint(entries.size());
  WriteText(GatherRows(base, entries), entries.size(), out);
  out->Append(std::as_bytes(std::span(codes)));
}

void EncodeColumn(const Vector& column, const Type& type, std::size_t rows, ByteWriter* out) {
  if (rows == 0 || column.size() == 0) return out->U8(kNullForm);
  if (column.is_constant()) {
    if (column.IsNull(0)) return out->U8(kNullForm);
    out->U8(kConstantForm);
    return EncodeFlat(CompactRows(column, type, 1), type, 1, out);
  }
  if (column.type().physical() != type.physical()) return out->U8(kNullForm);  // unknown: all null
  const bool coded = column.kind() == VectorKind::kDictionary && type.physical() == PhysicalType::kString &&
                     rows <= kEntriesMax && column.dictionary_base()->size() <= kBaseRowsMax;
  if (coded) {
    out->U8(kDictionaryForm);
    return EncodeDictionary(column, rows, out);
  }
  out->U8(kFlatForm);
  if (IsCompact(column, type)) return EncodeFlat(column, type, rows, out);
  EncodeFlat(CompactRows(column, type, rows), type, rows, out);
}

class Decoder {
 public:
  explicit Decoder(std::shared_ptr<const Bytes> bytes) : bytes_(std::move(bytes)), reader_(*bytes_) {}

  Result<Batch> Read(std::span<const Type> types) {
    const std::uint64_t rows = TL_TRY(reader_.Varint());
    if (rows > kDecodedRowsMax) return DataLoss("a spilled batch has {} rows", rows);
    Batch batch;
    batch.row_count = rows;
    for (const Type& type : types) {
      Vector column = TL_TRY(Column(type, rows));
      batch.columns.push_back(std::move(column));
    }
    if (!reader_.at_end()) return DataLoss("a spilled batch has {} bytes too many", reader_.remaining());
    return batch;
  }

 private:
  Result<Vector> Column(const Type& type, std::size_t rows) {
    const std::uint8_t form = TL_TRY(reader_.U8());
    if (form == kNullForm) return Vector::ConstantNull(type, rows);
    if (form == kConstantForm) {
      const Vector value = TL_TRY(Flat(type, 1));
      return Vector::ConstantOf(value, 0, rows);
    }
    if (form == kDictionaryForm) return Dictionary(type, rows);
    if (form != kFlatForm) return DataLoss("a spilled column has form {}", form);
    return Flat(type, rows);
  }

  Result<Vector> Dictionary(const Type& type, std::size_t rows) {
    const std::uint64_t entries = TL_TRY(reader_.Varint());
    if (type.physical() != PhysicalType::kString || entries == 0 || entries > kEntriesMax) {
      return DataLoss("a spilled column has a dictionary of {} entries", entries);
    }
    auto base = std::make_shared<Vector>();
    *base = TL_TRY(Flat(type, entries));
    const BytesView codes = TL_TRY(reader_.Take(rows * sizeof(std::uint16_t)));
    auto buffer = std::make_shared<Buffer>(rows * sizeof(std::uint32_t));
    auto* const out = reinterpret_cast<std::uint32_t*>(buffer->data());
    for (std::size_t row = 0; row < rows; ++row) {
      std::uint16_t code;
      std::memcpy(&code, codes.data() + row * sizeof(code), sizeof(code));
      if (code >= entries) return DataLoss("a spilled column has code {} of {}", code, entries);
      out[row] = code;
    }
    return Vector::Dictionary(std::move(base), std::move(buffer), rows);
  }

  Status Nulls(std::size_t rows, Vector* out) {
    const std::uint8_t has = TL_TRY(reader_.U8());
    if (has == 0) return OkStatus();
    const BytesView bits = TL_TRY(reader_.Take(BitmapBytes(rows)));
    for (std::size_t row = 0; row < rows; ++row) {
      const auto byte = std::to_integer<unsigned>(bits[row / 8]);
      if (((byte >> (row % 8)) & 1U) == 0) out->SetNull(row);
    }
    return OkStatus();
  }

  Status Text(std::size_t rows, Vector* out) {
    auto* values = out->mutable_values<StringRef>();
    StringRef last;
    for (std::size_t row = 0; row < rows; ++row) {
      const std::uint64_t code = TL_TRY(reader_.Varint());
      if (code == 0) {
        values[row] = StringRef();
        out->SetNull(row);
        continue;
      }
      if (code > 1) {
        const BytesView text = TL_TRY(reader_.Take(code - 2));
        last = StringRef(AsText(text));
      }
      values[row] = last;
    }
    out->KeepAlive(bytes_);
    return OkStatus();
  }

  Result<Vector> Flat(const Type& type, std::size_t rows) {
    // A row takes at least a byte or a bit of what is left, whatever its type.
    if (rows / 8 > reader_.remaining() + 1 && type.physical() != PhysicalType::kRow) {
      return DataLoss("a spilled column of {} rows has {} bytes", rows, reader_.remaining());
    }
    Vector out = Vector::Flat(type, rows);
    switch (type.physical()) {
      case PhysicalType::kString:
        TL_TRY(Text(rows, &out));
        break;
      case PhysicalType::kList: {
        TL_TRY(Nulls(rows, &out));
        std::uint64_t elements = 0;
        for (std::size_t row = 0; row < rows; ++row) {
          const std::uint64_t length = TL_TRY(reader_.Varint());
          if (elements + length > kDecodedRowsMax) return DataLoss("a spilled list has too many elements");
          out.mutable_values<ListEntry>()[row] = {static_cast<std::uint32_t>(elements),
                                                  static_cast<std::uint32_t>(length)};
          elements += length;
        }
        TL_TRY(Children(type, elements, &out));
        break;
      }
      case PhysicalType::kRow:
        TL_TRY(Nulls(rows, &out));
        TL_TRY(Children(type, rows, &out));
        break;
      default: {
        TL_TRY(Nulls(rows, &out));
        const BytesView values = TL_TRY(reader_.Take(rows * type.value_bytes()));
        std::memcpy(out.mutable_values<std::byte>(), values.data(), values.size());
        break;
      }
    }
    return out;
  }

  // Children of a flat vector are flat.
  Status Children(const Type& type, std::size_t rows, Vector* out) {
    for (std::size_t c = 0; c < type.child_count(); ++c) {
      const Vector child = TL_TRY(Column(type.child(c), rows));
      out->SetChild(c, child.Flatten());
    }
    return OkStatus();
  }

  const std::shared_ptr<const Bytes> bytes_;
  ByteReader reader_;
};

}  // namespace

Status CheckFrame(const Batch& batch) {
  std::uint64_t elements = 0;
  for (const Vector& column : batch.columns) {
    if (column.type().is_nested()) elements += ElementsOf(column, Selection::All(batch.row_count));
  }
  if (elements <= kFrameElementsMax) return OkStatus();
  return ResourceExhausted("{} rows with more than {} list elements are too much to be kept on disk", batch.row_count,
                           kFrameElementsMax);
}

void EncodeBatch(const Batch& batch, std::span<const Type> types, Bytes* out) {
  ByteWriter writer(out);
  writer.Varint(batch.row_count);
  for (std::size_t c = 0; c < types.size(); ++c) {
    EncodeColumn(batch.columns[c], types[c], batch.row_count, &writer);
  }
}

Result<Batch> DecodeBatch(std::shared_ptr<const Bytes> bytes, std::span<const Type> types) {
  return Decoder(std::move(bytes)).Read(types);
}

}  // namespace tideline::exec
