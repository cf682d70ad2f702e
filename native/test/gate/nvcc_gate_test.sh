#!/usr/bin/env bash
# nvcc_gate_test.sh <nvcc-gate.sh> [nvcc]
# What must fail at the compile gate fails, with its reason: from logs as ptxas writes them and, with nvcc, from kernels that
# really spill, want too much shared memory, or have their wgmma instructions serialised.
set -uo pipefail
shopt -s lastpipe # what a pipe ends in counts here
gate=$1
nvcc=${2-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
checks=0

# judge <pass|fail> <words that the gate must say> <source> <compiler>...
judge() {
  local expected=$1 words=$2 source=$3 actual=pass
  shift 3
  ((checks++))
  : >"$work/output"
  "$gate" tried "$work/log" "$source" -- "$@" -o "$work/output" >"$work/said" 2>&1 || actual=fail
  if [[ $actual != "$expected" ]] || ! grep -qF -- "$words" "$work/said" || [[ $actual == fail && -e $work/output ]]; then
    echo "FAIL: expected $expected, with '$words', and no output left by a failure; got $actual:" && cat "$work/said"
    ((failures++))
  fi
}

# canned <pass|fail> <words> [declaration]: the log comes on stdin
canned() {
  cat >"$work/canned"
  echo "${3-}" >"$work/source.cu"
  judge "$1" "$2" "$work/source.cu" sh -c 'cat "$0"' "$work/canned"
}

# entry <kernel> <target> <stack> <stores> <loads> <rest of the line on registers>
entry() {
  printf '%s\n' "ptxas info    : Compiling entry function '$1' for '$2'" "ptxas info    : Function properties for $1" \
    "    $3 bytes stack frame, $4 bytes spill stores, $5 bytes spill loads" "ptxas info    : Used $6"
}

entry k sm_80 0 0 0 '32 registers, used 1 barriers, 4096 bytes smem, 360 bytes cmem[0]' | canned pass '4096'
entry k sm_80 0 8 0 '64 registers' | canned fail 'k on sm_80: spills registers (8 bytes stored, 0 loaded)'
entry k sm_80 0 0 4 '64 registers' | canned fail 'k on sm_80: spills registers (0 bytes stored, 4 loaded)'
entry k sm_90 16 0 0 '64 registers' | canned fail 'k on sm_90: 16 bytes of local memory'
entry k sm_80 0 0 0 '32 registers, 49156 bytes smem' | canned fail 'more than 48 KiB'
entry k sm_86 0 0 0 '32 registers, 1024 bytes smem' | canned fail '102400 bytes of shared memory, the limit is 101376' '// gate: k 101376'
entry k sm_80 0 0 0 '32 registers, 1024 bytes smem' | canned pass '101376' '// gate: k 101376'
entry k sm_86 0 0 0 '32 registers' | canned pass 'k ' '// gate: k 131072 sm_86=0'
entry k sm_100 0 0 0 '32 registers' | canned fail 'the limit is 232448' '// gate: k 232449'
{
  echo "ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async instructions are serialized due to x in 'k'"
  entry k sm_90a 0 0 0 '32 registers'
} | canned fail 'wgmma.mma_async instructions are serialized'
{
  entry good sm_80 0 0 0 '32 registers'
  entry bad sm_80 0 4 4 '32 registers'
  entry good sm_90 0 0 0 '40 registers'
} | canned fail 'bad on sm_80: spills'

# a compiler that keeps the PTX on stdin, of kernels k (which uses dynamic shared memory) and other
kept() {
  cat >"$work/ptx"
  echo "${3-}" >"$work/source.cu"
  { entry k sm_80 0 0 0 '32 registers' && entry other sm_80 0 0 0 '32 registers'; } >"$work/canned"
  judge "$1" "$2" "$work/source.cu" sh -c 'cat "$0"; while [ "$1" != -keep-dir ]; do shift; done; cp "$PTX" "$2/kept.ptx"' "$work/canned"
}
export PTX=$work/ptx
dynamic='.extern .shared .align 16 .b8 buffer[];
.visible .entry other(
) { ret; }
.visible .entry k(
	.param .u64 k_param_0
) {
	mov.u32 	%r1, buffer;
}'
kept fail 'k uses dynamic shared memory; a line "// gate: k <bytes>" has to say how much at most' <<<"$dynamic"
kept pass '1024' '// gate: k 1024' <<<"$dynamic"
kept fail 'k uses dynamic' '// gate: other 1024' <<<"$dynamic"
kept pass 'k ' <<<"${dynamic/, buffer/, 0}"
canned fail 'no kernel was compiled' <<<'ptxas info    : 0 bytes gmem'
judge fail 'error: no such thing' "$here/spills.cu" sh -c 'echo "error: no such thing"; exit 2'

if [[ -n $nvcc ]]; then
  judge fail 'spills on sm_80: spills registers' "$here/spills.cu" "$nvcc" -cubin -arch=sm_80 "$here/spills.cu"
  judge fail 'the limit is 101376' "$here/shared.cu" "$nvcc" -cubin -arch=sm_86 "$here/shared.cu"
  sed '/gate:/d' "$here/shared.cu" >"$work/silent.cu"
  judge fail 'too_much_shared uses dynamic shared memory' "$work/silent.cu" "$nvcc" -cubin -arch=sm_80 "$work/silent.cu"
  judge pass '110000' "$here/shared.cu" "$nvcc" -cubin -arch=sm_80 "$here/shared.cu"
  judge fail 'are serialized' "$here/wgmma.cu" "$nvcc" -cubin -arch=sm_90a "$here/wgmma.cu"
else
  echo "the real compiler's part is skipped: no nvcc"
fi
echo "$checks checks, $failures failures"
((failures == 0))
