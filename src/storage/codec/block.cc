#include "storage/codec/block.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "storage/codec/block_head.h"
#include "storage/codec/bool_codec.h"
#include "storage/codec/double_codec.h"
#include "storage/codec/entropy_stage.h"
#include "storage/codec/int64_codec.h"
#include "storage/codec/string_codec.h"
#include "storage/codec/text_cache.h"
#include "storage/codec/validity.h"

namespace tideline::codec {
namespace {

// Everything before the payload; the codec's id is filled in once it is known. Returns its
// position.
std::size_t WriteBlockHead(PhysicalKind kind, std::size_t value_count,
                           std::span<const std::uint64_t> validity, std::size_t row_count,
                           Bytes* out) {
  TL_CHECK(row_count <= kBlockRowsMax);
  TL_CHECK(validity.empty() || validity.size() >= ValidityWords(row_count));
  TL_CHECK(value_count == (validity.empty() ? row_count : CountValid(validity, row_count)));
  Bytes stored;
  const std::uint8_t validity_kind =
      value_count == row_count ? kValidityAll : EncodeValidity(validity, row_count, &stored);
  ByteWriter writer(out);
  const std::size_t start = writer.size();
  writer.U8(static_cast<std::uint8_t>(kind));
  writer.U8(0);
  writer.U8(validity_kind);
  writer.Varint(row_count);
  writer.Varint(row_count - value_count);
  writer.Varint(stored.size());
  writer.Append(stored);
  return start + kCodecIdOffset;
}

void SpreadRange(std::span<const std::uint64_t> validity, std::size_t valid_count, auto out) {
  // Backwards and in place: a value never moves towards the front.
  std::size_t source = valid_count;
  for (std::size_t row = out.size(); row > 0;) {
    --row;
    if (row + 1 == source) return;  // what is left is dense already
    const bool valid = (validity[row / 64] >> (row % 64) & 1) != 0;
    if (valid) {
      out[row] = out[--source];
    } else {
      out[row] = {};
    }
  }
}

}  // namespace

void MarkValid(std::span<std::uint64_t> validity, std::size_t first, std::size_t count) {
  while (count > 0) {
    const std::size_t step = std::min<std::size_t>(64 - first % 64, count);
    const std::uint64_t ones = step == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << step) - 1;
    validity[first / 64] |= ones << (first % 64);
    first += step;
    count -= step;
  }
}

void EncodeInt64Block(std::span<const std::int64_t> values, std::span<const std::uint64_t> validity,
                      std::size_t row_count, Bytes* out, Effort effort) {
  const std::size_t codec_at =
      WriteBlockHead(PhysicalKind::kInt64, values.size(), validity, row_count, out);
  // The sequence's own first byte is the codec; it moves to the head.
  const std::size_t payload = out->size();
  if (effort == Effort::kQuick) {
    EncodeInt64SequenceQuickly(values, out);
  } else {
    EncodeInt64Sequence(values, out);
  }
  (*out)[codec_at] = (*out)[payload];
  out->erase(out->begin() + static_cast<std::ptrdiff_t>(payload));
}

void EncodeDoubleBlock(std::span<const double> values, std::span<const std::uint64_t> validity,
                       std::size_t row_count, Bytes* out, Effort effort) {
  const std::size_t codec_at =
      WriteBlockHead(PhysicalKind::kDouble, values.size(), validity, row_count, out);
  if (values.empty()) {
    (*out)[codec_at] = static_cast<std::byte>(kBitsDoubleCodec.wire_id);
    return;
  }
  if (effort == Effort::kQuick) {
    (*out)[codec_at] = static_cast<std::byte>(kBitsDoubleCodec.wire_id);
    EncodeDoubleBitsQuickly(values, out);
    return;
  }
  const DoubleCodec& codec = EncodeDoubles(values, out);
  (*out)[codec_at] = static_cast<std::byte>(codec.wire_id);
}

void EncodeBoolBlock(std::span<const std::uint8_t> values, std::span<const std::uint64_t> validity,
                     std::size_t row_count, Bytes* out) {
  TL_CHECK(
      std::all_of(values.begin(), values.end(), [](std::uint8_t value) { return value <= 1; }));
  const std::size_t codec_at =
      WriteBlockHead(PhysicalKind::kBool, values.size(), validity, row_count, out);
  if (values.empty()) {
    (*out)[codec_at] = static_cast<std::byte>(kBitmapBoolCodec.wire_id);
    return;
  }
  const BoolCodec& codec = EncodeBools(values, out);
  (*out)[codec_at] = static_cast<std::byte>(codec.wire_id);
}

