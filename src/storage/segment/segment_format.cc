#include "storage/segment/segment_format.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"
#include "storage/segment/zone_map.h"

namespace tideline::segment {
namespace {

Status ReadUuid(ByteReader* reader, FileUuid* uuid) {
  const BytesView bytes = TL_TRY(reader->Take(uuid->size()));
  std::memcpy(uuid->data(), bytes.data(), uuid->size());
  return OkStatus();
}

// A varint of at most `value_max`, which fits T.
template <typename T = std::uint64_t>
Result<T> BoundedVarint(ByteReader* reader, std::uint64_t value_max) {
  const std::uint64_t value = TL_TRY(reader->Varint());
  if (value > value_max) return DataLoss("segment: {} where at most {} may be", value, value_max);
  return static_cast<T>(value);
}

Result<ColumnType> ReadColumnType(ByteReader* reader) {
  const std::uint8_t type = TL_TRY(reader->U8());
  if (type < 1 || type > 5) return DataLoss("segment: unknown column type {}", type);
  return static_cast<ColumnType>(type);
}

void WriteNumbers(std::span<const std::int64_t> numbers, Bytes* out) {
  Bytes block;
  codec::EncodeInt64Block(numbers, {}, numbers.size(), &block);
  ByteWriter writer(out);
  writer.Varint(block.size());
  writer.Append(block);
}

Status ReadNumbers(ByteReader* reader, std::span<std::int64_t> out) {
  const std::size_t bytes = TL_TRY(BoundedVarint<std::size_t>(reader, reader->remaining()));
  const BytesView stored = TL_TRY(reader->Take(bytes));
  const codec::BlockView view = TL_TRY(codec::BlockView::Parse(stored));
  if (view.kind() != codec::PhysicalKind::kInt64 || view.row_count() != out.size() ||
      view.null_count() != 0) {
    return DataLoss("segment: a list of {} numbers is not one", out.size());
  }
  return view.ReadInt64(0, out, {});
}

Result<std::vector<SeriesRun>> ReadRuns(ByteReader* reader, const StripeSummary& stripe) {
  const std::uint64_t run_count = TL_TRY(BoundedVarint(reader, stripe.series_count));
  if (run_count == 0 || run_count > stripe.row_count) {
    return DataLoss("stripe: {} series runs for {} rows", run_count, stripe.row_count);
  }
  std::vector<std::int64_t> ordinals(static_cast<std::size_t>(run_count));
  std::vector<std::int64_t> counts(ordinals.size());
  TL_TRY(ReadNumbers(reader, ordinals));
  TL_TRY(ReadNumbers(reader, counts));
  std::vector<SeriesRun> runs;
  runs.reserve(ordinals.size());
  std::uint32_t row = 0;
  for (std::size_t i = 0; i < ordinals.size(); ++i) {
    const bool ascends =
        i == 0 ? ordinals[0] == stripe.first_series : ordinals[i] > ordinals[i - 1];
    if (!ascends || ordinals[i] >= std::int64_t{stripe.first_series} + stripe.series_count ||
        counts[i] <= 0 || counts[i] > stripe.row_count - row) {
      return DataLoss("stripe: run of {} rows of series {}", counts[i], ordinals[i]);
    }
    runs.push_back(
        {static_cast<std::uint32_t>(ordinals[i]), row, static_cast<std::uint32_t>(counts[i])});
    row += static_cast<std::uint32_t>(counts[i]);
  }
  if (row != stripe.row_count)
    return DataLoss("stripe: runs hold {} of {} rows", row, stripe.row_count);
  return runs;
}

Result<BlockInfo> ReadBlockInfo(ByteReader* reader, std::uint32_t row_count,
                                std::uint64_t blocks_end) {
  BlockInfo info;
  info.column = TL_TRY(reader->U32());
  info.type = TL_TRY(ReadColumnType(reader));
  info.offset = TL_TRY(BoundedVarint(reader, blocks_end));
  const std::uint64_t bytes_max = std::min<std::uint64_t>(blocks_end - info.offset, UINT32_MAX);
  info.bytes = TL_TRY(BoundedVarint<std::uint32_t>(reader, bytes_max));
  info.zone = TL_TRY(ReadZoneMap(PhysicalKindOf(info.type), row_count, reader));
  return info;
}

Result<StripeSummary> ReadStripeSummary(ByteReader* reader, const SegmentSummary& summary,
                                        std::uint64_t end) {
  StripeSummary stripe;
  const std::uint64_t series_count = summary.series_count;
  stripe.row_count = TL_TRY(BoundedVarint<std::uint32_t>(reader, kStripeRowsMax));
  stripe.first_series = TL_TRY(BoundedVarint<std::uint32_t>(reader, series_count));
  stripe.series_count =
      TL_TRY(BoundedVarint<std::uint32_t>(reader, series_count - stripe.first_series));
  stripe.measure_code_min = TL_TRY(BoundedVarint<std::uint32_t>(reader, series_count));
  stripe.measure_code_max = TL_TRY(BoundedVarint<std::uint32_t>(reader, series_count));
  stripe.time_ns_min = TL_TRY(reader->SignedVarint());
  stripe.time_ns_max = TL_TRY(reader->SignedVarint());
  stripe.directory_offset = TL_TRY(BoundedVarint(reader, end));
  const std::uint64_t bytes_max =
      std::min<std::uint64_t>(end - stripe.directory_offset, UINT32_MAX);
  stripe.directory_bytes = TL_TRY(BoundedVarint<std::uint32_t>(reader, bytes_max));
  if (stripe.row_count == 0 || stripe.series_count == 0) return DataLoss("stripe: no rows");
  return stripe;
}

Status ReadColumns(ByteReader* reader, std::vector<ColumnSummary>* columns) {
  const std::uint64_t count = TL_TRY(BoundedVarint(reader, kSegmentColumnsMax + 2));
  for (std::uint64_t i = 0; i < count; ++i) {
    ColumnSummary column;
    column.id = TL_TRY(reader->U32());
    column.type = TL_TRY(ReadColumnType(reader));
    column.value_count = TL_TRY(reader->Varint());
    column.block_count = TL_TRY(reader->Varint());
    column.encoded_bytes = TL_TRY(reader->Varint());
    if (!columns->empty() && columns->back().id >= column.id) {
      return DataLoss("segment: column {} out of order", column.id);
    }
    columns->push_back(column);
  }
  return OkStatus();
}

Result<SegmentSummary> ReadSummary(ByteReader* reader) {
  SegmentSummary summary;
  summary.format_version = TL_TRY(reader->U32());
  TL_TRY(ReadUuid(reader, &summary.file_uuid));
  summary.table_id = TL_TRY(reader->U64());
  const std::uint8_t tier = TL_TRY(reader->U8());
  if (tier < 1 || tier > 2) return DataLoss("segment: unknown tier {}", tier);
  summary.tier = static_cast<Tier>(tier);
  summary.window_start_ns = TL_TRY(reader->I64());
  summary.window_length_ns = TL_TRY(reader->I64());
  summary.through_number = TL_TRY(reader->U64());
  summary.time_ns_min = TL_TRY(reader->I64());
  summary.time_ns_max = TL_TRY(reader->I64());
  summary.row_count = TL_TRY(BoundedVarint(reader, kSegmentRowsMax));
  summary.series_count = TL_TRY(BoundedVarint(reader, kSegmentSeriesMax));
  summary.stripe_count = TL_TRY(reader->Varint());
  return summary;
}

}  // namespace

void WriteHeader(const FileUuid& file_uuid, Bytes* out) {
  const std::size_t start = out->size();
  ByteWriter writer(out);
  writer.U64(kSegmentMagic);
  writer.U32(kFormatVersion);
  writer.U32(0);
  writer.Append(std::as_bytes(std::span(file_uuid)));
  out->resize(start + kHeaderBytes);
}

void WriteStripeDirectory(const StripeDirectory& directory, Bytes* out) {
  std::vector<std::int64_t> ordinals;
  std::vector<std::int64_t> counts;
  for (const SeriesRun& run : directory.runs) {
    ordinals.push_back(run.series);
    counts.push_back(run.row_count);
  }
  ByteWriter writer(out);
  writer.Varint(directory.runs.size());
  WriteNumbers(ordinals, out);
  WriteNumbers(counts, out);
  writer.Varint(directory.blocks.size());
  for (const BlockInfo& block : directory.blocks) {
    writer.U32(block.column);
    writer.U8(static_cast<std::uint8_t>(block.type));
    writer.Varint(block.offset);
    writer.Varint(block.bytes);
    WriteZoneMap(block.zone, PhysicalKindOf(block.type), &writer);
  }
}

Result<StripeDirectory> ReadStripeDirectory(BytesView bytes, const StripeSummary& stripe,
                                            std::uint64_t blocks_end) {
  ByteReader reader(bytes);
  StripeDirectory directory;
  directory.runs = TL_TRY(ReadRuns(&reader, stripe));
  const std::uint64_t block_count = TL_TRY(BoundedVarint(&reader, kSegmentColumnsMax + 2));
  for (std::uint64_t i = 0; i < block_count; ++i) {
    BlockInfo info = TL_TRY(ReadBlockInfo(&reader, stripe.row_count, blocks_end));
    if (i > 0 && directory.blocks.back().column >= info.column) {
      return DataLoss("stripe: column {} out of order", info.column);
    }
    directory.blocks.push_back(std::move(info));
  }
  if (!reader.at_end()) return DataLoss("stripe: {} bytes too many", reader.remaining());
  return directory;
}

void WriteFooter(const Footer& footer, Bytes* out) {
  const SegmentSummary& summary = footer.summary;
  ByteWriter writer(out);
  writer.U32(summary.format_version);
  writer.Append(std::as_bytes(std::span(summary.file_uuid)));
  writer.U64(summary.table_id);
  writer.U8(static_cast<std::uint8_t>(summary.tier));
  writer.I64(summary.window_start_ns);
  writer.I64(summary.window_length_ns);
  writer.U64(summary.through_number);
  writer.I64(summary.time_ns_min);
  writer.I64(summary.time_ns_max);
  writer.Varint(summary.row_count);
  writer.Varint(summary.series_count);
  writer.Varint(summary.stripe_count);
  writer.Varint(footer.series_offset);
  writer.Varint(footer.series_bytes);
  writer.Varint(summary.columns.size());
  for (const ColumnSummary& column : summary.columns) {
    writer.U32(column.id);
    writer.U8(static_cast<std::uint8_t>(column.type));
    writer.Varint(column.value_count);
    writer.Varint(column.block_count);
    writer.Varint(column.encoded_bytes);
  }
  for (const StripeSummary& stripe : footer.stripes) {
    writer.Varint(stripe.row_count);
    writer.Varint(stripe.first_series);
    writer.Varint(stripe.series_count);
    writer.Varint(stripe.measure_code_min);
    writer.Varint(stripe.measure_code_max);
    writer.SignedVarint(stripe.time_ns_min);
    writer.SignedVarint(stripe.time_ns_max);
    writer.Varint(stripe.directory_offset);
    writer.Varint(stripe.directory_bytes);
  }
}

Result<Footer> ReadFooter(BytesView bytes, std::uint64_t footer_offset) {
  ByteReader reader(bytes);
  Footer footer;
  footer.summary = TL_TRY(ReadSummary(&reader));
  footer.series_offset = TL_TRY(BoundedVarint(&reader, footer_offset));
  footer.series_bytes = TL_TRY(BoundedVarint(&reader, footer_offset - footer.series_offset));
  TL_TRY(ReadColumns(&reader, &footer.summary.columns));
  std::uint64_t rows = 0;
  for (std::uint64_t i = 0; i < footer.summary.stripe_count; ++i) {
    StripeSummary stripe = TL_TRY(ReadStripeSummary(&reader, footer.summary, footer.series_offset));
    stripe.first_row = rows;
    rows += stripe.row_count;
    footer.stripes.push_back(stripe);
  }
  if (rows != footer.summary.row_count || !reader.at_end()) {
    return DataLoss("footer: stripes hold {} of {} rows, {} bytes too many", rows,
                    footer.summary.row_count, reader.remaining());
  }
  return footer;
}

void WriteTrailer(const Trailer& trailer, Bytes* out) {
  ByteWriter writer(out);
  writer.U64(trailer.footer_offset);
  writer.U64(trailer.footer_bytes);
  writer.U32(trailer.footer_crc);
  writer.U32(kFormatVersion);
  writer.Append(std::as_bytes(std::span(trailer.file_uuid)));
  writer.U64(kSegmentMagic);
}

Result<Trailer> ReadTrailer(BytesView bytes, std::uint64_t logical_bytes) {
  ByteReader reader(bytes);
  Trailer trailer;
  trailer.footer_offset = TL_TRY(reader.U64());
  trailer.footer_bytes = TL_TRY(reader.U64());
  trailer.footer_crc = TL_TRY(reader.U32());
  const std::uint32_t version = TL_TRY(reader.U32());
  TL_TRY(ReadUuid(&reader, &trailer.file_uuid));
  const std::uint64_t magic = TL_TRY(reader.U64());
  if (magic != kSegmentMagic) return DataLoss("trailer: not a segment, magic {:#x}", magic);
  if (version > kFormatVersion) {
    return Unimplemented("segment format is newer than this binary: {}", version);
  }
  const std::uint64_t end = logical_bytes - kTrailerBytes;
  if (version == 0 || trailer.footer_offset < kHeaderBytes || trailer.footer_offset > end ||
      trailer.footer_bytes != end - trailer.footer_offset) {
    return DataLoss("trailer: footer at {} takes {} of {} bytes", trailer.footer_offset,
                    trailer.footer_bytes, logical_bytes);
  }
  return trailer;
}

}  // namespace tideline::segment
