# Rooms: reads rooms.txt and makes one object library a room. Who may include whom is checked by
# tools/check_rooms.
#
# UNROLL_ROOMS: all rooms but apps, lowest floor first; UNROLL_FLOOR_<room>.
# UNROLL_ROOM_OBJECTS: the object files of all rooms so far.

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/rooms.txt)
file(STRINGS rooms.txt table REGEX "^[0-9]")
list(SORT table)  # the floor comes first in a line
set(UNROLL_ROOMS "")
foreach(line IN LISTS table)
  string(REGEX MATCH "^([0-9]+) *\\| *([a-z]+)" found "${line}")
  set(room ${CMAKE_MATCH_2})
  if(NOT room STREQUAL "apps")
    set(UNROLL_FLOOR_${room} ${CMAKE_MATCH_1})
    list(APPEND UNROLL_ROOMS ${room})
  endif()
endforeach()

set(UNROLL_ROOM_OBJECTS "")

function(unroll_add_room room)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS src/${room}/*.cpp)
  if(sources)
    add_library(room_${room} OBJECT ${sources})
    target_link_libraries(room_${room} PRIVATE unroll_flags ${UNROLL_LINKED}
                                               nlohmann_json::nlohmann_json)
    if(room IN_LIST UNROLL_ROOMS_FOR_SIZE)
      target_compile_options(room_${room} PRIVATE ${UNROLL_FOR_SIZE})
    endif()
    list(APPEND UNROLL_ROOM_OBJECTS $<TARGET_OBJECTS:room_${room}>)
    set(UNROLL_ROOM_OBJECTS ${UNROLL_ROOM_OBJECTS} PARENT_SCOPE)
  endif()
endfunction()
