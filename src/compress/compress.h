// compress/compress.h: general compressors behind one small interface.
//
// A compressed block holds no size of its own: whoever stores it stores the method and the raw size
// beside it and hands both back. So a size from disk meets its limit before anything is allocated,
// and a block that decodes to any other size is damaged.
//
// LZ4 (block format, Yann Collet, lz4.org) where speed decides: the log. zstd (RFC 8878) where size
// does: the magnetic tier.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace tideline::compress {

/// Written to disk; a number is never used again for something else.
enum class Method : std::uint8_t { kNone = 0, kLz4 = 1, kZstd = 2 };

/// Most raw bytes one block may hold; both directions refuse more.
inline constexpr std::size_t kRawBytesMax = std::size_t{1} << 30;

/// A method and how hard it tries.
struct Setting {
  Method method = Method::kNone;
  /// zstd: 1 to 19, higher is smaller and slower. LZ4 and none: ignored.
  int level = 3;
};

/// kDataLoss unless `wire_id` names a method of this binary. For bytes read from disk.
Result<Method> MethodFromWire(std::uint8_t wire_id);
/// "none", "lz4", "zstd". Static storage.
std::string_view MethodName(Method method);

/// Most bytes that compressing `raw_bytes` can yield.
std::size_t CompressedBytesMax(Method method, std::size_t raw_bytes);

/// Compresses into `out` and returns the bytes used, or 0 when the result does not fit (or `raw` is
/// above kRawBytesMax): give less room than `raw.size()` to learn in one call whether compressing
/// pays. With kNone, and `raw` empty, 0 is the true size. Thread-safe; keeps per-thread state.
std::size_t CompressInto(Setting setting, BytesView raw, std::span<std::byte> out);

/// Appends the compressed form of `raw` to `*out`. kInvalidArgument when `raw` is above
/// kRawBytesMax.
Status Compress(Setting setting, BytesView raw, Bytes* out);

/// Decompresses into `out`, whose size must be the raw size exactly.
/// kDataLoss when `stored` is no such block or decodes to another size; `out` is then unspecified.
/// Thread-safe. Allocates nothing but per-thread state.
Status DecompressInto(Method method, BytesView stored, std::span<std::byte> out);

/// The same into new memory. kDataLoss, before any allocation, when `raw_bytes` is above
/// `raw_bytes_max` (or above kRawBytesMax).
Result<Bytes> Decompress(Method method, BytesView stored, std::size_t raw_bytes,
                         std::size_t raw_bytes_max);

}  // namespace tideline::compress
