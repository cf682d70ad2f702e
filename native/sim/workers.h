// The OS threads on which kernels run, and the signals by which their faults are caught.
#pragma once

#include "group.h"

namespace quern::driver {

/// Runs a kernel to its end; the failure of its first failing cluster, if any.
Failure run_kernel(const Launch& launch);
/// Of a kernel that may overlap with the launch before, what its threads do before they wait for that: to be followed by all of it.
Failure run_before_wait(const Launch& launch);

/// Says what an address is; for reports of faults. is_hidden: whether it is kept from kernels ahead of their wait.
void set_describer(std::string (*describe)(uintptr_t address), bool (*is_device)(uintptr_t address),
                   bool (*is_hidden)(uintptr_t address));

/// Kernels so far, and threads they had.
long kernels_run();
/// Of them, those that may have begun before the launch before was done.
long overlapping_kernels_run();

}  // namespace quern::driver
