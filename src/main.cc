// The binary: `tideline serve`, `sql`, `load`, `collect`, `inspect`, `docs`, `version`.
#include "cli/commands.h"

#if TIDELINE_HAS_MIMALLOC
#include <mimalloc.h>

#include <fstream>
#include <string>
#endif

namespace {

// Where the kernel gives huge pages to those alone that ask (transparent_hugepage/enabled is "madvise"), the allocator
// asks for all that it takes: rows in memory and sort buffers are touched for the first time once per 2 MiB instead
// of once per 4 KiB. Such memory is kept for the next use and not given back. MIMALLOC_LARGE_OS_PAGES=0 forbids it.
void AskForHugePages() {
#if TIDELINE_HAS_MIMALLOC
  std::ifstream enabled("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string modes;
  std::getline(enabled, modes);
  if (modes.find("[madvise]") != std::string::npos) mi_option_set_enabled_default(mi_option_large_os_pages, true);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  AskForHugePages();
  return tideline::cli::Main(argc, argv);
}
