#include "compress/compress.h"

#include <lz4.h>
#include <zstd.h>

#include <memory>

namespace tideline::compress {
namespace {

struct CompressorDeleter {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct DecompressorDeleter {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// zstd's contexts are large and slow to make; one of each serves a thread for its life.
ZSTD_CCtx* ThreadCompressor() {
  thread_local const std::unique_ptr<ZSTD_CCtx, CompressorDeleter> context(ZSTD_createCCtx());
  return context.get();
}
ZSTD_DCtx* ThreadDecompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, DecompressorDeleter> context(ZSTD_createDCtx());
  return context.get();
}

const char* Chars(BytesView bytes) { return reinterpret_cast<const char*>(bytes.data()); }
char* Chars(std::span<std::byte> bytes) { return reinterpret_cast<char*>(bytes.data()); }

std::size_t Lz4Into(BytesView raw, std::span<std::byte> out) {
  const std::size_t room = std::min(out.size(), kRawBytesMax + (kRawBytesMax >> 7));
  const int used = LZ4_compress_default(Chars(raw), Chars(out), static_cast<int>(raw.size()),
                                        static_cast<int>(room));
  return used <= 0 ? 0 : static_cast<std::size_t>(used);
}

std::size_t ZstdInto(int level, BytesView raw, std::span<std::byte> out) {
  ZSTD_CCtx* context = ThreadCompressor();
  if (context == nullptr) return 0;
  const std::size_t used =
      ZSTD_compressCCtx(context, out.data(), out.size(), raw.data(), raw.size(), level);
  return ZSTD_isError(used) != 0 ? 0 : used;
}

Status WrongSize(Method method, std::size_t stored_bytes, std::size_t raw_bytes) {
  return DataLoss("compressed block is damaged: {} block of {} bytes does not hold {} bytes",
                  MethodName(method), stored_bytes, raw_bytes);
}

}  // namespace

Result<Method> MethodFromWire(std::uint8_t wire_id) {
  if (wire_id > static_cast<std::uint8_t>(Method::kZstd)) {
    return DataLoss("unknown compression method: {}", wire_id);
  }
  return static_cast<Method>(wire_id);
}

std::string_view MethodName(Method method) {
  switch (method) {
    case Method::kNone:
      return "none";
    case Method::kLz4:
      return "lz4";
    case Method::kZstd:
      return "zstd";
  }
  return "unknown";
}

std::size_t CompressedBytesMax(Method method, std::size_t raw_bytes) {
  switch (method) {
    case Method::kNone:
      return raw_bytes;
    case Method::kLz4:
      return raw_bytes + raw_bytes / 255 + 16;  // LZ4_COMPRESSBOUND
    case Method::kZstd:
      return ZSTD_compressBound(raw_bytes);
  }
  return raw_bytes;
}

std::size_t CompressInto(Setting setting, BytesView raw, std::span<std::byte> out) {
  if (raw.size() > kRawBytesMax) return 0;
  switch (setting.method) {
    case Method::kNone:
      if (raw.size() > out.size()) return 0;
      if (!raw.empty()) std::memcpy(out.data(), raw.data(), raw.size());
      return raw.size();
    case Method::kLz4:
      return Lz4Into(raw, out);
    case Method::kZstd:
      return ZstdInto(setting.level, raw, out);
  }
  return 0;
}

Status Compress(Setting setting, BytesView raw, Bytes* out) {
  if (raw.size() > kRawBytesMax) {
    return InvalidArgument("block to compress has {} bytes, more than the limit of {}", raw.size(),
                           kRawBytesMax);
  }
  const std::size_t begin = out->size();
  out->resize(begin + CompressedBytesMax(setting.method, raw.size()));
  const std::size_t used = CompressInto(setting, raw, std::span(*out).subspan(begin));
  out->resize(begin + used);
  if (used == 0 && !(setting.method == Method::kNone && raw.empty())) {
    return Internal("{} could not compress {} bytes", MethodName(setting.method), raw.size());
  }
  return OkStatus();
}

Status DecompressInto(Method method, BytesView stored, std::span<std::byte> out) {
  if (out.size() > kRawBytesMax || stored.size() > CompressedBytesMax(method, kRawBytesMax)) {
    return DataLoss("compressed block is damaged: {} bytes for {} raw bytes, limit {}",
                    stored.size(), out.size(), kRawBytesMax);
  }
  switch (method) {
    case Method::kNone:
      if (stored.size() != out.size()) return WrongSize(method, stored.size(), out.size());
      if (!out.empty()) std::memcpy(out.data(), stored.data(), out.size());
      return OkStatus();
    case Method::kLz4: {
      const int used = LZ4_decompress_safe(
          Chars(stored), Chars(out), static_cast<int>(stored.size()), static_cast<int>(out.size()));
      if (used < 0 || static_cast<std::size_t>(used) != out.size()) break;
      return OkStatus();
    }
    case Method::kZstd: {
      ZSTD_DCtx* context = ThreadDecompressor();
      if (context == nullptr) return ResourceExhausted("no memory for a zstd context");
      const std::size_t used =
          ZSTD_decompressDCtx(context, out.data(), out.size(), stored.data(), stored.size());
      if (ZSTD_isError(used) != 0 || used != out.size()) break;
      return OkStatus();
    }
  }
  return WrongSize(method, stored.size(), out.size());
}

Result<Bytes> Decompress(Method method, BytesView stored, std::size_t raw_bytes,
                         std::size_t raw_bytes_max) {
  if (raw_bytes > raw_bytes_max || raw_bytes > kRawBytesMax) {
    return DataLoss("compressed block claims {} raw bytes, more than the limit of {}", raw_bytes,
                    std::min(raw_bytes_max, kRawBytesMax));
  }
  Bytes raw(raw_bytes);
  TL_TRY(DecompressInto(method, stored, raw));
  return raw;
}

}  // namespace tideline::compress
