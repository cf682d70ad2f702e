// Kernel images: shared objects made by g++ from the device sources, loaded from the caller's bytes.
#pragma once

#include <string>
#include <vector>

#include "simulator.h"

namespace quern::driver {

struct Image {
    std::vector<char> bytes;
    const sim::Module* module;
};

/// Loads an image, or finds it among those loaded before; they stay for the life of the process.
CUresult load_image(const void* code, const Settings& settings, Image** image);

/// Checks a launch and makes it a task. `parameters` are copied.
CUresult make_launch(Simulator& s, KernelHandle* handle, const CUlaunchConfig& config, void** parameters, void** extra, Task* task);

}  // namespace quern::driver
