// A test program in a few lines, and the calls of the driver it makes.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "../sim/abi.h"

#define DRIVER(name, ...) extern "C" CUresult name(__VA_ARGS__)
DRIVER(cuInit, unsigned);
DRIVER(cuDriverGetVersion, int*);
DRIVER(cuDeviceGetCount, int*);
DRIVER(cuDevicePrimaryCtxRetain, CUcontext*, CUdevice);
DRIVER(cuDevicePrimaryCtxRelease_v2, CUdevice);
DRIVER(cuCtxSetCurrent, CUcontext);
DRIVER(cuCtxSynchronize);
DRIVER(cuGetErrorName, CUresult, const char**);
DRIVER(cuGetProcAddress_v2, const char*, void**, int, uint64_t, int*);
DRIVER(cuMemAlloc_v2, CUdeviceptr*, size_t);
DRIVER(cuMemFree_v2, CUdeviceptr);
DRIVER(cuMemAllocAsync, CUdeviceptr*, size_t, CUstream);
DRIVER(cuMemFreeAsync, CUdeviceptr, CUstream);
DRIVER(cuMemGetInfo_v2, size_t*, size_t*);
DRIVER(cuMemHostAlloc, void**, size_t, unsigned);
DRIVER(cuMemFreeHost, void*);
DRIVER(cuMemHostRegister_v2, void*, size_t, unsigned);
DRIVER(cuMemHostUnregister, void*);
DRIVER(cuMemcpyHtoD_v2, CUdeviceptr, const void*, size_t);
DRIVER(cuMemcpyDtoH_v2, void*, CUdeviceptr, size_t);
DRIVER(cuMemcpyHtoDAsync_v2, CUdeviceptr, const void*, size_t, CUstream);
DRIVER(cuMemcpyDtoHAsync_v2, void*, CUdeviceptr, size_t, CUstream);
DRIVER(cuMemsetD32Async, CUdeviceptr, unsigned, size_t, CUstream);
DRIVER(cuStreamCreate, CUstream*, unsigned);
DRIVER(cuStreamDestroy_v2, CUstream);
DRIVER(cuStreamSynchronize, CUstream);
DRIVER(cuStreamQuery, CUstream);
DRIVER(cuStreamWaitEvent, CUstream, CUevent, unsigned);
DRIVER(cuEventCreate, CUevent*, unsigned);
DRIVER(cuEventDestroy_v2, CUevent);
DRIVER(cuEventRecord, CUevent, CUstream);
DRIVER(cuEventQuery, CUevent);
DRIVER(cuEventSynchronize, CUevent);
DRIVER(cuEventElapsedTime, float*, CUevent, CUevent);
DRIVER(cuStreamBeginCapture_v2, CUstream, int);
DRIVER(cuStreamEndCapture, CUstream, CUgraph*);
DRIVER(cuGraphInstantiateWithFlags, CUgraphExec*, CUgraph, unsigned long long);
DRIVER(cuGraphGetNodes, CUgraph, CUgraphNode*, size_t*);
DRIVER(cuGraphExecKernelNodeSetParams_v2, CUgraphExec, CUgraphNode, const CUDA_KERNEL_NODE_PARAMS*);
DRIVER(cuGraphLaunch, CUgraphExec, CUstream);
DRIVER(cuGraphExecDestroy, CUgraphExec);
DRIVER(cuGraphDestroy, CUgraph);
DRIVER(cuLibraryLoadData, CUlibrary*, const void*, int*, void**, unsigned, int*, void**, unsigned);
DRIVER(cuLibraryGetKernel, CUkernel*, CUlibrary, const char*);
DRIVER(cuLibraryUnload, CUlibrary);
DRIVER(cuKernelGetFunction, CUfunction*, CUkernel);
DRIVER(cuFuncSetAttribute, CUfunction, int, int);
DRIVER(cuFuncGetAttribute, int*, int, CUfunction);
DRIVER(cuLaunchKernelEx, const CUlaunchConfig*, CUfunction, void**, void**);
DRIVER(cuTensorMapEncodeTiled, CUtensorMap*, int, uint32_t, void*, const uint64_t*, const uint64_t*, const uint32_t*,
       const uint32_t*, int, int, int, int);
DRIVER(cuTensorMapEncodeIm2col, CUtensorMap*, int, uint32_t, void*, const uint64_t*, const uint64_t*, const int*, const int*,
       uint32_t, uint32_t, const uint32_t*, int, int, int, int);
#undef DRIVER
extern "C" void quern_sim_reset();
extern "C" CUresult quern_sim_fail(const char*);
extern "C" int quern_sim_pending_faults();
extern "C" long quern_sim_calls(const char*);
extern "C" long quern_sim_outstanding_bytes();
extern "C" long quern_sim_outstanding_handles();
extern "C" long quern_sim_reports();
extern "C" const char* quern_sim_report();
extern "C" void quern_sim_set_late(int);
extern "C" void quern_sim_set_exact(int);
extern "C" void quern_sim_set_devices(int);
extern "C" void quern_sim_set_driver_version(int);
extern "C" void quern_sim_set_device_memory(long);
extern "C" void quern_sim_set_compute_capability(int, int);

