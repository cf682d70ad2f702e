// Entry points: initialisation, devices, errors, the primary context.
#include <dlfcn.h>

#include <cstdio>
#include <cstring>

#include "report.h"
#include "simulator.h"

using namespace quern::driver;

QUERN_API CUresult cuInit(unsigned flags) {
    Call call("cuInit", Needs::nothing);
    if (call) {
        return call.error();
    }
    Simulator& s = simulator();
    if (flags != 0) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    if (s.settings.devices == 0) {
        return CUDA_ERROR_NO_DEVICE;
    }
    s.initialised = true;
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuDriverGetVersion(int* version) {
    Call call("cuDriverGetVersion", Needs::nothing);
    if (call || version == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    *version = simulator().settings.driver_version;
    return CUDA_SUCCESS;
}

// no Call in the next two: the driver's texts can always be asked for, and must not fail while a failure is explained
QUERN_API CUresult cuGetErrorName(CUresult error, const char** name) {
    *name = name_of(error);
    return *name == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

QUERN_API CUresult cuGetErrorString(CUresult error, const char** string) {
    switch (error) {
#define X(name, code, text) \
    case code:              \
        *string = text;     \
        return CUDA_SUCCESS;
        QUERN_ERRORS(X)
#undef X
        default:
            *string = nullptr;
            return CUDA_ERROR_INVALID_VALUE;
    }
}

QUERN_API CUresult cuDeviceGetCount(int* count) {
    Call call("cuDeviceGetCount", Needs::driver);
    if (call || count == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    *count = simulator().settings.devices;
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuDeviceGet(CUdevice* device, int ordinal) {
    Call call("cuDeviceGet", Needs::driver);
    if (call || device == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    if (ordinal < 0 || ordinal >= simulator().settings.devices) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    *device = ordinal;
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
    Call call("cuDeviceGetName", Needs::driver);
    if (call || name == nullptr || length <= 0 || device != 0) {
        return call ? call.error() : device != 0 ? CUDA_ERROR_INVALID_DEVICE : CUDA_ERROR_INVALID_VALUE;
    }
    std::snprintf(name, static_cast<size_t>(length), "Quern simulated device");
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice device) {
    Call call("cuDeviceGetUuid", Needs::driver);
    if (call || uuid == nullptr || device != 0) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    std::memcpy(uuid->bytes, "quern-simulator", 16);
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
    Call call("cuDeviceTotalMem", Needs::driver);
    if (call || bytes == nullptr || device != 0) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    *bytes = simulator().settings.memory;
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuDeviceGetAttribute(int* value, int attribute, CUdevice device) {
    Call call("cuDeviceGetAttribute", Needs::driver);
    if (call || value == nullptr || device != 0) {
        return call ? call.error() : device != 0 ? CUDA_ERROR_INVALID_DEVICE : CUDA_ERROR_INVALID_VALUE;
    }
    const Settings& s = simulator().settings;
    Limits l = limits(s.major, s.minor);
    struct Entry {
        int attribute, value;
    };
    // by the numbers of CUdevice_attribute
    const Entry table[] = {{1, 1024}, {2, 1024}, {3, 1024}, {4, 64}, {5, 0x7fffffff}, {6, 65535}, {7, 65535},
                           {8, l.shared_per_block}, {9, 65536}, {10, 32}, {11, 0x7fffffff}, {12, 65536}, {13, 1000000},
                           {15, 1}, {16, l.multiprocessors}, {17, 0}, {18, 0}, {19, 1}, {20, 0}, {31, 1}, {32, 1}, {33, 0},
                           {34, 0}, {36, 1000000}, {37, 1024}, {38, 50 << 20}, {39, l.threads_per_multiprocessor}, {40, 2},
                           {41, 1}, {50, 0}, {75, s.major}, {76, s.minor}, {78, 1}, {79, 1}, {80, 1},
                           {81, l.shared_per_multiprocessor}, {82, 65536}, {83, 0}, {84, 0}, {85, 0}, {86, 0}, {88, 0}, {89, 0},
                           {90, 1}, {91, 1}, {95, 1}, {97, l.shared_optin}, {98, 0}, {99, 1}, {102, 0},
                           {106, l.blocks_per_multiprocessor}, {107, 0}, {111, 1024}, {115, 1}, {120, s.major >= 9},
                           {127, s.major >= 9}};
    for (const Entry& entry : table) {
        if (entry.attribute == attribute) {
            *value = entry.value;
            return CUDA_SUCCESS;
        }
    }
    if (attribute > 0 && attribute < 148) {
        *value = 0;
        return CUDA_SUCCESS;
    }
    return CUDA_ERROR_INVALID_VALUE;
}

QUERN_API CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
    Call call("cuDevicePrimaryCtxRetain", Needs::driver);
    if (call || context == nullptr || device != 0) {
        return call ? call.error() : device != 0 ? CUDA_ERROR_INVALID_DEVICE : CUDA_ERROR_INVALID_VALUE;
    }
    Simulator& s = simulator();
    if (s.lost != CUDA_SUCCESS) {
        return s.lost;
    }
    s.retained++;
    *context = primary_context();
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    Call call("cuDevicePrimaryCtxRelease", Needs::driver, true);
    if (call) {
        return call.error();
    }
    Simulator& s = simulator();
    if (device != 0 || s.retained == 0) {
        return call.end(device != 0 ? CUDA_ERROR_INVALID_DEVICE : CUDA_ERROR_INVALID_CONTEXT);
    }
    if (--s.retained == 0) {
        s.drop_context();
    }
    return call.end();
}

QUERN_API CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
    Call call("cuDevicePrimaryCtxReset", Needs::driver, true);
    if (call) {
        return call.error();
    }
    if (device != 0) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    simulator().drop_context();
    return call.end();
}

QUERN_API CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned) {
    Call call("cuDevicePrimaryCtxSetFlags", Needs::driver);
    return call ? call.error() : device != 0 ? CUDA_ERROR_INVALID_DEVICE : CUDA_SUCCESS;
}

QUERN_API CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags, int* active) {
    Call call("cuDevicePrimaryCtxGetState", Needs::driver);
    if (call || device != 0) {
        return call ? call.error() : CUDA_ERROR_INVALID_DEVICE;
    }
    *flags = 0;
    *active = simulator().retained > 0;
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuCtxSetCurrent(CUcontext context) {
    Call call("cuCtxSetCurrent", Needs::driver);
    if (call) {
        return call.error();
    }
    if (context != nullptr && context != primary_context()) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    auto& stack = context_stack();
    if (!stack.empty()) {
        stack.pop_back();
    }
    if (context != nullptr) {
        stack.push_back(context);
    }
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuCtxGetCurrent(CUcontext* context) {
    Call call("cuCtxGetCurrent", Needs::driver);
    if (call || context == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    *context = context_stack().empty() ? nullptr : context_stack().back();
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuCtxPushCurrent_v2(CUcontext context) {
    Call call("cuCtxPushCurrent", Needs::driver);
    if (call || context != primary_context()) {
        return call ? call.error() : CUDA_ERROR_INVALID_CONTEXT;
    }
    context_stack().push_back(context);
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuCtxPopCurrent_v2(CUcontext* context) {
    Call call("cuCtxPopCurrent", Needs::driver, true);
    if (call) {
        return call.error();
    }
    auto& stack = context_stack();
    if (stack.empty()) {
        return call.end(CUDA_ERROR_INVALID_CONTEXT);
    }
    if (context != nullptr) {
        *context = stack.back();
    }
    stack.pop_back();
    return call.end();
}

QUERN_API CUresult cuCtxGetDevice(CUdevice* device) {
    Call call("cuCtxGetDevice", Needs::context);
    if (call || device == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    *device = 0;
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuCtxGetApiVersion(CUcontext, unsigned* version) {
    Call call("cuCtxGetApiVersion", Needs::driver);
    *version = 13000;
    return call.error();
}

QUERN_API CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest) {
    Call call("cuCtxGetStreamPriorityRange", Needs::context);
    if (call) {
        return call.error();
    }
    *least = 0;
    *greatest = -5;
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuCtxSynchronize() {
    Call call("cuCtxSynchronize", Needs::context);
    if (call) {
        return call.error();
    }
    Simulator& s = simulator();
    if (s.capturing(1)) {
        s.invalidate_captures();
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    s.finish_all();
    return s.lost;
}

QUERN_API CUresult cuGetProcAddress_v2(const char* symbol, void** function, int, uint64_t, int* status) {
    Call call("cuGetProcAddress", Needs::nothing);
    if (call) {
        return call.error();
    }
    static void* const self = [] {
        Dl_info info;
        dladdr(reinterpret_cast<void*>(&cuInit), &info);
        return dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD);
    }();
    *function = nullptr;
    // a plain name means the newest version of the entry point
    for (const char* version : {"_v4", "_v3", "_v2", ""}) {
        *function = dlsym(self, (std::string(symbol) + version).c_str());
        if (*function != nullptr) {
            break;
        }
    }
    if (status != nullptr) {
        *status = *function == nullptr ? 1 : 0;
    }
    return *function == nullptr ? CUDA_ERROR_NOT_FOUND : CUDA_SUCCESS;
}
