// storage/engine/encryption.h: whether a data directory is encrypted, told without any key.
//
// The newest manifest records it: its header, which is in the clear and checksummed, names the key
// that seals it, or none. Every other file of the directory follows the manifest.
#pragma once

#include <string_view>

#include "base/status.h"
#include "storage/fs/file_system.h"

namespace tideline::engine {

enum class Encryption {
  kUndecided,  ///< no manifest: a new database
  kOff,
  kOn,
};

/// Reads the header of the newest manifest that has a valid one. kDataLoss when there are manifests
/// and none has. Takes no lock; changes nothing.
Result<Encryption> FindEncryption(fs::FileSystem& fs, std::string_view data_dir);

}  // namespace tideline::engine
