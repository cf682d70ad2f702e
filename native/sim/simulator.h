// The state of the simulated driver, behind one lock that every call takes.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "abi.h"
#include "memory.h"
#include "stream.h"
#include "workers.h"

namespace quern::driver {

/// What the simulated machine looks like; from QUERN_SIM_* variables, changed by quern_sim_set_*.
struct Settings {
    int driver_version = 13000;
    int devices = 1;
    int major = 9, minor = 0;
    int compiled_for = 0;
    size_t memory = size_t{4} << 30;
    bool late = false, early_loads = false;
    bool exact = false;

    static Settings from_environment();
};

/// The limits of a compute capability.
struct Limits {
    int shared_per_block, shared_optin, shared_per_multiprocessor, multiprocessors, threads_per_multiprocessor,
        blocks_per_multiprocessor;
};
Limits limits(int major, int minor);

/// "The N-th call of kind X gives error Y"; the kind * counts all calls.
struct Fault {
    std::string kind;
    long remaining;
    CUresult error;
};

struct Image;
struct KernelHandle {
    Image* image;
    const sim::Kernel* kernel;
    unsigned dynamic_limit;
    bool wide_clusters = false;
};

struct Pool {
    uint64_t threshold = 0;
    uint64_t attributes[16] = {};
};

struct Simulator {
    std::recursive_mutex lock;
    Settings settings = Settings::from_environment();
    bool initialised = false;
    int retained = 0;
    CUresult lost = CUDA_SUCCESS;

    DeviceMemory memory;
    HostMemory host;
    std::shared_ptr<Stream> legacy;
    std::map<std::thread::id, std::shared_ptr<Stream>> per_thread;
    std::unordered_map<CUstream, std::shared_ptr<Stream>> streams;
    std::unordered_map<CUevent, std::unique_ptr<Event>> events;
    std::unordered_map<CUgraph, std::unique_ptr<Graph>> graphs;
    std::unordered_map<CUgraphExec, std::unique_ptr<Graph>> executables;
    std::unordered_map<CUlibrary, Image*> libraries;
    std::unordered_map<const void*, std::unique_ptr<KernelHandle>> kernels;
    Pool pool;

    std::vector<Fault> faults;
    std::map<std::string, long> calls;
    long all_calls = 0;
    std::string last_injected;

    /// Null when there is none with that handle. 0 is the legacy stream, 1 and 2 the driver's special handles.
    std::shared_ptr<Stream> stream(CUstream handle);
    /// Queues the work, or does it, or captures it.
    CUresult enqueue(const std::shared_ptr<Stream>& stream, Task task);
    /// The work that must be done before `stream`'s next: the legacy stream and the blocking ones wait for each other.
    std::vector<Mark> implicit_order(const std::shared_ptr<Stream>& stream);
    void finish_all();
    /// What a synchronous copy waits for.
    void finish_blocking();
    bool capturing(int mode_at_most) const;
    void invalidate_captures();
    void drop_context();
    void reset();
};

Simulator& simulator();

/// Rules like "cuMemAllocAsync:3=CUDA_ERROR_OUT_OF_MEMORY,*:100=CUDA_ERROR_UNKNOWN" in place of those there were.
CUresult set_faults(Simulator& s, const char* rules);

/// The context that is current to the calling OS thread; there is only the primary one of device 0.
std::vector<CUcontext>& context_stack();
CUcontext primary_context();

enum class Needs { nothing, driver, context };

/// One call of the driver: takes the lock, counts, and decides whether it fails before it does anything. A call that
/// releases something does so even then, as the driver's do when they return an earlier launch's error.
class Call {
public:
    Call(const char* kind, Needs needs, bool releases = false);
    explicit operator bool() const { return error_ != CUDA_SUCCESS && !releases_; }
    CUresult error() const { return error_; }
    /// The result of a call that did its work: an error that its work met, or one that was injected.
    CUresult end(CUresult result = CUDA_SUCCESS) const;
    const char* kind() const { return kind_; }

private:
    const char* kind_;
    bool releases_;
    std::unique_lock<std::recursive_mutex> lock_;
    CUresult error_ = CUDA_SUCCESS;
};

CUresult error_of(const std::string& name);
const char* name_of(CUresult error);

}  // namespace quern::driver
