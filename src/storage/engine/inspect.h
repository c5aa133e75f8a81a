// storage/engine/inspect.h: prints files of a data directory for people (`tideline inspect`).
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "storage/fs/file_system.h"

namespace tideline::engine {

/// Text describing the file at `path`: a manifest, log file, segment, series file or deletion
/// vector, told apart by magic. kDataLoss says where it is damaged; kInvalidArgument: none of these.
Result<std::string> InspectFile(fs::FileSystem& fs, std::string_view path);

}  // namespace tideline::engine
