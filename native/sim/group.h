// The blocks of one cluster (mostly one block) on one OS thread: a fiber for every CUDA thread that has to wait, a queue of
// those that can go on. The order is a function of the launch alone.
#pragma once

#include <bitset>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../../cuda/include/sim.cuh"
#include "fiber.h"

namespace quern::driver {

constexpr unsigned kWarp = 32, kMaxThreads = 1024, kWindow = 256 << 10;

/// A kernel and everything needed to run it later.
struct Launch {
    const sim::Kernel* kernel = nullptr;
    sim::ThreadView** (*bind)(const sim::Runtime*) = nullptr;
    sim::Dim grid{1, 1, 1}, block{1, 1, 1}, cluster{1, 1, 1};
    unsigned dynamic_bytes = 0, shared_limit = 48 << 10;
    /// May begin before the launch before it is done: programmatic stream serialization.
    bool overlaps = false;
    std::shared_ptr<char> storage;
    std::vector<void*> parameters;
    /// Addresses in the parameters, through which alone a kernel gets at device memory and at pinned memory of the host.
    std::vector<uintptr_t> addresses;
};

struct Failure {
    int error = 0;
    std::string text;
};

struct GroupBlock;

struct CudaThread {
    sim::ThreadView view;
    GroupBlock* block;
    Fiber* fiber = nullptr;
    CudaThread* next = nullptr;
    bool started = false, done = false;
    /// What it waits for, and the barrier's number; null while it can go on.
    const char* waits_for = nullptr;
    unsigned waits_id = 0;
    /// Arrived at the cluster barrier and not waited; the phase it arrived in is complete.
    bool cluster_arrived = false, cluster_done = false;
    bool waited_for_grids = false;
};

struct ThreadList {
    CudaThread *head = nullptr, *tail = nullptr;
    void add(CudaThread* t) {
        t->next = nullptr;
        (tail == nullptr ? head : tail->next) = t;
        tail = t;
    }
    CudaThread* take() {
        CudaThread* t = head;
        head = t->next;
        tail = head == nullptr ? nullptr : tail;
        return t;
    }
    bool empty() const { return head == nullptr; }
    void take_all(ThreadList& other) {
        while (!other.empty()) {
            add(other.take());
        }
    }
};

struct BlockBarrier {
    unsigned expected = 0, count = 0;
    std::bitset<kMaxThreads> arrived;
    ThreadList waiting;
};

struct WarpMeeting {
    unsigned mask = 0, arrived = 0;
    sim::Collective run = nullptr;
    const char* what = nullptr;
    void* arguments[kWarp];
    CudaThread* lanes[kWarp];
};

struct GroupMeeting {
    unsigned count = 0;
    void (*run)(void* const*) = nullptr;
    void* arguments[128];
    CudaThread* threads[128];
};

using Work = std::function<void()>;

/// Asynchronous work of one kind that a thread has issued: not committed, and committed in groups.
struct Issued {
    std::vector<Work> open;
    std::deque<std::vector<Work>> groups;

    void commit() {
        groups.push_back(std::move(open));
        open.clear();
    }
    /// Runs the oldest groups until `left` remain.
    void complete(size_t left) {
        while (groups.size() > left) {
            for (Work& work : groups.front()) {
                work();
            }
            groups.pop_front();
        }
    }
};

struct IssuedCopies {
    Issued copies, bulk, mma;
};

struct GroupBlock {
    sim::BlockView view;
    std::vector<CudaThread> threads;
    unsigned done = 0, static_bytes = 0;
    BlockBarrier barriers[16];
    std::vector<WarpMeeting> meetings;
    std::vector<GroupMeeting> group_meetings;
    std::vector<void*> sites;
    std::vector<IssuedCopies> copies;
    std::vector<unsigned> mbarriers;
    std::unique_ptr<char, void (*)(char*)> window{nullptr, nullptr};
};

class Group {
public:
    Group();
    /// Runs the cluster whose first block is given; false when it failed. With before_wait, each thread only as far as it gets
    /// without passing griddepcontrol.wait.
    bool run(const Launch& launch, sim::Dim cluster_index, const sim::Runtime* runtime, bool before_wait);
    Failure& failure() { return failure_; }

    // for the runtime, called on a CUDA thread's stack
    CudaThread& thread() { return *running_; }
    GroupBlock& block() { return *running_->block; }
    GroupBlock* block_of_rank(unsigned rank) { return rank < count_ ? blocks_[rank].get() : nullptr; }
    const Launch& launch() const { return *launch_; }
    bool before_wait() const { return before_wait_; }
    /// griddepcontrol.wait; does not return where the thread's part is what comes before it.
    void wait_for_grids();
    void park(const char* what, unsigned id);
    void resume(CudaThread* thread);
    /// Parks until ready() holds; asked again whenever nothing else can go on.
    void park_until(std::function<bool()> ready, const char* what, unsigned id);
    /// To be done as late as possible: when no thread can go on without it.
    void defer(std::function<void()> work);
    /// The caller's stack is left for good, so what it holds must not own memory: hand strings over.
    [[noreturn]] void fail(int error, std::string message);
    std::string where() const;

    ThreadList cluster_waiting;
    unsigned cluster_arrived = 0;

    bool in_kernel() const { return running_ != nullptr; }
    FiberPool& pool() { return pool_; }

private:
    struct Waiter {
        CudaThread* thread;
        std::function<bool()> ready;
    };

    struct Deferred {
        CudaThread* issuer;
        std::function<void()> run;
    };

    static void fiber_main();
    static void deferred_main();
    [[noreturn]] void leave();
    void reset(const Launch& launch, sim::Dim cluster_index);
    CudaThread* next_unstarted();
    void loop();
    bool wake_waiters();
    void report_deadlock();

    const Launch* launch_ = nullptr;
    bool before_wait_ = false;
    std::vector<std::unique_ptr<GroupBlock>> blocks_;
    unsigned count_ = 0, next_block_ = 0, next_thread_ = 0, live_ = 0, block_threads_ = 0;
    ThreadList ready_;
    std::vector<Waiter> waiters_;
    std::deque<Deferred> deferred_;
    CudaThread* running_ = nullptr;
    Fiber* fiber_ = nullptr;
    Stack scheduler_;
    FiberPool pool_;
    sim::ThreadView** slot_ = nullptr;
    Failure failure_;
};

/// The group that runs on the calling OS thread, or null.
Group*& current_group();

/// The calls that kernels make.
const sim::Runtime* runtime();
void set_late(bool late, bool early_loads);
/// Whether functions that hardware approximates are exact instead of as far off as documented.
void set_exact(bool exact);
/// True when loads that complete on an mbarrier are done as late as allowed, too.
bool loads_late();

}  // namespace quern::driver