void EncodeStringBlock(std::span<const std::string_view> values,
                       std::span<const std::uint64_t> validity, std::size_t row_count, Bytes* out) {
  std::size_t text_bytes = 0;
  for (const std::string_view value : values) {
    TL_CHECK(value.size() <= kStringBytesMax);
    text_bytes += value.size();
  }
  TL_CHECK(text_bytes <= kBlockStringBytesMax);
  const std::size_t codec_at =
      WriteBlockHead(PhysicalKind::kString, values.size(), validity, row_count, out);
  if (values.empty()) {
    (*out)[codec_at] = static_cast<std::byte>(kPlainStringCodec.wire_id);
    return;
  }
  const StringCodec& codec = EncodeStrings(values, out);
  (*out)[codec_at] = static_cast<std::byte>(codec.wire_id);
}

Result<BlockHead> ReadBlockHead(BytesView block) {
  ByteReader reader(block);
  BlockHead head;
  head.kind = TL_TRY(reader.U8());
  head.codec_id = TL_TRY(reader.U8());
  head.validity_kind = TL_TRY(reader.U8());
  const std::uint64_t row_count = TL_TRY(reader.Varint());
  const std::uint64_t null_count = TL_TRY(reader.Varint());
  const std::uint64_t validity_bytes = TL_TRY(reader.Varint());
  if (row_count > kBlockRowsMax || null_count > row_count || validity_bytes > reader.remaining()) {
    return DataLoss("block: {} rows, {} nulls, {} bytes of validity", row_count, null_count,
                    validity_bytes);
  }
  head.row_count = static_cast<std::size_t>(row_count);
  head.value_count = static_cast<std::size_t>(row_count - null_count);
  head.validity = TL_TRY(reader.Take(static_cast<std::size_t>(validity_bytes)));
  head.payload = block.subspan(reader.position());
  return head;
}

Result<BlockView> BlockView::Parse(BytesView block) {
  const BlockHead head = TL_TRY(ReadBlockHead(block));
  if ((head.kind & kEntropyStageFlag) != 0) {
    return DataLoss("block: has an entropy stage, which must be decoded first");
  }
  if (head.kind < 1 || head.kind > 4) return DataLoss("block: unknown kind {}", head.kind);
  BlockView view;
  view.kind_ = static_cast<PhysicalKind>(head.kind);
  view.codec_id_ = head.codec_id;
  view.validity_kind_ = head.validity_kind;
  view.row_count_ = head.row_count;
  view.value_count_ = head.value_count;
  view.validity_ = head.validity;
  view.payload_ = head.payload;
  if ((view.validity_kind_ == kValidityAll) != (view.null_count() == 0)) {
    return DataLoss("block: {} nulls with validity kind {}", view.null_count(),
                    view.validity_kind_);
  }
  if (view.codec_name().empty()) {
    return DataLoss("block: unknown codec {} of kind {}", view.codec_id_, head.kind);
  }
  if (view.kind_ == PhysicalKind::kString && FindStringCodec(view.codec_id_)->decodes_text) {
    view.text_ = std::make_shared<TextCache>();
  }
  if (view.null_count() > 0) {
    BlockValidity words;
    TL_TRY(DecodeValidity(view.validity_kind_, view.validity_, view.row_count_, &words));
    if (CountValid(words, view.row_count_) != view.value_count_) {
      return DataLoss("block: validity does not have {} nulls", view.null_count());
    }
  }
  return view;
}

std::string_view BlockView::codec_name() const {
  const auto name_of = [](const auto* codec) {
    return codec == nullptr ? std::string_view() : codec->name;
  };
  switch (kind_) {
    case PhysicalKind::kInt64:
      return name_of(FindInt64Codec(codec_id_));
    case PhysicalKind::kDouble:
      return name_of(FindDoubleCodec(codec_id_));
    case PhysicalKind::kBool:
      return name_of(FindBoolCodec(codec_id_));
    case PhysicalKind::kString:
      return name_of(FindStringCodec(codec_id_));
  }
  return {};
}

Status BlockView::CheckRead(PhysicalKind kind, std::size_t first_row, std::size_t count,
                            std::size_t validity_words) const {
  if (kind != kind_) {
    return InvalidArgument("block: read as kind {}, but it is of kind {}", static_cast<int>(kind),
                           static_cast<int>(kind_));
  }
  TL_CHECK(first_row <= row_count_ && count <= row_count_ - first_row);
  TL_CHECK(validity_words == 0 || validity_words >= ValidityWords(count));
  return OkStatus();
}

