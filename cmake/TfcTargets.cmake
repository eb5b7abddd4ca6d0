# How tfc's targets are made: one function for libraries, one for tools, so that flags stand in one place.

set(TFC_WARNINGS -Wall -Wextra -Wno-unused-parameter)

# What sanitized programs need in their environment: LLVM's libraries are not instrumented while their headers are, so
# that containers and allocators that cross the border look broken; and a finding must end the program to be noticed.
set(TFC_SANITIZER_ENVIRONMENT
  "ASAN_OPTIONS=detect_container_overflow=0:allow_user_poisoning=0:detect_leaks=0"
  "UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1")

# Headers of LLVM and MLIR are system headers: their warnings are not ours.
function(tfc_common_settings target)
  target_compile_options(${target} PRIVATE ${TFC_WARNINGS})
  if(TFC_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${TFC_SANITIZE} -fno-omit-frame-pointer -g1)
    target_link_options(${target} PRIVATE -fsanitize=${TFC_SANITIZE})
  endif()
endfunction()

# tfc_add_library(NAME sources... [DEPENDS generated-targets...] [LINK libraries...])
# A static library of the compiler: C++17, no exceptions, LLVM and MLIR headers visible.
function(tfc_add_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include)
  target_include_directories(${name} SYSTEM PUBLIC ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  tfc_common_settings(${name})
endfunction()

# tfc_add_tool(NAME sources... LINK libraries...)
# A compiler tool over the LLVM and MLIR shared libraries.
function(tfc_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_compile_options(${name} PRIVATE -fno-exceptions)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} MLIR LLVM)
  tfc_common_settings(${name})
  # Debian keeps MLIR's libraries in LLVM's own folder.
  set_target_properties(${name} PROPERTIES INSTALL_RPATH "$ORIGIN/../lib;${LLVM_LIBRARY_DIR}")
  install(TARGETS ${name} EXPORT tfcTargets RUNTIME DESTINATION bin)
endfunction()
