// storage/engine/data_directory.h: whose directory is this? Asked before anything is made in it.
//
// A server that is pointed at a directory of something else must not move in: it would put its files among the
// others, who may then take them for theirs, or be taken for its own. So a directory is taken only if it is new,
// which is to say that it holds nothing that counts, or Tideline's.
//
// Its mark is any file under its own name, twenty digits or a uuid, in one of the directories where such files lie:
// manifest/, wal/, keys/, segments/, series/, deleted/, magnetic/. Every version has had them from the end of its first
// start on, and a directory that was restored in part still has some, so that the start can say what is missing.
//
// In a directory without the mark these do not count: hidden names and lost+found, which file systems and
// version control leave; what people may put there before the first start (master-key, root-key.json,
// tideline.toml, certificate and key in tls/); what a first start leaves that died before its first manifest
// (LOCK, temporary files, empty directories of Tideline's names).
#pragma once

#include <string_view>

#include "base/status.h"
#include "storage/fs/file_system.h"

namespace tideline::engine {

/// OK for a directory that is absent, new or Tideline's. kInvalidArgument for any other and for a file; it names
/// what was found. Changes nothing.
Status CheckDataDirectory(fs::FileSystem& fs, std::string_view data_dir);

/// Whether an object of the data directory or the magnetic store has a name that Tideline gives: `prefix` and a uuid.
/// What has not is never removed.
bool IsOwnKey(std::string_view key, std::string_view prefix);

}  // namespace tideline::engine
