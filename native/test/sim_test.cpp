// Long because each misuse of the simulated driver has its own test. Order, misuse, faults; each test runs with eager and with
// late completion.
#include "check.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

namespace {

std::string image;

void copies_and_order(bool late) {
    Device d(image, late);
    std::vector<float> host(1000, 1.0f);
    CUdeviceptr y = d.upload(host);
    for (int i = 0; i < 3; i++) {
        OK(d.launch("increment", 4, 256, y, 1000));
    }
    CHECK(d.download<float>(y, 1000) == std::vector<float>(1000, 4.0f));
    OK(cuMemFree_v2(y));
    CHECK(quern_sim_outstanding_bytes() == 0);
}

void reductions(bool late) {
    Device d(image, late);
    for (unsigned block : {32u, 64u, 256u, 1024u}) {
        std::vector<float> x(block * 7);
        for (size_t i = 0; i < x.size(); i++) {
            x[i] = static_cast<float>(i % 100);
        }
        CUdeviceptr dx = d.upload(x), dy = d.upload(std::vector<float>(7));
        OK(d.launch("block_sum", 7, block, dx, dy));
        std::vector<float> y = d.download<float>(dy, 7);
        for (unsigned b = 0; b < 7; b++) {
            float sum = 0;
            for (unsigned i = 0; i < block; i++) {
                sum += x[b * block + i];
            }
            CHECK(y[b] == sum);
        }
    }
}

void votes(bool late) {
    Device d(image, late);
    CUdeviceptr dy = d.upload(std::vector<unsigned>(128));
    OK(d.launch("votes", 1, 128, dy));
    std::vector<unsigned> y = d.download<unsigned>(dy, 128);
    for (unsigned i = 0; i < 128; i++) {
        unsigned expected = 0;
        for (unsigned lane = 0; lane < 32; lane++) {
            expected |= (i / 32 * 32 + lane) % 3 == 0 ? 1u << lane : 0;
        }
        expected ^= 0xffu << i % 32 / 8 * 8;
        expected ^= i / 32 == 1 ? 1u : 0u;
        expected ^= i < 64 ? 2u : 0u;
        CHECK(y[i] == expected);
    }
}

/// The kernel fails with this error and report, and the context stays lost until it is reset.
template <class... P>
void fails(bool late, const char* kernel, unsigned grid, unsigned block, CUresult error, const char* part, P... parameters) {
    Device d(image, late);
    CUdeviceptr y = d.upload(std::vector<float>(256));
    OK(cuStreamSynchronize(d.stream));
    CUresult result = d.launch(kernel, grid, block, parameters..., y);
    EXPECT(late ? CUDA_SUCCESS : error, result);
    EXPECT(error, cuStreamSynchronize(d.stream));
    EXPECT(error, cuStreamSynchronize(d.stream));
    EXPECT(error, cuMemAlloc_v2(&y, 4));
    reported(part);
    reported(kernel);
}

void misuse(bool late) {
    fails(late, "skips_barrier", 3, 128, CUDA_ERROR_LAUNCH_TIMEOUT,
          "block (0,0,0) of grid (3,1,1): deadlock; threads 0-95 wait at barrier 0x0 (96 of 128 arrived); threads 96-127 have exited");
    fails(late, "divides_by_zero", 1, 32, CUDA_ERROR_LAUNCH_FAILED, "division by zero", 0);
    fails(late, "diverges", 1, 64, CUDA_ERROR_LAUNCH_FAILED, "the warp diverged: shfl.sync.down");
    fails(late, "arrives_twice", 1, 128, CUDA_ERROR_LAUNCH_FAILED, "over-arrival at barrier 1");
}

void bounds(bool late) {
    // 64 floats are a multiple of 256 bytes: the next byte is on the guard page
    for (int offset : {64, 64 + 1000, -1 - 4096 / 4}) {
        Device d(image, late);
        CUdeviceptr x = d.upload(std::vector<float>(64)), y = d.upload(std::vector<float>(64));
        (void)d.launch("reads_past_end", 3, 32, x, y, offset);
        EXPECT(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(d.stream));
        reported(offset > 0 ? "past the end of allocation 1 (256 bytes)" : "before allocation 1");
        reported("kernel reads_past_end, block (1,0,0) of grid (3,1,1), thread (5,0,0)");
    }
    {
        Device d(image, late);
        CUdeviceptr y = d.upload(std::vector<float>(63));
        (void)d.launch("writes_slack", 1, 32, y, 63);
        EXPECT(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(d.stream));
        reported("writes_slack: bytes were written past the end of allocation 1 of 252 bytes");
    }
    {
        Device d(image, late);
        CUdeviceptr x = d.upload(std::vector<float>(64)), y = d.upload(std::vector<float>(64));
        OK(cuMemFree_v2(x));
        (void)d.launch("reads_past_end", 3, 32, x, y, 0);
        EXPECT(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(d.stream));
        reported("belongs to allocation 1 (256 bytes), which was freed");
    }
    {
        Device d(image, late);
        CUdeviceptr x = d.upload(std::vector<float>(64)), y = d.upload(std::vector<float>(64));
        (void)d.launch("misaligned", 1, 32, x, y);
        EXPECT(CUDA_ERROR_MISALIGNED_ADDRESS, cuStreamSynchronize(d.stream));
        reported("vector load of 16 bytes");
    }
    {
        Device d(image, late);
        CUdeviceptr x = d.upload(std::vector<float>(64));
        std::vector<float> host(65);
        EXPECT(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoH_v2(host.data(), x, 65 * 4));
        reported("260 bytes at offset 0 pass the end of allocation 1 of 256 bytes");
        OK(cuMemFree_v2(x));
        EXPECT(CUDA_ERROR_INVALID_VALUE, cuMemFree_v2(x));
        reported("which was freed");
    }
}

void poison(bool late) {
    Device d(image, late);
    CUdeviceptr y = 0;
    OK(cuMemAlloc_v2(&y, 1024));
    for (float v : d.download<float>(y, 256)) {
        CHECK(std::isnan(v));
    }
    OK(d.launch("uninitialised_shared", 2, 256, y));
    for (float v : d.download<float>(y, 256)) {
        CHECK(std::isnan(v));
    }
}

void shared_limits(bool late) {
    Device d(image, late);
    int floats = 227 * 256;
    CUdeviceptr y = d.upload(std::vector<float>(static_cast<size_t>(floats)));
    EXPECT(CUDA_ERROR_INVALID_VALUE, d.launch_shared("dynamic_shared", 1, 256, 227 << 10, y, floats));
    EXPECT(CUDA_ERROR_INVALID_VALUE, cuFuncSetAttribute(d.function("dynamic_shared"), 8, 228 << 10));
    OK(cuFuncSetAttribute(d.function("dynamic_shared"), 8, 227 << 10));
    OK(d.launch_shared("dynamic_shared", 2, 256, 227 << 10, y, floats));
    std::vector<float> values = d.download<float>(y, static_cast<size_t>(floats));
    CHECK(values[0] == static_cast<float>(floats - 1) && values.back() == 0);
    EXPECT(CUDA_ERROR_INVALID_VALUE, d.launch("increment", 1, 512, y, 1));
    EXPECT(CUDA_ERROR_INVALID_VALUE, d.launch("increment", 0, 256, y, 1));
}

void async_copies(bool late) {
    Device d(image, late);
    std::vector<float> x(512);
    for (size_t i = 0; i < 512; i++) {
        x[i] = static_cast<float>(i);
    }
    CUdeviceptr dx = d.upload(x), dy = d.upload(std::vector<float>(512));
    OK(d.launch("copies_async", 1, 128, dx, dy, 1));
    std::vector<float> y = d.download<float>(dy, 512);
    CHECK(y[0] == 511 && y[511] == 0);
    OK(d.launch("copies_async", 1, 128, dx, dy, 0));
    y = d.download<float>(dy, 512);
    // the missing wait shows in late mode only
    CHECK(std::isnan(y[0]) == late && std::isnan(y[511]) == late);
}

void mbarriers(bool late) {
    Device d(image, late);
    CUdeviceptr dy = d.upload(std::vector<float>(32));
    OK(d.launch("mbarrier_ring", 2, 64, dy, 0));
    std::vector<float> y = d.download<float>(dy, 32);
    for (int i = 0; i < 32; i++) {
        CHECK(y[static_cast<size_t>(i)] == static_cast<float>(5 * i + 32 * 10));
    }
    (void)d.launch("mbarrier_ring", 2, 64, dy, 1);
    EXPECT(CUDA_ERROR_LAUNCH_TIMEOUT, cuStreamSynchronize(d.stream));
    reported("threads 0-31 wait at mbarrier");
}

void missing_synchronisation(bool late) {
    Device d(image, late);
    std::vector<float> ones(256, 1.0f);
    CUdeviceptr y = d.upload(ones);
    OK(d.launch("increment", 1, 256, y, 256));
    // the stream does not block the legacy one, so this copy waits for nothing
    std::vector<float> host(256);
    OK(cuMemcpyDtoH_v2(host.data(), y, 1024));
    CHECK(host[0] == (late ? 1.0f : 2.0f));
    // pinned memory is read when the copy is done
    void* pinned = nullptr;
    OK(cuMemHostAlloc(&pinned, 1024, 0));
    float* values = static_cast<float*>(pinned);
    std::fill_n(values, 256, 5.0f);
    OK(cuMemcpyHtoDAsync_v2(y, pinned, 1024, d.stream));
    std::fill_n(values, 256, 6.0f);
    CHECK(d.download<float>(y, 256)[0] == (late ? 6.0f : 5.0f));
    OK(cuMemFreeHost(pinned));
    // pageable memory is staged at the call
    std::fill(ones.begin(), ones.end(), 7.0f);
    OK(cuMemcpyHtoDAsync_v2(y, ones.data(), 1024, d.stream));
    std::fill(ones.begin(), ones.end(), 8.0f);
    CHECK(d.download<float>(y, 256)[0] == 7.0f);
}

void events(bool late) {
    Device d(image, late);
    CUdeviceptr y = d.upload(std::vector<float>(256));
    CUstream other;
    CUevent first, second;
    OK(cuStreamCreate(&other, 1));
    OK(cuEventCreate(&first, 0));
    OK(cuEventCreate(&second, 0));
    OK(cuEventRecord(first, d.stream));
    OK(d.launch("increment", 1, 256, y, 256));
    OK(cuEventRecord(second, d.stream));
    OK(cuStreamWaitEvent(other, second, 0));
    std::vector<float> host(256);
    void* pinned;
    OK(cuMemHostAlloc(&pinned, 1024, 0));
    OK(cuMemcpyDtoHAsync_v2(pinned, y, 1024, other));
    EXPECT(late ? CUDA_ERROR_NOT_READY : CUDA_SUCCESS, cuEventQuery(second));
    OK(cuStreamSynchronize(other));
    CHECK(static_cast<float*>(pinned)[3] == 1.0f);
    OK(cuEventQuery(second));
    float milliseconds = -1;
    OK(cuEventElapsedTime(&milliseconds, first, second));
    CHECK(milliseconds >= 0);
    OK(d.launch("increment", 1, 256, y, 256));
    int questions = 0;
    while (cuStreamQuery(d.stream) == CUDA_ERROR_NOT_READY && questions < 100) {
        questions++;
    }
    CHECK(questions == (late ? 1 : 0));
    OK(cuEventDestroy_v2(first));
    OK(cuEventDestroy_v2(second));
    OK(cuStreamDestroy_v2(other));
    OK(cuMemFreeHost(pinned));
    CHECK(quern_sim_outstanding_handles() == 1);
}

/// A kernel that touches, ahead of its wait, 512 numbers that are 0.
void hastens(Device& d, int how, CUdeviceptr y, const char* inside) {
    OK(d.launch("increment", 2, 256, y, 512));
    d.overlap = true;
    (void)d.launch("hasty", 2, 256, y, how);
    EXPECT(how == 0 ? CUDA_SUCCESS : CUDA_ERROR_LAUNCH_FAILED, cuStreamSynchronize(d.stream));
    if (how != 0) {
        reported(how == 3 ? "kernel hasty, block (0,0,0) of grid (2,1,1), thread (0,0,0): access before griddepcontrol.wait"
                          : "kernel hasty, block (1,0,0) of grid (2,1,1), thread (44,0,0): access before griddepcontrol.wait");
        reported(std::string("inside ") + inside + (how == 3 ? ", offset 0)" : ", offset 1200)"));
    }
}

/// Launches that may overlap: every thread must have waited for the launch before, also as a node of a graph.
void overlaps(bool late) {
    for (int waiting : {256, 255}) {
        for (bool captured : {false, true}) {
            Device d(image, late);
            CUdeviceptr y = d.upload(std::vector<float>(1000));
            d.overlap = true;
            CUgraph graph = nullptr;
            CUgraphExec executable = nullptr;
            if (captured) {
                OK(cuStreamBeginCapture_v2(d.stream, 1));
            }
            // of 255 numbers, so that the last thread of a block touches none
            CUresult result = d.launch("increment_overlapped", 4, 256, y, waiting == 256 ? 1000 : 255, waiting);
            if (captured) {
                OK(result);
                OK(cuStreamEndCapture(d.stream, &graph));
                OK(cuGraphInstantiateWithFlags(&executable, graph, 0));
                result = cuGraphLaunch(executable, d.stream);
            }
            EXPECT(waiting == 256 || late ? CUDA_SUCCESS : CUDA_ERROR_LAUNCH_FAILED, result);
            if (waiting == 256) {
                CHECK(d.download<float>(y, 1000) == std::vector<float>(1000, 1.0f));
                continue;
            }
            EXPECT(CUDA_ERROR_LAUNCH_FAILED, cuStreamSynchronize(d.stream));
            reported("block (0,0,0) of grid (4,1,1), thread (255,0,0): launched to overlap with the launch before, "
                     "the thread ends without griddepcontrol.wait");
        }
    }
    for (int how = 0; how < 4; how++) {
        Device d(image, late);
        CUdeviceptr y = d.upload(std::vector<float>(512));
        hastens(d, how, y, "allocation 1 (2048 bytes");
        if (how == 0) {
            CHECK(d.download<float>(y, 512) == std::vector<float>(512, 2.0f));
        }
    }
    Device d(image, late);
    CUdeviceptr y = d.upload(std::vector<float>(1000));
    OK(d.launch("increment_overlapped", 4, 256, y, 1000, 0));  // one after the other as ever
    CHECK(d.download<float>(y, 1000) == std::vector<float>(1000, 1.0f));
    for (int major : {9, 8}) {
        quern_sim_reset();
        quern_sim_set_compute_capability(major, 0);
        Device other(image, late, false);
        int compiled = 0;
        OK(cuFuncGetAttribute(&compiled, 5, other.function("increment_overlapped")));
        CHECK(compiled == major * 10);
        other.overlap = true;
        y = other.upload(std::vector<float>(1000));
        EXPECT(major == 9 ? CUDA_SUCCESS : CUDA_ERROR_NOT_SUPPORTED, other.launch("increment_overlapped", 4, 256, y, 1000, 256));
    }
}

/// The same with memory of the host that the device reads and writes in place, allocated or registered.
void overlaps_in_pinned_memory(bool late) {
    for (bool registered : {false, true}) {
        for (int how = 0; how < 4; how++) {
            Device d(image, late);
            void* memory = registered ? std::aligned_alloc(4096, 4096) : nullptr;
            OK(registered ? cuMemHostRegister_v2(memory, 4096, 0) : cuMemHostAlloc(&memory, 2048, 0));
            float* y = static_cast<float*>(memory);
            std::fill_n(y, 512, 0.0f);
            hastens(d, how, reinterpret_cast<CUdeviceptr>(memory),
                    registered ? "pinned host memory (4096 bytes" : "pinned host memory (2048 bytes");
            if (how == 0) {
                CHECK(std::all_of(y, y + 512, [](float value) { return value == 2.0f; }));
            }
            y[0] = 3.0f;  // the program's again, also after a failure
            (void)(registered ? cuMemHostUnregister(memory) : cuMemFreeHost(memory));
            if (registered) {
                std::free(memory);
            }
        }
    }
    float some[4];
    {
        Device d(image, late);
        EXPECT(CUDA_ERROR_NOT_SUPPORTED, cuMemHostRegister_v2(some, sizeof some, 8));  // to be read only
    }
    // the program may look at its memory at any time
    Device d(image, late);
    void* memory = nullptr;
    OK(cuMemHostAlloc(&memory, 2048, 0));
    volatile float* y = static_cast<float*>(memory);
    std::fill_n(y, 512, 0.0f);
    std::atomic<bool> done{false}, monotone{true};
    std::thread reader([&] {
        float before = 0;
        while (!done) {
            const float now = y[300];
            monotone = monotone && now >= before;
            before = now;
        }
    });
    d.overlap = true;
    for (int i = 0; i < 200; i++) {
        OK(d.launch("hasty", 2, 256, reinterpret_cast<CUdeviceptr>(memory), 0));
    }
    OK(cuStreamSynchronize(d.stream));
    done = true;
    reader.join();
    CHECK(monotone);
    CHECK(y[300] == 200.0f);
    OK(cuMemFreeHost(memory));
}

/// A function that hardware approximates, and the largest error that is documented: in units in the last place, or of a part.
struct Approximation {
    const char* name;
    double most;
    bool relative;
    double (*formula)(double);
};

/// All of one kernel: as far off as documented, to both sides and no further, or exact.
template <class Number>
void approximate(bool late, const char* kernel, const std::vector<Approximation>& functions) {
    constexpr size_t n = 4096;
    std::vector<Number> x(n);
    for (size_t i = 0; i < n; i++) {
        x[i] = (static_cast<Number>(i) - Number{2047.5}) / 512;
    }
    for (bool exact : {false, true}) {
        Device d(image, late);
        quern_sim_set_exact(exact);
        CUdeviceptr dx = d.upload(x), dy = d.upload(std::vector<Number>(functions.size() * n));
        OK(d.launch(kernel, n / 256, 256, dx, dy, static_cast<int>(n)));
        const std::vector<Number> y = d.download<Number>(dy, functions.size() * n);
        for (size_t f = 0; f < functions.size(); f++) {
            const auto& [name, most, relative, formula] = functions[f];
            double low = 0, high = 0;
            for (size_t i = 0; i < n; i++) {
                const double value = std::abs(formula(x[i])), got = std::abs(static_cast<double>(y[f * n + i]));
                CHECK(std::signbit(y[f * n + i]) == std::signbit(formula(x[i])));
                const Number rounded = static_cast<Number>(value);
                const double ulp = static_cast<double>(std::nextafter(rounded, 2 * rounded)) - rounded;
                const double error = relative ? (got - value) / value : (got - rounded) / ulp;
                low = std::min(low, error);
                high = std::max(high, error);
            }
            const double slack = relative ? 0x1p-23 : 0, expected = exact ? 0 : most;
            if (!CHECK(std::abs(low + expected) <= slack && std::abs(high - expected) <= slack)) {
                std::printf("%s: errors from %g to %g, expected -%g to %g\n", name, low, high, expected, expected);
            }
        }
    }
    quern_sim_reset();
}

void approximations(bool late) {
    approximate<float>(late, "approximations",
                       {{"ex2.approx", 2, false, [](double v) { return std::exp2(v); }},
                        {"rcp.approx", 1, false, [](double v) { return 1 / v; }},
                        {"tanh.approx", 0x1p-11, true, [](double v) { return std::tanh(v); }},
                        {"expf", 2, false, [](double v) { return std::exp(v); }},
                        {"tanhf", 2, false, [](double v) { return std::tanh(v); }}});
    approximate<double>(late, "approximations_in_double",
                        {{"log", 1, false, [](double v) { return std::log(std::abs(v)); }},
                         {"rsqrt", 1, false, [](double v) { return 1 / std::sqrt(std::abs(v)); }}});
}

void graphs(bool late) {
    Device d(image, late);
    CUdeviceptr y = d.upload(std::vector<float>(256, 10.0f));
    OK(cuStreamBeginCapture_v2(d.stream, 0));
    OK(cuMemsetD32Async(y, 0, 256, d.stream));
    for (int i = 0; i < 3; i++) {
        OK(d.launch("increment", 1, 256, y, 256));
    }
    CUgraph graph;
    OK(cuStreamEndCapture(d.stream, &graph));
    CHECK(d.download<float>(y, 1)[0] == 10.0f);
    CUgraphExec executable;
    OK(cuGraphInstantiateWithFlags(&executable, graph, 0));
    CUgraphNode nodes[8];
    size_t count = 8;
    OK(cuGraphGetNodes(graph, nodes, &count));
    CHECK(count == 4);
    OK(cuGraphDestroy(graph));
    for (int i = 0; i < 2; i++) {
        OK(cuGraphLaunch(executable, d.stream));
        OK(d.launch("increment", 1, 256, y, 256));
        CHECK(d.download<float>(y, 1)[0] == 4.0f);
    }
    // one kernel of the instantiated graph does nothing from now on
    int none = 0;
    void* parameters[] = {&y, &none};
    CUDA_KERNEL_NODE_PARAMS changed{d.function("increment"), 1, 1, 1, 256, 1, 1, 0, parameters, nullptr, nullptr, nullptr};
    OK(cuGraphExecKernelNodeSetParams_v2(executable, nodes[2], &changed));
    EXPECT(CUDA_ERROR_INVALID_VALUE, cuGraphExecKernelNodeSetParams_v2(executable, nodes[0], &changed));
    OK(cuGraphLaunch(executable, d.stream));
    CHECK(d.download<float>(y, 1)[0] == 2.0f);
    OK(cuGraphExecDestroy(executable));
    // what is not allowed in a capture ends it
    OK(cuStreamBeginCapture_v2(d.stream, 0));
    EXPECT(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuStreamSynchronize(d.stream));
    EXPECT(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, d.launch("increment", 1, 256, y, 256));
    EXPECT(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(d.stream, &graph));
    // a fork that is not joined
    CUstream other;
    CUevent event;
    OK(cuStreamCreate(&other, 1));
    OK(cuEventCreate(&event, 0));
    for (bool join : {false, true}) {
        OK(cuStreamBeginCapture_v2(d.stream, 0));
        OK(cuEventRecord(event, d.stream));
        OK(cuStreamWaitEvent(other, event, 0));
        OK(cuMemsetD32Async(y, 0, 256, other));
        if (join) {
            OK(cuEventRecord(event, other));
            OK(cuStreamWaitEvent(d.stream, event, 0));
        }
        EXPECT(join ? CUDA_SUCCESS : CUDA_ERROR_STREAM_CAPTURE_UNJOINED, cuStreamEndCapture(d.stream, &graph));
    }
}

void faults(bool late) {
    Device d(image, late);
    CUdeviceptr a = 0, b = 0;
    OK(quern_sim_fail("cuMemAlloc:2=CUDA_ERROR_OUT_OF_MEMORY"));
    OK(cuMemAlloc_v2(&a, 16));
    EXPECT(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&b, 16));
    OK(cuMemAlloc_v2(&b, 16));
    CHECK(quern_sim_pending_faults() == 0);
    OK(quern_sim_fail("cuMemFree_v2:1=CUDA_ERROR_UNKNOWN"));
    EXPECT(CUDA_ERROR_UNKNOWN, cuMemFree_v2(a));
    CHECK(quern_sim_outstanding_bytes() == 256);  // freed all the same
    EXPECT(CUDA_ERROR_INVALID_VALUE, quern_sim_fail("cuMemAlloc:0=CUDA_ERROR_UNKNOWN"));
    EXPECT(CUDA_ERROR_INVALID_VALUE, quern_sim_fail("cuMemAlloc:1=NO_SUCH_ERROR"));
    OK(quern_sim_fail("*:2=CUDA_ERROR_LAUNCH_FAILED"));
    OK(cuStreamSynchronize(d.stream));
    EXPECT(CUDA_ERROR_LAUNCH_FAILED, cuStreamSynchronize(d.stream));
    EXPECT(CUDA_ERROR_LAUNCH_FAILED, cuMemAlloc_v2(&a, 16));  // the context is lost
    EXPECT(CUDA_ERROR_LAUNCH_FAILED, cuMemFree_v2(b));
    CHECK(quern_sim_outstanding_bytes() == 0);
    CHECK(quern_sim_calls("cuMemAlloc") == 4);
    Device again(image, late);
    OK(cuMemAlloc_v2(&a, 16));
    quern_sim_reports();
    OK(cuDevicePrimaryCtxRelease_v2(0));
    reported("1 device allocations of 256 bytes were not freed");
}

