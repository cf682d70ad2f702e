#!/usr/bin/env bash
# nvcc-gate.sh <module> <log> <source>... -- <nvcc command>...
# Runs nvcc, prints registers and shared memory of every kernel, and fails where ptxas spilled registers, used local memory,
# serialised wgmma instructions (or ignored another wish), or where a kernel's shared memory is beyond a target's limit.
# A kernel that uses dynamic shared memory, which its PTX tells, has to say how much at most: a line "// gate: <kernel> <bytes>" in its source, followed,
# where it differs, by "sm_86=<bytes>" and so on; 0 for a target means that it is not launched there.
set -uo pipefail
kept=$(mktemp -d)
trap 'status=$?; rm -rf "$kept"; [[ $status == 0 ]] || rm -f "$output"' EXIT
module=$1
log=$2
shift 2
sources=()
while [[ $1 != -- ]]; do
  sources+=("$1")
  shift
done
shift
# what nvcc writes must not outlive a failure: the build would take it for good
output=
for ((i = 1; i < $#; i++)); do
  if [[ ${!i} == -o ]]; then
    next=$((i + 1))
    output=${!next}
  fi
done

if ! "$@" -Xptxas -v -keep -keep-dir "$kept" >"$log" 2>&1; then
  grep -E 'error|fatal' "$log" >&2 || cat "$log" >&2
  exit 1
fi

# "// dynamic: <kernel>" for each that names an array of dynamic shared memory; a function that is not inlined counts as one
shopt -s nullglob
ptx=("$kept"/*.ptx)
((${#ptx[@]} == 0)) || awk '
  FNR == 1 { split("", arrays); within = "" }
  /\.extern \.shared/ { name = $NF; sub(/\[.*/, "", name); arrays[name]; next }
  /\.(entry|func) / { within = $0; sub(/.*\.(entry|func) +(\([^)]*\) *)?/, "", within); sub(/[^A-Za-z0-9_$].*/, "", within) }
  within != "" { for (name in arrays) if (index($0, name) && !(within in seen)) { seen[within]; print "// dynamic:", within } }
  ' "${ptx[@]}" >"$kept/dynamic"

{ cat "$kept/dynamic" 2>/dev/null; grep -hE '^// gate: ' "${sources[@]}" || true; } | awk -v module="$module" -v log_file="$log" '
  # first the declarations on stdin, then the log
  FILENAME == "-" && $2 == "dynamic:" { dynamically[$3]; next }
  FILENAME == "-" { declared[$3] = $4; for (i = 5; i <= NF; i++) { split($i, part, "="); special[$3, part[1]] = part[2] } next }
  function limit(target) {
    if (target ~ /^sm_8[69]/ || target ~ /^sm_12/) return 99 * 1024
    if (target ~ /^sm_8/) return 163 * 1024
    return 227 * 1024
  }
  function fail(text) { print "gate: " text > "/dev/stderr"; failures++ }
  /Compiling entry function/ { split($0, part, "\x27"); kernel = part[2]; target = part[4]; kernels[kernel]; targets[target] }
  /bytes stack frame/ {
    if ($1 + 0 > 0) fail(kernel " on " target ": " $1 " bytes of local memory")
    if ($5 + 0 > 0 || $9 + 0 > 0) fail(kernel " on " target ": spills registers (" $5 " bytes stored, " $9 " loaded)")
  }
  /Used [0-9]+ registers/ {
    match($0, /Used [0-9]+/); registers = substr($0, RSTART + 5, RLENGTH - 5) + 0
    shared = match($0, /[0-9]+ bytes smem/) ? substr($0, RSTART, RLENGTH - 11) + 0 : 0
    dynamic = (kernel, target) in special ? special[kernel, target] : kernel in declared ? declared[kernel] : 0
    if (shared > 48 * 1024) fail(kernel " on " target ": " shared " bytes of static shared memory, more than 48 KiB")
    if (shared + dynamic > limit(target)) fail(kernel " on " target ": " shared + dynamic " bytes of shared memory, the limit is " limit(target))
    if (!(kernel in low) || registers < low[kernel]) low[kernel] = registers
    if (registers > high[kernel]) high[kernel] = registers
    if (shared > most[kernel]) most[kernel] = shared
    if (dynamic > wish[kernel]) wish[kernel] = dynamic
    counted++
  }
  /Potential Performance Loss/ { fail(kernel == "" ? $0 : "near " kernel " on " target ": " $0) }
  END {
    for (t in targets) { n++ }
    printf "%s: %d kernels on %d targets\n", module, length(kernels), n
    printf "  %-36s %9s %8s %8s\n", "kernel", "registers", "static", "dynamic"
    sort = "sort"
    for (k in kernels) printf "  %-36s %4d-%-4d %8d %8d\n", k, low[k], high[k], most[k], wish[k] | sort
    close(sort)
    for (k in dynamically) if (!(k in declared)) fail(k " uses dynamic shared memory; a line \"// gate: " k " <bytes>\" has to say how much at most")
    if (counted == 0) fail("no kernel was compiled")
    exit failures > 0
  }' - "$log"
