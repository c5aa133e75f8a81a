// storage/wal/log_format.h: the bytes of a log file. Drawing and tables: docs/file-format.md,
// "WAL".
//
// A log file is a header of 4 KiB, then frames without gaps, each at a multiple of 8, then zeros.
// One frame is one group commit. Each carries the header CRC of the one before (the first carries
// the file header's CRC, which carries that of the last frame of the file before), so a frame
// cannot be lost, doubled or exchanged unseen. The header CRC is seeded with the file's random
// uuid: bytes that an older file left in a recycled block never validate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/sequence_number.h"
#include "base/status.h"
#include "base/uuid.h"
#include "storage/seal/sealer.h"

namespace tideline::wal {

inline constexpr std::uint16_t kLogFormatVersion = 1;
inline constexpr std::size_t kFileHeaderBytes = 4096;
inline constexpr std::size_t kFrameHeaderBytes = 44;
inline constexpr std::size_t kFrameAlignment = 8;
/// Record header: type u16 and a varint of a length below 2^24 or so.
inline constexpr std::size_t kRecordHeaderBytesMax = 2 + 4;

enum class FrameType : std::uint16_t {
  kData = 1,  ///< records
  kSeal = 2,  ///< nothing; its durable_number covers the frame before
  kGap = 3,   ///< stands for record_count records that were damaged and given up by quarantine
};
/// Bit of FrameHeader::flags: the plain payload is `raw_bytes u32`, then an LZ4 block.
inline constexpr std::uint16_t kFrameLz4 = 1;

struct LogFileHeader {
  Uuid database_uuid = {};
  Uuid file_uuid = {};
  SequenceNumber first_number = {};
  std::uint32_t previous_crc = 0;  ///< header_crc of the last frame of the file before; 0 if none
  seal::KeyId key_id = {};
};

struct FrameHeader {
  std::uint32_t payload_bytes = 0;   ///< as stored: compressed, sealed
  SequenceNumber first_number = {};  ///< of its first record; of an empty frame, of the next record
  std::uint32_t record_count = 0;
  FrameType type = FrameType::kData;
  std::uint16_t flags = 0;
  SequenceNumber durable_number = {};  ///< known synced when the frame was built
  std::uint32_t previous_crc = 0;
  std::uint32_t payload_crc = 0;
  std::uint32_t header_crc = 0;
};

/// Twenty digits.
std::string LogFileName(SequenceNumber first_number);
/// Nothing unless `name` is twenty digits that fit.
std::optional<SequenceNumber> ParseLogFileName(std::string_view name);

/// Fills `out` (kFileHeaderBytes) and returns the header's CRC.
std::uint32_t EncodeFileHeader(const LogFileHeader& header, std::span<std::byte> out);
/// kDataLoss if damaged, kUnimplemented if newer than this binary. `*crc` gets the header's CRC.
Result<LogFileHeader> DecodeFileHeader(BytesView bytes, std::uint32_t* crc);

/// Computes header_crc into `*header` and writes kFrameHeaderBytes to `out`.
void EncodeFrameHeader(const Uuid& file_uuid, FrameHeader* header, std::span<std::byte> out);
/// Nothing unless `bytes` begins with a frame header of this file whose CRC, type, flags and limits
/// hold.
std::optional<FrameHeader> DecodeFrameHeader(const Uuid& file_uuid, BytesView bytes);
/// Header, payload and padding.
constexpr std::size_t FrameBytes(std::size_t payload_bytes) {
  return (kFrameHeaderBytes + payload_bytes + kFrameAlignment - 1) / kFrameAlignment *
         kFrameAlignment;
}
/// The page index under which a frame is sealed: unique in its file, known without its neighbours.
constexpr std::uint64_t FramePageIndex(std::uint64_t offset) { return offset / kFrameAlignment; }

/// Writes a record's header to `out` (kRecordHeaderBytesMax); the bytes used.
std::size_t EncodeRecordHeader(std::uint16_t type, std::size_t payload_bytes, std::byte* out);

using RecordSink = std::function<Status(SequenceNumber, std::uint16_t type, BytesView payload)>;
/// Hands out the records of an unpacked payload, numbered from `header.first_number`, leaving out
/// those not above `floor`. kDataLoss if they are not exactly record_count records. Errors of
/// `sink` pass.
Status VisitRecords(const FrameHeader& header, BytesView plain, SequenceNumber floor,
                    const RecordSink& sink);

/// Undoes the compression of a decrypted payload. The view points into `plain` or `*scratch`.
/// kDataLoss if damaged or above kFramePayloadBytesMax, which is checked before allocation.
Result<BytesView> UnpackPayload(const FrameHeader& header, BytesView plain, Bytes* scratch);

}  // namespace tideline::wal
