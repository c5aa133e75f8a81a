#include "storage/catalog/sealed_object.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"

namespace tideline::catalog {
namespace {

constexpr std::uint64_t kObjectMagic = 0x31'4a42'4f4c'4454U;  // "TDLOBJ1"
constexpr std::size_t kObjectPageBytes = 64 * 1024;

struct ObjectHeader {
  seal::FileIdentity identity;
  std::uint64_t plain_bytes = 0;
};

Result<ObjectHeader> ReadObjectHeader(BytesView stored) {
  ByteReader in(stored);
  if (stored.size() < kObjectHeaderBytes || TL_TRY(in.U64()) != kObjectMagic) {
    return DataLoss("not a sealed object: {} bytes without its magic", stored.size());
  }
  std::uint32_t crc = 0;
  std::memcpy(&crc, stored.data() + kObjectHeaderBytes - 4, 4);
  if (Crc32c(stored.first(kObjectHeaderBytes - 4)) != crc) {
    return DataLoss("the header of a sealed object is damaged");
  }
  ObjectHeader header;
  header.identity.format_version = TL_TRY(in.U16());
  header.identity.type = static_cast<seal::FileType>(TL_TRY(in.U16()));
  TL_TRY(in.Skip(4));
  for (Uuid* uuid : {&header.identity.file_uuid, &header.identity.key_id}) {
    const BytesView bytes = TL_TRY(in.Take(16));
    std::copy(bytes.begin(), bytes.end(), uuid->bytes.begin());
  }
  header.plain_bytes = TL_TRY(in.U64());
  if (header.plain_bytes > kObjectBytesMax) {
    return DataLoss("a sealed object claims {} bytes, above {}", header.plain_bytes, kObjectBytesMax);
  }
  return header;
}

std::uint64_t PageCount(const ObjectHeader& header) {
  return (header.plain_bytes + kObjectPageBytes - 1) / kObjectPageBytes;
}

Status CheckLength(const ObjectHeader& header, std::size_t page_overhead, BytesView stored) {
  if (stored.size() == kObjectHeaderBytes + header.plain_bytes + PageCount(header) * page_overhead) {
    return OkStatus();
  }
  return DataLoss("a sealed object of {} plain bytes is stored in {}", header.plain_bytes,
                  stored.size());
}

}  // namespace

Result<Bytes> SealObject(seal::Sealer& sealer, const Uuid& key_scope, const Uuid& file_uuid,
                         seal::FileType type, std::uint16_t format_version, BytesView plain) {
  const seal::FileIdentity identity{.file_uuid = file_uuid,
                                    .type = type,
                                    .format_version = format_version,
                                    .key_id = TL_TRY(sealer.CurrentKey(key_scope))};
  const auto pages = TL_TRY(sealer.ForFile(identity));
  Bytes stored;
  ByteWriter out(&stored);
  out.U64(kObjectMagic);
  out.U16(format_version);
  out.U16(static_cast<std::uint16_t>(type));
  out.U32(0);
  out.Append(BytesView(identity.file_uuid.bytes));
  out.Append(BytesView(identity.key_id.bytes));
  out.U64(plain.size());
  out.U32(0);
  out.U32(Crc32c(stored));
  for (std::size_t at = 0, page = 0; at < plain.size(); at += kObjectPageBytes, ++page) {
    const BytesView piece = plain.subspan(at, std::min(kObjectPageBytes, plain.size() - at));
    const std::size_t begin = stored.size();
    out.Append(piece);
    stored.resize(stored.size() + pages->overhead_bytes());
    TL_TRY(pages->SealPage(page, std::span(stored).subspan(begin)));
  }
  return stored;
}

Result<SealedObject> OpenObject(seal::Sealer& sealer, seal::FileType type,
                                std::uint16_t format_version_max, BytesView stored) {
  const ObjectHeader header = TL_TRY(ReadObjectHeader(stored));
  if (header.identity.type != type) {
    return DataLoss("a sealed object has type {}, not {}", static_cast<int>(header.identity.type),
                    static_cast<int>(type));
  }
  if (header.identity.format_version > format_version_max) {
    return Unimplemented("format {} is newer than this binary ({})",
                         header.identity.format_version, format_version_max);
  }
  const auto pages = TL_TRY(sealer.ForFile(header.identity));
  TL_TRY(CheckLength(header, pages->overhead_bytes(), stored));
  const std::uint64_t page_count = PageCount(header);
  SealedObject object{.identity = header.identity, .plain = {}};
  object.plain.reserve(header.plain_bytes);
  Bytes page_bytes;
  std::size_t at = kObjectHeaderBytes;
  for (std::uint64_t page = 0; page < page_count; ++page) {
    const std::size_t plain_left = header.plain_bytes - object.plain.size();
    const std::size_t bytes = std::min(kObjectPageBytes, plain_left) + pages->overhead_bytes();
    page_bytes.assign(stored.begin() + static_cast<std::ptrdiff_t>(at),
                      stored.begin() + static_cast<std::ptrdiff_t>(at + bytes));
    const BytesView plain = TL_TRY(pages->OpenPage(page, page_bytes));
    object.plain.insert(object.plain.end(), plain.begin(), plain.end());
    at += bytes;
  }
  return object;
}

Status CheckObject(BytesView stored) {
  const ObjectHeader header = TL_TRY(ReadObjectHeader(stored));
  const std::size_t overhead =
      seal::kPageCrcBytes + (header.identity.key_id.is_nil() ? 0 : seal::kCipherBytes);
  TL_TRY(CheckLength(header, overhead, stored));
  stored = stored.subspan(kObjectHeaderBytes);
  for (std::uint64_t page = 0; !stored.empty(); ++page) {
    const std::size_t bytes = std::min(kObjectPageBytes + overhead, stored.size());
    TL_TRY(seal::CheckPage(header.identity, page, stored.first(bytes)));
    stored = stored.subspan(bytes);
  }
  return OkStatus();
}

Result<seal::FileIdentity> PeekObject(BytesView stored) {
  const Result<ObjectHeader> header = ReadObjectHeader(stored);
  if (!header.ok()) return InvalidArgument("not a sealed object");
  return header->identity;
}

}  // namespace tideline::catalog
