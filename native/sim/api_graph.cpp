// Entry points: capture of streams into graphs, and their launches.
#include "image.h"
#include "report.h"
#include "simulator.h"

using namespace quern::driver;

namespace {

Graph* graph_of(CUgraph handle) {
    auto found = simulator().graphs.find(handle);
    return found == simulator().graphs.end() ? nullptr : found->second.get();
}

Graph* executable_of(CUgraphExec handle) {
    auto found = simulator().executables.find(handle);
    return found == simulator().executables.end() ? nullptr : found->second.get();
}

}  // namespace

QUERN_API CUresult cuStreamBeginCapture_v2(CUstream handle, int mode) {
    Call call("cuStreamBeginCapture", Needs::context);
    Simulator& s = simulator();
    auto stream = s.stream(handle);
    if (call || stream == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_HANDLE;
    }
    if (mode < 0 || mode > 2) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    if (stream->legacy) {
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    if (stream->capture != nullptr) {
        return CUDA_ERROR_ILLEGAL_STATE;
    }
    stream->capture = std::make_shared<Capture>();
    stream->capture->origin = stream;
    stream->capture->mode = mode;
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuStreamEndCapture(CUstream handle, CUgraph* graph) {
    Call call("cuStreamEndCapture", Needs::context);
    Simulator& s = simulator();
    auto stream = s.stream(handle);
    if (stream == nullptr || graph == nullptr) {
        return call ? call.error() : stream == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_ERROR_INVALID_VALUE;
    }
    if (stream->capture == nullptr) {
        return call ? call.error() : CUDA_ERROR_ILLEGAL_STATE;
    }
    auto capture = stream->capture;
    if (capture->origin != stream) {
        return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
    }
    *graph = nullptr;
    bool unjoined = false;
    for (auto& [other, count] : capture->unjoined) {
        unjoined |= count != 0;
        other->capture.reset();
    }
    stream->capture.reset();
    capture->origin.reset();
    if (call) {
        return call.error();
    }
    if (capture->invalid) {
        return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    }
    if (unjoined) {
        return CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
    }
    auto made = std::make_unique<Graph>();
    made->tasks = std::move(capture->tasks);
    static uintptr_t next = 0x20000;
    for (Task& task : made->tasks) {
        task.node = next += 16;
    }
    *graph = reinterpret_cast<CUgraph>(made.get());
    s.graphs[*graph] = std::move(made);
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuStreamIsCapturing(CUstream handle, int* status) {
    Call call("cuStreamIsCapturing", Needs::context);
    auto stream = simulator().stream(handle);
    if (call || stream == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_HANDLE;
    }
    *status = stream->capture == nullptr ? 0 : stream->capture->invalid ? 2 : 1;
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuThreadExchangeStreamCaptureMode(int* mode) {
    Call call("cuThreadExchangeStreamCaptureMode", Needs::driver);
    static thread_local int mine = 0;
    if (!call) {
        std::swap(mine, *mode);
    }
    return call.error();
}

QUERN_API CUresult cuGraphCreate(CUgraph* graph, unsigned flags) {
    Call call("cuGraphCreate", Needs::context);
    if (call || graph == nullptr || flags != 0) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    auto made = std::make_unique<Graph>();
    *graph = reinterpret_cast<CUgraph>(made.get());
    simulator().graphs[*graph] = std::move(made);
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuGraphDestroy(CUgraph graph) {
    Call call("cuGraphDestroy", Needs::context, true);
    if (call) {
        return call.error();
    }
    return call.end(simulator().graphs.erase(graph) == 1 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE);
}

QUERN_API CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode* nodes, size_t* count) {
    Call call("cuGraphGetNodes", Needs::context);
    Graph* graph = graph_of(handle);
    if (call || graph == nullptr || count == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    for (size_t i = 0; nodes != nullptr && i < *count; i++) {
        nodes[i] = i < graph->tasks.size() ? reinterpret_cast<CUgraphNode>(graph->tasks[i].node) : nullptr;
    }
    *count = graph->tasks.size();
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuGraphInstantiateWithFlags(CUgraphExec* executable, CUgraph handle, unsigned long long) {
    Call call("cuGraphInstantiateWithFlags", Needs::context);
    Graph* graph = graph_of(handle);
    if (call || graph == nullptr || executable == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    auto made = std::make_unique<Graph>(*graph);
    *executable = reinterpret_cast<CUgraphExec>(made.get());
    simulator().executables[*executable] = std::move(made);
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuGraphExecDestroy(CUgraphExec executable) {
    Call call("cuGraphExecDestroy", Needs::context, true);
    if (call) {
        return call.error();
    }
    return call.end(simulator().executables.erase(executable) == 1 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE);
}

QUERN_API CUresult cuGraphUpload(CUgraphExec executable, CUstream) {
    Call call("cuGraphUpload", Needs::context);
    return call ? call.error() : executable_of(executable) == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_SUCCESS;
}

QUERN_API CUresult cuGraphExecUpdate_v2(CUgraphExec executable, CUgraph handle, CUgraphExecUpdateResultInfo* info) {
    Call call("cuGraphExecUpdate", Needs::context);
    Graph *target = executable_of(executable), *graph = graph_of(handle);
    if (call || target == nullptr || graph == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    bool same = target->tasks.size() == graph->tasks.size();
    for (size_t i = 0; same && i < graph->tasks.size(); i++) {
        same = (target->tasks[i].kernel == nullptr) == (graph->tasks[i].kernel == nullptr);
    }
    if (info != nullptr) {
        *info = {same ? 0 : 2, nullptr, nullptr};
    }
    if (!same) {
        return CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE;
    }
    target->tasks = graph->tasks;
    return CUDA_SUCCESS;
}

/// Other parameters for a kernel of an instantiated graph; its attributes stay.
QUERN_API CUresult cuGraphExecKernelNodeSetParams_v2(CUgraphExec executable, CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS* p) {
    Call call("cuGraphExecKernelNodeSetParams", Needs::context);
    Simulator& s = simulator();
    Graph* graph = executable_of(executable);
    if (call || graph == nullptr || p == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    for (Task& task : graph->tasks) {
        if (task.node != reinterpret_cast<uintptr_t>(node) || task.kernel == nullptr) {
            continue;
        }
        auto kernel = s.kernels.find(p->func != nullptr ? static_cast<void*>(p->func) : static_cast<void*>(p->kern));
        if (kernel == s.kernels.end()) {
            return CUDA_ERROR_INVALID_HANDLE;
        }
        CUlaunchAttribute attributes[2]{};
        attributes[0].id = 4;
        attributes[0].value.cluster = {task.cluster[0], task.cluster[1], task.cluster[2]};
        attributes[1].id = 6;
        attributes[1].value.value = task.overlaps;
        CUlaunchConfig config{p->gridDimX, p->gridDimY, p->gridDimZ, p->blockDimX, p->blockDimY, p->blockDimZ, p->sharedMemBytes,
                              nullptr, attributes, 2};
        Task fresh;
        CUresult result = make_launch(s, kernel->second.get(), config, p->kernelParams, p->extra, &fresh);
        if (result == CUDA_SUCCESS) {
            fresh.node = task.node;
            task = std::move(fresh);
        }
        return call.end(result);
    }
    return CUDA_ERROR_INVALID_VALUE;
}

QUERN_API CUresult cuGraphLaunch(CUgraphExec executable, CUstream stream_handle) {
    Call call("cuGraphLaunch", Needs::context);
    Simulator& s = simulator();
    Graph* graph = executable_of(executable);
    auto stream = s.stream(stream_handle);
    if (call || graph == nullptr || stream == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_HANDLE;
    }
    for (const Task& task : graph->tasks) {
        CUresult result = s.enqueue(stream, task);
        if (result != CUDA_SUCCESS) {
            return call.end(result);
        }
    }
    return call.end();
}
