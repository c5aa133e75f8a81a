#include "storage/engine/encryption.h"

#include "storage/catalog/manifest.h"
#include "storage/catalog/sealed_object.h"

namespace tideline::engine {

Result<Encryption> FindEncryption(fs::FileSystem& fs, std::string_view data_dir) {
  const std::string directory = fs::JoinPath(data_dir, "manifest");
  const auto names = fs.List(directory);
  if (CodeOf(names.status()) == ErrorCode::kNotFound) return Encryption::kUndecided;
  if (!names.ok()) return names.status();
  bool any = false;
  for (auto at = names->rbegin(); at != names->rend(); ++at) {
    if (at->is_directory || !catalog::IsManifestKey(fs::JoinPath("manifest", at->name))) continue;
    any = true;
    auto file = TL_TRY(fs.Open(fs::JoinPath(directory, at->name), fs::OpenMode::kRead));
    Bytes head(catalog::kObjectHeaderBytes);
    const std::size_t count = TL_TRY(file->ReadAt(0, head));
    const auto identity = catalog::PeekObject(BytesView(head).first(count));
    if (!identity.ok() || identity->type != seal::FileType::kManifest) continue;
    return identity->key_id.is_nil() ? Encryption::kOff : Encryption::kOn;
  }
  if (any) return DataLoss("no manifest in {} has a valid header", directory);
  return Encryption::kUndecided;
}

}  // namespace tideline::engine
