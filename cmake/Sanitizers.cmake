# -DQUERN_SANITIZE=address,undefined builds everything with those sanitizers. ctest runs as ever; a JVM that loads the
# library needs libasan preloaded.

set(QUERN_SANITIZE "" CACHE STRING "sanitizers, as for -fsanitize=, or empty")

function(quern_sanitize target)
  if(QUERN_SANITIZE)
    # a kernel's stack frames must survive switches between fibers, so no fake stacks (ASAN_OPTIONS is left alone)
    set(flags -fsanitize=${QUERN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
        -O1 -g1  # a third of the compile time of -O3 -g
        $<$<COMPILE_LANGUAGE:CXX>:-fno-sanitize=vptr>)
    target_compile_options(${target} PRIVATE ${flags})
    target_link_options(${target} PRIVATE -fsanitize=${QUERN_SANITIZE})
  endif()
endfunction()
