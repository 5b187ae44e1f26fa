# What we take from others: all of it in Debian, none of it in a public header.
#
# UNROLL_LINKED is what the library links; Package.cmake names the same to those who link it statically.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(hwy REQUIRED)
# Debian's utf8proc describes itself to pkg-config only.
find_library(UNROLL_UTF8PROC utf8proc REQUIRED)

set(UNROLL_HAVE_ARCHIVE OFF)
if(UNROLL_ARCHIVE STREQUAL "AUTO")
  find_package(LibArchive QUIET)
  set(UNROLL_HAVE_ARCHIVE ${LibArchive_FOUND})
elseif(UNROLL_ARCHIVE)
  find_package(LibArchive REQUIRED)
  set(UNROLL_HAVE_ARCHIVE ON)
endif()

set(UNROLL_HAVE_SENTENCEPIECE OFF)
if(UNROLL_SENTENCEPIECE)
  find_path(UNROLL_SENTENCEPIECE_HEADERS sentencepiece_trainer.h)
  find_library(UNROLL_SENTENCEPIECE_LIBRARY sentencepiece)
  find_library(UNROLL_SENTENCEPIECE_TRAINER sentencepiece_train)
  if(UNROLL_SENTENCEPIECE_HEADERS AND UNROLL_SENTENCEPIECE_LIBRARY AND UNROLL_SENTENCEPIECE_TRAINER)
    set(UNROLL_HAVE_SENTENCEPIECE ON)
  elseif(NOT UNROLL_SENTENCEPIECE STREQUAL "AUTO")
    message(FATAL_ERROR "UNROLL_SENTENCEPIECE is ON, but libsentencepiece-dev is not installed")
  endif()
endif()

set(UNROLL_LINKED Threads::Threads fmt::fmt hwy::hwy utf8proc)

# Each instruction set is another copy of every kernel. SSSE3 without SSE4 is what some processors of
# 2006 to 2011 have; there, plain C++ does. Whoever includes Highway must agree on this: it decides
# where in the tables of functions an instruction set stands.
target_compile_definitions(unroll_flags INTERFACE HWY_DISABLED_TARGETS=HWY_SSSE3)

set(UNROLL_HAVE_CURL OFF)
if(UNROLL_CURL STREQUAL "AUTO")
  find_package(CURL QUIET)
  set(UNROLL_HAVE_CURL ${CURL_FOUND})
elseif(UNROLL_CURL)
  find_package(CURL REQUIRED)
  set(UNROLL_HAVE_CURL ON)
endif()
if(UNROLL_HAVE_CURL)
  list(APPEND UNROLL_LINKED CURL::libcurl)
  target_compile_definitions(unroll_flags INTERFACE UNROLL_HAVE_CURL=1)
endif()
if(UNROLL_HAVE_SENTENCEPIECE)
  # The trainer needs the other one.
  list(APPEND UNROLL_LINKED sentencepiece_train sentencepiece)
  target_compile_definitions(unroll_flags INTERFACE UNROLL_HAVE_SENTENCEPIECE=1)
endif()
if(UNROLL_HAVE_ARCHIVE)
  list(APPEND UNROLL_LINKED LibArchive::LibArchive)
  target_compile_definitions(unroll_flags INTERFACE UNROLL_HAVE_ARCHIVE=1)
endif()

set(UNROLL_HAVE_YAML OFF)
if(UNROLL_YAML STREQUAL "AUTO")
  find_package(yaml-cpp QUIET)
  set(UNROLL_HAVE_YAML ${yaml-cpp_FOUND})
elseif(UNROLL_YAML)
  find_package(yaml-cpp REQUIRED)
  set(UNROLL_HAVE_YAML ON)
endif()
if(UNROLL_HAVE_YAML)
  list(APPEND UNROLL_LINKED yaml-cpp)
  # One file knows it; no other is compiled anew where it comes or goes.
  set_source_files_properties(src/data/yaml.cpp PROPERTIES COMPILE_DEFINITIONS UNROLL_HAVE_YAML=1)
endif()
