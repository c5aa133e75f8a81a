// server/encryption.h: decides at start whether the data directory is encrypted, and opens its keys.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "storage/fs/file_system.h"
#include "storage/seal/key_ring.h"
#include "storage/seal/local_key_file.h"

namespace tideline::server {

/// The keys of one data directory; both null where nothing is encrypted.
struct DataKeys {
  std::unique_ptr<seal::LocalKeyFile> file;
  std::unique_ptr<seal::KeyRing> ring;
  bool file_created = false;  ///< this start made the key file

  seal::Sealer* sealer() const { return ring.get(); }
};

/// `key_file`, or "<data_dir>/master-key" when empty.
std::string KeyFilePath(std::string_view data_dir, std::string_view key_file);

/// `choice` is "auto", "on" or "off" (--encryption). A directory that was written goes on as its
/// manifest says; a new one is encrypted unless `choice` is "off". A new directory's key file is made
/// if it is not there.
/// kInvalidArgument: `choice` contradicts the directory. kNotFound, kPermissionDenied, kDataLoss: the
/// key file is lost, foreign or damaged; the message names it and says what to do.
Result<DataKeys> OpenDataKeys(fs::FileSystem& fs, std::string_view data_dir,
                              std::string_view choice, std::string_view key_file);

/// For tools: the keys of a directory that exists; none when it is not encrypted.
Result<DataKeys> OpenExistingKeys(fs::FileSystem& fs, std::string_view data_dir,
                                  std::string_view key_file);

}  // namespace tideline::server
