#!/bin/sh
# Builds a part of native/ with CMake into native/build, if the tools for it are here; else says so in one line and ends well.
#   build-native.sh sim         the simulated CUDA driver and the kernels for it (g++)
#   build-native.sh tests       the same and its tests, which are run
#   build-native.sh sanitized   all of that in native/build-sanitized, with AddressSanitizer and UBSan
#   build-native.sh fatbins     the kernels for NVIDIA GPUs (nvcc)
# With REQUIRED=yes, missing tools are an error.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
build=$root/native/build

without() {
  echo "quern: $1 skipped: $2" >&2
  [ "${REQUIRED-no}" = yes ] && exit 1
  exit 0
}

options= tests= tables=
case ${1-} in
  sim)
    what='the simulated CUDA driver (backend cuda-sim, and its tests) is'
    targets='quern_cuda_sim quern_sim_base quern_sim_hopper'
    ;;
  tests)
    what="the simulated CUDA driver's own tests are"
    targets=all tests=yes
    ;;
  sanitized)
    what='the sanitized simulated CUDA driver and its tests are'
    build=$root/native/build-sanitized
    targets=all tests=yes options=-DQUERN_SANITIZE=address,undefined
    ;;
  fatbins)
    what='the kernels for NVIDIA GPUs (quern-kernels-cuda) are'
    targets=cuda_modules tables=yes
    PATH=$PATH:${CUDA_HOME:-/usr/local/cuda}/bin
    command -v nvcc >/dev/null || without "$what" 'no nvcc; install the CUDA 13 toolkit, or set CUDA_HOME'
    ;;
  *)
    echo "usage: build-native.sh sim|tests|sanitized|fatbins" >&2
    exit 2
    ;;
esac
command -v cmake >/dev/null || without "$what" 'no cmake; install CMake 3.25 or later'
command -v g++ >/dev/null || without "$what" 'no g++; install g++ 12 or later'

generator=
[ -f "$build/CMakeCache.txt" ] || { command -v ninja >/dev/null && generator='-G Ninja'; } || true
mkdir -p "$build"
log=$build/build-$1.log # one each: parts may be built at the same time

# run <what it does> <command>...: its output is shown only when it fails
run() {
  doing=$1
  shift
  "$@" >"$log" 2>&1 || {
    status=$?
    cat "$log" >&2
    echo "quern: $doing failed (above)" >&2
    exit "$status"
  }
}

# shellcheck disable=SC2086 # words on purpose
run 'configuring native/' cmake $generator $options -S "$root/native" -B "$build"
# shellcheck disable=SC2086
run 'building native/' cmake --build "$build" --target $targets
if [ -n "$tests" ]; then
  run 'testing native/' ctest --test-dir "$build" --output-on-failure
  echo "native: $(sed -n 's/^100% tests passed, 0 tests failed out of //p' "$log") tests passed${options:+ with AddressSanitizer and UBSan}"
fi
# of a fresh compilation: registers and shared memory of every kernel, and the sizes
[ -z "$tables" ] || grep -vE '^(\[|ninja|$)|Re-checking|Built target|Consolidate|Scanning' "$log" || true
rm -f "$log"
