// The language of the kernels: the part of CUDA C++ they use, under nvcc as it is and under g++ for the simulated driver.
#pragma once

#ifdef __CUDACC__

#define QUERN_SIM 0
#define QUERN_DEVICE __device__ __forceinline__

/// A kernel: QUERN_KERNEL(most threads of a block, name, parameters...) { body }
#define QUERN_KERNEL(threads, name, ...) extern "C" __global__ void __launch_bounds__(threads) name(__VA_ARGS__)

/// The same, with registers few enough for so many blocks on a multiprocessor.
#define QUERN_KERNEL_BLOCKS(threads, blocks, name, ...) \
    extern "C" __global__ void __launch_bounds__(threads, blocks) name(__VA_ARGS__)

/// Static shared memory: QUERN_SHARED(float, tile, [32][33]);
#define QUERN_SHARED(type, name, dims) __shared__ __align__(16) type name dims

/// The block's dynamic shared memory as an array of type, aligned to 1024 bytes.
#define QUERN_DYNAMIC_SHARED(type, name)                                       \
    extern __shared__ __align__(1024) unsigned char quern_dynamic_shared[];   \
    type* const name = reinterpret_cast<type*>(quern_dynamic_shared)

#define QUERN_GRID_CONSTANT const __grid_constant__

#else

#define QUERN_SIM 1
#define QUERN_SIM_MODULE 1
#include <cmath>
#include <cstring>
#include <limits>

#include "sim.cuh"

#define __device__
#define __forceinline__ inline __attribute__((always_inline))
#define QUERN_DEVICE inline

#define QUERN_KERNEL(threads, name, ...)                                                          \
    extern "C" __attribute__((visibility("hidden"))) void name(__VA_ARGS__);                      \
    static quern::sim::Registration<&name> name##_registration(#name, threads);                   \
    extern "C" __attribute__((visibility("hidden"))) void name(__VA_ARGS__)

#define QUERN_KERNEL_BLOCKS(threads, blocks, name, ...) QUERN_KERNEL(threads, name, __VA_ARGS__)

#define QUERN_SHARED(type, name, dims)                                                            \
    typedef type name##_shared dims;                                                              \
    static quern::sim::SharedSite name##_site{sizeof(name##_shared), 16};                         \
    name##_shared& name = quern::sim::shared<name##_shared>(name##_site)

#define QUERN_DYNAMIC_SHARED(type, name)                                                          \
    type* const name = reinterpret_cast<type*>(                                                   \
        quern::sim::current->block->window + quern::sim::current->block->dynamic_offset)

#define QUERN_GRID_CONSTANT const

#define threadIdx (quern::sim::current->index)
#define blockIdx (quern::sim::current->block->index)
#define blockDim (quern::sim::current->block->block_dim)
#define gridDim (quern::sim::current->block->grid_dim)

inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>(uint64_t{a} * b >> 32); }
inline unsigned __float_as_uint(float x) { return __builtin_bit_cast(unsigned, x); }
inline float __uint_as_float(unsigned x) { return __builtin_bit_cast(float, x); }
inline long long __double_as_longlong(double x) { return __builtin_bit_cast(long long, x); }
inline double __longlong_as_double(long long x) { return __builtin_bit_cast(double, x); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __clz(unsigned x) { return x == 0 ? 32 : __builtin_clz(x); }
inline int __ffs(unsigned x) { return __builtin_ffs(static_cast<int>(x)); }
using std::fma;
using std::fmax;
using std::fmin;

#endif

namespace quern {

template <class T>
QUERN_DEVICE T min_of(T a, T b) {
    return a < b ? a : b;
}

template <class T>
QUERN_DEVICE T max_of(T a, T b) {
    return a < b ? b : a;
}

QUERN_DEVICE constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }

/// The thread's place in the grid, along x.
QUERN_DEVICE long long global_index() { return static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; }

/// Threads of the grid, along x.
QUERN_DEVICE long long global_size() { return static_cast<long long>(gridDim.x) * blockDim.x; }

}  // namespace quern
