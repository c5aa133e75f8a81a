// storage/engine/inspect.h: prints files of a data directory for people (`tideline inspect`).
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "storage/fs/file_system.h"
#include "storage/seal/sealer.h"

namespace tideline::engine {

/// Text describing the file at `path`: a manifest, log file, segment, series file or deletion
/// vector, told apart by magic; a sealed segment by its place in a data directory. kDataLoss says
/// where it is damaged; kInvalidArgument: none of these, by magic and by place. Messages do not name it.
///
/// `sealer` may be null: of an encrypted file every checksum is verified and what stands in the clear
/// is printed. With the directory's keys the rest is, too.
Result<std::string> InspectFile(fs::FileSystem& fs, std::string_view path,
                                seal::Sealer* sealer = nullptr);

/// The data directory that a file of one is in, by its path alone: "d" for "d/segments/x".
std::string DataDirectoryOf(std::string_view path);

}  // namespace tideline::engine
