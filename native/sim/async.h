// Asynchronous instructions: cp.async, mbarrier, bulk and tensor copies, wgmma.
#pragma once

#include "../../cuda/include/sim.cuh"
#include "group.h"

namespace quern::driver {

void add_async_calls(sim::Runtime& calls);
void add_tensor_calls(sim::Runtime& calls);
void add_wgmma_calls(sim::Runtime& calls);

/// What the calling thread has issued.
IssuedCopies& issued();

/// Now in eager mode, otherwise at the thread's wait.
void issue(Issued& kind, Work work);

/// Bytes that arrived for an mbarrier.
void complete_bytes(unsigned barrier, unsigned bytes);

/// The address in another block of the cluster.
inline unsigned in_rank(unsigned address, unsigned rank) { return (address & 0xffffff) | rank << 24; }

}  // namespace quern::driver
