// Entry points: kernel images, kernels and their attributes, launches.
#include <algorithm>
#include <cstring>

#include "image.h"
#include "report.h"
#include "simulator.h"

using namespace quern::driver;

namespace {

KernelHandle* kernel_of(const void* handle) {
    auto found = simulator().kernels.find(handle);
    return found == simulator().kernels.end() ? nullptr : found->second.get();
}

CUresult get_attribute(int* value, int attribute, KernelHandle* k) {
    const Settings& s = simulator().settings;
    switch (attribute) {
        case 0:
            *value = static_cast<int>(k->kernel->max_threads);
            return CUDA_SUCCESS;
        case 1:
        case 2:
        case 3:
            *value = 0;
            return CUDA_SUCCESS;
        case 4:
            *value = 32;
            return CUDA_SUCCESS;
        case 5:
            *value = s.compiled_for != 0 ? s.compiled_for : s.major * 10 + s.minor;
            return CUDA_SUCCESS;
        case 6:
            *value = s.major * 10 + s.minor;
            return CUDA_SUCCESS;
        case 8:
            *value = static_cast<int>(k->dynamic_limit);
            return CUDA_SUCCESS;
        case 14:
            *value = k->wide_clusters;
            return CUDA_SUCCESS;
        default:
            *value = 0;
            return attribute >= 0 && attribute < 16 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
    }
}

CUresult set_attribute(int attribute, int value, KernelHandle* k) {
    Limits l = limits(simulator().settings.major, simulator().settings.minor);
    switch (attribute) {
        case 8:
            if (value < 0 || value > l.shared_optin) {
                report(text("%s: %d bytes of dynamic shared memory, more than the device's %d", k->kernel->name, value,
                            l.shared_optin));
                return CUDA_ERROR_INVALID_VALUE;
            }
            k->dynamic_limit = static_cast<unsigned>(value);
            return CUDA_SUCCESS;
        case 9:
            return value >= -1 && value <= 100 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
        case 14:
            k->wide_clusters = value != 0;
            return CUDA_SUCCESS;
        default:
            return CUDA_ERROR_INVALID_VALUE;
    }
}

CUresult launch(Call& call, const CUlaunchConfig& config, const void* function, void** parameters, void** extra) {
    Simulator& s = simulator();
    KernelHandle* k = kernel_of(function);
    auto stream = s.stream(config.hStream);
    if (k == nullptr || stream == nullptr) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    Task task;
    CUresult result = make_launch(s, k, config, parameters, extra, &task);
    return call.end(result != CUDA_SUCCESS ? result : s.enqueue(stream, std::move(task)));
}

}  // namespace

