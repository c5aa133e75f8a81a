// tideline keys: lists and exchanges the keys of a data directory whose server is stopped.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "server/encryption.h"
#include "storage/fs/posix_file_system.h"

namespace tideline::cli {
namespace {

struct KeysFlags {
  std::string data_dir = "tideline-data";
  std::string key_file;
};

Result<server::DataKeys> Open(const KeysFlags& flags) {
  server::DataKeys keys =
      TL_TRY(server::OpenExistingKeys(fs::PosixFileSystem(), flags.data_dir, flags.key_file));
  if (keys.ring == nullptr) {
    return InvalidArgument("{} is not an encrypted data directory", flags.data_dir);
  }
  return keys;
}

Status List(const KeysFlags& flags) {
  const server::DataKeys keys = TL_TRY(Open(flags));
  fmt::print("master key {} of {}\n", keys.file->CurrentMasterKey(), keys.file->path());
  for (const seal::KeyInfo& key : keys.ring->Keys()) {
    const std::string master = TL_TRY(keys.ring->MasterKeyOf(key.id));
    fmt::print("scope {} generation {} key {} under {}{}\n", FormatUuid(key.scope), key.generation,
               FormatUuid(key.id), master, key.is_current ? "" : ", for old files only");
  }
  return OkStatus();
}

Result<std::unique_ptr<fs::FileLock>> LockDirectory(const KeysFlags& flags) {
  auto lock = fs::PosixFileSystem().Lock(fs::JoinPath(flags.data_dir, "LOCK"));
  if (CodeOf(lock.status()) == ErrorCode::kAborted) {
    return Aborted("a server runs on {}: stop it first", flags.data_dir);
  }
  return lock;
}

Status Rotate(const KeysFlags& flags) {
  const server::DataKeys keys = TL_TRY(Open(flags));
  const auto lock = TL_TRY(LockDirectory(flags));
  const std::vector<Uuid> scopes = keys.ring->Scopes();
  for (const Uuid& scope : scopes) TL_TRY(keys.ring->Rotate(scope));
  fmt::print("made a new data key for each of {} scopes; files written from now on take them\n",
             scopes.size());
  return OkStatus();
}

Status RotateMaster(const KeysFlags& flags) {
  const server::DataKeys keys = TL_TRY(Open(flags));
  const auto lock = TL_TRY(LockDirectory(flags));
  TL_TRY(keys.file->AddKey());
  const std::size_t count = TL_TRY(keys.ring->WrapAnew());
  TL_TRY(keys.file->DropOldKeys());
  fmt::print("wrapped {} data keys under the new master key {} of {}; copy that file anew\n", count,
             keys.file->CurrentMasterKey(), keys.file->path());
  return OkStatus();
}

}  // namespace

void AddKeysCommand(CLI::App& app, Run* run) {
  CLI::App* command = app.add_subcommand("keys", "list or exchange the keys of a data directory");
  command->require_subcommand(1);
  auto flags = std::make_shared<KeysFlags>();
  const auto add = [&](const char* name, const char* text, Status (*act)(const KeysFlags&)) {
    CLI::App* sub = command->add_subcommand(name, text);
    sub->add_option("--data-dir", flags->data_dir, "the data directory [tideline-data]");
    sub->add_option("--key-file", flags->key_file, "its master keys [DATA-DIR/master-key]");
    sub->callback([run, flags, act] {
      *run = [flags, act] {
        const Status status = act(*flags);
        return status.ok() ? 0 : Fail("", MessageOf(status));
      };
    });
  };
  add("list", "print every data key's name and the master key over it", &List);
  add("rotate", "make new data keys; old files stay readable", &Rotate);
  add("rotate-master", "exchange the master key and wrap every data key anew", &RotateMaster);
}

}  // namespace tideline::cli
