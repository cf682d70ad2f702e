# quern_sim_module(<name> TARGET <compute capability x 10> [EXACT] SOURCES <.cu>...)
# Kernels compiled by g++ into lib<name>.so, which the simulated driver loads as the real one loads a fatbin.

set(QUERN_WARNINGS -Wall -Wextra -Wno-unknown-pragmas -Wno-psabi)

# Bits do not depend on the machine: no contraction (sources say fmaf where they mean it), no reassociation.
set(QUERN_KERNEL_FLAGS -x c++ -O3 -ffp-contract=off -fno-math-errno -fno-trapping-math
    -fvisibility=hidden ${QUERN_WARNINGS} -Wno-unused-function)

# fmaf is one instruction only there; elsewhere it is a library call with the same result
execute_process(COMMAND grep -qw -m1 avx2 /proc/cpuinfo RESULT_VARIABLE no_avx2 OUTPUT_QUIET ERROR_QUIET)
if(no_avx2 EQUAL 0)
  list(APPEND QUERN_KERNEL_FLAGS -mavx2 -mfma -mf16c)
endif()

# a library that also loads where no C++ runtime, or an older one, is installed
function(quern_carry_runtime target)
  if(NOT QUERN_SANITIZE)
    target_link_options(${target} PRIVATE -static-libgcc -static-libstdc++
      -Wl,--exclude-libs,ALL -Wl,--gc-sections)  # and no more of it than is used: every symbol wants a newer C library
  endif()
endfunction()

function(quern_sim_module name)
  cmake_parse_arguments(arg "EXACT" "TARGET" "SOURCES" ${ARGN})
  set_source_files_properties(${arg_SOURCES} PROPERTIES LANGUAGE CXX)
  add_library(${name} MODULE ${arg_SOURCES} ${QUERN_ROOT}/native/sim/module.cpp)
  target_include_directories(${name} PRIVATE ${QUERN_ROOT}/cuda/include)
  target_compile_options(${name} PRIVATE ${QUERN_KERNEL_FLAGS})
  set(exact false)
  if(arg_EXACT)
    set(exact true)
  endif()
  # with sanitizers the form for GPUs below 9.0, so that both forms are run
  set(pairs true)
  if(QUERN_SANITIZE)
    set(pairs false)
  endif()
  target_compile_definitions(${name} PRIVATE
    QUERN_SIM_TARGET=${arg_TARGET} QUERN_SIM_EXACT=${exact} QUERN_SIM_COMPARES_BF16S=${pairs})
  # one translation unit, as under nvcc: the headers cost more than the kernels
  set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)
  quern_carry_runtime(${name})
  quern_sanitize(${name})
endfunction()
