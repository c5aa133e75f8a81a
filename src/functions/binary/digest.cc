// functions/binary/digest.cc: checksums and digests of bytes.
#include <array>

#include "base/hash.h"
#include "crypto/digest.h"
#include "functions/kernel.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

using I64 = std::int64_t;

// XXH64's eight bytes, highest first, so that from_big_endian_64 reads the number back.
void XxHash64Bytes(const StringRef& bytes, std::string* out) {
  const std::uint64_t hash = ClassicHash64(AsBytes(bytes.view()));
  for (int shift = 56; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>((hash >> shift) & 0xff));
  }
}

// CRC-32 of ISO 3309 and RFC 1952 (reflected polynomial 0xEDB88320), a table per byte.
constexpr std::array<std::uint32_t, 256> MakeCrc32Table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xedb88320U : 0U);
    table[i] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kCrc32Table = MakeCrc32Table();

I64 Crc32Of(const StringRef& bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : bytes.view()) {
    crc = (crc >> 8) ^ kCrc32Table[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  }
  return I64{~crc};
}

template <crypto::DigestAlgorithm algorithm>
Status DigestKernel(const KernelContext&, std::span<const Vector> arguments, const Selection& rows,
                    Vector* result, RowErrors* errors) {
  const Reader<StringRef> texts(arguments[0]);
  rows.ForEach([&](std::uint32_t row) {
    const Result<Bytes> digest = crypto::DigestOf(algorithm, AsBytes(texts[row].view()));
    if (digest.ok()) {
      result->SetString(row, AsText(*digest));
    } else {
      errors->Add(row, digest.status());
    }
  });
  return OkStatus();
}

#define TL_DIGEST_IN(profile_name, object, text, summary_text, result_text, ...)        \
  constexpr ScalarOverload object##Overloads[] = {__VA_ARGS__};                         \
  constexpr ScalarFunction object{                                                      \
      .name = text,                                                                     \
      .overloads = object##Overloads,                                                   \
      .profile = Profile::profile_name,                                                 \
      .doc = {"binary", summary_text, "SELECT " text "(to_utf8('abc'))", result_text}}; \
  TL_REGISTER_SCALAR(object)
#define TL_DIGEST(object, text, ...) TL_DIGEST_IN(kExtendedOnly, object, text, __VA_ARGS__)

TL_DIGEST_IN(kBoth, kXxHash64, "xxhash64", "The XXH64 hash of the bytes, eight bytes.",
             "44bc2cf5ad770999", {"(varbinary) -> varbinary", Text1<StringRef, XxHash64Bytes>});
TL_DIGEST(kCrc32, "crc32", "The CRC-32 checksum of the bytes.", "891568578",
          {"(varbinary) -> bigint", Map1<I64, StringRef, Crc32Of>});
TL_DIGEST(kMd5, "md5", "The MD5 digest of the bytes.", "900150983cd24fb0d6963f7d28e17f72",
          {"(varbinary) -> varbinary", DigestKernel<crypto::DigestAlgorithm::kMd5>});
TL_DIGEST(kSha1, "sha1", "The SHA-1 digest of the bytes.",
          "a9993e364706816aba3e25717850c26c9cd0d89d",
          {"(varbinary) -> varbinary", DigestKernel<crypto::DigestAlgorithm::kSha1>});
TL_DIGEST(kSha256, "sha256", "The SHA-256 digest of the bytes.",
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
          {"(varbinary) -> varbinary", DigestKernel<crypto::DigestAlgorithm::kSha256>});
TL_DIGEST(kSha512, "sha512", "The SHA-512 digest of the bytes.",
          "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
          "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
          {"(varbinary) -> varbinary", DigestKernel<crypto::DigestAlgorithm::kSha512>});
#undef TL_DIGEST
#undef TL_DIGEST_IN

}  // namespace
}  // namespace tideline::functions
