// Manifest and catalog decoding of arbitrary bytes: an error or a value, never a crash.
#include "storage/catalog/catalog.h"
#include "storage/catalog/manifest.h"
#include "storage/catalog/sealed_object.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tideline;
  const BytesView bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto manifest = catalog::DecodeManifest(bytes);
  if (manifest.ok()) {
    Bytes again;
    catalog::EncodeManifest(*manifest, &again);
    if (!catalog::DecodeManifest(again).ok()) __builtin_trap();
  }
  catalog::Catalog catalog;
  ByteReader in(bytes);
  (void)catalog.DecodeFrom(&in);
  seal::PlainSealer sealer;
  (void)catalog::OpenObject(sealer, seal::FileType::kManifest, 1, bytes);
  return 0;
}
