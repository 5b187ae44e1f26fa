# Tests: one program a room, the laws, the golden runner, the examples, and the checks around them.

enable_testing()
find_package(GTest REQUIRED)

# Runs when ctest starts, so that what the caller's environment says comes first.
file(WRITE ${PROJECT_BINARY_DIR}/TestEnvironment.cmake "
foreach(kind data golden)
  string(TOUPPER UNROLL_\${kind}_DIR name)
  if(NOT DEFINED ENV{\${name}} AND IS_DIRECTORY \"${PROJECT_SOURCE_DIR}/../shared/\${kind}\")
    set(ENV{\${name}} \"${PROJECT_SOURCE_DIR}/../shared/\${kind}\")
  endif()
endforeach()
")
set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES
                                       ${PROJECT_BINARY_DIR}/TestEnvironment.cmake)

# unroll_add_test_program(name folder objects...): build/<name> from tests/<folder>/*_test.cpp.
function(unroll_add_test_program name folder)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS tests/${folder}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  # Beside the tests there may be helpers that they share.
  file(GLOB_RECURSE helpers CONFIGURE_DEPENDS tests/${folder}/*.cpp)
  list(APPEND sources ${helpers})
  list(REMOVE_DUPLICATES sources)
  add_executable(${name} ${sources} ${ARGN})
  target_link_libraries(${name} PRIVATE unroll_flags ${UNROLL_LINKED} nlohmann_json::nlohmann_json
                                        GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 900)
endfunction()

# A room's tests are linked with the rooms up to its floor: a broken room above does not stop them.
foreach(room IN LISTS UNROLL_ROOMS)
  set(objects "")
  foreach(below IN LISTS UNROLL_ROOMS)
    if(TARGET room_${below} AND UNROLL_FLOOR_${below} LESS_EQUAL UNROLL_FLOOR_${room})
      list(APPEND objects $<TARGET_OBJECTS:room_${below}>)
    endif()
  endforeach()
  unroll_add_test_program(test_${room} ${room} ${objects})
endforeach()
unroll_add_test_program(test_laws laws ${UNROLL_ROOM_OBJECTS})

set(golden_names golden golden_float64)
set(golden_options "" --float64)
file(GLOB golden_sources CONFIGURE_DEPENDS tests/golden/*.cpp)
if(golden_sources)
  add_executable(golden ${golden_sources})
  target_link_libraries(golden PRIVATE unroll unroll_flags fmt::fmt nlohmann_json::nlohmann_json)
  set_target_properties(golden PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  foreach(name option IN ZIP_LISTS golden_names golden_options)
    add_test(NAME ${name} COMMAND sh -c
             "test -d \"$UNROLL_GOLDEN_DIR\" || exit 77; \"$0\" \"$@\" \"$UNROLL_GOLDEN_DIR\""
             $<TARGET_FILE:golden> ${option} --must-run ${PROJECT_SOURCE_DIR}/tests/golden/must_run)
    set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900)
  endforeach()
endif()

file(GLOB example_sources CONFIGURE_DEPENDS examples/*.cpp)
foreach(source IN LISTS example_sources)
  get_filename_component(name ${source} NAME_WE)
  add_executable(example_${name} ${source})
  # An example sees what a user sees: no include path to src/.
  target_link_libraries(example_${name} PRIVATE unroll)
  target_compile_options(example_${name} PRIVATE ${UNROLL_WARNINGS})
  set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY
                                                                   ${PROJECT_BINARY_DIR}/examples)
  # Small as they are, examples train: a sanitizer would make that long, and the tests cover it.
  if(NOT UNROLL_SANITIZE)
    add_test(NAME example_${name} COMMAND example_${name}
             WORKING_DIRECTORY ${PROJECT_BINARY_DIR}/examples)
    set_tests_properties(example_${name} PROPERTIES TIMEOUT 600)
  endif()
endforeach()

# Each door compiles on its own, with what a user of the library sees.
file(GLOB doors CONFIGURE_DEPENDS include/unroll/*.h)
set(door_sources "")
foreach(door IN LISTS doors)
  get_filename_component(name ${door} NAME)
  set(source ${PROJECT_BINARY_DIR}/doors/${name}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "#include <unroll/${name}>\n#include <unroll/${name}>\n")
  list(APPEND door_sources ${source})
endforeach()
add_library(doors OBJECT ${door_sources})
target_include_directories(doors PRIVATE include)
target_compile_options(doors PRIVATE ${UNROLL_WARNINGS} -O0)

# Programs that must not compile, each beside its corrected twin (-DCORRECTED).
file(GLOB wrong_programs CONFIGURE_DEPENDS tests/must_not_compile/*.cpp)
foreach(source IN LISTS wrong_programs)
  get_filename_component(name ${source} NAME_WE)
  add_test(NAME must_not_compile_${name}
           COMMAND ${PROJECT_SOURCE_DIR}/tests/must_not_compile/check ${source}
                   ${CMAKE_CXX_COMPILER} ${CMAKE_CXX_COMPILER_ID})
endforeach()

find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND)
  add_test(NAME rooms COMMAND ${Python3_EXECUTABLE} tools/check_rooms
           WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  add_test(NAME tools COMMAND ${Python3_EXECUTABLE} -m unittest discover -s tests/tools -p "*_test.py"
           WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  file(GLOB command_line_cases CONFIGURE_DEPENDS tests/cli/*/command)
  if(TARGET unroll_cli AND command_line_cases)
    add_test(NAME command_line COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/cli/check
                                       $<TARGET_FILE:unroll_cli>)
    set_tests_properties(command_line PROPERTIES TIMEOUT 900)
  endif()
endif()

# An outside project has no sanitizer flags, so it cannot use a sanitized library.
if(NOT UNROLL_SANITIZE)
  add_test(NAME install COMMAND ${PROJECT_SOURCE_DIR}/tests/install/check ${PROJECT_BINARY_DIR}
                                ${CMAKE_CXX_COMPILER})
  set_tests_properties(install PROPERTIES TIMEOUT 600)
endif()

# Programs that throw any bytes at a reader; they run until they are stopped.
if(UNROLL_FUZZ)
  file(GLOB fuzzers CONFIGURE_DEPENDS tests/fuzz/*_fuzz.cpp)
  foreach(source IN LISTS fuzzers)
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE unroll unroll_flags)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
    list(APPEND fuzz_targets ${name})
  endforeach()
  add_custom_target(fuzz DEPENDS ${fuzz_targets})
endif()
