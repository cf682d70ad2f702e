// Entry points of the management library that count energy: so much per kernel, or, unless a test says how much, none.
#include <cstring>

#include "simulator.h"

using namespace quern::driver;

namespace {

constexpr int kSuccess = 0, kUninitialized = 1, kInvalidArgument = 2, kNotSupported = 3, kNotFound = 6;
constexpr const char* kBus = "0000:01:00.0";

int users = 0;
long millijoules_per_kernel = 0;

}  // namespace

/// Energy of the simulated device in mJ per kernel; 0: the device does not count it.
QUERN_API void quern_sim_set_energy(long per_kernel) { millijoules_per_kernel = per_kernel; }

/// How often the management library was initialised and not shut down.
QUERN_API long quern_sim_nvml_users() { return users; }

QUERN_API CUresult cuDeviceGetPCIBusId(char* id, int length, CUdevice device) {
    Call call("cuDeviceGetPCIBusId", Needs::driver);
    if (call || id == nullptr || length < 13 || device != 0) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    std::strncpy(id, kBus, static_cast<size_t>(length));
    return CUDA_SUCCESS;
}

QUERN_API int nvmlInit_v2() {
    users++;
    return kSuccess;
}

QUERN_API int nvmlShutdown() {
    if (users == 0) {
        return kUninitialized;
    }
    users--;
    return kSuccess;
}

QUERN_API const char* nvmlErrorString(int result) {
    switch (result) {
        case kSuccess:
            return "Success";
        case kUninitialized:
            return "Uninitialized";
        case kInvalidArgument:
            return "Invalid Argument";
        case kNotSupported:
            return "Not Supported";
        case kNotFound:
            return "Not Found";
        default:
            return "Unknown Error";
    }
}

QUERN_API int nvmlDeviceGetHandleByPciBusId_v2(const char* bus, void** device) {
    if (users == 0) {
        return kUninitialized;
    }
    if (bus == nullptr || device == nullptr) {
        return kInvalidArgument;
    }
    if (std::strcmp(bus, kBus) != 0) {
        return kNotFound;
    }
    *device = &users;
    return kSuccess;
}

QUERN_API int nvmlDeviceGetTotalEnergyConsumption(void* device, unsigned long long* millijoules) {
    if (users == 0) {
        return kUninitialized;
    }
    if (device != &users || millijoules == nullptr) {
        return kInvalidArgument;
    }
    if (millijoules_per_kernel == 0) {
        return kNotSupported;
    }
    *millijoules = static_cast<unsigned long long>(millijoules_per_kernel * kernels_run());
    return kSuccess;
}
