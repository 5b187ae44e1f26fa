# Rooms: reads rooms.txt and makes one object library a room.
#
# UNROLL_ROOMS: all rooms but apps, lowest floor first.
# UNROLL_MAY_<room>: the rooms that it may include, and all that those may include.
# UNROLL_ROOM_OBJECTS: the object files of all rooms so far.

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/rooms.txt)
file(STRINGS rooms.txt table REGEX "^[0-9]")
set(column_numbers 0 1 2)
set(column_names floor room may)
set(UNROLL_ROOMS "")
list(SORT table)  # the floor comes first in a line
foreach(line IN LISTS table)
  string(REPLACE "|" ";" columns "${line}")
  foreach(index name IN ZIP_LISTS column_numbers column_names)
    list(GET columns ${index} cell)
    string(STRIP "${cell}" ${name})
  endforeach()
  if(room STREQUAL "apps")
    continue()
  endif()
  separate_arguments(may)
  if(floor GREATER 1)
    list(APPEND may base)
  endif()
  if(floor GREATER 2)
    list(APPEND may tensor)
  endif()
  set(UNROLL_MAY_${room} "")
  foreach(below IN LISTS may)
    if(NOT below IN_LIST UNROLL_ROOMS)
      message(FATAL_ERROR "rooms.txt: ${room} names ${below}, which is no room of a lower floor")
    endif()
    list(APPEND UNROLL_MAY_${room} ${below} ${UNROLL_MAY_${below}})
  endforeach()
  list(REMOVE_DUPLICATES UNROLL_MAY_${room})
  list(APPEND UNROLL_ROOMS ${room})
endforeach()

set(UNROLL_ROOM_OBJECTS "")

function(unroll_add_room room)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS src/${room}/*.cpp)
  if(sources)
    add_library(room_${room} OBJECT ${sources})
    target_link_libraries(room_${room} PRIVATE unroll_flags ${UNROLL_LINKED}
                                               nlohmann_json::nlohmann_json)
    list(APPEND UNROLL_ROOM_OBJECTS $<TARGET_OBJECTS:room_${room}>)
    set(UNROLL_ROOM_OBJECTS ${UNROLL_ROOM_OBJECTS} PARENT_SCOPE)
  endif()
endfunction()
