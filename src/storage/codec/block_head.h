// storage/codec/block_head.h: what stands before the payload of a block (block.h has the drawing).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/status.h"

namespace tideline::codec {

/// Where a block names its kind and its codec.
inline constexpr std::size_t kKindOffset = 0;
inline constexpr std::size_t kCodecIdOffset = 1;

struct BlockHead {
  std::uint8_t kind = 0;  ///< as stored, flags included; not checked
  std::uint8_t codec_id = 0;
  std::uint8_t validity_kind = 0;
  std::size_t row_count = 0;
  std::size_t value_count = 0;
  BytesView validity;
  BytesView payload;
};

/// Views point into `block`. kDataLoss when counts or lengths cannot be.
Result<BlockHead> ReadBlockHead(BytesView block);

}  // namespace tideline::codec
