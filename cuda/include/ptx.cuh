// Every PTX instruction behind one function with two bodies: asm under nvcc, plain C++ for the simulated driver.
#pragma once

#include "ptx/atomic.cuh"
#include "ptx/barrier.cuh"
#include "ptx/cache.cuh"
#include "ptx/cluster.cuh"
#include "ptx/copy.cuh"
#include "ptx/launch.cuh"
#include "ptx/math.cuh"
#include "ptx/matrix.cuh"
#include "ptx/mbarrier.cuh"
#include "ptx/tensor.cuh"
#include "ptx/warp.cuh"
#include "ptx/wgmma.cuh"
