#!/usr/bin/env bash
# What bin/quern of the bundle runs, and what it says when something is missing or fails: with a Java and a compute-sanitizer
# that only write down how they were called. By ctest, and by hand: bundle/test.sh
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(cd "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$work"' EXIT
root="$work/a bundle"
mkdir -p "$root"/{bin,bench,runtime/bin,sim,test,app} "$work"/{path,empty}
cp "$here/quern" "$root/bin/quern"
touch "$root/sim/libquern_cuda_sim.so"
export LOG=$work/log CUDA_HOME=$work/empty
unset QUERN_CUDA_SIM QUERN_JAVA_OPTS

cat >"$root/runtime/bin/java" <<'FAKE'
#!/bin/sh
echo "java sim=${QUERN_CUDA_SIM:+yes} $*" >>"$LOG"
printf '<%s>' in "$PWD" "$@" >>"$LOG"
case "$*" in
  *'Main predict'*) exit 7 ;;
  *'Main doctor'*) printf '  cuda         %s\n  cuda-sim     %s\n' "$GPU" "$SIMULATED" ;;
  *ConsoleLauncher*)
    printf '[         7 tests successful      ]\n[         1 tests skipped         ]\n[         0 tests failed          ]\n'
    exit "${TESTS:-0}"
    ;;
  *GpuBench*)
    printf '# roofs: copy 1 GB/s\n# target f32 matmul\n# overlap of launches: x1.1\n# 2 rows took 1 s\n'
    exit "${BENCH:-0}"
    ;;
  *'Main train'*) printf 'energy   5 J\ntest accuracy 99.30 %% (9930/10000)\n' ;;
esac
FAKE
cat >"$work/path/compute-sanitizer" <<'FAKE'
#!/bin/sh
echo "compute-sanitizer $*" >>"$LOG"
while case $1 in --*) true ;; *) false ;; esac do shift 2; done
"$@" || exit
echo '========= ERROR SUMMARY: 0 errors'
exit "${SANITIZER:-0}"
FAKE
printf '#!/bin/sh\nexit 1\n' >"$work/path/python3" # which has no PyTorch
chmod +x "$work/path/python3" "$root/bin/quern" "$root/runtime/bin/java" "$work/path/compute-sanitizer"

checks=0 failures=0
# expect <exit code> <command>...: runs it in an empty folder
expect() {
  local code=$1 actual=0
  shift
  what="$*"
  : >"$LOG"
  rm -rf "$work/here" && mkdir "$work/here"
  (cd "$work/here" && "${command:-$root/bin/quern}" "$@") >"$work/said" 2>&1 || actual=$?
  ((checks++))
  if [[ $actual != "$code" ]]; then
    echo "FAIL: quern $what ends with $actual, expected $code:" && cat "$work/said"
    ((failures++))
  fi
}
# says|runs [not] <words>: of the last command
contains() {
  local file=$1 not=
  shift
  [[ $1 == not ]] && { not=1 && shift; }
  ((checks++))
  if grep -qF -- "$1" "$file" || false; then [[ -z $not ]]; else [[ -n $not ]]; fi && return
  echo "FAIL: quern $what: ${not:+no }'$1' expected in ${file##*/}:" && cat "$file"
  ((failures++))
}
says() { contains "$work/said" "$@"; }
runs() { contains "$LOG" "$@"; }

export GPU='available: H100' SIMULATED='available: simulated'
expect 0 selftest
says 'every op, trainings and graphs on the GPU'
runs 'java sim= --add-modules' # a simulator that is there is not tested beside a GPU
runs '--include-tag cuda'
runs not '--include-tag cuda-sim'
runs 'Main train --backend cuda'
TESTS=1 expect 1 selftest
runs not 'Main train'
expect 0 selftest short
runs '-Dquern.check.every=7'

expect 1 selftest --sanitizer memcheck
says 'there is no compute-sanitizer here; it comes with the CUDA toolkit'
expect 0 hardware
says 'initcheck: left out, there is no compute-sanitizer here'
expect 2 selftest --sanitizer leakcheck
says 'usage: quern selftest [cpu] [short] [--sanitizer memcheck|racecheck|synccheck|initcheck [all]]'
PATH=$work/path:$PATH
for tool in memcheck racecheck synccheck initcheck; do
  expect 0 selftest --sanitizer "$tool"
  runs "compute-sanitizer --tool $tool --target-processes all --error-exitcode 86"
  runs '-Dquern.check.every=7'
done
expect 0 selftest --sanitizer memcheck all
runs not '-Dquern.check.every'
SANITIZER=86 expect 86 selftest --sanitizer racecheck
says 'racecheck found errors'
TESTS=1 expect 1 selftest --sanitizer racecheck
says not 'found errors'

expect 0 bench gpu tiny
runs 'GpuBench -backend cuda -laps 1'
expect 0 bench gpu targets -laps 1
runs 'bench/gpu-targets.txt -laps 1'
says 'torch: not measured'
BENCH=2 expect 2 bench gpu targets # PyTorch has its turn also when a row of ours is wrong
says 'torch: not measured'
BENCH=1 expect 1 bench gpu targets
says not 'torch'
BENCH=143 expect 143 bench gpu targets
says not 'torch'

expect 0 hardware --data-dir /data out
says 'target 99.2 %: met'
says 'target f32 matmul'
says 'overlap of launches: x1.1'
says '2 rows took 1 s'
says '7 tests successful 1 tests skipped 0 tests failed'
says 'ERROR SUMMARY: 0 errors'
runs 'gpu-targets.txt'
runs 'Main train --backend cuda --data mnist --data-dir /data --seed 1'
contains "$work/here/out/summary.txt" 'memcheck: passed'
expect 2 hardware --seconds many
says 'usage: quern hardware'
SANITIZER=86 expect 1 hardware
says 'mnist: left out, no --data-dir DIR'
says 'racecheck: FAILED with exit code 86'

GPU='not available: no driver'
expect 1 hardware
says 'hardware: no driver; --tiny shows'
expect 0 hardware --tiny
runs 'GpuBench -backend cuda-sim'
runs 'Main train --backend cuda-sim --limit 256'
expect 0 selftest
says 'not on a GPU but on the simulated one: no driver'
runs '--include-tag cuda --include-tag cuda-sim'
runs 'java sim=yes'
SIMULATED='not available: not built'
expect 0 selftest
says 'not on a GPU but on the CPU: no driver'
runs 'io.quern.conformance.ConformanceTest'

# arguments as they are, the exit status, the caller's folder; also through a link from another folder
expect 7 predict 'my photos/*' '' "a\"b'c"
runs "<io.quern.cli/io.quern.cli.Main><predict><my photos/*><><a\"b'c>"
runs "<in><$(cd "$work" && pwd -P)/here>"
ln -s "../a bundle/bin/quern" "$work/path/linked"
ln -s "$work/path/linked" "$work/quern"
command=$work/quern expect 7 predict x
runs "<--module-path><$root/app>"

echo "$checks checks, $failures failures"
((failures == 0))
