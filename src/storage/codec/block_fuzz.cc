// Any bytes as a block of any kind: parsed, read whole and in part.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "storage/codec/block.h"

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
  const auto view = BlockView::Parse(std::as_bytes(std::span(data, size)));
  if (!view.ok()) return 0;
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
