# bench/*.cpp: programs that measure, built by the target `bench` only. bench/peers/*.cpp: other
# libraries at the same work, built by `bench_peers` where they are installed; nothing else of
# unroll uses these.

# unroll_add_bench(source libraries...): build/bench/<name>.
function(unroll_add_bench source)
  get_filename_component(name ${source} NAME_WE)
  add_executable(bench_${name} EXCLUDE_FROM_ALL ${source})
  target_link_libraries(bench_${name} PRIVATE unroll_flags ${ARGN})
  set_target_properties(bench_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY
                                                                     ${PROJECT_BINARY_DIR}/bench)
endfunction()

# unroll_find_peer(name header library [folder]): bench/peers/<name>.cpp, where both are installed.
function(unroll_find_peer name header library)
  find_path(UNROLL_${name}_INCLUDE ${header} PATH_SUFFIXES ${ARGN})
  find_library(UNROLL_${name}_LIBRARY ${library} PATH_SUFFIXES ${ARGN})
  mark_as_advanced(UNROLL_${name}_INCLUDE UNROLL_${name}_LIBRARY)
  if(UNROLL_${name}_INCLUDE AND UNROLL_${name}_LIBRARY)
    unroll_add_bench(bench/peers/${name}.cpp ${UNROLL_${name}_LIBRARY})
    target_include_directories(bench_${name} SYSTEM PRIVATE ${UNROLL_${name}_INCLUDE})
    add_dependencies(bench_peers bench_${name})
  endif()
endfunction()

file(GLOB bench_sources CONFIGURE_DEPENDS bench/*.cpp)
add_custom_target(bench)
foreach(source IN LISTS bench_sources)
  get_filename_component(name ${source} NAME_WE)
  unroll_add_bench(${source} unroll ${UNROLL_LINKED})
  add_dependencies(bench bench_${name})
endforeach()

add_custom_target(bench_peers)
# Not by oneDNN's own CMake files: Debian's want OpenCL, too.
unroll_find_peer(onednn dnnl.hpp dnnl)
unroll_find_peer(openblas cblas.h openblas openblas-openmp)
