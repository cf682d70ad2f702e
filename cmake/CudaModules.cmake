# quern_cuda_module(<name> SOURCES <.cu>... TARGETS <arch,code>...): with nvcc, <name>.fatbin, through nvcc-gate.sh; without it,
# one line. quern_cuda_modules() then makes the target `cuda_modules` of them all and checks their size.
#
# Two builds of the same sources differ, by up to half a percent of their bytes: cicc of CUDA 13.0 (13.0.88) gives another PTX each time
# for the same preprocessed module, in the same folder and without address space randomization too. Of the 204 kernels of quern_base, two
# to four differed between two runs (gradients of convolutions in F32 by an instruction or two of thousands, layer norm in BF16); no
# path or time is in it. quern_hopper, and conv2d_backward_data.cu alone, came out equal. So compare what the gate prints, not bytes; it
# judges every build, because another draw of the compiler's may spill.

find_program(QUERN_NVCC nvcc HINTS $ENV{CUDA_HOME}/bin /usr/local/cuda/bin)
if(NOT QUERN_NVCC)
  message(STATUS "CUDA modules: skipped, no nvcc; install the CUDA 13 toolkit, or set CUDA_HOME, to build them")
endif()
set(QUERN_FATBIN_LIMIT 8388608 CACHE STRING "bytes that all fatbins together may have")

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
  set(fatbin ${CMAKE_BINARY_DIR}/${name}.fatbin)
  add_custom_command(
    OUTPUT ${fatbin}
    COMMAND ${QUERN_ROOT}/cmake/nvcc-gate.sh ${name} ${CMAKE_BINARY_DIR}/${name}.log ${arg_SOURCES} --
            ${QUERN_NVCC} -fatbin -std=c++20 -O3 --compress-mode=size -I ${QUERN_ROOT}/cuda/include ${codes} -o ${fatbin} ${unit}
    DEPENDS ${arg_SOURCES} ${headers} ${unit} ${QUERN_ROOT}/cmake/nvcc-gate.sh
    COMMENT "nvcc ${name}.fatbin"
    VERBATIM)
  add_custom_target(${name} DEPENDS ${fatbin})
  set_property(GLOBAL APPEND PROPERTY QUERN_FATBINS ${fatbin})
endfunction()

function(quern_cuda_modules)
  get_property(fatbins GLOBAL PROPERTY QUERN_FATBINS)
  if(fatbins)
    string(JOIN "," joined ${fatbins})
    add_custom_target(cuda_modules
      COMMAND ${CMAKE_COMMAND} -DFATBINS=${joined} -DLIMIT=${QUERN_FATBIN_LIMIT} -P ${QUERN_ROOT}/cmake/FatbinSize.cmake
      DEPENDS ${fatbins}
      VERBATIM)
  endif()
endfunction()
