# bench/*.cpp: programs that measure. Built by the target `bench` only.

file(GLOB bench_sources CONFIGURE_DEPENDS bench/*.cpp)
if(bench_sources)
  find_package(benchmark QUIET)
  add_custom_target(bench)
  foreach(source IN LISTS bench_sources)
    get_filename_component(name ${source} NAME_WE)
    add_executable(bench_${name} EXCLUDE_FROM_ALL ${source})
    target_link_libraries(bench_${name} PRIVATE unroll unroll_flags ${UNROLL_LINKED})
    if(benchmark_FOUND)
      target_link_libraries(bench_${name} PRIVATE benchmark::benchmark)
    endif()
    set_target_properties(bench_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY
                                                                      ${PROJECT_BINARY_DIR}/bench)
    add_dependencies(bench bench_${name})
  endforeach()
endif()
