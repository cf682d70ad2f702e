#include "async.h"

#include <algorithm>
#include <cstring>

#include "abi.h"
#include "report.h"

namespace quern::driver {
namespace {

/// An mbarrier in its 8 bytes of shared memory.
struct Mbarrier {
    uint64_t phase : 1, expected : 20, pending : 20;
    int64_t bytes : 23;
};
static_assert(sizeof(Mbarrier) == 8);

Mbarrier& mbarrier(unsigned address) {
    Group& g = *current_group();
    if (address % 8 != 0) {
        g.fail(CUDA_ERROR_MISALIGNED_ADDRESS, text("mbarrier at shared address 0x%x, which is no multiple of 8", address));
    }
    char* place = runtime()->shared_address(address, 8, "mbarrier");
    auto& known = g.block_of_rank(address >> 24)->mbarriers;
    if (std::find(known.begin(), known.end(), address) == known.end()) {
        g.fail(CUDA_ERROR_LAUNCH_FAILED, text("mbarrier at shared address 0x%x was not initialised", address));
    }
    return *reinterpret_cast<Mbarrier*>(place);
}

void turn_if_complete(Mbarrier& m) {
    if (m.pending == 0 && m.bytes == 0) {
        m.phase ^= 1;
        m.pending = m.expected;
    }
}

void mbarrier_init(unsigned address, unsigned count) {
    Group& g = *current_group();
    if (count == 0 || count >= 1u << 20 || address % 8 != 0) {
        g.fail(CUDA_ERROR_LAUNCH_FAILED, text("mbarrier.init at 0x%x with count %u", address, count));
    }
    auto& known = g.block_of_rank(address >> 24)->mbarriers;
    if (std::find(known.begin(), known.end(), address) != known.end()) {
        g.fail(CUDA_ERROR_LAUNCH_FAILED, text("mbarrier at shared address 0x%x is initialised twice", address));
    }
    auto* m = reinterpret_cast<Mbarrier*>(runtime()->shared_address(address, 8, "mbarrier.init"));
    m->phase = 0;
    m->expected = m->pending = count;
    m->bytes = 0;
    known.push_back(address);
}

void mbarrier_invalidate(unsigned address) {
    mbarrier(address);
    auto& known = current_group()->block_of_rank(address >> 24)->mbarriers;
    known.erase(std::find(known.begin(), known.end(), address));
}

uint64_t mbarrier_arrive(unsigned address, unsigned count, unsigned expect, bool arrive) {
    Mbarrier& m = mbarrier(address);
    uint64_t token = m.phase;
    if (arrive && m.pending < count) {
        current_group()->fail(CUDA_ERROR_LAUNCH_FAILED,
                              text("over-arrival at mbarrier 0x%x: %u arrive where %u are pending of %u", address, count,
                                   static_cast<unsigned>(m.pending), static_cast<unsigned>(m.expected)));
    }
    m.bytes += static_cast<int>(expect);
    if (arrive) {
        m.pending -= count;
    }
    turn_if_complete(m);
    return token;
}

bool mbarrier_test(unsigned address, unsigned parity, bool block) {
    Mbarrier* m = &mbarrier(address);
    auto over = [m, parity] { return m->phase != (parity & 1); };
    if (!block) {
        return over();
    }
    current_group()->park_until(over, parity == 0 ? "mbarrier (parity 0)" : "mbarrier (parity 1)", address);
    return true;
}

void copy_async(sim::SharedCopy copy) {
    Group& g = *current_group();
    uintptr_t unit = copy.bytes - 1;
    if (copy.bytes != 4 && copy.bytes != 8 && copy.bytes != 16) {
        g.fail(CUDA_ERROR_LAUNCH_FAILED, text("cp.async of %u bytes", copy.bytes));
    }
    // a source of no bytes is not read, but hardware still wants it aligned
    if (((reinterpret_cast<uintptr_t>(copy.target) | reinterpret_cast<uintptr_t>(copy.source)) & unit) != 0) {
        g.fail(CUDA_ERROR_MISALIGNED_ADDRESS, text("cp.async of %u bytes from %p to shared %p: not aligned", copy.bytes,
                                                   static_cast<const void*>(copy.source), static_cast<void*>(copy.target)));
    }
    if (copy.valid > copy.bytes) {
        g.fail(CUDA_ERROR_LAUNCH_FAILED, text("cp.async with a source of %u bytes for %u", copy.valid, copy.bytes));
    }
    if (!runtime()->late) {
        std::memcpy(copy.target, copy.source, copy.valid);
        std::memset(copy.target + copy.valid, 0, copy.bytes - copy.valid);
        return;
    }
    issued().copies.open.push_back([copy] {
        std::memcpy(copy.target, copy.source, copy.valid);
        std::memset(copy.target + copy.valid, 0, copy.bytes - copy.valid);
    });
}

void copy_commit() {
    if (runtime()->late) {
        issued().copies.commit();
    }
}

void copy_wait(unsigned groups_left) {
    if (!runtime()->late) {
        return;
    }
    Issued& mine = issued().copies;
    if (groups_left == ~0u) {
        mine.commit();
        groups_left = 0;
    }
    mine.complete(groups_left);
}

/// cp.async.mbarrier.arrive.noinc: an arrival once the thread's copies are complete.
void copy_arrive(unsigned barrier) {
    if (!runtime()->late) {
        mbarrier_arrive(barrier, 1, 0, true);
        return;
    }
    Issued* mine = &issued().copies;
    current_group()->defer([mine, barrier] {
        for (Work& work : mine->open) {
            work();
        }
        mine->open.clear();
        mine->complete(0);
        mbarrier_arrive(barrier, 1, 0, true);
    });
}

}  // namespace

IssuedCopies& issued() {
    Group& g = *current_group();
    GroupBlock& b = g.block();
    if (b.copies.empty()) {
        b.copies.resize(b.threads.size());
    }
    return b.copies[g.thread().view.linear];
}

void issue(Issued& kind, Work work) {
    if (runtime()->late) {
        kind.open.push_back(std::move(work));
    } else {
        work();
    }
}

void complete_bytes(unsigned barrier, unsigned bytes) {
    Mbarrier& m = mbarrier(barrier);
    m.bytes -= static_cast<int>(bytes);
    turn_if_complete(m);
}

void add_async_calls(sim::Runtime& calls) {
    calls.copy_async = copy_async;
    calls.copy_commit = copy_commit;
    calls.copy_wait = copy_wait;
    calls.copy_arrive = copy_arrive;
    calls.mbarrier_init = mbarrier_init;
    calls.mbarrier_invalidate = mbarrier_invalidate;
    calls.mbarrier_arrive = mbarrier_arrive;
    calls.mbarrier_test = mbarrier_test;
    add_tensor_calls(calls);
    add_wgmma_calls(calls);
}

}  // namespace quern::driver
