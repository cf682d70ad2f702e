# quern_cuda_module(<name> SOURCES <.cu>... TARGETS <arch,code>...): with nvcc, <name>.fatbin; without it, one line.

find_program(QUERN_NVCC nvcc HINTS $ENV{CUDA_HOME}/bin /usr/local/cuda/bin)
if(NOT QUERN_NVCC)
  message(STATUS "CUDA modules: skipped, no nvcc; install the CUDA 13 toolkit, or set CUDA_HOME, to build them")
endif()

function(quern_cuda_module name)
  if(NOT QUERN_NVCC)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "SOURCES;TARGETS" ${ARGN})
  set(codes)
  foreach(target ${arg_TARGETS})
    list(APPEND codes -gencode arch=${target})
  endforeach()
  # one translation unit, so that one fatbin holds all of the module's kernels
  set(unit ${CMAKE_BINARY_DIR}/${name}.cu)
  set(text "// all sources of the module\n")
  foreach(source ${arg_SOURCES})
    string(APPEND text "#include \"${source}\"\n")
  endforeach()
  file(GENERATE OUTPUT ${unit} CONTENT "${text}")
  file(GLOB headers CONFIGURE_DEPENDS ${QUERN_ROOT}/cuda/include/*.cuh ${QUERN_ROOT}/cuda/include/ptx/*.cuh)
  add_custom_command(
    OUTPUT ${CMAKE_BINARY_DIR}/${name}.fatbin
    COMMAND ${QUERN_NVCC} -fatbin -std=c++20 -O3 --compress-mode=size --threads 2 -I ${QUERN_ROOT}/cuda/include ${codes}
            -o ${CMAKE_BINARY_DIR}/${name}.fatbin ${unit}
    DEPENDS ${arg_SOURCES} ${headers} ${unit}
    COMMENT "nvcc ${name}.fatbin"
    VERBATIM)
  add_custom_target(${name} DEPENDS ${CMAKE_BINARY_DIR}/${name}.fatbin)
  set_property(GLOBAL APPEND PROPERTY QUERN_CUDA_MODULES ${name})
endfunction()