void machines(bool) {
    quern_sim_reset();
    CUdeviceptr a;
    EXPECT(CUDA_ERROR_NOT_INITIALIZED, cuMemAlloc_v2(&a, 16));
    quern_sim_set_devices(0);
    EXPECT(CUDA_ERROR_NO_DEVICE, cuInit(0));
    quern_sim_reset();
    quern_sim_set_driver_version(12040);
    int version = 0;
    OK(cuDriverGetVersion(&version));
    CHECK(version == 12040);
    OK(cuInit(0));
    EXPECT(CUDA_ERROR_INVALID_CONTEXT, cuMemAlloc_v2(&a, 16));
    CUcontext context;
    OK(cuDevicePrimaryCtxRetain(&context, 0));
    OK(cuCtxSetCurrent(context));
    quern_sim_set_device_memory(1 << 20);
    OK(cuMemAllocAsync(&a, 512 << 10, nullptr));
    CUdeviceptr b = 0;
    EXPECT(CUDA_ERROR_OUT_OF_MEMORY, cuMemAllocAsync(&b, 768 << 10, nullptr));
    size_t free = 0, total = 0;
    OK(cuMemGetInfo_v2(&free, &total));
    CHECK(free == 512 << 10 && total == 1 << 20);
    OK(cuMemFreeAsync(a, nullptr));
    OK(cuMemAllocAsync(&b, 768 << 10, nullptr));
    OK(cuMemFreeAsync(b, nullptr));
    std::vector<char> bytes = read_file(image);
    CUlibrary library;
    unsigned fatbin[16] = {0xba55ed50u};
    EXPECT(CUDA_ERROR_NO_BINARY_FOR_GPU, cuLibraryLoadData(&library, fatbin, nullptr, nullptr, 0, nullptr, nullptr, 0));
    EXPECT(CUDA_ERROR_INVALID_IMAGE, cuLibraryLoadData(&library, "no image", nullptr, nullptr, 0, nullptr, nullptr, 0));
    quern_sim_set_compute_capability(7, 5);
    EXPECT(CUDA_ERROR_NO_BINARY_FOR_GPU, cuLibraryLoadData(&library, bytes.data(), nullptr, nullptr, 0, nullptr, nullptr, 0));
    quern_sim_set_compute_capability(8, 9);
    OK(cuLibraryLoadData(&library, bytes.data(), nullptr, nullptr, 0, nullptr, nullptr, 0));
    CUkernel kernel;
    EXPECT(CUDA_ERROR_NOT_FOUND, cuLibraryGetKernel(&kernel, library, "no_such_kernel"));
    OK(cuLibraryUnload(library));
    EXPECT(CUDA_ERROR_INVALID_HANDLE, cuLibraryUnload(library));
    void* function = nullptr;
    int status = -1;
    OK(cuGetProcAddress_v2("cuMemAlloc", &function, 13000, 0, &status));
    CHECK(function == reinterpret_cast<void*>(&cuMemAlloc_v2) && status == 0);
    EXPECT(CUDA_ERROR_NOT_FOUND, cuGetProcAddress_v2("cuNoSuchCall", &function, 13000, 0, &status));
    CHECK(status == 1);
}

}  // namespace

int main(int, char** arguments) {
    image = arguments[1];
    struct Case {
        const char* name;
        void (*run)(bool late);
    };
    const Case cases[] = {{"copies and order", copies_and_order}, {"block sums", reductions}, {"votes and matches", votes},
                          {"misuse", misuse}, {"bounds", bounds}, {"poison", poison}, {"shared memory limits", shared_limits},
                          {"cp.async", async_copies}, {"mbarriers", mbarriers},
                          {"missing synchronisation", missing_synchronisation}, {"events", events}, {"graphs", graphs}, {"overlaps", overlaps},
                          {"overlaps in pinned memory", overlaps_in_pinned_memory}, {"approximations", approximations},
                          {"fault injection", faults}, {"machines", machines}};
    for (const Case& c : cases) {
        for (bool late : {false, true}) {
            test(std::string(c.name) + (late ? ", late" : ", eager"), [&] { c.run(late); });
        }
    }
    return summary();
}
