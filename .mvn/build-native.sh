#!/bin/sh
# Builds a part of native/ with CMake into native/build, if the tools for it are here; else says so in one line and ends well.
#   build-native.sh sim       the simulated CUDA driver and the kernels for it (g++)
#   build-native.sh fatbins   the kernels for NVIDIA GPUs (nvcc)
# With REQUIRED=yes, missing tools are an error.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
build=$root/native/build

without() {
  echo "quern: $1 skipped: $2" >&2
  [ "${REQUIRED-no}" = yes ] && exit 1
  exit 0
}

case ${1-} in
  sim)
    what='the simulated CUDA driver (backend cuda-sim, and its tests) is'
    targets='quern_cuda_sim quern_sim_base quern_sim_hopper'
    ;;
  fatbins)
    what='the kernels for NVIDIA GPUs (quern-kernels-cuda) are'
    targets='quern_base'
    PATH=$PATH:${CUDA_HOME:-/usr/local/cuda}/bin
    command -v nvcc >/dev/null || without "$what" 'no nvcc; install the CUDA 13 toolkit or set CUDA_HOME'
    ;;
  *)
    echo "usage: build-native.sh sim|fatbins" >&2
    exit 2
    ;;
esac
command -v cmake >/dev/null || without "$what" 'no cmake; install CMake 3.25 or later'
command -v g++ >/dev/null || without "$what" 'no g++; install g++ 12 or later'

generator=
[ -f "$build/CMakeCache.txt" ] || { command -v ninja >/dev/null && generator='-G Ninja'; } || true
mkdir -p "$build"
log=$build/build.log
# shellcheck disable=SC2086 # words on purpose
{ cmake $generator -S "$root/native" -B "$build" && cmake --build "$build" --target $targets; } >"$log" 2>&1 || {
  status=$?
  cat "$log" >&2
  echo "quern: building native/ failed (above)" >&2
  exit "$status"
}
rm -f "$log"
