// Entry points: device and pinned memory, copies, fills, the stream-ordered pool.
#include <cstring>

#include "report.h"
#include "simulator.h"

using namespace quern::driver;

namespace {

CUmemoryPool default_pool() { return reinterpret_cast<CUmemoryPool>(&simulator().pool); }

bool forbidden_in_capture() {
    Simulator& s = simulator();
    if (s.capturing(0)) {
        s.invalidate_captures();
        return true;
    }
    return false;
}

/// A copy between two addresses of which each may be on the host or the device.
CUresult copy_now(const char* what, CUdeviceptr target, CUdeviceptr source, size_t bytes) {
    Simulator& s = simulator();
    if (bytes == 0) {
        return CUDA_SUCCESS;
    }
    char* to = s.memory.contains(target) ? s.memory.view(target, bytes, what) : reinterpret_cast<char*>(target);
    char* from = s.memory.contains(source) ? s.memory.view(source, bytes, what) : reinterpret_cast<char*>(source);
    if (to == nullptr || from == nullptr) {
        return CUDA_ERROR_ILLEGAL_ADDRESS;
    }
    std::memmove(to, from, bytes);
    return CUDA_SUCCESS;
}

enum Side { kDevice, kHost, kAny };

bool on_side(CUdeviceptr address, size_t bytes, Side side, const char* what) {
    Simulator& s = simulator();
    bool device = s.memory.contains(address);
    if (side == kDevice && !device && !s.host.pinned(reinterpret_cast<void*>(address), bytes)) {
        report(text("%s: 0x%llx is no device address", what, address));
        return false;
    }
    if (side == kHost && (device || address == 0)) {
        report(text("%s: 0x%llx is no host address", what, address));
        return false;
    }
    return !device || s.memory.view(address, bytes, what) != nullptr;
}

CUresult copy(const char* kind, CUdeviceptr target, CUdeviceptr source, size_t bytes, Side to, Side from) {
    Call call(kind, Needs::context);
    if (call) {
        return call.error();
    }
    Simulator& s = simulator();
    if (s.capturing(1)) {
        s.invalidate_captures();
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    s.finish_blocking();
    if (s.lost != CUDA_SUCCESS) {
        return s.lost;
    }
    if (bytes != 0 && (!on_side(target, bytes, to, kind) || !on_side(source, bytes, from, kind))) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    return call.end(copy_now(kind, target, source, bytes));
}

CUresult copy_async(const char* kind, CUdeviceptr target, CUdeviceptr source, size_t bytes, Side to, Side from, CUstream handle) {
    Call call(kind, Needs::context);
    Simulator& s = simulator();
    auto stream = s.stream(handle);
    if (call || stream == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_HANDLE;
    }
    if (bytes == 0) {
        return CUDA_SUCCESS;
    }
    if (!on_side(target, bytes, to, kind) || !on_side(source, bytes, from, kind)) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    bool host_source = !s.memory.contains(source), host_target = !s.memory.contains(target);
    bool capture = stream->capture != nullptr;
    if (host_source && !capture && !s.host.pinned(reinterpret_cast<void*>(source), bytes)) {
        // pageable memory is staged before the call returns
        auto staged = std::make_shared<std::vector<char>>(reinterpret_cast<char*>(source), reinterpret_cast<char*>(source) + bytes);
        return call.end(s.enqueue(stream, {kind, [=] {
                                               return copy_now(kind, target, reinterpret_cast<CUdeviceptr>(staged->data()), bytes);
                                           }}));
    }
    CUresult result = s.enqueue(stream, {kind, [=] { return copy_now(kind, target, source, bytes); }});
    if (host_target && !capture && result == CUDA_SUCCESS && !s.host.pinned(reinterpret_cast<void*>(target), bytes)) {
        stream->finish();  // into pageable memory the call is synchronous
        result = s.lost;
    }
    return call.end(result);
}

CUresult fill_now(const char* what, CUdeviceptr target, unsigned value, unsigned width, size_t count) {
    if (count == 0) {
        return CUDA_SUCCESS;
    }
    char* to = simulator().memory.view(target, count * width, what);
    if (to == nullptr) {
        return CUDA_ERROR_ILLEGAL_ADDRESS;
    }
    for (size_t i = 0; i < count; i++) {
        std::memcpy(to + i * width, &value, width);
    }
    return CUDA_SUCCESS;
}

CUresult fill(const char* kind, CUdeviceptr target, unsigned value, unsigned width, size_t count, CUstream handle) {
    Call call(kind, Needs::context);
    Simulator& s = simulator();
    auto stream = s.stream(handle);
    if (call || stream == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_HANDLE;
    }
    if (count == 0) {
        return CUDA_SUCCESS;
    }
    if (target % width != 0 || s.memory.view(target, count * width, kind) == nullptr) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    return call.end(s.enqueue(stream, {kind, [=] { return fill_now(kind, target, value, width, count); }}));
}

CUresult allocate_async(const char* kind, CUdeviceptr* address, size_t bytes, CUstream handle) {
    Call call(kind, Needs::context);
    Simulator& s = simulator();
    auto stream = s.stream(handle);
    if (call || address == nullptr || stream == nullptr) {
        return call ? call.error() : address == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_INVALID_HANDLE;
    }
    if (stream->capture != nullptr) {
        // the driver would make it a node of the graph
        report(text("%s in a capturing stream is not simulated; allocate before the capture", kind));
        stream->capture->invalid = true;
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    // memory whose free is queued can be had again: the pool waits for it rather than fail
    CUresult result = s.memory.allocate(bytes, s.settings.memory, true, address);
    if (result == CUDA_ERROR_OUT_OF_MEMORY) {
        s.finish_all();
        result = s.memory.allocate(bytes, s.settings.memory, true, address);
    }
    return call.end(result);
}

}  // namespace

QUERN_API CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
    Call call("cuMemAlloc", Needs::context);
    if (call || address == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    if (forbidden_in_capture()) {
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    return call.end(simulator().memory.allocate(bytes, simulator().settings.memory, false, address));
}

QUERN_API CUresult cuMemFree_v2(CUdeviceptr address) {
    Call call("cuMemFree", Needs::context, true);
    if (call || address == 0) {
        return call.error();
    }
    if (forbidden_in_capture()) {
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    simulator().finish_all();
    return call.end(simulator().memory.release(address));
}

QUERN_API CUresult cuMemAllocAsync(CUdeviceptr* address, size_t bytes, CUstream stream) {
    return allocate_async("cuMemAllocAsync", address, bytes, stream);
}

QUERN_API CUresult cuMemAllocFromPoolAsync(CUdeviceptr* address, size_t bytes, CUmemoryPool pool, CUstream stream) {
    return pool != default_pool() ? CUDA_ERROR_INVALID_HANDLE
                                  : allocate_async("cuMemAllocFromPoolAsync", address, bytes, stream);
}

QUERN_API CUresult cuMemFreeAsync(CUdeviceptr address, CUstream handle) {
    Call call("cuMemFreeAsync", Needs::context, true);
    if (call) {
        return call.error();
    }
    Simulator& s = simulator();
    auto stream = s.stream(handle);
    if (stream == nullptr || address == 0) {
        return call.end(stream == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_SUCCESS);
    }
    if (stream->capture != nullptr) {
        stream->capture->invalid = true;
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    if (s.memory.find(address) == nullptr || s.memory.find(address)->address != address) {
        return call.end(s.memory.release(address));
    }
    if (s.lost != CUDA_SUCCESS) {
        return call.end(s.memory.release(address));
    }
    CUresult result = s.enqueue(stream, {"cuMemFreeAsync", [=] { return simulator().memory.release(address); }});
    return call.end(result);
}

QUERN_API CUresult cuDeviceGetDefaultMemPool(CUmemoryPool* pool, CUdevice device) {
    Call call("cuDeviceGetDefaultMemPool", Needs::driver);
    if (call || pool == nullptr || device != 0) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    *pool = default_pool();
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuDeviceGetMemPool(CUmemoryPool* pool, CUdevice device) {
    Call call("cuDeviceGetMemPool", Needs::driver);
    if (call || pool == nullptr || device != 0) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    *pool = default_pool();
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuMemPoolSetAttribute(CUmemoryPool pool, int attribute, void* value) {
    Call call("cuMemPoolSetAttribute", Needs::driver);
    if (call || pool != default_pool() || value == nullptr || attribute < 1 || attribute > 8) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    // 1 to 3 are int, the others 64 bits wide
    uint64_t number = 0;
    std::memcpy(&number, value, attribute <= 3 ? 4 : 8);
    simulator().pool.attributes[attribute] = number;
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuMemPoolGetAttribute(CUmemoryPool pool, int attribute, void* value) {
    Call call("cuMemPoolGetAttribute", Needs::driver);
    if (call || pool != default_pool() || value == nullptr || attribute < 1 || attribute > 8) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    Simulator& s = simulator();
    uint64_t number = s.pool.attributes[attribute];
    if (attribute == 5 || attribute == 7) {
        number = s.memory.pooled();
    } else if (attribute == 6 || attribute == 8) {
        number = s.memory.peak();
    }
    std::memcpy(value, &number, attribute <= 3 ? 4 : 8);
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuMemPoolTrimTo(CUmemoryPool pool, size_t) {
    Call call("cuMemPoolTrimTo", Needs::driver);
    return call ? call.error() : pool == default_pool() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

QUERN_API CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
    Call call("cuMemGetInfo", Needs::context);
    if (call) {
        return call.error();
    }
    Simulator& s = simulator();
    *total = s.settings.memory;
    *free = s.settings.memory - std::min(s.settings.memory, s.memory.used());
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuMemGetAddressRange_v2(CUdeviceptr* base, size_t* bytes, CUdeviceptr address) {
    Call call("cuMemGetAddressRange", Needs::context);
    const Allocation* a = simulator().memory.find(address);
    if (call || a == nullptr) {
        return call ? call.error() : CUDA_ERROR_NOT_FOUND;
    }
    if (base != nullptr) {
        *base = a->address;
    }
    if (bytes != nullptr) {
        *bytes = a->bytes;
    }
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuMemHostAlloc(void** address, size_t bytes, unsigned) {
    Call call("cuMemHostAlloc", Needs::context);
    if (call || address == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    return call.end(simulator().host.allocate(bytes, address));
}

QUERN_API CUresult cuMemAllocHost_v2(void** address, size_t bytes) {
    Call call("cuMemAllocHost", Needs::context);
    if (call || address == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    return call.end(simulator().host.allocate(bytes, address));
}

QUERN_API CUresult cuMemFreeHost(void* address) {
    Call call("cuMemFreeHost", Needs::context, true);
    if (call || address == nullptr) {
        return call.error();
    }
    simulator().finish_all();
    return call.end(simulator().host.release(address));
}

QUERN_API CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* device, void* host, unsigned) {
    Call call("cuMemHostGetDevicePointer", Needs::context);
    if (call || !simulator().host.pinned(host, 1)) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    *device = reinterpret_cast<CUdeviceptr>(host);
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuMemHostRegister_v2(void* address, size_t bytes, unsigned flags) {
    constexpr unsigned kReadOnly = 8;  // CU_MEMHOSTREGISTER_READ_ONLY
    Call call("cuMemHostRegister", Needs::context);
    if (!call && (flags & kReadOnly) != 0) {
        return CUDA_ERROR_NOT_SUPPORTED;  // what is hidden comes back readable and writable
    }
    return call ? call.error() : call.end(simulator().host.add(address, bytes));
}

QUERN_API CUresult cuMemHostUnregister(void* address) {
    Call call("cuMemHostUnregister", Needs::context, true);
    if (call) {
        return call.error();
    }
    simulator().finish_all();
    return call.end(simulator().host.remove(address));
}

QUERN_API CUresult cuMemcpy(CUdeviceptr target, CUdeviceptr source, size_t bytes) {
    return copy("cuMemcpy", target, source, bytes, kAny, kAny);
}

QUERN_API CUresult cuMemcpyHtoD_v2(CUdeviceptr target, const void* source, size_t bytes) {
    return copy("cuMemcpyHtoD", target, reinterpret_cast<CUdeviceptr>(source), bytes, kDevice, kHost);
}

QUERN_API CUresult cuMemcpyDtoH_v2(void* target, CUdeviceptr source, size_t bytes) {
    return copy("cuMemcpyDtoH", reinterpret_cast<CUdeviceptr>(target), source, bytes, kHost, kDevice);
}

QUERN_API CUresult cuMemcpyDtoD_v2(CUdeviceptr target, CUdeviceptr source, size_t bytes) {
    return copy("cuMemcpyDtoD", target, source, bytes, kDevice, kDevice);
}

QUERN_API CUresult cuMemcpyAsync(CUdeviceptr target, CUdeviceptr source, size_t bytes, CUstream stream) {
    return copy_async("cuMemcpyAsync", target, source, bytes, kAny, kAny, stream);
}

QUERN_API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr target, const void* source, size_t bytes, CUstream stream) {
    return copy_async("cuMemcpyHtoDAsync", target, reinterpret_cast<CUdeviceptr>(source), bytes, kDevice, kHost, stream);
}

QUERN_API CUresult cuMemcpyDtoHAsync_v2(void* target, CUdeviceptr source, size_t bytes, CUstream stream) {
    return copy_async("cuMemcpyDtoHAsync", reinterpret_cast<CUdeviceptr>(target), source, bytes, kHost, kDevice, stream);
}

QUERN_API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr target, CUdeviceptr source, size_t bytes, CUstream stream) {
    return copy_async("cuMemcpyDtoDAsync", target, source, bytes, kDevice, kDevice, stream);
}

// the driver's fills without a stream are asynchronous in the legacy stream, too
QUERN_API CUresult cuMemsetD8_v2(CUdeviceptr target, unsigned char value, size_t count) {
    return fill("cuMemsetD8", target, value, 1, count, nullptr);
}

QUERN_API CUresult cuMemsetD16_v2(CUdeviceptr target, unsigned short value, size_t count) {
    return fill("cuMemsetD16", target, value, 2, count, nullptr);
}

QUERN_API CUresult cuMemsetD32_v2(CUdeviceptr target, unsigned value, size_t count) {
    return fill("cuMemsetD32", target, value, 4, count, nullptr);
}

QUERN_API CUresult cuMemsetD8Async(CUdeviceptr target, unsigned char value, size_t count, CUstream stream) {
    return fill("cuMemsetD8Async", target, value, 1, count, stream);
}

QUERN_API CUresult cuMemsetD16Async(CUdeviceptr target, unsigned short value, size_t count, CUstream stream) {
    return fill("cuMemsetD16Async", target, value, 2, count, stream);
}

QUERN_API CUresult cuMemsetD32Async(CUdeviceptr target, unsigned value, size_t count, CUstream stream) {
    return fill("cuMemsetD32Async", target, value, 4, count, stream);
}
