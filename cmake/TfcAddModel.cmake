# tfc_add_model(NAME SOURCE [FLAGS flags...] [SHARED_NAME file])
#
# Compiles a model when the project is built and makes a target of it:
#
#   find_package(tfc REQUIRED)
#   tfc_add_model(bert model.onnx FLAGS --target=cpu:x86-64-v3)
#   target_link_libraries(app PRIVATE bert)          # bert.h, and bert.so to link with
#
# SOURCE is an .onnx or .mlir file, or a built-in graph: `builtin:bert-base`. FLAGS are those of tfc-compile. The artifact is
# NAME.so in the current binary folder; the header, with typed entry points named NAME_..., NAME.h beside it. Files that the model's
# weights lie in are not followed: list them with set_property(TARGET NAME APPEND PROPERTY ...) where they change.
function(tfc_add_model name source)
  cmake_parse_arguments(ARG "" "SHARED_NAME" "FLAGS" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "tfc_add_model(${name}): unknown arguments: ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  set(file ${name}.so)
  if(ARG_SHARED_NAME)
    set(file ${ARG_SHARED_NAME})
  endif()
  string(REGEX REPLACE "\\.so$" ".h" header ${file})
  if(source MATCHES "^builtin:(.+)$")
    set(input --builtin=${CMAKE_MATCH_1})
    set(depends)
  else()
    get_filename_component(input ${source} ABSOLUTE)
    set(depends ${input})
  endif()
  if(TARGET tfc::tfc-compile)
    set(compiler tfc::tfc-compile)
  else()
    set(compiler tfc-compile)
  endif()
  add_custom_command(
    OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${file} ${CMAKE_CURRENT_BINARY_DIR}/${header}
    COMMAND ${compiler} ${input} --name=${name} ${ARG_FLAGS} -o ${file}
    DEPENDS ${depends} ${compiler}
    WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}
    COMMENT "Compiling model ${name}" VERBATIM)
  add_custom_target(${name}-artifact DEPENDS ${CMAKE_CURRENT_BINARY_DIR}/${file} ${CMAKE_CURRENT_BINARY_DIR}/${header})
  add_library(${name} SHARED IMPORTED)
  set_target_properties(${name} PROPERTIES
    IMPORTED_LOCATION ${CMAKE_CURRENT_BINARY_DIR}/${file}
    INTERFACE_INCLUDE_DIRECTORIES ${CMAKE_CURRENT_BINARY_DIR})
  add_dependencies(${name} ${name}-artifact)
endfunction()
