#include "simulator.h"

#include <cstdlib>
#include <cstring>

#include "report.h"

namespace quern::driver {
namespace {

long number(const char* variable, long otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr || *text == 0 ? otherwise : std::strtol(text, nullptr, 0);
}

std::string describe(uintptr_t address) {
    const std::string host = simulator().host.describe(address);
    return host.empty() ? simulator().memory.describe(address) : host;
}

bool is_device(uintptr_t address) { return simulator().memory.contains(address); }

bool is_hidden(uintptr_t address) { return is_device(address) || simulator().host.pinned(reinterpret_cast<void*>(address), 1); }

}  // namespace

Settings Settings::from_environment() {
    Settings s;
    s.driver_version = static_cast<int>(number("QUERN_SIM_DRIVER_VERSION", s.driver_version));
    s.devices = static_cast<int>(number("QUERN_SIM_DEVICES", s.devices));
    long compute = number("QUERN_SIM_COMPUTE", 90);
    s.major = static_cast<int>(compute / 10);
    s.minor = static_cast<int>(compute % 10);
    s.memory = static_cast<size_t>(number("QUERN_SIM_MEMORY", static_cast<long>(s.memory)));
    const char* completion = std::getenv("QUERN_SIM_COMPLETION");
    s.early_loads = completion != nullptr && std::strcmp(completion, "mixed") == 0;
    s.late = s.early_loads || (completion != nullptr && std::strcmp(completion, "late") == 0);
    const char* math = std::getenv("QUERN_SIM_MATH");
    s.exact = math != nullptr && std::strcmp(math, "exact") == 0;
    return s;
}

Limits limits(int major, int minor) {
    switch (major * 10 + minor) {
        case 80:
        case 87:
            return {48 << 10, 163 << 10, 164 << 10, 108, 2048, 32};
        case 86:
        case 89:
            return {48 << 10, 99 << 10, 100 << 10, 84, 1536, 16};
        case 120:
        case 121:
            return {48 << 10, 99 << 10, 100 << 10, 170, 1536, 24};
        default:
            return {48 << 10, 227 << 10, 228 << 10, 132, 2048, 32};
    }
}

Simulator& simulator() {
    // never destroyed: the workers live as long as the process
    static Simulator* s = [] {
        auto* made = new Simulator;
        made->legacy = std::make_shared<Stream>();
        made->legacy->legacy = true;
        set_describer(describe, is_device, is_hidden);
        set_late(made->settings.late, made->settings.early_loads);
        set_exact(made->settings.exact);
        const char* faults = std::getenv("QUERN_SIM_FAIL");
        if (faults != nullptr) {
            set_faults(*made, faults);
        }
        return made;
    }();
    return *s;
}

std::shared_ptr<Stream> Simulator::stream(CUstream handle) {
    uintptr_t value = reinterpret_cast<uintptr_t>(handle);
    if (value <= 1) {
        return legacy;
    }
    if (value == 2) {
        auto& mine = per_thread[std::this_thread::get_id()];
        if (mine == nullptr) {
            mine = std::make_shared<Stream>();
        }
        return mine;
    }
    auto found = streams.find(handle);
    return found == streams.end() ? nullptr : found->second;
}

std::vector<Mark> Simulator::implicit_order(const std::shared_ptr<Stream>& stream) {
    std::vector<Mark> marks;
    auto add = [&](const std::shared_ptr<Stream>& other) {
        if (other != stream && other->completed < other->issued) {
            marks.push_back({other, other->issued});
        }
    };
    if (stream->legacy) {
        for (auto& [handle, other] : streams) {
            if (other->blocking) {
                add(other);
            }
        }
        for (auto& [thread, other] : per_thread) {
            add(other);
        }
    } else if (stream->blocking) {
        add(legacy);
    }
    return marks;
}

CUresult Simulator::enqueue(const std::shared_ptr<Stream>& stream, Task task) {
    if (stream->capture != nullptr) {
        Capture& capture = *stream->capture;
        if (capture.invalid) {
            return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
        }
        capture.tasks.push_back(std::move(task));
        if (stream != capture.origin) {
            capture.unjoined[stream.get()]++;
        }
        return CUDA_SUCCESS;
    }
    if (stream->legacy) {
        for (auto& [handle, other] : streams) {
            if (other->blocking && other->capture != nullptr) {
                other->capture->invalid = true;
                return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
            }
        }
    }
    stream->queue.push_back({std::move(task), implicit_order(stream)});
    stream->issued++;
    if (!settings.late) {
        stream->finish();
    }
    return lost;
}

void Simulator::finish_all() {
    finish_blocking();
    for (auto& [handle, stream] : streams) {
        stream->finish();
    }
}

void Simulator::finish_blocking() {
    legacy->finish();
    for (auto& [thread, stream] : per_thread) {
        stream->finish();
    }
    for (auto& [handle, stream] : streams) {
        if (stream->blocking) {
            stream->finish();
        }
    }
}

bool Simulator::capturing(int mode_at_most) const {
    for (auto& [handle, stream] : streams) {
        if (stream->capture != nullptr && !stream->capture->invalid && stream->capture->mode <= mode_at_most) {
            return true;
        }
    }
    return false;
}

void Simulator::invalidate_captures() {
    for (auto& [handle, stream] : streams) {
        if (stream->capture != nullptr) {
            stream->capture->invalid = true;
        }
    }
}

void Simulator::drop_context() {
    finish_all();
    memory.report_leaks("release of the context");
    memory.release_all();
    host.release_all();
    streams.clear();
    per_thread.clear();
    events.clear();
    executables.clear();
    graphs.clear();
    legacy = std::make_shared<Stream>();
    legacy->legacy = true;
    pool = {};
}

void Simulator::reset() {
    // what is queued belongs to what is dropped
    lost = CUDA_ERROR_CONTEXT_IS_DESTROYED;
    finish_all();
    memory.release_all();
    drop_context();
    libraries.clear();
    kernels.clear();
    lost = CUDA_SUCCESS;
    retained = 0;
    initialised = false;
    faults.clear();
    calls.clear();
    all_calls = 0;
    settings = Settings::from_environment();
    set_late(settings.late, settings.early_loads);
    set_exact(settings.exact);
    clear_reports();
}

std::vector<CUcontext>& context_stack() {
    thread_local std::vector<CUcontext> stack;
    return stack;
}

CUcontext primary_context() {
    static char identity;
    return reinterpret_cast<CUcontext>(&identity);
}

const char* name_of(CUresult error) {
    switch (error) {
#define X(name, code, text) \
    case code:              \
        return #name;
        QUERN_ERRORS(X)
#undef X
        default:
            return nullptr;
    }
}

CUresult error_of(const std::string& name) {
#define X(id, code, text)                                   \
    if (name == #id || name == std::to_string(int{code})) { \
        return code;                                        \
    }
    QUERN_ERRORS(X)
#undef X
    return -1;
}

Call::Call(const char* kind, Needs needs, bool releases) : kind_(kind), releases_(releases), lock_(simulator().lock) {
    Simulator& s = simulator();
    s.calls[kind]++;
    s.all_calls++;
    for (size_t i = 0; i < s.faults.size(); i++) {
        Fault& fault = s.faults[i];
        if ((fault.kind == "*" || fault.kind == kind) && --fault.remaining == 0) {
            error_ = fault.error;
            s.last_injected = kind;
            if (sticky(error_)) {
                s.lost = error_;
            }
            s.faults.erase(s.faults.begin() + static_cast<long>(i));
            return;
        }
    }
    if (needs == Needs::nothing) {
        return;
    }
    if (!s.initialised) {
        error_ = CUDA_ERROR_NOT_INITIALIZED;
        releases_ = false;
    } else if (needs == Needs::context) {
        if (context_stack().empty() || context_stack().back() == nullptr) {
            error_ = CUDA_ERROR_INVALID_CONTEXT;
            releases_ = false;
        } else if (s.retained == 0) {
            error_ = CUDA_ERROR_CONTEXT_IS_DESTROYED;
            releases_ = false;
        } else {
            error_ = s.lost;
        }
    }
}

CUresult Call::end(CUresult result) const {
    return error_ != CUDA_SUCCESS ? error_ : result != CUDA_SUCCESS ? result : CUDA_SUCCESS;
}

}  // namespace quern::driver
