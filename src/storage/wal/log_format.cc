#include "storage/wal/log_format.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/check.h"
#include "base/hash.h"
#include "compress/compress.h"
#include "storage/wal/wal_options.h"

namespace tideline::wal {
namespace {

constexpr std::uint64_t kFileMagic = 0x314c41574c444954U;  // "TIDLWAL1" as bytes
constexpr std::uint32_t kFrameMagic = 0x4d524654U;         // "TFRM" as bytes
constexpr std::size_t kFileCrcAt = kFileHeaderBytes - 4;
constexpr std::size_t kFrameCrcAt = kFrameHeaderBytes - 4;
constexpr std::size_t kFileNameDigits = 20;
// Room for the tag of any cipher over a full payload.
constexpr std::size_t kStoredPayloadBytesMax = kFramePayloadBytesMax + 64;

// Appends little-endian fields to memory whose size was checked by the caller.
class FieldWriter {
 public:
  explicit FieldWriter(std::byte* at) : at_(at) {}
  template <typename T>
  void Put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(at_, &value, sizeof(T));
    at_ += sizeof(T);
  }

 private:
  std::byte* at_;
};

std::uint32_t LoadU32(BytesView bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

std::uint32_t FrameHeaderCrc(const Uuid& file_uuid, BytesView header) {
  return Crc32c(header.first(kFrameCrcAt), Crc32c(file_uuid.bytes));
}

Result<Uuid> ReadUuid(ByteReader& reader) {
  const BytesView bytes = TL_TRY(reader.Take(16));
  Uuid uuid;
  std::copy(bytes.begin(), bytes.end(), uuid.bytes.begin());
  return uuid;
}

}  // namespace

std::string LogFileName(SequenceNumber first_number) {
  return fmt::format("{:020}", first_number.value);
}

std::optional<SequenceNumber> ParseLogFileName(std::string_view name) {
  if (name.size() != kFileNameDigits) return std::nullopt;
  SequenceNumber number;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number.value);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

std::uint32_t EncodeFileHeader(const LogFileHeader& header, std::span<std::byte> out) {
  TL_CHECK(out.size() == kFileHeaderBytes);
  std::fill(out.begin(), out.end(), std::byte{0});
  FieldWriter writer(out.data());
  writer.Put(kFileMagic);
  writer.Put(std::uint32_t{kLogFormatVersion});
  writer.Put(header.previous_crc);
  writer.Put(header.database_uuid.bytes);
  writer.Put(header.file_uuid.bytes);
  writer.Put(header.first_number.value);
  writer.Put(header.key_id.bytes);
  const std::uint32_t crc = Crc32c(BytesView(out).first(kFileCrcAt));
  std::memcpy(out.data() + kFileCrcAt, &crc, sizeof(crc));
  return crc;
}

Result<LogFileHeader> DecodeFileHeader(BytesView bytes, std::uint32_t* crc) {
  if (bytes.size() < kFileHeaderBytes) {
    return DataLoss("log file has {} bytes, less than its header", bytes.size());
  }
  ByteReader reader(bytes.first(kFileHeaderBytes));
  const std::uint64_t magic = TL_TRY(reader.U64());
  if (magic != kFileMagic) return DataLoss("log file header is damaged: magic {:016x}", magic);
  *crc = LoadU32(bytes, kFileCrcAt);
  const std::uint32_t actual = Crc32c(bytes.first(kFileCrcAt));
  if (actual != *crc) {
    return DataLoss("log file header is damaged: CRC32C {:08x}, stored {:08x}", actual, *crc);
  }
  const std::uint32_t version = TL_TRY(reader.U32());
  if (version != kLogFormatVersion) {
    return Unimplemented("log format {} is not known to this binary", version);
  }
  LogFileHeader header;
  header.previous_crc = TL_TRY(reader.U32());
  header.database_uuid = TL_TRY(ReadUuid(reader));
  header.file_uuid = TL_TRY(ReadUuid(reader));
  header.first_number.value = TL_TRY(reader.U64());
  header.key_id = TL_TRY(ReadUuid(reader));
  return header;
}

void EncodeFrameHeader(const Uuid& file_uuid, FrameHeader* header, std::span<std::byte> out) {
  TL_CHECK(out.size() >= kFrameHeaderBytes);
  FieldWriter writer(out.data());
  writer.Put(kFrameMagic);
  writer.Put(header->payload_bytes);
  writer.Put(header->first_number.value);
  writer.Put(header->record_count);
  writer.Put(header->type);
  writer.Put(header->flags);
  writer.Put(header->durable_number.value);
  writer.Put(header->previous_crc);
  writer.Put(header->payload_crc);
  header->header_crc = FrameHeaderCrc(file_uuid, out);
  writer.Put(header->header_crc);
}

std::optional<FrameHeader> DecodeFrameHeader(const Uuid& file_uuid, BytesView bytes) {
  if (bytes.size() < kFrameHeaderBytes || LoadU32(bytes, 0) != kFrameMagic) return std::nullopt;
  if (LoadU32(bytes, kFrameCrcAt) != FrameHeaderCrc(file_uuid, bytes)) return std::nullopt;
  FrameHeader header;
  auto take = [at = bytes.data() + 4](auto& field) mutable {
    std::memcpy(&field, at, sizeof(field));
    at += sizeof(field);
  };
  take(header.payload_bytes);
  take(header.first_number.value);
  take(header.record_count);
  take(header.type);
  take(header.flags);
  take(header.durable_number.value);
  take(header.previous_crc);
  take(header.payload_crc);
  take(header.header_crc);
  const bool known = header.type == FrameType::kData || header.type == FrameType::kSeal ||
                     header.type == FrameType::kGap;
  const bool empty = header.type != FrameType::kData;
  if (!known || (header.flags & ~kFrameLz4) != 0 || (empty && header.payload_bytes != 0) ||
      header.payload_bytes > kStoredPayloadBytesMax ||
      header.durable_number >= header.first_number ||
      header.first_number.value > UINT64_MAX - header.record_count) {
    return std::nullopt;
  }
  return header;
}

std::size_t EncodeRecordHeader(std::uint16_t type, std::size_t payload_bytes, std::byte* out) {
  std::memcpy(out, &type, sizeof(type));
  std::size_t used = sizeof(type);
  for (; payload_bytes >= 0x80; payload_bytes >>= 7) {
    out[used++] = static_cast<std::byte>(payload_bytes | 0x80);
  }
  out[used++] = static_cast<std::byte>(payload_bytes);
  TL_DCHECK(used <= kRecordHeaderBytesMax);
  return used;
}

Status VisitRecords(const FrameHeader& header, BytesView plain, SequenceNumber floor,
                    const RecordSink& sink) {
  ByteReader reader(plain);
  for (std::uint32_t i = 0; i < header.record_count; ++i) {
    const SequenceNumber number{header.first_number.value + i};
    const std::uint16_t type = TL_TRY(reader.U16());
    const std::string_view payload = TL_TRY(reader.LengthPrefixed(kFramePayloadBytesMax));
    if (number > floor) TL_TRY(sink(number, type, AsBytes(payload)));
  }
  if (!reader.at_end()) {
    return DataLoss("log frame at number {} has {} bytes behind its {} records",
                    header.first_number.value, reader.remaining(), header.record_count);
  }
  return OkStatus();
}

Result<BytesView> UnpackPayload(const FrameHeader& header, BytesView plain, Bytes* scratch) {
  if ((header.flags & kFrameLz4) == 0) {
    if (plain.size() > kFramePayloadBytesMax) {
      return DataLoss("log frame has {} payload bytes, more than the limit of {}", plain.size(),
                      kFramePayloadBytesMax);
    }
    return plain;
  }
  ByteReader reader(plain);
  const std::uint32_t raw_bytes = TL_TRY(reader.U32());
  if (raw_bytes > kFramePayloadBytesMax) {
    return DataLoss("log frame claims {} payload bytes, more than the limit of {}", raw_bytes,
                    kFramePayloadBytesMax);
  }
  scratch->resize(raw_bytes);
  TL_TRY(compress::DecompressInto(compress::Method::kLz4, plain.subspan(4), *scratch));
  return BytesView(*scratch);
}

}  // namespace tideline::wal
