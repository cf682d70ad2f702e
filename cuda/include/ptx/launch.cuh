// Launches that overlap with the one before (griddepcontrol, compute capability 9.0; elsewhere nothing, and none is launched so).
#pragma once

#include "../device.cuh"

namespace quern {

/// Waits until the launches before this one are done and what they wrote is seen.
QUERN_DEVICE void grid_dependency_wait() {
#if QUERN_SIM
    sim::runtime->grid_wait();
#elif __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

/// The launch after this one may begin, once all blocks have called this or ended.
QUERN_DEVICE void grid_dependents_launch() {
#if !QUERN_SIM && __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

/// The first statement, in all threads, of a kernel of CudaKernels.overlapping: its blocks take the places that those of the
/// launch before leave, and wait there, as those of the launch after will. So the end of one launch hides the begin of the next.
QUERN_DEVICE void overlap_launches() {
    grid_dependents_launch();
    grid_dependency_wait();
}

}  // namespace quern