QUERN_API CUresult cuLibraryLoadData(CUlibrary* library, const void* code, int*, void**, unsigned, int*, void**, unsigned) {
    Call call("cuLibraryLoadData", Needs::driver);
    if (call || library == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    Simulator& s = simulator();
    Image* image = nullptr;
    CUresult result = load_image(code, s.settings, &image);
    if (result == CUDA_SUCCESS) {
        static uintptr_t next = 0x10000;
        *library = reinterpret_cast<CUlibrary>(next += 16);
        s.libraries[*library] = image;
    }
    return result;
}

QUERN_API CUresult cuLibraryUnload(CUlibrary library) {
    Call call("cuLibraryUnload", Needs::driver, true);
    if (call) {
        return call.error();
    }
    Simulator& s = simulator();
    auto found = s.libraries.find(library);
    if (found == s.libraries.end()) {
        return call.end(CUDA_ERROR_INVALID_HANDLE);
    }
    s.finish_all();
    s.libraries.erase(found);
    return call.end();
}

QUERN_API CUresult cuLibraryGetKernel(CUkernel* kernel, CUlibrary library, const char* name) {
    Call call("cuLibraryGetKernel", Needs::driver);
    if (call || kernel == nullptr || name == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    Simulator& s = simulator();
    auto found = s.libraries.find(library);
    if (found == s.libraries.end()) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    for (const quern::sim::Kernel* k = found->second->module->kernels; k != nullptr; k = k->next) {
        if (std::strcmp(k->name, name) == 0) {
            auto& handle = s.kernels[k];
            if (handle == nullptr) {
                handle = std::make_unique<KernelHandle>(KernelHandle{found->second, k, 48 << 10});
            }
            *kernel = reinterpret_cast<CUkernel>(const_cast<quern::sim::Kernel*>(k));
            return CUDA_SUCCESS;
        }
    }
    return CUDA_ERROR_NOT_FOUND;
}

QUERN_API CUresult cuLibraryGetKernelCount(unsigned* count, CUlibrary library) {
    Call call("cuLibraryGetKernelCount", Needs::driver);
    auto found = simulator().libraries.find(library);
    if (call || found == simulator().libraries.end()) {
        return call ? call.error() : CUDA_ERROR_INVALID_HANDLE;
    }
    *count = 0;
    for (const quern::sim::Kernel* k = found->second->module->kernels; k != nullptr; k = k->next) {
        ++*count;
    }
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuLibraryEnumerateKernels(CUkernel* kernels, unsigned capacity, CUlibrary library) {
    Call call("cuLibraryEnumerateKernels", Needs::driver);
    Simulator& s = simulator();
    auto found = s.libraries.find(library);
    if (call || found == s.libraries.end()) {
        return call ? call.error() : CUDA_ERROR_INVALID_HANDLE;
    }
    unsigned i = 0;
    for (const quern::sim::Kernel* k = found->second->module->kernels; k != nullptr && i < capacity; k = k->next) {
        auto& handle = s.kernels[k];
        if (handle == nullptr) {
            handle = std::make_unique<KernelHandle>(KernelHandle{found->second, k, 48 << 10});
        }
        kernels[i++] = reinterpret_cast<CUkernel>(const_cast<quern::sim::Kernel*>(k));
    }
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuKernelGetName(const char** name, CUkernel kernel) {
    Call call("cuKernelGetName", Needs::driver);
    KernelHandle* k = kernel_of(kernel);
    if (call || k == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_HANDLE;
    }
    *name = k->kernel->name;
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuFuncGetName(const char** name, CUfunction function) {
    Call call("cuFuncGetName", Needs::driver);
    KernelHandle* k = kernel_of(function);
    if (call || k == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_HANDLE;
    }
    *name = k->kernel->name;
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuKernelGetFunction(CUfunction* function, CUkernel kernel) {
    Call call("cuKernelGetFunction", Needs::context);
    if (call || function == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    if (kernel_of(kernel) == nullptr) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    *function = reinterpret_cast<CUfunction>(kernel);
    return CUDA_SUCCESS;
}

static CUresult parameter_info(const char* kind, const void* handle, size_t index, size_t* offset, size_t* size) {
    Call call(kind, Needs::driver);
    KernelHandle* k = kernel_of(handle);
    if (call || k == nullptr || index >= k->kernel->parameters) {
        return call ? call.error() : k == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_ERROR_INVALID_VALUE;
    }
    size_t at = 0;
    for (size_t i = 0; i <= index; i++) {
        size_t unit = k->kernel->alignments[i];
        at = (at + unit - 1) / unit * unit + (i < index ? k->kernel->sizes[i] : 0);
    }
    *offset = at;
    if (size != nullptr) {
        *size = k->kernel->sizes[index];
    }
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuFuncGetParamInfo(CUfunction function, size_t index, size_t* offset, size_t* size) {
    return parameter_info("cuFuncGetParamInfo", function, index, offset, size);
}

QUERN_API CUresult cuKernelGetParamInfo(CUkernel kernel, size_t index, size_t* offset, size_t* size) {
    return parameter_info("cuKernelGetParamInfo", kernel, index, offset, size);
}

QUERN_API CUresult cuFuncGetAttribute(int* value, int attribute, CUfunction function) {
    Call call("cuFuncGetAttribute", Needs::context);
    KernelHandle* k = kernel_of(function);
    return call ? call.error() : k == nullptr ? CUDA_ERROR_INVALID_HANDLE : get_attribute(value, attribute, k);
}

QUERN_API CUresult cuFuncSetAttribute(CUfunction function, int attribute, int value) {
    Call call("cuFuncSetAttribute", Needs::context);
    KernelHandle* k = kernel_of(function);
    return call ? call.error() : k == nullptr ? CUDA_ERROR_INVALID_HANDLE : set_attribute(attribute, value, k);
}

QUERN_API CUresult cuKernelGetAttribute(int* value, int attribute, CUkernel kernel, CUdevice) {
    Call call("cuKernelGetAttribute", Needs::driver);
    KernelHandle* k = kernel_of(kernel);
    return call ? call.error() : k == nullptr ? CUDA_ERROR_INVALID_HANDLE : get_attribute(value, attribute, k);
}

QUERN_API CUresult cuKernelSetAttribute(int attribute, int value, CUkernel kernel, CUdevice) {
    Call call("cuKernelSetAttribute", Needs::driver);
    KernelHandle* k = kernel_of(kernel);
    return call ? call.error() : k == nullptr ? CUDA_ERROR_INVALID_HANDLE : set_attribute(attribute, value, k);
}

QUERN_API CUresult cuFuncLoad(CUfunction function) {
    Call call("cuFuncLoad", Needs::context);
    return call ? call.error() : kernel_of(function) == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_SUCCESS;
}

QUERN_API CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction function, int threads, size_t dynamic) {
    Call call("cuOccupancyMaxActiveBlocksPerMultiprocessor", Needs::context);
    KernelHandle* k = kernel_of(function);
    if (call || k == nullptr || blocks == nullptr || threads <= 0) {
        return call ? call.error() : k == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_ERROR_INVALID_VALUE;
    }
    Limits l = limits(simulator().settings.major, simulator().settings.minor);
    int warps = (threads + 31) / 32;
    int by_threads = l.threads_per_multiprocessor / (warps * 32);
    int by_shared = l.shared_per_multiprocessor / (static_cast<int>(dynamic) + 1024);
    *blocks = std::min({l.blocks_per_multiprocessor, by_threads, by_shared});
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                                  unsigned block_y, unsigned block_z, unsigned shared, CUstream stream, void** parameters,
                                  void** extra) {
    Call call("cuLaunchKernel", Needs::context);
    if (call) {
        return call.error();
    }
    return launch(call, {grid_x, grid_y, grid_z, block_x, block_y, block_z, shared, stream, nullptr, 0}, function, parameters, extra);
}

QUERN_API CUresult cuLaunchKernelEx(const CUlaunchConfig* config, CUfunction function, void** parameters, void** extra) {
    Call call("cuLaunchKernelEx", Needs::context);
    if (call || config == nullptr || (config->numAttrs != 0 && config->attrs == nullptr)) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    return launch(call, *config, function, parameters, extra);
}
