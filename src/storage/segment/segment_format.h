// storage/segment/segment_format.h: header, stripe directory, footer and trailer as bytes.
//
//   header | blocks and directory of stripe 0 | stripe 1 | ... | series table | footer | trailer
//
//   header   magic (8) | format version (u32) | zeros (4) | file uuid (16) | zeros to 64
//   trailer  footer offset (u64) | footer bytes (u64) | CRC32C of footer (u32) | format version
//   (u32)
//            | file uuid (16) | magic (8)
//
// Offsets are logical (page_file.h).
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "storage/segment/segment_reader.h"
#include "storage/segment/segment_types.h"

namespace tideline::segment {

inline constexpr std::uint64_t kSegmentMagic = 0x0a47'4553'4c44'4954;  // "TIDLSEG\n"
inline constexpr std::size_t kHeaderBytes = 64;
inline constexpr std::size_t kTrailerBytes = 48;

/// The last part of the file that is written, the first that is read.
struct Footer {
  SegmentSummary summary;
  std::vector<StripeSummary> stripes;
  std::uint64_t series_offset = 0;
  std::uint64_t series_bytes = 0;
};

struct Trailer {
  std::uint64_t footer_offset = 0;
  std::uint64_t footer_bytes = 0;
  std::uint32_t footer_crc = 0;
  FileUuid file_uuid{};
};

/// Runs and blocks of a stripe.
struct StripeDirectory {
  std::vector<SeriesRun> runs;
  std::vector<BlockInfo> blocks;
};

void WriteHeader(const FileUuid& file_uuid, Bytes* out);

void WriteStripeDirectory(const StripeDirectory& directory, Bytes* out);
/// Everything is checked against the stripe and against `blocks_end`, where blocks must end.
Result<StripeDirectory> ReadStripeDirectory(BytesView bytes, const StripeSummary& stripe,
                                            std::uint64_t blocks_end);

void WriteFooter(const Footer& footer, Bytes* out);
/// Everything that lies in the file must end by `footer_offset`.
Result<Footer> ReadFooter(BytesView bytes, std::uint64_t footer_offset);

void WriteTrailer(const Trailer& trailer, Bytes* out);
/// `bytes` are the last kTrailerBytes of a file of `logical_bytes`. kDataLoss when that is no
/// segment, kUnimplemented when its format is newer.
Result<Trailer> ReadTrailer(BytesView bytes, std::uint64_t logical_bytes);

}  // namespace tideline::segment
