# What we take from others: all of it in Debian, none of it in a public header.
#
# UNROLL_LINKED is what the library links; Package.cmake names the same to those who link it statically.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(hwy REQUIRED)

set(UNROLL_LINKED Threads::Threads fmt::fmt hwy::hwy)

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