using namespace quern::driver;

inline int failures = 0, checks = 0;
inline std::string current_test;

#define CHECK(condition)                                                                                     \
    (++checks, (condition) ? true                                                                            \
                           : (std::printf("%s:%d: %s: %s\n", __FILE__, __LINE__, current_test.c_str(), #condition), \
                              ++failures, false))

inline const char* name_of(CUresult error) {
    const char* name = nullptr;
    cuGetErrorName(error, &name);
    return name == nullptr ? "?" : name;
}

#define EXPECT(error, call)                                                                                      \
    do {                                                                                                         \
        CUresult got_ = (call);                                                                                  \
        ++checks;                                                                                                \
        if (got_ != (error)) {                                                                                   \
            std::printf("%s:%d: %s: %s gave %s, expected %s\n", __FILE__, __LINE__, current_test.c_str(), #call, \
                        name_of(got_), name_of(error));                                                          \
            ++failures;                                                                                          \
        }                                                                                                        \
    } while (0)
#define OK(call) EXPECT(CUDA_SUCCESS, call)

inline bool reported(const std::string& part) {
    bool found = std::string(quern_sim_report()).find(part) != std::string::npos;
    ++checks;
    if (!found) {
        std::printf("%s: the report is '%s', without '%s'\n", current_test.c_str(), quern_sim_report(), part.c_str());
        ++failures;
    }
    return found;
}

inline std::vector<char> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// A device with the module loaded, and a stream that does not wait for the legacy one.
class Device {
public:
    /// late: 0 eager, 1 late, 2 mixed. reset: a new process's; false keeps what was set.
    explicit Device(const std::string& image, int late = 0, bool reset = true) {
        if (reset) {
            quern_sim_reset();
        }
        quern_sim_set_late(late);
        OK(cuInit(0));
        CUcontext context;
        OK(cuDevicePrimaryCtxRetain(&context, 0));
        OK(cuCtxSetCurrent(context));
        bytes_ = read_file(image);
        OK(cuLibraryLoadData(&library_, bytes_.data(), nullptr, nullptr, 0, nullptr, nullptr, 0));
        OK(cuStreamCreate(&stream, 1));
    }

    CUfunction function(const char* name) {
        CUkernel kernel = nullptr;
        CUfunction f = nullptr;
        OK(cuLibraryGetKernel(&kernel, library_, name));
        OK(cuKernelGetFunction(&f, kernel));
        return f;
    }

    template <class... P>
    CUresult launch(const char* name, unsigned grid, unsigned block, P... parameters) {
        return launch_shared(name, grid, block, 0, parameters...);
    }

    template <class... P>
    CUresult launch_shared(const char* name, unsigned grid, unsigned block, unsigned shared, P... parameters) {
        void* pointers[] = {static_cast<void*>(&parameters)..., nullptr};
        CUlaunchAttribute attributes[2]{};
        unsigned count = 0;
        if (cluster != 1) {
            attributes[count].id = 4;
            attributes[count++].value.cluster = {cluster, 1, 1};
        }
        if (overlap) {
            attributes[count].id = 6;
            attributes[count++].value.value = 1;
        }
        CUlaunchConfig config{grid, 1, 1, block, 1, 1, shared, stream, attributes, count};
        return cuLaunchKernelEx(&config, function(name), pointers, nullptr);
    }

    template <class T>
    CUdeviceptr upload(const std::vector<T>& values) {
        CUdeviceptr address = 0;
        OK(cuMemAlloc_v2(&address, values.size() * sizeof(T)));
        OK(cuMemcpyHtoD_v2(address, values.data(), values.size() * sizeof(T)));
        return address;
    }

    template <class T>
    std::vector<T> download(CUdeviceptr address, size_t n) {
        std::vector<T> values(n);
        OK(cuStreamSynchronize(stream));
        OK(cuMemcpyDtoH_v2(values.data(), address, n * sizeof(T)));
        return values;
    }

    CUstream stream = nullptr;
    unsigned cluster = 1;
    /// Launches may begin before the launch before them is done.
    bool overlap = false;

private:
    std::vector<char> bytes_;
    CUlibrary library_ = nullptr;
};

inline void test(const std::string& name, const std::function<void()>& body) {
    current_test = name;
    int before = failures;
    body();
    std::printf("%s %s\n", failures == before ? "ok  " : "FAIL", name.c_str());
}

inline int summary() {
    std::printf("%d checks, %d failures\n", checks, failures);
    return failures == 0 && checks > 0 ? 0 : 1;
}
