// What the simulator offers beyond the driver's interface: settings, fault injection, counts. For tests.
#include <cstring>
#include <sstream>

#include "report.h"
#include "simulator.h"

using namespace quern::driver;

namespace quern::driver {

CUresult set_faults(Simulator& s, const char* rules) {
    std::vector<Fault> faults;
    std::stringstream list(rules == nullptr ? "" : rules);
    std::string rule;
    while (std::getline(list, rule, ',')) {
        size_t colon = rule.find(':'), equals = rule.find('=');
        std::string kind = rule.substr(0, colon);
        // calls are counted without the version of their entry point
        size_t version = kind.rfind("_v");
        if (version != std::string::npos && version + 3 == kind.size()) {
            kind.resize(version);
        }
        long n = colon == std::string::npos ? 0 : std::strtol(rule.c_str() + colon + 1, nullptr, 10);
        CUresult error = equals == std::string::npos ? -1 : error_of(rule.substr(equals + 1));
        if (n <= 0 || error < 0) {
            report("bad rule '" + rule + "', expected call:number=error, for example cuMemAlloc:1=CUDA_ERROR_OUT_OF_MEMORY");
            return CUDA_ERROR_INVALID_VALUE;
        }
        faults.push_back({kind, n, error});
    }
    s.faults = std::move(faults);
    return CUDA_SUCCESS;
}

}  // namespace quern::driver

namespace {

struct Locked {
    Simulator& s = simulator();
    std::lock_guard<std::recursive_mutex> lock{s.lock};
    Simulator* operator->() { return &s; }
};

}  // namespace

/// Forgets everything, sticky errors too, as if the process had just started. Device pointers and handles die.
QUERN_API void quern_sim_reset() {
    Locked s;
    s->reset();
    context_stack().clear();
}

QUERN_API CUresult quern_sim_fail(const char* rules) {
    Locked s;
    return set_faults(s.s, rules);
}

/// Rules that have not fired yet.
QUERN_API int quern_sim_pending_faults() {
    Locked s;
    return static_cast<int>(s->faults.size());
}

/// The kind of the call that the last injected error hit, or "".
QUERN_API const char* quern_sim_last_injected() {
    Locked s;
    static thread_local std::string copy;
    copy = s->last_injected;
    return copy.c_str();
}

/// Calls of a kind (without _v2) since the start or the last quern_sim_reset; "*" or null for all.
QUERN_API long quern_sim_calls(const char* kind) {
    Locked s;
    if (kind == nullptr || std::strcmp(kind, "*") == 0) {
        return s->all_calls;
    }
    auto found = s->calls.find(kind);
    return found == s->calls.end() ? 0 : found->second;
}

/// "kind count" lines, sorted by kind; returns the length needed.
QUERN_API long quern_sim_call_table(char* target, long capacity) {
    Locked s;
    std::string table;
    for (auto& [kind, count] : s->calls) {
        table += kind + " " + std::to_string(count) + "\n";
    }
    if (target != nullptr && capacity > 0) {
        std::strncpy(target, table.c_str(), static_cast<size_t>(capacity));
        target[capacity - 1] = 0;
    }
    return static_cast<long>(table.size()) + 1;
}

QUERN_API void quern_sim_clear_calls() {
    Locked s;
    s->calls.clear();
    s->all_calls = 0;
}

QUERN_API long quern_sim_outstanding_bytes() {
    Locked s;
    return static_cast<long>(s->memory.used());
}

QUERN_API long quern_sim_outstanding_allocations() {
    Locked s;
    return static_cast<long>(s->memory.live());
}

QUERN_API long quern_sim_pinned_bytes() {
    Locked s;
    return static_cast<long>(s->host.used());
}

QUERN_API long quern_sim_peak_bytes() {
    Locked s;
    return static_cast<long>(s->memory.peak());
}

/// Streams, events, graphs and executable graphs that were not destroyed.
QUERN_API long quern_sim_outstanding_handles() {
    Locked s;
    return static_cast<long>(s->streams.size() + s->events.size() + s->graphs.size() + s->executables.size());
}

QUERN_API long quern_sim_reports() { return reports(); }

QUERN_API const char* quern_sim_report() {
    static thread_local std::string copy;
    copy = last_report();
    return copy.c_str();
}

QUERN_API void quern_sim_clear_reports() { clear_reports(); }

/// 0 eager, 1 late, 2 mixed.
QUERN_API void quern_sim_set_late(int late) {
    Locked s;
    s->finish_all();
    s->settings.late = late != 0;
    s->settings.early_loads = late == 2;
    set_late(s->settings.late, s->settings.early_loads);
}

/// 1: functions that hardware approximates are exact; 0: as far off as is documented.
QUERN_API void quern_sim_set_exact(int exact) {
    Locked s;
    s->finish_all();
    s->settings.exact = exact != 0;
    set_exact(s->settings.exact);
}

QUERN_API void quern_sim_set_driver_version(int version) { Locked()->settings.driver_version = version; }

QUERN_API void quern_sim_set_devices(int devices) { Locked()->settings.devices = devices; }

QUERN_API void quern_sim_set_device_memory(long bytes) { Locked()->settings.memory = static_cast<size_t>(bytes); }

QUERN_API void quern_sim_set_compute_capability(int major, int minor) {
    Locked s;
    s->settings.major = major;
    s->settings.minor = minor;
}

/// What functions say that they were compiled for, as major * 10 + minor, like code from PTX on a newer GPU; 0: its own.
QUERN_API void quern_sim_set_compiled_for(int capability) { Locked()->settings.compiled_for = capability; }

/// The error that made the context lost, or 0.
QUERN_API CUresult quern_sim_lost() { return Locked()->lost; }

QUERN_API long quern_sim_kernels_run() { return kernels_run(); }

QUERN_API long quern_sim_overlapping_kernels_run() { return overlapping_kernels_run(); }
