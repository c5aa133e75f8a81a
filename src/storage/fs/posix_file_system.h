// storage/fs/posix_file_system.h: FileSystem over Linux system calls.
#pragma once

#include "storage/fs/file_system.h"

namespace tideline::fs {

/// Stateless but for the temporary-name counter; lives as long as the process. Calls block.
FileSystem& PosixFileSystem();

}  // namespace tideline::fs
