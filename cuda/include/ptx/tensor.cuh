// Copies by the tensor memory accelerator. Compute capability 9.0. One thread issues them; loads complete on an mbarrier.
#pragma once

#include "mbarrier.cuh"

namespace quern {

/// A tensor map, as cuTensorMapEncodeTiled or cuTensorMapEncodeIm2col writes it; pass it as QUERN_GRID_CONSTANT.
struct alignas(64) TensorMap {
    u64 opaque[16];
};

}  // namespace quern

#if QUERN_SIM || __CUDA_ARCH__ >= 900
namespace quern {

/// Orders the thread's writes to shared memory before later copies that read it.
QUERN_DEVICE void fence_async_shared() {
#if !QUERN_SIM
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

QUERN_DEVICE void prefetch_map([[maybe_unused]] const TensorMap* map) {
#if !QUERN_SIM
    asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
#endif
}

/// The tile at (x, y); x counts the innermost elements.
QUERN_DEVICE void tensor_load_2d(void* shared, const TensorMap* map, u64* barrier, int x, int y) {
#if QUERN_SIM
    const int at[] = {x, y};
    sim::runtime->tensor_load(shared_address(shared), map, shared_address(barrier), at, 2, nullptr, 0);
#else
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], [%2];" ::"r"(
            shared_address(shared)),
        "l"(map), "r"(shared_address(barrier)), "r"(x), "r"(y)
        : "memory");
#endif
}

/// The same into all blocks of the cluster whose bit is set, at the same place, each with its own barrier.
QUERN_DEVICE void tensor_load_2d_multicast(void* shared, const TensorMap* map, u64* barrier, int x, int y, u16 blocks) {
#if QUERN_SIM
    const int at[] = {x, y};
    sim::runtime->tensor_load(shared_address(shared), map, shared_address(barrier), at, 2, nullptr, blocks);
#else
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster [%0], "
        "[%1, {%3, %4}], [%2], %5;" ::"r"(shared_address(shared)),
        "l"(map), "r"(shared_address(barrier)), "r"(x), "r"(y), "h"(blocks)
        : "memory");
#endif
}

/// The tile at (x, y, z).
QUERN_DEVICE void tensor_load_3d(void* shared, const TensorMap* map, u64* barrier, int x, int y, int z) {
#if QUERN_SIM
    const int at[] = {x, y, z};
    sim::runtime->tensor_load(shared_address(shared), map, shared_address(barrier), at, 3, nullptr, 0);
#else
    asm volatile(
        "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], [%2];" ::"r"(
            shared_address(shared)),
        "l"(map), "r"(shared_address(barrier)), "r"(x), "r"(y), "r"(z)
        : "memory");
#endif
}

/// A column of pixels of an NHWC image from (c, w, h, n) on, moved by the filter's offset.
QUERN_DEVICE void tensor_load_im2col(void* shared, const TensorMap* map, u64* barrier, int c, int w, int h, int n,
                                     u16 offset_w, u16 offset_h) {
#if QUERN_SIM
    const int at[] = {c, w, h, n};
    const uint16_t offsets[] = {offset_w, offset_h};
    sim::runtime->tensor_load(shared_address(shared), map, shared_address(barrier), at, 4, offsets, 0);
#else
    asm volatile(
        "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5, %6}], [%2], "
        "{%7, %8};" ::"r"(shared_address(shared)),
        "l"(map), "r"(shared_address(barrier)), "r"(c), "r"(w), "r"(h), "r"(n), "h"(offset_w), "h"(offset_h)
        : "memory");
#endif
}

/// The tile back to (x, y); parts outside the tensor are not written.
QUERN_DEVICE void tensor_store_2d(const TensorMap* map, const void* shared, int x, int y) {
#if QUERN_SIM
    const int at[] = {x, y};
    sim::runtime->tensor_store(map, shared_address(shared), at, 2, false);
#else
    asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [%0, {%2, %3}], [%1];" ::"l"(map),
                 "r"(shared_address(shared)), "r"(x), "r"(y)
                 : "memory");
#endif
}

/// The same, added to what is there.
QUERN_DEVICE void tensor_add_2d(const TensorMap* map, const void* shared, int x, int y) {
#if QUERN_SIM
    const int at[] = {x, y};
    sim::runtime->tensor_store(map, shared_address(shared), at, 2, true);
#else
    asm volatile("cp.reduce.async.bulk.tensor.2d.global.shared::cta.add.tile.bulk_group [%0, {%2, %3}], [%1];" ::"l"(map),
                 "r"(shared_address(shared)), "r"(x), "r"(y)
                 : "memory");
#endif
}

/// Contiguous bytes, a multiple of 16 like both addresses.
QUERN_DEVICE void bulk_load(void* shared, const void* global, unsigned bytes, u64* barrier) {
#if QUERN_SIM
    sim::runtime->bulk_load(shared_address(shared), global, bytes, shared_address(barrier), 0);
#else
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
                     shared_address(shared)),
                 "l"(global), "r"(bytes), "r"(shared_address(barrier))
                 : "memory");
#endif
}

QUERN_DEVICE void bulk_store(void* global, const void* shared, unsigned bytes) {
#if QUERN_SIM
    sim::runtime->bulk_store(global, shared_address(shared), bytes);
#else
    asm volatile("cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;" ::"l"(global), "r"(shared_address(shared)),
                 "r"(bytes)
                 : "memory");
#endif
}

/// Closes the group of the thread's stores since the last one.
QUERN_DEVICE void bulk_commit() {
#if QUERN_SIM
    sim::runtime->bulk_commit();
#else
    asm volatile("cp.async.bulk.commit_group;" ::: "memory");
#endif
}

/// Waits until at most Left groups of stores still read shared memory.
template <int Left>
QUERN_DEVICE void bulk_wait_read() {
#if QUERN_SIM
    sim::runtime->bulk_wait(Left, true);
#else
    asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(Left) : "memory");
#endif
}

/// Waits until at most Left groups of stores are incomplete.
template <int Left>
QUERN_DEVICE void bulk_wait() {
#if QUERN_SIM
    sim::runtime->bulk_wait(Left, false);
#else
    asm volatile("cp.async.bulk.wait_group %0;" ::"n"(Left) : "memory");
#endif
}

}  // namespace quern
#endif
