#include "storage/engine/series_file.h"

#include <algorithm>

namespace tideline::engine {
namespace {
constexpr std::size_t kDimensionValueBytesMax = 64 * 1024;
}  // namespace

void EncodeSeriesFile(const hot::SeriesIndex& index, std::uint32_t slot_count,
                      std::uint32_t series_count,
                      std::span<const std::uint32_t> touched,
                      std::span<const std::int64_t> high_waters, SeriesProgress* progress,
                      Bytes* bytes) {
  ByteWriter out(bytes);
  progress->codes.resize(slot_count, 1);
  // About two bytes a number, so that the bytes of a million series are not copied each time they double.
  bytes->reserve(2 * ((series_count - progress->series) * (std::size_t{1} + slot_count) * 2 + touched.size() * 4));
  out.Varint(slot_count);
  for (std::uint32_t slot = 0; slot < slot_count; ++slot) {
    const hot::Dictionary& values = index.values(slot);
    const std::uint32_t end = values.size();
    out.Varint(progress->codes[slot]);
    out.Varint(end - progress->codes[slot]);
    for (std::uint32_t code = progress->codes[slot]; code < end; ++code) {
      out.LengthPrefixed(values.Value(code));
    }
    progress->codes[slot] = end;
  }
  out.Varint(progress->series);
  out.Varint(series_count - progress->series);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> codes;
  for (std::uint32_t id = progress->series; id < series_count; ++id) {
    const hot::SeriesId series{id};
    codes.clear();
    for (std::uint32_t slot = 0; slot < slot_count; ++slot) {
      const std::uint32_t code = index.CodeOf(series, slot);
      if (code != hot::kNullCode) codes.emplace_back(slot, code);
    }
    out.Varint(index.MeasureOf(series));
    out.Varint(codes.size());
    for (const auto& [slot, code] : codes) {
      out.Varint(slot);
      out.Varint(code);
    }
  }
  progress->series = series_count;
  out.Varint(touched.size());
  std::uint32_t before = 0;
  for (std::size_t i = 0; i < touched.size(); ++i) {
    out.Varint(touched[i] - before);
    out.SignedVarint(high_waters[i]);
    before = touched[i];
  }
}

Status LoadSeriesFile(BytesView bytes, hot::SeriesIndex* index, SeriesProgress* progress) {
  ByteReader in(bytes);
  const std::uint64_t slot_count = TL_TRY(in.Varint());
  if (slot_count > index->slot_count()) {
    return DataLoss("series file: {} dimensions, the catalog has {}", slot_count,
                    index->slot_count());
  }
  progress->codes.resize(std::max<std::size_t>(progress->codes.size(), slot_count), 1);
  hot::SeriesIndex::BulkLoad load(index);
  for (std::uint32_t slot = 0; slot < slot_count; ++slot) {
    const std::uint64_t first = TL_TRY(in.Varint());
    const std::uint64_t count = TL_TRY(in.Varint());
    if (first != index->values(slot).size() || count > in.remaining()) {
      return DataLoss("series file: values of dimension {} begin at {}, not {}", slot, first,
                      index->values(slot).size());
    }
    for (std::uint64_t i = 0; i < count; ++i) {
      load.AddValue(slot, TL_TRY(in.LengthPrefixed(kDimensionValueBytesMax)));
    }
    progress->codes[slot] = index->values(slot).size();
  }
  const std::uint64_t first_series = TL_TRY(in.Varint());
  const std::uint64_t count = TL_TRY(in.Varint());
  if (first_series != index->series_count() || count > in.remaining()) {
    return DataLoss("series file: series begin at {}, not {}", first_series, index->series_count());
  }
  load.ReserveSeries(count);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> codes;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t measure = TL_TRY(in.Varint());
    const std::uint64_t parts = TL_TRY(in.Varint());
    if (measure >= index->measure_count() || parts > slot_count) {
      return DataLoss("series file: a series of measure {} with {} dimensions", measure, parts);
    }
    codes.resize(parts);
    std::uint64_t next_slot = 0;
    for (auto& [slot, code] : codes) {
      const std::uint64_t slot_read = TL_TRY(in.Varint());
      const std::uint64_t code_read = TL_TRY(in.Varint());
      if (slot_read < next_slot || slot_read >= slot_count || code_read == 0 ||
          code_read >= index->values(static_cast<std::uint32_t>(slot_read)).size()) {
        return DataLoss("series file: dimension {} has no code {}", slot_read, code_read);
      }
      next_slot = slot_read + 1;
      slot = static_cast<std::uint32_t>(slot_read);
      code = static_cast<std::uint32_t>(code_read);
    }
    load.AddCoded(static_cast<std::uint32_t>(measure), codes);
  }
  progress->series = index->series_count();
  const std::uint64_t touched = TL_TRY(in.Varint());
  std::uint64_t id = 0;
  for (std::uint64_t i = 0; i < touched; ++i) {
    id += TL_TRY(in.Varint());
    const std::int64_t time_ns = TL_TRY(in.SignedVarint());
    if (id >= index->series_count()) return DataLoss("series file: no series {}", id);
    std::int64_t& high_water = index->HighWater(hot::SeriesId{static_cast<std::uint32_t>(id)});
    high_water = std::max(high_water, time_ns);
  }
  if (!in.at_end()) return DataLoss("series file: {} bytes too many", in.remaining());
  return OkStatus();
}

}  // namespace tideline::engine
