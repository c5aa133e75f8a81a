// storage/fs/posix_file_system.h: FileSystem over Linux system calls.
#pragma once

#include "storage/fs/file_system.h"

namespace tideline::fs {

/// Stateless but for the temporary-name counter; lives as long as the process. Calls block.
FileSystem& PosixFileSystem();

/// Raises this process's limit of open files to what the system allows it; the limit now. A checkpoint holds a file
/// per time window, queries one per segment, and the usual soft limit is 1,024.
std::uint64_t RaiseOpenFilesMax();

}  // namespace tideline::fs
