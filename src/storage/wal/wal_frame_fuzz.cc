// Fuzzes what recovery reads of a log file: file header, frame header, compressed payload, records.
//
// The checksums would keep the fuzzer out of everything behind them, so the input is taken twice:
// as bytes of a file, and as the contents of a frame whose checksums hold.
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "storage/wal/log_format.h"
#include "storage/wal/wal_options.h"

namespace {

using namespace tideline;

void TakeAsFile(BytesView input) {
  std::uint32_t crc = 0;
  wal::DecodeFileHeader(input, &crc).status().IgnoreError();
  for (std::size_t at = 0; at < input.size(); at += wal::kFrameAlignment) {
    const auto header = wal::DecodeFrameHeader(Uuid(), input.subspan(at));
    if (header.has_value()) TL_CHECK(header->durable_number < header->first_number);
  }
}

void TakeAsFrame(BytesView input) {
  wal::FrameHeader header;
  constexpr std::size_t kFields = 8;
  if (input.size() < kFields) return;
  std::memcpy(&header.record_count, input.data(), 4);
  std::memcpy(&header.type, input.data() + 4, 2);
  std::memcpy(&header.flags, input.data() + 6, 2);
  header.first_number = SequenceNumber{1};
  header.payload_bytes = static_cast<std::uint32_t>(input.size() - kFields);
  std::byte bytes[wal::kFrameHeaderBytes];
  wal::EncodeFrameHeader(Uuid(), &header, bytes);
  const auto decoded = wal::DecodeFrameHeader(Uuid(), bytes);
  if (!decoded.has_value()) return;
  Bytes scratch;
  const Result<BytesView> plain = wal::UnpackPayload(*decoded, input.subspan(kFields), &scratch);
  if (!plain.ok()) return;
  TL_CHECK(plain->size() <= wal::kFramePayloadBytesMax);
  std::uint64_t count = 0;
  const Status visited = wal::VisitRecords(*decoded, *plain, SequenceNumber{},
                                           [&](SequenceNumber, std::uint16_t, BytesView payload) {
                                             ++count;
                                             TL_CHECK(payload.size() <= plain->size());
                                             return OkStatus();
                                           });
  if (visited.ok()) TL_CHECK(count == decoded->record_count);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView input(reinterpret_cast<const std::byte*>(data), size);
  TakeAsFile(input);
  TakeAsFrame(input);
  return 0;
}
