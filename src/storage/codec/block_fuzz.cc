// Any bytes as a block of any kind: its entropy stage decoded if it claims one, parsed, read whole and
// in part; and what was read as a light block is given a stage, which must give the rows back.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "storage/codec/block.h"
#include "storage/codec/entropy_stage.h"

namespace {

using tideline::codec::BlockView;

template <typename T, typename Method>
void ReadTwice(const BlockView& view, Method method) {
  const std::size_t rows = view.row_count();
  std::vector<T> out(rows);
  std::vector<std::uint64_t> words(tideline::codec::ValidityWords(rows));
  (void)(view.*method)(0, std::span(out), std::span(words));
  (void)(view.*method)(rows / 3, std::span(out).first(rows / 2), std::span(words));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tideline::BytesView block = std::as_bytes(std::span(data, size));
  tideline::Bytes light;
  if (tideline::codec::HasEntropyStage(block)) {
    auto decoded = tideline::codec::DecodeEntropyStage(block);
    if (!decoded.ok()) return 0;
    light = *std::move(decoded);
    block = light;
  }
  const auto view = BlockView::Parse(block);
  if (!view.ok()) return 0;
  tideline::Bytes stored;
  if (tideline::codec::EncodeEntropyStage(block, &stored)) {
    TL_CHECK(tideline::codec::DecodeEntropyStage(stored).ok());  // whatever it holds, it is ours
  }
  switch (view->kind()) {
    case tideline::codec::PhysicalKind::kInt64:
      ReadTwice<std::int64_t>(*view, &BlockView::ReadInt64);
      break;
    case tideline::codec::PhysicalKind::kDouble:
      ReadTwice<double>(*view, &BlockView::ReadDouble);
      break;
    case tideline::codec::PhysicalKind::kBool:
      ReadTwice<std::uint8_t>(*view, &BlockView::ReadBool);
      break;
    case tideline::codec::PhysicalKind::kString:
      ReadTwice<std::string_view>(*view, &BlockView::ReadString);
      if (view->has_dictionary()) {
        (void)view->ReadDictionary();
        ReadTwice<std::uint32_t>(*view, &BlockView::ReadCodes);
      }
      break;
  }
  return 0;
}
