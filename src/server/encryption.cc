#include "server/encryption.h"

#include "base/log.h"
#include "crypto/secret_key.h"
#include "storage/engine/encryption.h"

namespace tideline::server {
namespace {

constexpr std::string_view kKeyFileName = "master-key";
constexpr std::string_view kKeyDirectory = "keys";

Status OpenKeyFile(fs::FileSystem& fs, const std::string& path, std::string_view data_dir,
                   bool may_create, DataKeys* keys) {
  auto opened = seal::LocalKeyFile::Open(fs, path);
  if (CodeOf(opened.status()) == ErrorCode::kNotFound) {
    if (!may_create) {
      return NotFound(
          "{} is encrypted and its key file {} is not there: put it back from its copy, or name it "
          "with --key-file. Without it the data cannot be read by anyone",
          data_dir, path);
    }
    TL_TRY(fs::CreateDirectories(fs, fs::DirectoryOf(path)));
    opened = seal::LocalKeyFile::Create(fs, path);
    keys->file_created = opened.ok();
  }
  keys->file = TL_TRY(std::move(opened));
  const fs::FileInfo info = TL_TRY(fs.Stat(path));
  if ((info.mode & 077) != 0) {
    TL_LOG_WARNING("the key file {} has mode {:04o}: others may read it (chmod 600 {})", path,
                   info.mode, path);
  }
  return OkStatus();
}

bool HasKeys(fs::FileSystem& fs, const std::string& directory) {
  const auto entries = fs.List(directory);
  return entries.ok() && !entries->empty();
}

Result<DataKeys> OpenKeys(fs::FileSystem& fs, std::string_view data_dir, std::string_view key_file,
                          bool may_create) {
  DataKeys keys;
  TL_TRY(OpenKeyFile(fs, KeyFilePath(data_dir, key_file), data_dir, may_create, &keys));
  keys.ring =
      TL_TRY(seal::KeyRing::Open(fs, fs::JoinPath(data_dir, kKeyDirectory), *keys.file));
  return keys;
}

}  // namespace

std::string KeyFilePath(std::string_view data_dir, std::string_view key_file) {
  return key_file.empty() ? fs::JoinPath(data_dir, kKeyFileName) : std::string(key_file);
}

Result<DataKeys> OpenDataKeys(fs::FileSystem& fs, std::string_view data_dir,
                              std::string_view choice, std::string_view key_file) {
  const engine::Encryption found = TL_TRY(engine::FindEncryption(fs, data_dir));
  if (found == engine::Encryption::kOn && choice == "off") {
    return InvalidArgument(
        "--encryption off contradicts {}: it is encrypted, and stays so; leave the setting out, or "
        "name another directory",
        data_dir);
  }
  if (found == engine::Encryption::kOff && choice == "on") {
    return InvalidArgument(
        "--encryption on contradicts {}: it was written without, and stays so; leave the setting "
        "out, or load the data into a new directory",
        data_dir);
  }
  const bool is_new = found == engine::Encryption::kUndecided;
  if (found == engine::Encryption::kOff || (is_new && choice == "off")) {
    if (is_new) TL_LOG_WARNING("{} is not encrypted (--encryption off)", data_dir);
    return DataKeys{};
  }
  // Keys without a manifest: a first start that died. Their master key was there before them.
  const bool may_create = is_new && !HasKeys(fs, fs::JoinPath(data_dir, kKeyDirectory));
  DataKeys keys = TL_TRY(OpenKeys(fs, data_dir, key_file, may_create));
  if (keys.file_created) {
    TL_LOG_WARNING(
        "made the master key {}. Everything in {} is encrypted under it: KEEP A COPY ELSEWHERE, for "
        "without it the data is lost. Who has both can read the data; to keep them apart, move the "
        "file to another device and name it with --key-file",
        keys.file->path(), data_dir);
  }
  if (!crypto::SecretMemoryIsLocked()) {
    TL_LOG_WARNING("keys could not be locked in memory (RLIMIT_MEMLOCK) and may reach a swap device");
  }
  return keys;
}

Result<DataKeys> OpenExistingKeys(fs::FileSystem& fs, std::string_view data_dir,
                                  std::string_view key_file) {
  const engine::Encryption found = TL_TRY(engine::FindEncryption(fs, data_dir));
  if (found != engine::Encryption::kOn) return DataKeys{};
  return OpenKeys(fs, data_dir, key_file, false);
}

}  // namespace tideline::server
