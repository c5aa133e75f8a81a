// storage/catalog/sealed_object.h: one small immutable object (manifest, series file, deletion vector)
// as sealed pages.
//
//   +--------------------------------------------------------------+------------------------------+
//   | header, 64 bytes: magic u64, format_version u16, type u16,    | pages of 64 KiB plain bytes,  |
//   | zero u32, file uuid 16, key id 16, plain_bytes u64, zero u32,  | each sealed with its CRC      |
//   | CRC32C of the header so far u32                                | (storage/seal/sealer.h)       |
//   +--------------------------------------------------------------+------------------------------+
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/status.h"
#include "base/uuid.h"
#include "storage/seal/sealer.h"

namespace tideline::catalog {

inline constexpr std::size_t kObjectHeaderBytes = 64;
/// Most plain bytes of one object; bounds allocation on hostile input.
inline constexpr std::uint64_t kObjectBytesMax = std::uint64_t{4} << 30;

struct SealedObject {
  seal::FileIdentity identity;
  Bytes plain;
};

/// The bytes of a file holding `plain`. Errors are the sealer's.
Result<Bytes> SealObject(seal::Sealer& sealer, const Uuid& key_scope, const Uuid& file_uuid,
                         seal::FileType type, std::uint16_t format_version, BytesView plain);

/// Undoes SealObject. kDataLoss: damaged, cut, or of another type. kUnimplemented: format above
/// `format_version_max`. Also what the sealer returns for a key that is not to be had.
Result<SealedObject> OpenObject(seal::Sealer& sealer, seal::FileType type,
                                std::uint16_t format_version_max, BytesView stored);

/// Checks header, length and the checksum of every page; needs no key. kDataLoss.
Status CheckObject(BytesView stored);

/// What the header says the object is, without checking more (its first kObjectHeaderBytes are
/// enough); kInvalidArgument when it is no sealed object.
Result<seal::FileIdentity> PeekObject(BytesView stored);

}  // namespace tideline::catalog
