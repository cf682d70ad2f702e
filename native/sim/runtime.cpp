// The calls that kernels make: barriers, meetings of a warp or warpgroup, shared memory.
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "abi.h"
#include "async.h"
#include "group.h"
#include "report.h"

namespace quern::driver {
namespace {

sim::Runtime calls;

void misuse(int error, const char* format, ...) {
    char buffer[1024];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(buffer, sizeof buffer, format, arguments);
    va_end(arguments);
    current_group()->fail(error, buffer);
}

void barrier(unsigned id, unsigned threads, bool wait) {
    Group& g = *current_group();
    GroupBlock& b = g.block();
    unsigned all = static_cast<unsigned>(b.threads.size());
    if (threads == 0) {
        threads = all;
    } else if (id >= 16 || threads % kWarp != 0 || threads > all) {
        misuse(CUDA_ERROR_LAUNCH_FAILED, "barrier %u for %u threads in a block of %u", id, threads, all);
    }
    BlockBarrier& barrier = b.barriers[id];
    if (barrier.count != 0 && barrier.expected != threads) {
        misuse(CUDA_ERROR_LAUNCH_FAILED, "barrier %u for %u threads, but for %u in those that arrived before", id, threads,
               barrier.expected);
    }
    unsigned me = g.thread().view.linear;
    if (barrier.count != 0 && barrier.arrived[me]) {
        misuse(CUDA_ERROR_LAUNCH_FAILED, "over-arrival at barrier %u: the thread arrives twice in one phase (%u of %u arrived)",
               id, barrier.count, threads);
    }
    barrier.expected = threads;
    barrier.arrived[me] = true;
    if (++barrier.count < threads) {
        if (wait) {
            barrier.waiting.add(&g.thread());
            g.park("barrier", id);
        }
        return;
    }
    barrier.count = 0;
    barrier.arrived.reset();
    while (!barrier.waiting.empty()) {
        g.resume(barrier.waiting.take());
    }
}

void collective(unsigned mask, void* argument, sim::Collective run, const char* what) {
    Group& g = *current_group();
    GroupBlock& b = g.block();
    const sim::ThreadView& me = g.thread().view;
    unsigned lanes = std::min<unsigned>(kWarp, static_cast<unsigned>(b.threads.size()) - me.warp * kWarp);
    unsigned existing = lanes == kWarp ? ~0u : (1u << lanes) - 1;
    if ((mask >> me.lane & 1) == 0 || (mask & ~existing) != 0) {
        misuse(CUDA_ERROR_LAUNCH_FAILED, "%s with mask 0x%08x in lane %u of a warp of %u lanes", what, mask, me.lane, lanes);
    }
    // two slots, so that both halves of a warp can meet on their own
    WarpMeeting* slots = &b.meetings[me.warp * 2];
    WarpMeeting* m = slots[0].arrived != 0 && slots[0].mask != mask ? &slots[1] : &slots[0];
    if (slots[1].arrived != 0 && slots[1].mask == mask) {
        m = &slots[1];
    }
    if (m->arrived == 0) {
        m->mask = mask;
        m->run = run;
        m->what = what;
    } else if (m->mask != mask || m->run != run || (m->what != what && std::strcmp(m->what, what) != 0)) {
        misuse(CUDA_ERROR_LAUNCH_FAILED, "the warp diverged: %s with mask 0x%08x, while lanes 0x%08x are at %s with mask 0x%08x",
               what, mask, m->arrived, m->what, m->mask);
    }
    m->arrived |= 1u << me.lane;
    m->arguments[me.lane] = argument;
    m->lanes[me.lane] = &g.thread();
    if (m->arrived != mask) {
        g.park(what, mask);
        return;
    }
    run(m->arguments, mask);
    m->arrived = 0;
    for (unsigned lane = 0; lane < lanes; lane++) {
        if (lane != me.lane && (mask >> lane & 1) != 0) {
            g.resume(m->lanes[lane]);
        }
    }
}

void group_collective(void* argument, void (*run)(void* const*), const char* what) {
    Group& g = *current_group();
    GroupBlock& b = g.block();
    const sim::ThreadView& me = g.thread().view;
    unsigned first = me.linear / 128 * 128;
    if (b.threads.size() < first + 128) {
        misuse(CUDA_ERROR_LAUNCH_FAILED, "%s in a warpgroup of fewer than 128 threads", what);
    }
    GroupMeeting& m = b.group_meetings[me.linear / 128];
    if (m.count == 0) {
        m.run = run;
    } else if (m.run != run) {
        misuse(CUDA_ERROR_LAUNCH_FAILED, "the warpgroup diverged at %s", what);
    }
    m.arguments[me.linear - first] = argument;
    m.threads[me.linear - first] = &g.thread();
    if (++m.count < 128) {
        g.park(what, first);
        return;
    }
    run(m.arguments);
    m.count = 0;
    for (CudaThread* t : m.threads) {
        if (t != &g.thread()) {
            g.resume(t);
        }
    }
}

int next_site = 0;

void* shared_site(sim::SharedSite* site) {
    Group& g = *current_group();
    GroupBlock& b = g.block();
    int id = __atomic_load_n(&site->id, __ATOMIC_ACQUIRE);
    if (id < 0) {
        int fresh = __atomic_fetch_add(&next_site, 1, __ATOMIC_RELAXED), none = -1;
        __atomic_compare_exchange_n(&site->id, &none, fresh, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
        id = __atomic_load_n(&site->id, __ATOMIC_ACQUIRE);
    }
    if (static_cast<size_t>(id) >= b.sites.size()) {
        b.sites.resize(static_cast<size_t>(id) + 8);
    }
    void*& place = b.sites[static_cast<size_t>(id)];
    if (place == nullptr) {
        unsigned offset = (b.static_bytes + site->alignment - 1) & ~(site->alignment - 1);
        b.static_bytes = offset + site->bytes;
        if (b.static_bytes > 48 << 10) {
            misuse(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "%u bytes of static shared memory, more than 48 KiB", b.static_bytes);
        }
        if (b.static_bytes + b.view.dynamic_bytes > g.launch().shared_limit) {
            misuse(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "%u bytes of static and %u of dynamic shared memory, more than the limit of %u",
                   b.static_bytes, b.view.dynamic_bytes, g.launch().shared_limit);
        }
        place = b.view.window + offset;
        std::fill_n(static_cast<uint32_t*>(place), site->bytes / 4, 0x7fff7fffu);
    }
    return place;
}

char* shared_address(unsigned address, unsigned bytes, const char* what) {
    Group& g = *current_group();
    unsigned offset = address & 0xffffff;
    GroupBlock* b = g.block_of_rank(address >> 24);
    bool inside = b != nullptr && (offset + bytes <= b->static_bytes ||
                                   (offset >= b->view.dynamic_offset && offset + bytes <= b->view.dynamic_offset + b->view.dynamic_bytes));
    if (!inside) {
        misuse(CUDA_ERROR_ILLEGAL_ADDRESS, "%s of %u bytes at shared address 0x%x, outside the block's shared memory", what, bytes,
               address);
    }
    return b->view.window + offset;
}

void cluster_barrier(bool arrive, bool wait) {
    Group& g = *current_group();
    CudaThread& me = g.thread();
    unsigned all = static_cast<unsigned>(g.block().threads.size()) * g.launch().cluster.x * g.launch().cluster.y * g.launch().cluster.z;
    if (arrive) {
        if (me.cluster_arrived) {
            misuse(CUDA_ERROR_LAUNCH_FAILED, "over-arrival at barrier.cluster: arrives twice without a wait");
        }
        me.cluster_arrived = true;
        if (++g.cluster_arrived == all) {
            g.cluster_arrived = 0;
            while (!g.cluster_waiting.empty()) {
                g.resume(g.cluster_waiting.take());
            }
            for (unsigned rank = 0; GroupBlock* b = g.block_of_rank(rank); rank++) {
                for (CudaThread& t : b->threads) {
                    t.cluster_done = true;
                }
            }
        }
    }
    if (wait) {
        if (!me.cluster_arrived) {
            misuse(CUDA_ERROR_LAUNCH_FAILED, "barrier.cluster.wait without an arrival");
        }
        if (!me.cluster_done) {
            g.cluster_waiting.add(&me);
            g.park("barrier.cluster", 0);
        }
        me.cluster_arrived = me.cluster_done = false;
    }
}

void grid_wait() { current_group()->wait_for_grids(); }

}  // namespace

const sim::Runtime* runtime() {
    static const bool filled = [] {
        calls.barrier = barrier;
        calls.collective = collective;
        calls.group_collective = group_collective;
        calls.shared_site = shared_site;
        calls.shared_address = shared_address;
        calls.cluster_barrier = cluster_barrier;
        calls.grid_wait = grid_wait;
        calls.misuse = misuse;
        add_async_calls(calls);
        return true;
    }();
    (void)filled;
    return &calls;
}

static bool early = false;

void set_late(bool late, bool early_loads) {
    calls.late = late;
    early = early_loads;
}

void set_exact(bool exact) { calls.exact = exact; }

bool loads_late() { return calls.late && !early; }

}  // namespace quern::driver
