#include "group.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "abi.h"
#include "report.h"

namespace quern::driver {
namespace {

// static TLS, so that a signal handler may read it
__attribute__((tls_model("initial-exec"))) thread_local Group* group = nullptr;

constexpr size_t kGuard = 4096;

/// A block's window of shared memory, aligned to its size, with a guard page behind it.
char* map_window() {
    char* memory = static_cast<char*>(mmap(nullptr, 2 * kWindow + kGuard, PROT_NONE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    uintptr_t aligned = (reinterpret_cast<uintptr_t>(memory) + kWindow - 1) & ~uintptr_t{kWindow - 1};
    char* window = reinterpret_cast<char*>(aligned);
    mprotect(window, kWindow, PROT_READ | PROT_WRITE);
    return window;
}

void unmap_window(char* window) { munmap(window, kWindow + kGuard); }

/// "0-31, 64" from sorted numbers.
std::string ranges(const std::vector<unsigned>& numbers) {
    std::string list;
    for (size_t i = 0; i < numbers.size();) {
        size_t j = i;
        while (j + 1 < numbers.size() && numbers[j + 1] == numbers[j] + 1) {
            j++;
        }
        list += list.empty() ? "" : ", ";
        list += j == i ? text("%u", numbers[i]) : text("%u-%u", numbers[i], numbers[j]);
        i = j + 1;
    }
    return list;
}

}  // namespace

Group*& current_group() { return group; }

Group::Group() = default;

void Group::reset(const Launch& launch, sim::Dim cluster_index) {
    launch_ = &launch;
    count_ = launch.cluster.x * launch.cluster.y * launch.cluster.z;
    block_threads_ = launch.block.x * launch.block.y * launch.block.z;
    while (blocks_.size() < count_) {
        blocks_.push_back(std::make_unique<GroupBlock>());
        blocks_.back()->window = {map_window(), unmap_window};
    }
    unsigned warps = (block_threads_ + kWarp - 1) / kWarp;
    for (unsigned rank = 0; rank < count_; rank++) {
        GroupBlock& b = *blocks_[rank];
        sim::Dim inside{rank % launch.cluster.x, rank / launch.cluster.x % launch.cluster.y,
                        rank / launch.cluster.x / launch.cluster.y};
        unsigned dynamic = (launch.dynamic_bytes + 1023) & ~1023u;
        b.view = {{cluster_index.x * launch.cluster.x + inside.x, cluster_index.y * launch.cluster.y + inside.y,
                   cluster_index.z * launch.cluster.z + inside.z},
                  launch.block, launch.grid, launch.cluster, inside, rank, b.window.get(), kWindow - dynamic,
                  launch.dynamic_bytes};
        if (dynamic != 0) {
            // bf16 and f32 NaNs: what was not written shows
            std::fill_n(reinterpret_cast<uint32_t*>(b.window.get() + kWindow - dynamic), dynamic / 4, 0x7fff7fffu);
        }
        b.threads.resize(block_threads_);
        b.meetings.resize(warps * 2);
        for (WarpMeeting& m : b.meetings) {
            m.arrived = 0;
            m.mask = 0;
        }
        b.group_meetings.resize((warps + 3) / 4);
        for (GroupMeeting& m : b.group_meetings) {
            m.count = 0;
        }
        for (BlockBarrier& barrier : b.barriers) {
            if (barrier.count != 0) {
                barrier.arrived.reset();
            }
            barrier.count = 0;
            barrier.waiting = {};
        }
        b.done = b.static_bytes = 0;
        std::fill(b.sites.begin(), b.sites.end(), nullptr);
        b.copies.clear();
        b.mbarriers.clear();
    }
    next_block_ = next_thread_ = 0;
    live_ = count_ * block_threads_;
    ready_ = {};
    waiters_.clear();
    deferred_.clear();
    cluster_waiting = {};
    cluster_arrived = 0;
    running_ = nullptr;
    fiber_ = nullptr;
    failure_ = {};
}

bool Group::run(const Launch& launch, sim::Dim cluster_index, const sim::Runtime* calls, bool before_wait) {
    slot_ = launch.bind(calls);
    group = this;
    before_wait_ = before_wait;
    reset(launch, cluster_index);
    loop();
    if (failure_.error == 0 && live_ != 0 && !before_wait) {
        report_deadlock();
    }
    if (failure_.error != 0 || before_wait) {
        pool_.reclaim();
    }
    running_ = nullptr;
    return failure_.error == 0;
}

void Group::loop() {
    while (failure_.error == 0) {
        Fiber* next = nullptr;
        if (!ready_.empty()) {
            running_ = ready_.take();
            *slot_ = &running_->view;
            next = running_->fiber;
        } else if (next_block_ < count_) {
            next = pool_.take();
            next->prepare(fiber_main);
        } else if (wake_waiters()) {
            continue;
        } else if (!deferred_.empty()) {
            next = pool_.take();
            next->prepare(deferred_main);
        } else {
            return;
        }
        fiber_ = next;
        switch_stack(scheduler_, next->stack);
    }
}

/// Deferred work has a stack like a thread's, so that its faults and failures are those of the thread that issued it.
void Group::deferred_main() {
    arrived();
    Group& g = *group;
    Deferred work = std::move(g.deferred_.front());
    g.deferred_.pop_front();
    CudaThread issuer;
    issuer.view = work.issuer->view;
    issuer.block = work.issuer->block;
    issuer.fiber = g.fiber_;
    g.running_ = &issuer;
    *g.slot_ = &issuer.view;
    work.run();
    work = {};
    g.leave();
}

/// Ends the running fiber.
void Group::leave() {
    running_ = nullptr;
    Fiber* mine = fiber_;
    pool_.give(mine);
    switch_stack(mine->stack, scheduler_, true);
    __builtin_unreachable();
}

bool Group::wake_waiters() {
    bool woke = false;
    for (size_t i = 0; i < waiters_.size();) {
        if (waiters_[i].ready()) {
            resume(waiters_[i].thread);
            waiters_.erase(waiters_.begin() + static_cast<long>(i));
            woke = true;
        } else {
            i++;
        }
    }
    return woke;
}

CudaThread* Group::next_unstarted() {
    if (next_block_ == count_) {
        return nullptr;
    }
    GroupBlock& b = *blocks_[next_block_];
    CudaThread* t = &b.threads[next_thread_];
    unsigned i = next_thread_;
    const sim::Dim& dim = launch_->block;
    *t = CudaThread{};
    t->view.index = {i % dim.x, i / dim.x % dim.y, i / dim.x / dim.y};
    t->view.linear = i;
    t->view.lane = i % kWarp;
    t->view.warp = i / kWarp;
    t->view.block = &b.view;
    t->block = &b;
    t->started = true;
    if (++next_thread_ == block_threads_) {
        next_thread_ = 0;
        next_block_++;
    }
    return t;
}

/// Runs threads one after another on one stack; only those that wait keep a stack of their own.
void Group::fiber_main() {
    arrived();
    Group& g = *group;
    for (;;) {
        CudaThread* t = g.next_unstarted();
        if (t == nullptr) {
            break;
        }
        t->fiber = g.fiber_;
        g.running_ = t;
        *g.slot_ = &t->view;
        g.launch_->kernel->invoke(g.launch_->parameters.data());
        t = g.running_;
        if (g.launch_->overlaps && !t->waited_for_grids) {
            g.fail(CUDA_ERROR_LAUNCH_FAILED, "launched to overlap with the launch before, the thread ends without griddepcontrol.wait");
        }
        t->done = true;
        t->block->done++;
        g.live_--;
        // a whole warp before the next one starts: it meets sooner, and stacks stay few and warm
        if (!g.ready_.empty() && t->view.lane == kWarp - 1) {
            break;
        }
    }
    g.leave();
}

void Group::park(const char* what, unsigned id) {
    CudaThread* t = running_;
    t->waits_for = what;
    t->waits_id = id;
    Fiber* mine = t->fiber;
    running_ = nullptr;
    switch_stack(mine->stack, scheduler_);
    t->waits_for = nullptr;
}

void Group::wait_for_grids() {
    if (before_wait_) {
        leave();
    }
    running_->waited_for_grids = true;
}

void Group::resume(CudaThread* thread) { ready_.add(thread); }

void Group::defer(std::function<void()> work) { deferred_.push_back({running_, std::move(work)}); }

void Group::park_until(std::function<bool()> ready, const char* what, unsigned id) {
    if (ready()) {
        return;
    }
    waiters_.push_back({running_, std::move(ready)});
    park(what, id);
}

std::string Group::where() const {
    const sim::Dim& g = launch_->grid;
    const GroupBlock* b = running_ != nullptr ? running_->block : blocks_[0].get();
    std::string place = text("kernel %s, block (%u,%u,%u) of grid (%u,%u,%u)", launch_->kernel->name, b->view.index.x,
                             b->view.index.y, b->view.index.z, g.x, g.y, g.z);
    if (running_ != nullptr) {
        const sim::Dim& i = running_->view.index;
        place += text(", thread (%u,%u,%u)", i.x, i.y, i.z);
    }
    return place;
}

void Group::fail(int error, std::string message) {
    failure_.error = error;
    failure_.text = where() + ": ";
    failure_.text += message;
    std::string().swap(message);  // no destructor runs after the switch
    Fiber* mine = running_->fiber;
    running_ = nullptr;
    switch_stack(mine->stack, scheduler_, true);
    __builtin_unreachable();
}

void Group::report_deadlock() {
    std::string message = where() + ": deadlock;";
    for (unsigned rank = 0; rank < count_; rank++) {
        GroupBlock& b = *blocks_[rank];
        if (b.done == block_threads_) {
            continue;
        }
        struct Kind {
            const char* what;
            unsigned id;
            std::vector<unsigned> threads;
        };
        std::vector<Kind> kinds;
        std::vector<unsigned> exited;
        for (CudaThread& t : b.threads) {
            if (t.done) {
                exited.push_back(t.view.linear);
                continue;
            }
            auto same = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& k) {
                return std::strcmp(k.what, t.waits_for) == 0 && k.id == t.waits_id;
            });
            if (same == kinds.end()) {
                kinds.push_back({t.waits_for, t.waits_id, {}});
                same = kinds.end() - 1;
            }
            same->threads.push_back(t.view.linear);
        }
        if (count_ > 1) {
            message += text(" block (%u,%u,%u):", b.view.index.x, b.view.index.y, b.view.index.z);
        }
        for (const Kind& k : kinds) {
            message += text(" threads %s wait at %s 0x%x", ranges(k.threads).c_str(), k.what, k.id);
            if (std::strcmp(k.what, "barrier") == 0 && k.id < 16) {
                message += text(" (%u of %u arrived)", b.barriers[k.id].count, b.barriers[k.id].expected);
            }
            message += ";";
        }
        if (!exited.empty()) {
            message += text(" threads %s have exited;", ranges(exited).c_str());
        }
    }
    message.pop_back();
    failure_ = {CUDA_ERROR_LAUNCH_TIMEOUT, message};
}

}  // namespace quern::driver
