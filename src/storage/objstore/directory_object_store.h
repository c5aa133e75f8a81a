// storage/objstore/directory_object_store.h: the five verbs over a local directory.
//
// A key is a path below the root. An object is written under a temporary name in the same
// directory, synced, linked to its name (create-once: EEXIST is kExists), and the directory synced.
// `flock` on LOCK in the root keeps a second process out. Temporary files of a dead process are
// removed at Open.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "storage/fs/file_system.h"
#include "storage/objstore/object_store.h"

namespace tideline::objstore {

struct DirectoryObjectStoreOptions {
  std::string directory = {};  ///< made if absent
  std::size_t open_files_max =
      1024;  ///< files kept open for reading, least recently used closed first
};

/// kAborted when another process (or another store here) has the directory. `fs` outlives the
/// store.
Result<std::unique_ptr<ObjectStore>> OpenDirectoryObjectStore(fs::FileSystem& fs,
                                                              DirectoryObjectStoreOptions options);

}  // namespace tideline::objstore
