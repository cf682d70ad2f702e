// What a kernel compiled by g++ shares with the simulated driver: its view of a thread, the calls it may make, and the
// list of kernels in its module. native/sim implements the calls; the layout here is the contract between the two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace quern::sim {

/// Version of this contract; a module built against another one is refused.
inline constexpr unsigned kAbi = 3;

struct Dim {
    unsigned x, y, z;
};

/// What the threads of a block have in common.
struct BlockView {
    Dim index, block_dim, grid_dim, cluster_dim, cluster_index;
    unsigned cluster_rank;
    /// The block's window of shared memory; a shared address is rank << 24 | offset into it.
    char* window;
    unsigned dynamic_offset, dynamic_bytes;
};

struct ThreadView {
    Dim index;
    unsigned linear, lane, warp;
    BlockView* block;
};

/// A declaration of static shared memory.
struct SharedSite {
    unsigned bytes, alignment;
    int id = -1;
};

/// Runs once for a warp, when its last lane arrives; lanes[i] is what lane i passed.
using Collective = void (*)(void* const* lanes, unsigned mask);

/// A copy that completes at some time between its issue and its wait.
struct SharedCopy {
    char* target;
    const char* source;
    unsigned bytes, valid;
};

/// One thread's part of a wgmma instruction.
struct Wgmma {
    enum Type { kBf16, kF16, kTf32 };
    int type;
    unsigned n;
    uint64_t a_descriptor, b_descriptor;
    bool transpose_a, transpose_b, accumulate, a_in_registers;
    uint32_t a[4];
    float* d;
};

struct Runtime {
    /// True when asynchronous instructions complete as late as allowed.
    bool late;
    /// True when functions that hardware approximates are exact; else they are as far off as is documented.
    bool exact;
    void (*barrier)(unsigned id, unsigned threads, bool wait);
    void (*collective)(unsigned mask, void* argument, Collective run, const char* what);
    /// The same for the 4 warps of a warpgroup; lanes has 128 entries.
    void (*group_collective)(void* argument, void (*run)(void* const* lanes), const char* what);
    void* (*shared_site)(SharedSite* site);
    char* (*shared_address)(unsigned address, unsigned bytes, const char* what);
    void (*cluster_barrier)(bool arrive, bool wait);
    void (*grid_wait)();
    [[noreturn]] void (*misuse)(int error, const char* format, ...);

    void (*copy_async)(SharedCopy copy);
    void (*copy_commit)();
    void (*copy_wait)(unsigned groups_left);
    void (*copy_arrive)(unsigned barrier);

    void (*mbarrier_init)(unsigned address, unsigned count);
    void (*mbarrier_invalidate)(unsigned address);
    uint64_t (*mbarrier_arrive)(unsigned address, unsigned count, unsigned expect_bytes, bool arrive);
    bool (*mbarrier_test)(unsigned address, unsigned parity, bool block);

    void (*bulk_load)(unsigned target, const void* source, unsigned bytes, unsigned barrier, unsigned multicast);
    void (*bulk_store)(void* target, unsigned source, unsigned bytes);
    void (*tensor_load)(unsigned target, const void* map, unsigned barrier, const int* coordinates, unsigned rank,
                        const uint16_t* offsets, unsigned multicast);
    void (*tensor_store)(const void* map, unsigned source, const int* coordinates, unsigned rank, bool add);
    void (*bulk_commit)();
    void (*bulk_wait)(unsigned groups_left, bool read_only);

    void (*wgmma)(void* operation);
    void (*wgmma_commit)();
    void (*wgmma_wait)(unsigned groups_left);
};

struct Kernel {
    static constexpr unsigned kMaxParameters = 64;
    const char* name;
    unsigned max_threads;
    void (*invoke)(void* const* parameters);
    unsigned parameters;
    unsigned sizes[kMaxParameters];
    unsigned alignments[kMaxParameters];
    Kernel* next;
};

/// What a module exports as quern_sim_module().
struct Module {
    unsigned abi;
    /// Compute capability times 10; with exact, no other one runs it.
    unsigned target;
    bool exact;
    Kernel* kernels;
    /// Gives the module its runtime and returns the calling OS thread's slot for the current CUDA thread.
    ThreadView** (*bind)(const Runtime* runtime);
};

#ifdef QUERN_SIM_MODULE

// static TLS: the kernel reads its indices through one load; fibers never change their OS thread
inline thread_local ThreadView* current __attribute__((tls_model("initial-exec"))) = nullptr;
inline const Runtime* runtime = nullptr;
inline Kernel* kernels = nullptr;

/// Adds a kernel to the module; its invoker is deduced from the signature.
template <auto function>
struct Registration;

template <class... P, void (*function)(P...)>
struct Registration<function> {
    Kernel kernel;

    template <std::size_t... i>
    static void call(void* const* parameters, std::index_sequence<i...>) {
        function(*static_cast<std::remove_cv_t<P>*>(parameters[i])...);
    }

    static void invoke(void* const* parameters) { call(parameters, std::index_sequence_for<P...>()); }

    Registration(const char* name, unsigned max_threads)
        : kernel{name, max_threads, invoke, sizeof...(P), {sizeof(P)...}, {alignof(P)...}, kernels} {
        static_assert(sizeof...(P) <= Kernel::kMaxParameters);
        kernels = &kernel;
    }
};

template <class T>
inline T& shared(SharedSite& site) {
    return *static_cast<T*>(runtime->shared_site(&site));
}

#endif

}  // namespace quern::sim
