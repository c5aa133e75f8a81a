// storage/codec/entropy_stage.h: the second stage of blocks in the magnetic tier.
//
// Blocks have two forms. The light one is what block.h reads: any slice of it decodes alone, at
// memory speed. The stored one of the magnetic tier may have an entropy stage on top: its integers
// are binned_sequence.h, its text is zstd, and it is smaller by up to a third and decoded whole, once.
//
//   EncodeInt64Block(...)  -> light --EncodeEntropyStage--> stored, when that pays, else light is stored
//   stored --DecodeEntropyStage--> light --BlockView::Parse--> values
//
// A reader decodes the stage when it has read a block from its file, and keeps the light form in its
// cache: SegmentReader does so with every block it opens, so BlockCache never holds a stage and hits
// never pay for it. The light form that comes back has the same rows, kind and NULLs; its bytes need
// not be those that went in.
//
// On-disk layout: docs/file-format.md, "Entropy stage".
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/status.h"
#include "storage/codec/block.h"

namespace tideline::codec {

/// Set in the first byte of a stored block that has the stage.
inline constexpr std::uint8_t kEntropyStageFlag = 0x80;

/// Appends the stored form of a light block and returns true when it saves at least an eightieth;
/// false, with `out` as it was, when it does not or `light` is no block.
bool EncodeEntropyStage(BytesView light, Bytes* out);

inline bool HasEntropyStage(BytesView stored) {
  return !stored.empty() && (static_cast<std::uint8_t>(stored[0]) & kEntropyStageFlag) != 0;
}

/// The light block of a stored one that has the stage (checked). kDataLoss on bytes that are no such
/// block; what is allocated is bounded by the row count and by the stored bytes of text.
Result<Bytes> DecodeEntropyStage(BytesView stored);

}  // namespace tideline::codec
