// The binary: `tideline serve`, `sql`, `load`, `collect`, `inspect`, `docs`, `version`.
#include "cli/commands.h"

int main(int argc, char** argv) { return tideline::cli::Main(argc, argv); }
