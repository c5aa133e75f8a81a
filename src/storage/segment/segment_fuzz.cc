// Any bytes as a segment: the input is cut into pages with valid checksums, its footer gets one
// too, and everything that opens is read.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/hash.h"
#include "storage/segment/page_file.h"
#include "storage/segment/segment_format.h"
#include "storage/segment/segment_reader.h"

namespace {

using tideline::Bytes;
using tideline::BytesView;
namespace segment = tideline::segment;
namespace codec = tideline::codec;

void RepairFooter(Bytes* plain) {
  if (plain->size() < segment::kTrailerBytes) return;
  std::byte* trailer = plain->data() + plain->size() - segment::kTrailerBytes;
  std::uint64_t offset;
  std::memcpy(&offset, trailer, sizeof(offset));
  const std::uint64_t end = plain->size() - segment::kTrailerBytes;
  if (offset > end) return;
  const std::uint32_t crc = tideline::Crc32c(BytesView(*plain).subspan(offset, end - offset));
  std::memcpy(trailer + 16, &crc, sizeof(crc));
}

void ReadBlock(const segment::Stripe& stripe, const segment::BlockInfo& info) {
  const auto block = stripe.OpenColumn(info.column);
  if (!block.ok()) return;
  const std::size_t rows = stripe.row_count();
  std::vector<std::uint64_t> words(codec::ValidityWords(rows));
  switch (segment::PhysicalKindOf(info.type)) {
    case codec::PhysicalKind::kInt64: {
      std::vector<std::int64_t> out(rows);
      (void)block->ReadInt64(0, out, words);
      break;
    }
    case codec::PhysicalKind::kDouble: {
      std::vector<double> out(rows);
      (void)block->ReadDouble(0, out, words);
      break;
    }
    case codec::PhysicalKind::kBool: {
      std::vector<std::uint8_t> out(rows);
      (void)block->ReadBool(0, out, words);
      break;
    }
    case codec::PhysicalKind::kString: {
      std::vector<std::string_view> out(rows);
      (void)block->ReadString(0, out, words);
      break;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView input = std::as_bytes(std::span(data, size));
  Bytes plain(input.begin(), input.end());
  RepairFooter(&plain);
  segment::MemorySink sink;
  segment::PageWriter pages(sink, nullptr);
  if (!pages.Append(plain).ok() || !pages.Finish().ok()) return 0;
  const std::uint64_t file_bytes = sink.bytes().size();
  const auto reader = segment::SegmentReader::Open(
      std::make_shared<segment::MemoryRangeReader>(std::move(sink.bytes())), file_bytes);
  if (!reader.ok()) return 0;
  const auto table = (*reader)->series_table();
  if (table.ok() && (*table)->size() > 0) (void)(*table)->Find((*table)->id(0));
  for (std::size_t i = 0; i < (*reader)->stripe_count(); ++i) {
    const auto stripe = (*reader)->OpenStripe(i);
    if (!stripe.ok()) continue;
    for (const segment::BlockInfo& info : stripe->blocks()) ReadBlock(*stripe, info);
  }
  return 0;
}