template <typename T, typename DecodeDense>
Status BlockView::ReadRows(std::size_t first_row, std::span<T> out,
                           std::span<std::uint64_t> validity, DecodeDense decode_dense) const {
  if (out.empty()) return OkStatus();
  if (value_count_ == row_count_) {
    if (!validity.empty()) TL_TRY(ReadValidity(first_row, out.size(), validity));
    return decode_dense(first_row, out);
  }
  BlockValidity all;
  TL_TRY(DecodeValidity(validity_kind_, validity_, row_count_, &all));
  BlockValidity range;
  CopyBits(all, first_row, out.size(), range);
  const std::size_t first_value = CountValid(all, first_row);
  const std::size_t valid_count = CountValid(range, out.size());
  if (valid_count > 0) TL_TRY(decode_dense(first_value, out.first(valid_count)));
  SpreadRange(range, valid_count, out);
  if (!validity.empty()) std::copy_n(range.begin(), ValidityWords(out.size()), validity.begin());
  return OkStatus();
}

Status BlockView::ReadValidity(std::size_t first_row, std::size_t row_count,
                               std::span<std::uint64_t> validity) const {
  TL_CHECK(first_row <= row_count_ && row_count <= row_count_ - first_row);
  TL_CHECK(validity.size() >= ValidityWords(row_count));
  if (row_count == 0) return OkStatus();
  if (value_count_ == row_count_) {
    const std::size_t words = ValidityWords(row_count);
    std::fill_n(validity.begin(), words, ~std::uint64_t{0});
    if (row_count % 64 != 0) validity[words - 1] = (std::uint64_t{1} << (row_count % 64)) - 1;
    return OkStatus();
  }
  BlockValidity all;
  TL_TRY(DecodeValidity(validity_kind_, validity_, row_count_, &all));
  CopyBits(all, first_row, row_count, validity);
  return OkStatus();
}

Status BlockView::ReadInt64(std::size_t first_row, std::span<std::int64_t> out,
                            std::span<std::uint64_t> validity) const {
  TL_TRY(CheckRead(PhysicalKind::kInt64, first_row, out.size(), validity.size()));
  const Int64Codec& codec = *FindInt64Codec(codec_id_);
  return ReadRows(first_row, out, validity, [&](std::size_t first, std::span<std::int64_t> dense) {
    return codec.decode(payload_, value_count_, first, dense);
  });
}

Status BlockView::ReadDouble(std::size_t first_row, std::span<double> out,
                             std::span<std::uint64_t> validity) const {
  TL_TRY(CheckRead(PhysicalKind::kDouble, first_row, out.size(), validity.size()));
  const DoubleCodec& codec = *FindDoubleCodec(codec_id_);
  return ReadRows(first_row, out, validity, [&](std::size_t first, std::span<double> dense) {
    return codec.decode(payload_, value_count_, first, dense);
  });
}

Status BlockView::ReadBool(std::size_t first_row, std::span<std::uint8_t> out,
                           std::span<std::uint64_t> validity) const {
  TL_TRY(CheckRead(PhysicalKind::kBool, first_row, out.size(), validity.size()));
  const BoolCodec& codec = *FindBoolCodec(codec_id_);
  return ReadRows(first_row, out, validity, [&](std::size_t first, std::span<std::uint8_t> dense) {
    return codec.decode(payload_, value_count_, first, dense);
  });
}

Status BlockView::ReadString(std::size_t first_row, std::span<std::string_view> out,
                             std::span<std::uint64_t> validity) const {
  TL_TRY(CheckRead(PhysicalKind::kString, first_row, out.size(), validity.size()));
  const StringCodec& codec = *FindStringCodec(codec_id_);
  return ReadRows(first_row, out, validity,
                  [&](std::size_t first, std::span<std::string_view> dense) {
                    return codec.decode(payload_, value_count_, first, dense, text_.get());
                  });
}

bool BlockView::has_dictionary() const {
  return kind_ == PhysicalKind::kString && codec_id_ == kDictionaryStringCodec.wire_id &&
         value_count_ > 0;
}

Result<std::vector<std::string_view>> BlockView::ReadDictionary() const {
  if (!has_dictionary()) return InvalidArgument("block: no dictionary in a {} block", codec_name());
  return ReadStringDictionary(payload_, value_count_);
}

Status BlockView::ReadCodes(std::size_t first_row, std::span<std::uint32_t> out,
                            std::span<std::uint64_t> validity) const {
  TL_TRY(CheckRead(PhysicalKind::kString, first_row, out.size(), validity.size()));
  if (!has_dictionary()) return InvalidArgument("block: no dictionary in a {} block", codec_name());
  return ReadRows(first_row, out, validity, [&](std::size_t first, std::span<std::uint32_t> dense) {
    return ReadStringCodes(payload_, value_count_, first, dense);
  });
}

}  // namespace tideline::codec
