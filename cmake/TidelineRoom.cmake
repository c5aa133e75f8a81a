# tideline_room(name [REGISTERS] [USES room...] [LINKS target...])
#
# Makes the library tideline::<name> from the folder's .cc files, <name>_test from its _test.cc
# files, fuzz targets from _fuzz.cc and a benchmark from _bench.cc. USES is the law of includes:
# scripts/check_layers.py reads the same line. REGISTERS keeps every object of the library when it
# is linked, so that static registrations are not dropped. A name may hold '/' for a nested room
# (storage/fs); its target is then tideline_storage_fs.
set_property(GLOBAL PROPERTY TIDELINE_ROOMS "")

if(TIDELINE_PCH)
  file(WRITE ${CMAKE_BINARY_DIR}/pch/anchor.cc "int tideline_pch_anchor();\nint tideline_pch_anchor() { return 0; }\n")
  add_library(tideline_pch STATIC ${CMAKE_BINARY_DIR}/pch/anchor.cc)
  target_precompile_headers(tideline_pch PRIVATE
    <algorithm> <array> <atomic> <bit> <chrono> <cmath> <compare> <concepts> <condition_variable> <cstddef>
    <cstdint> <cstring> <deque> <functional> <initializer_list> <limits> <map> <memory> <mutex> <optional>
    <set> <span> <string> <string_view> <thread> <tuple> <type_traits> <unordered_map> <utility> <variant> <vector>
    <absl/status/status.h> <absl/status/statusor.h> <fmt/format.h>)
  target_link_libraries(tideline_pch PUBLIC absl::status absl::statusor fmt::fmt)
  if(TIDELINE_TESTS)
    file(WRITE ${CMAKE_BINARY_DIR}/pch/test_anchor.cc "int tideline_test_pch_anchor();\nint tideline_test_pch_anchor() { return 0; }\n")
    add_library(tideline_test_pch STATIC ${CMAKE_BINARY_DIR}/pch/test_anchor.cc)
    target_precompile_headers(tideline_test_pch PRIVATE <gtest/gtest.h> <gmock/gmock.h> <map> <memory> <optional>
      <string> <string_view> <vector> <absl/status/statusor.h> <fmt/format.h>)
    target_link_libraries(tideline_test_pch PUBLIC GTest::gtest GTest::gmock absl::status absl::statusor fmt::fmt)
  endif()
endif()

function(tideline_use_pch target from)
  if(TIDELINE_PCH)
    target_precompile_headers(${target} REUSE_FROM ${from})
  endif()
endfunction()

function(tideline_room name)
  cmake_parse_arguments(ROOM "REGISTERS" "" "USES;LINKS;TEST_USES" ${ARGN})
  string(REPLACE "/" "_" target_name ${name})
  set(target tideline_${target_name})

  # A room's files are those of its folder and of its plain sub-folders; a nested room (one that has a
  # CMakeLists.txt of its own) keeps its files to itself.
  file(GLOB_RECURSE all_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  file(GLOB_RECURSE nested CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*/CMakeLists.txt)
  foreach(list_file ${nested})
    get_filename_component(nested_dir ${list_file} DIRECTORY)
    list(FILTER all_sources EXCLUDE REGEX "^${nested_dir}/")
  endforeach()
  set(sources ${all_sources})
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|bench|main)\\.cc$")
  set(tests ${all_sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(fuzzers ${all_sources})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  set(benches ${all_sources})
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")

  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
    tideline_use_pch(${target} tideline_pch)
    if(TIDELINE_UNITY)
      set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
    endif()
    target_compile_definitions(${target} PRIVATE TIDELINE_ROOM="${name}")
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(tideline::${target_name} ALIAS ${target})
  target_include_directories(${target} ${scope} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${target} ${scope} absl::status absl::statusor absl::flat_hash_map absl::flat_hash_set
                        absl::strings absl::inlined_vector fmt::fmt Threads::Threads ${ROOM_LINKS})
  foreach(used ${ROOM_USES})
    string(REPLACE "/" "_" used_name ${used})
    target_link_libraries(${target} ${scope} tideline_link_${used_name})
  endforeach()

  # Users link through tideline_link_<room>, which adds --whole-archive for a room that registers.
  add_library(tideline_link_${target_name} INTERFACE)
  if(ROOM_REGISTERS AND sources)
    target_link_libraries(tideline_link_${target_name} INTERFACE
      -Wl,--whole-archive $<TARGET_FILE:${target}> -Wl,--no-whole-archive ${target})
    add_dependencies(tideline_link_${target_name} ${target})
  else()
    target_link_libraries(tideline_link_${target_name} INTERFACE ${target})
  endif()

  if(TIDELINE_TESTS AND tests)
    add_executable(${target_name}_test ${tests})
    tideline_use_pch(${target_name}_test tideline_test_pch)
    target_link_libraries(${target_name}_test PRIVATE tideline_link_${target_name} GTest::gtest GTest::gmock GTest::gtest_main)
    foreach(used ${ROOM_TEST_USES})
      string(REPLACE "/" "_" used_name ${used})
      target_link_libraries(${target_name}_test PRIVATE tideline_link_${used_name})
    endforeach()
    target_include_directories(${target_name}_test PRIVATE ${CMAKE_SOURCE_DIR})
    add_test(NAME ${target_name} COMMAND ${target_name}_test WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${target_name} PROPERTIES TIMEOUT 600)
  endif()
  foreach(fuzzer ${fuzzers})
    get_filename_component(fuzz_name ${fuzzer} NAME_WE)
    if(TIDELINE_FUZZ)
      add_executable(${fuzz_name} ${fuzzer})
      target_link_libraries(${fuzz_name} PRIVATE tideline_link_${target_name} -fsanitize=fuzzer)
    elseif(TIDELINE_TESTS)
      # Outside the fuzz preset the kept corpus is replayed as a test.
      add_executable(${fuzz_name}_replay ${fuzzer} ${CMAKE_SOURCE_DIR}/tests/support/fuzz_replay_main.cc)
      target_link_libraries(${fuzz_name}_replay PRIVATE tideline_link_${target_name})
      add_test(NAME ${fuzz_name} COMMAND ${fuzz_name}_replay ${CMAKE_SOURCE_DIR}/tests/fuzz/${fuzz_name})
      set_tests_properties(${fuzz_name} PROPERTIES TIMEOUT 300)
    endif()
  endforeach()
  if(TIDELINE_BENCH AND benches)
    add_executable(${target_name}_bench ${benches})
    target_link_libraries(${target_name}_bench PRIVATE tideline_link_${target_name} benchmark::benchmark benchmark::benchmark_main)
  endif()
  set_property(GLOBAL APPEND PROPERTY TIDELINE_ROOMS ${name})
endfunction()

function(tideline_summary)
  get_property(rooms GLOBAL PROPERTY TIDELINE_ROOMS)
  list(LENGTH rooms room_count)
  message(STATUS "Tideline ${PROJECT_VERSION}: ${room_count} rooms, ${CMAKE_BUILD_TYPE}, sanitizers '${TIDELINE_SANITIZE}', "
                 "tests ${TIDELINE_TESTS}, benchmarks ${TIDELINE_BENCH}, ccache '${TIDELINE_CCACHE}'")
endfunction()
