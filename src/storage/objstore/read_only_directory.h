// storage/objstore/read_only_directory.h: a directory of objects that another process may own, for looking only.
#pragma once

#include <memory>
#include <string>

#include "storage/fs/file_system.h"
#include "storage/objstore/object_store.h"

namespace tideline::objstore {

/// Takes no lock and changes nothing: every verb that writes answers kPermissionDenied. `fs` outlives it.
std::unique_ptr<ObjectStore> OpenReadOnlyDirectory(fs::FileSystem& fs, std::string directory);

}  // namespace tideline::objstore
