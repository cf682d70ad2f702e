// Entry points: streams, events.
#include "report.h"
#include "simulator.h"

using namespace quern::driver;

namespace {

Event* event_of(CUevent handle) {
    auto found = simulator().events.find(handle);
    return found == simulator().events.end() ? nullptr : found->second.get();
}

CUresult create(const char* kind, CUstream* handle, unsigned flags, int priority) {
    Call call(kind, Needs::context);
    if (call || handle == nullptr || flags > 1) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    auto stream = std::make_shared<Stream>();
    stream->flags = flags;
    stream->blocking = flags == 0;
    stream->priority = priority;
    *handle = reinterpret_cast<CUstream>(stream.get());
    simulator().streams[*handle] = stream;
    return CUDA_SUCCESS;
}

/// For calls that wait for a stream: an error when it is being captured.
CUresult waitable(const std::shared_ptr<Stream>& stream) {
    if (stream == nullptr) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    if (stream->capture != nullptr) {
        stream->capture->invalid = true;
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    return CUDA_SUCCESS;
}

}  // namespace

QUERN_API CUresult cuStreamCreate(CUstream* stream, unsigned flags) { return create("cuStreamCreate", stream, flags, 0); }

QUERN_API CUresult cuStreamCreateWithPriority(CUstream* stream, unsigned flags, int priority) {
    return create("cuStreamCreateWithPriority", stream, flags, priority);
}

QUERN_API CUresult cuStreamGetFlags(CUstream handle, unsigned* flags) {
    Call call("cuStreamGetFlags", Needs::context);
    auto stream = simulator().stream(handle);
    if (call || stream == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_HANDLE;
    }
    *flags = stream->flags;
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuStreamGetPriority(CUstream handle, int* priority) {
    Call call("cuStreamGetPriority", Needs::context);
    auto stream = simulator().stream(handle);
    if (call || stream == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_HANDLE;
    }
    *priority = stream->priority;
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuStreamDestroy_v2(CUstream handle) {
    Call call("cuStreamDestroy", Needs::context, true);
    if (call) {
        return call.error();
    }
    Simulator& s = simulator();
    auto found = s.streams.find(handle);
    if (found == s.streams.end()) {
        return call.end(CUDA_ERROR_INVALID_HANDLE);
    }
    auto stream = found->second;
    stream->finish();
    s.streams.erase(found);
    return call.end(s.lost);
}

QUERN_API CUresult cuStreamSynchronize(CUstream handle) {
    Call call("cuStreamSynchronize", Needs::context);
    auto stream = simulator().stream(handle);
    if (call) {
        return call.error();
    }
    if (CUresult error = waitable(stream)) {
        return error;
    }
    // the legacy stream is done when all that it waits for is
    for (const Mark& mark : simulator().implicit_order(stream)) {
        if (stream->legacy) {
            mark.stream->run_until(mark.position);
        }
    }
    stream->finish();
    return simulator().lost;
}

QUERN_API CUresult cuStreamQuery(CUstream handle) {
    Call call("cuStreamQuery", Needs::context);
    auto stream = simulator().stream(handle);
    if (call) {
        return call.error();
    }
    if (CUresult error = waitable(stream)) {
        return error;
    }
    // one step for each question: it may be asked in a loop
    bool pending = stream->step();
    return simulator().lost != CUDA_SUCCESS ? simulator().lost : pending ? CUDA_ERROR_NOT_READY : CUDA_SUCCESS;
}

QUERN_API CUresult cuStreamWaitEvent(CUstream handle, CUevent event_handle, unsigned flags) {
    Call call("cuStreamWaitEvent", Needs::context);
    Simulator& s = simulator();
    auto stream = s.stream(handle);
    Event* event = event_of(event_handle);
    if (call || stream == nullptr || event == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_HANDLE;
    }
    if (flags > 1) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    auto capture = event->capture.lock();
    if (capture != nullptr) {
        if (stream->capture == nullptr) {
            if (stream->legacy) {
                return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
            }
            stream->capture = capture;
            capture->unjoined[stream.get()] = 0;
        } else if (stream->capture != capture) {
            return CUDA_ERROR_STREAM_CAPTURE_MERGE;
        }
        auto forked = capture->unjoined.find(event->capture_stream);
        if (forked != capture->unjoined.end() && forked->second == event->capture_position && stream.get() != event->capture_stream) {
            forked->second = 0;
        }
        return CUDA_SUCCESS;
    }
    if (stream->capture != nullptr) {
        stream->capture->invalid = true;
        return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
    }
    if (!event->recorded || event->complete()) {
        return CUDA_SUCCESS;
    }
    Mark mark = event->mark;
    return call.end(s.enqueue(stream, {"cuStreamWaitEvent", [mark] {
                                           mark.stream->run_until(mark.position);
                                           return CUDA_SUCCESS;
                                       }}));
}

QUERN_API CUresult cuLaunchHostFunc(CUstream handle, CUhostFn function, void* data) {
    Call call("cuLaunchHostFunc", Needs::context);
    auto stream = simulator().stream(handle);
    if (call || stream == nullptr || function == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_HANDLE;
    }
    return call.end(simulator().enqueue(stream, {"cuLaunchHostFunc", [=] {
                                                     function(data);
                                                     return CUDA_SUCCESS;
                                                 }}));
}

QUERN_API CUresult cuEventCreate(CUevent* handle, unsigned flags) {
    Call call("cuEventCreate", Needs::context);
    if (call || handle == nullptr || flags > 7) {
        return call ? call.error() : CUDA_ERROR_INVALID_VALUE;
    }
    auto event = std::make_unique<Event>();
    event->flags = flags;
    *handle = reinterpret_cast<CUevent>(event.get());
    simulator().events[*handle] = std::move(event);
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuEventDestroy_v2(CUevent handle) {
    Call call("cuEventDestroy", Needs::context, true);
    if (call) {
        return call.error();
    }
    return call.end(simulator().events.erase(handle) == 1 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE);
}

QUERN_API CUresult cuEventRecord(CUevent handle, CUstream stream_handle) {
    Call call("cuEventRecord", Needs::context);
    Simulator& s = simulator();
    Event* event = event_of(handle);
    auto stream = s.stream(stream_handle);
    if (call || event == nullptr || stream == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_HANDLE;
    }
    if (stream->capture != nullptr) {
        event->capture = stream->capture;
        event->capture_stream = stream.get();
        auto forked = stream->capture->unjoined.find(stream.get());
        event->capture_position = forked == stream->capture->unjoined.end() ? 0 : forked->second;
        return CUDA_SUCCESS;
    }
    event->capture.reset();
    event->recorded = true;
    event->mark = {stream, stream->issued + 1};
    auto time = std::make_shared<std::chrono::steady_clock::time_point>();
    event->time = time;
    return call.end(s.enqueue(stream, {"cuEventRecord", [time] {
                                           *time = std::chrono::steady_clock::now();
                                           return CUDA_SUCCESS;
                                       }}));
}

QUERN_API CUresult cuEventSynchronize(CUevent handle) {
    Call call("cuEventSynchronize", Needs::context);
    Event* event = event_of(handle);
    if (call || event == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_HANDLE;
    }
    if (event->capture.lock() != nullptr) {
        event->capture.lock()->invalid = true;
        return CUDA_ERROR_CAPTURED_EVENT;
    }
    if (event->recorded) {
        event->mark.stream->run_until(event->mark.position);
    }
    return simulator().lost;
}

QUERN_API CUresult cuEventQuery(CUevent handle) {
    Call call("cuEventQuery", Needs::context);
    Event* event = event_of(handle);
    if (call || event == nullptr) {
        return call ? call.error() : CUDA_ERROR_INVALID_HANDLE;
    }
    if (event->capture.lock() != nullptr) {
        return CUDA_ERROR_CAPTURED_EVENT;
    }
    if (event->complete()) {
        return simulator().lost;
    }
    event->mark.stream->step();
    return CUDA_ERROR_NOT_READY;
}

static CUresult elapsed(const char* kind, float* milliseconds, CUevent first, CUevent second) {
    Call call(kind, Needs::context);
    Event *from = event_of(first), *to = event_of(second);
    if (call || from == nullptr || to == nullptr || !from->recorded || !to->recorded || ((from->flags | to->flags) & 2) != 0) {
        return call ? call.error() : CUDA_ERROR_INVALID_HANDLE;
    }
    if (!from->complete() || !to->complete()) {
        return CUDA_ERROR_NOT_READY;
    }
    *milliseconds = std::chrono::duration<float, std::milli>(*to->time - *from->time).count();
    return CUDA_SUCCESS;
}

QUERN_API CUresult cuEventElapsedTime(float* milliseconds, CUevent first, CUevent second) {
    return elapsed("cuEventElapsedTime", milliseconds, first, second);
}

QUERN_API CUresult cuEventElapsedTime_v2(float* milliseconds, CUevent first, CUevent second) {
    return elapsed("cuEventElapsedTime", milliseconds, first, second);
}
