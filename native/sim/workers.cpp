#include "workers.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "abi.h"
#include "memory.h"
#include "report.h"

namespace quern::driver {
namespace {

constexpr size_t kSignalStack = 64 << 10;

struct Worker {
    Group group;
    char* signal_stack = nullptr;
    char* emergency_stack = nullptr;
    // what the signal handler saw
    uintptr_t fault_address = 0;
    int fault_signal = 0, fault_code = 0;
};

__attribute__((tls_model("initial-exec"))) thread_local Worker* worker = nullptr;

std::string (*describe_address)(uintptr_t) = nullptr;
bool (*is_device_address)(uintptr_t) = nullptr;
bool (*is_hidden_address)(uintptr_t) = nullptr;
struct sigaction previous[NSIG];

/// One launch at a time; clusters are handed out in order, so a failure's cluster is known to be the first.
struct Job {
    const Launch* launch = nullptr;
    bool before_wait = false;
    sim::Dim clusters{};
    uint64_t count = 0;
    std::atomic<uint64_t> next{0};
    std::mutex guard;
    std::atomic<uint64_t> failed_cluster{~uint64_t{0}};
    Failure failure;
};

// never destroyed: workers wait on them until the process is gone
std::mutex& guard = *new std::mutex;
std::condition_variable &wake = *new std::condition_variable, &done = *new std::condition_variable;
Job* job = nullptr;
uint64_t generation = 0;
unsigned busy = 0, started = 0;
std::atomic<long> kernels{0}, overlapping{0};

unsigned thread_count() {
    static const unsigned count = [] {
        if (const char* text = std::getenv("QUERN_SIM_THREADS")) {
            int n = std::atoi(text);
            if (n > 0) {
                return static_cast<unsigned>(n);
            }
        }
        cpu_set_t set;
        return sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<unsigned>(CPU_COUNT(&set)) : 1u;
    }();
    return count;
}

/// After a fault in a kernel: on the worker's emergency stack, outside of the signal handler.
[[noreturn]] void land() {
    Worker& w = *worker;
    landed(w.emergency_stack, kSignalStack);
    int error = CUDA_ERROR_LAUNCH_FAILED;
    std::string message;
    if (w.fault_signal == SIGFPE) {
        message = "division by zero of integers";
    } else if (w.fault_signal == SIGILL) {
        message = "trap";
    } else if (w.group.pool().in_guard(reinterpret_cast<void*>(w.fault_address))) {
        message = "the thread's stack overflowed";
    } else if (w.fault_code == SI_KERNEL && w.fault_address == 0) {
        // x86 does not say where: a non-canonical address, or an aligned vector access to a misaligned one
        error = CUDA_ERROR_MISALIGNED_ADDRESS;
        message = "misaligned vector access, or a wild address";
    } else if (w.group.before_wait() && is_hidden_address != nullptr && is_hidden_address(w.fault_address)) {
        message = text("access before griddepcontrol.wait to 0x%llx, which %s; the launch before may still use it",
                       static_cast<unsigned long long>(w.fault_address), describe_address(w.fault_address).c_str());
    } else {
        error = CUDA_ERROR_ILLEGAL_ADDRESS;
        message = text("access to 0x%llx, which %s", static_cast<unsigned long long>(w.fault_address),
                       describe_address == nullptr ? "is unknown" : describe_address(w.fault_address).c_str());
    }
    w.group.fail(error, std::move(message));
}

void on_signal(int signal, siginfo_t* info, void* context) {
    Worker* w = worker;
    if (w != nullptr && w->group.in_kernel()) {
        w->fault_address = reinterpret_cast<uintptr_t>(info->si_addr);
        w->fault_signal = signal;
        w->fault_code = info->si_code;
        auto* machine = &static_cast<ucontext_t*>(context)->uc_mcontext;
        machine->gregs[REG_RSP] = reinterpret_cast<greg_t>(w->emergency_stack + kSignalStack - 64 - 8);
        machine->gregs[REG_RIP] = reinterpret_cast<greg_t>(land);
        return;
    }
    const bool of_device =
        signal == SIGSEGV && is_device_address != nullptr && is_device_address(reinterpret_cast<uintptr_t>(info->si_addr));
    if (signal == SIGSEGV && info->si_code == SEGV_ACCERR && !of_device && HostMemory::comes_back()) {
        return;  // a kernel's early part hid pinned memory from the program, too
    }
    if (of_device) {
        report(text("host code touched device memory at %p", info->si_addr));
    }
    const struct sigaction& old = previous[signal];
    if ((old.sa_flags & SA_SIGINFO) != 0 && old.sa_sigaction != nullptr) {
        old.sa_sigaction(signal, info, context);
    } else if (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN) {
        old.sa_handler(signal);
    } else {
        sigaction(signal, &old, nullptr);
    }
}

/// In front of the handlers that are there (a JVM's, say), which get every signal that is not a kernel's.
void install_handlers() {
    for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
        struct sigaction action {};
        action.sa_sigaction = on_signal;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        sigemptyset(&action.sa_mask);
        sigaction(signal, nullptr, &previous[signal]);
        action.sa_mask = previous[signal].sa_mask;
        sigaction(signal, &action, nullptr);
    }
}

void work_on(Job& j) {
    for (;;) {
        uint64_t index = j.next.fetch_add(1);
        if (index >= j.count || index > j.failed_cluster) {
            return;
        }
        sim::Dim cluster{static_cast<unsigned>(index % j.clusters.x), static_cast<unsigned>(index / j.clusters.x % j.clusters.y),
                         static_cast<unsigned>(index / j.clusters.x / j.clusters.y)};
        if (!worker->group.run(*j.launch, cluster, runtime(), j.before_wait)) {
            std::lock_guard lock(j.guard);
            if (index < j.failed_cluster) {
                j.failed_cluster = index;
                j.failure = worker->group.failure();
            }
        }
    }
}

void* worker_main(void*) {
    worker = new Worker;
    auto map = [] {
        return static_cast<char*>(mmap(nullptr, kSignalStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    };
    worker->signal_stack = map();
    worker->emergency_stack = map();
    stack_t alternate{worker->signal_stack, 0, kSignalStack};
    sigaltstack(&alternate, nullptr);
    uint64_t seen = 0;
    for (;;) {
        Job* mine = nullptr;
        {
            std::unique_lock lock(guard);
            wake.wait(lock, [&] { return generation != seen; });
            seen = generation;
            mine = job;
            if (mine == nullptr) {
                continue;
            }
            busy++;
        }
        work_on(*mine);
        std::lock_guard lock(guard);
        if (--busy == 0) {
            done.notify_all();
        }
    }
    return nullptr;
}

void start_workers() {
    if (started != 0) {
        return;
    }
    install_handlers();
    // kernels' signals must reach the workers, all others the threads that were there before
    sigset_t all, old;
    sigfillset(&all);
    for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
        sigdelset(&all, signal);
    }
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (unsigned i = 0; i < thread_count(); i++) {
        pthread_t thread;
        pthread_create(&thread, nullptr, worker_main, nullptr);
        pthread_detach(thread);
        started++;
    }
    pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

Failure run(const Launch& launch, bool before_wait) {
    Job mine;
    mine.launch = &launch;
    mine.before_wait = before_wait;
    mine.clusters = {launch.grid.x / launch.cluster.x, launch.grid.y / launch.cluster.y, launch.grid.z / launch.cluster.z};
    mine.count = uint64_t{mine.clusters.x} * mine.clusters.y * mine.clusters.z;
    std::unique_lock lock(guard);
    start_workers();
    job = &mine;
    generation++;
    if (mine.count == 1) {
        wake.notify_one();
    } else {
        wake.notify_all();
    }
    done.wait(lock, [&] { return busy == 0 && (mine.next >= mine.count || mine.failed_cluster != ~uint64_t{0}); });
    job = nullptr;
    return mine.failure;
}

}  // namespace

void set_describer(std::string (*describe)(uintptr_t), bool (*is_device)(uintptr_t), bool (*is_hidden)(uintptr_t)) {
    describe_address = describe;
    is_device_address = is_device;
    is_hidden_address = is_hidden;
}

Failure run_kernel(const Launch& launch) {
    kernels++;
    overlapping += launch.overlaps;
    return run(launch, false);
}

Failure run_before_wait(const Launch& launch) { return run(launch, true); }

long kernels_run() { return kernels; }

long overlapping_kernels_run() { return overlapping; }

}  // namespace quern::driver
