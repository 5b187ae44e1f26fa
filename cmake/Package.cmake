# Installation: the doors, the library, the command, and what CMake and pkg-config need to find them.

include(CMakePackageConfigHelpers)

install(TARGETS unroll EXPORT unroll-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET unroll_cli)
  install(TARGETS unroll_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY include/unroll DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/unroll)
install(EXPORT unroll-targets NAMESPACE unroll:: DESTINATION ${package_dir})
configure_package_config_file(cmake/unroll-config.cmake.in unroll-config.cmake
                              INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(unroll-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/unroll-config.cmake
              ${PROJECT_BINARY_DIR}/unroll-config-version.cmake DESTINATION ${package_dir})

# A static library does not know what it was linked with: its users must name that too. A shared one
# brings it along.
set(pc_needs "fmt libhwy libutf8proc")
if(UNROLL_HAVE_CURL)
  string(APPEND pc_needs " libcurl")
endif()
if(UNROLL_HAVE_ARCHIVE)
  string(APPEND pc_needs " libarchive")
endif()
if(UNROLL_HAVE_SENTENCEPIECE)
  string(APPEND pc_needs " sentencepiece")
endif()
if(UNROLL_HAVE_YAML)
  string(APPEND pc_needs " yaml-cpp")
endif()
if(BUILD_SHARED_LIBS)
  set(pc_requires "")
  set(pc_libs_with "")
else()
  set(pc_requires "Requires: ${pc_needs}")
  set(pc_libs_with " -pthread")
endif()
file(RELATIVE_PATH pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/unroll.pc.in unroll.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/unroll.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
