# Flags of our own code, as the target unroll_flags.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release or RelWithDebInfo" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE ccache)
if(CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths below the base count as relative, so that several checkouts share what they have compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} ${CCACHE})
endif()

add_library(unroll_flags INTERFACE)
target_include_directories(unroll_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
set(UNROLL_WARNINGS -Wall -Wextra -Wpedantic -Wconversion)
# GCC 12 warns of overlapping copies in plain string concatenation (its bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND UNROLL_WARNINGS -Wno-restrict)
  # GCC 13 takes any reference that a function of a temporary returns for one to the temporary.
  if(CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
    list(APPEND UNROLL_WARNINGS -Wno-dangling-reference)
  endif()
endif()
if(UNROLL_WERROR)
  list(APPEND UNROLL_WARNINGS -Werror)
endif()
# A compiler that fuses a * b + c where it likes would change the bits of results; the kernels fuse
# by name.
target_compile_options(unroll_flags INTERFACE ${UNROLL_WARNINGS} -ffp-contract=off)

# What moves words and bytes (files, flags, reports, pictures) and computes nothing is compiled for
# size: in a quarter less time, to half the size, and nothing that it does becomes slower by a
# difference that can be measured.
set(UNROLL_FOR_SIZE $<$<CONFIG:Release>:-Os>)
set(UNROLL_ROOMS_FOR_SIZE io plot)

if(UNROLL_SANITIZE)
  if(NOT UNROLL_SANITIZE MATCHES "^(address|undefined|thread)$")
    message(FATAL_ERROR "UNROLL_SANITIZE is \"${UNROLL_SANITIZE}\"; it may be address, undefined or thread")
  endif()
  # For every target, so that GoogleTest's inline code is instrumented the same way.
  add_compile_options(-fsanitize=${UNROLL_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${UNROLL_SANITIZE})
endif()

# The library as fuzzers want it: every branch tells where it has been.
if(UNROLL_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "UNROLL_FUZZ needs clang: -DCMAKE_CXX_COMPILER=clang++")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link,address -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=address)
endif()
