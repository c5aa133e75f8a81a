# What a build may choose. Presets in CMakePresets.json set these; nothing else needs to.
option(TIDELINE_TESTS "Build unit tests and golden-test runners" ON)
option(TIDELINE_BENCH "Build kernel benchmarks and the load generator" ON)
option(TIDELINE_FUZZ "Build libFuzzer targets (clang only)" OFF)
option(TIDELINE_PCH "Use one precompiled header of standard headers" ON)
option(TIDELINE_UNITY "Compile each room in unity batches" OFF)
option(TIDELINE_COVERAGE "Instrument for gcov" OFF)
set(TIDELINE_SANITIZE "" CACHE STRING "Value for -fsanitize=, empty for none")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

find_program(TIDELINE_CCACHE ccache)
if(TIDELINE_CCACHE)
  # CCACHE_DEPEND takes the headers from the -MD file: gcc 12 crashes when asked to preprocess (-E) with a
  # precompiled header, which is how ccache finds them otherwise, so that nothing would be cached.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${TIDELINE_CCACHE})
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 reports false positives for std::string and std::vector internals once it inlines deeply.
  add_compile_options(-Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds
                      -Wno-maybe-uninitialized -Wno-dangling-pointer -Wno-free-nonheap-object)
  add_compile_options(-fpch-deps -fpch-preprocess)
else()
  # libstdc++ 12's stable_sort calls a function that C++17 deprecates; gcc checks deprecation.
  add_compile_options(-Wthread-safety -Wno-deprecated-declarations -Wno-gnu-statement-expression
                      -Wno-gnu-statement-expression-from-macro-expansion)
endif()
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1 -fno-omit-frame-pointer")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -fno-omit-frame-pointer")
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  # x86-64-v2 (SSE4.2, POPCNT) is the floor; wider kernels are picked at run time.
  add_compile_options(-march=x86-64-v2)
endif()

find_program(TIDELINE_LLD NAMES ld.lld ld.lld-19)
if(TIDELINE_LLD)
  add_link_options(-fuse-ld=lld)
endif()
if(TIDELINE_SANITIZE)
  add_compile_options(-fsanitize=${TIDELINE_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TIDELINE_SANITIZE})
  add_compile_definitions(TIDELINE_SANITIZED=1)
endif()
if(TIDELINE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(TIDELINE_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
