#include "memory.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "report.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes)
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes)
#endif

namespace quern::driver {
namespace {

constexpr size_t kPage = 4096;
// a NaN as f32, f64 and (twice) bf16, and no valid index
constexpr uint32_t kPoison = 0x7fff7fffu;
constexpr unsigned char kCanary = 0xc5;

/// Odd while pinned memory is hidden.
std::atomic<unsigned> hidings{0};
/// What hidings was when this thread last tried again.
__attribute__((tls_model("initial-exec"))) thread_local unsigned tried_at = 0;

size_t round_up(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

/// What device addresses are multiples of: the driver promises 256; 16 moves the guard page closer to the end.
size_t granularity() {
    static const size_t value = [] {
        const char* text = std::getenv("QUERN_SIM_ALIGN");
        size_t n = text == nullptr ? 256 : std::strtoul(text, nullptr, 10);
        return n >= 16 && n <= kPage && (n & (n - 1)) == 0 ? n : 256;
    }();
    return value;
}

/// Whether device memory is out of reach between kernels. Costs page faults after every one, so it must be asked for.
bool guards_from_host() {
    static const bool value = [] {
        const char* text = std::getenv("QUERN_SIM_GUARD_HOST");
        return text != nullptr && *text == '1';
    }();
    return value;
}

void protect(const Allocation& a, int protection) {
    mprotect(reinterpret_cast<void*>(a.first_page), a.end_page - a.first_page, protection);
}

void fill_poison(char* target, size_t bytes) {
    size_t words = bytes / 4;
    std::fill_n(reinterpret_cast<uint32_t*>(target), words, kPoison);
    std::memset(target + words * 4, 0x7f, bytes % 4);
}

}  // namespace

DeviceMemory::~DeviceMemory() {
    if (base_ != 0) {
        munmap(reinterpret_cast<void*>(base_), kSpan);
        munmap(alias_, kSpan);
        ::close(file_);
    }
}

bool DeviceMemory::map() {
    if (base_ != 0) {
        return true;
    }
    file_ = memfd_create("quern-sim-device", MFD_CLOEXEC);
    if (file_ < 0 || ftruncate(file_, kSpan) != 0) {
        report("cannot create the memory file of the device");
        return false;
    }
    void* device = mmap(nullptr, kSpan, PROT_NONE, MAP_SHARED | MAP_NORESERVE, file_, 0);
    void* host = mmap(nullptr, kSpan, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file_, 0);
    if (device == MAP_FAILED || host == MAP_FAILED) {
        report("cannot reserve address space for the device; raise the limit of virtual memory (ulimit -v)");
        return false;
    }
    madvise(device, kSpan, MADV_DONTDUMP);
    madvise(host, kSpan, MADV_DONTDUMP);
    base_ = reinterpret_cast<uintptr_t>(device);
    alias_ = static_cast<char*>(host);
    return true;
}

CUresult DeviceMemory::allocate(size_t bytes, size_t limit, bool pooled, CUdeviceptr* address) {
    if (bytes == 0) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    size_t rounded = round_up(bytes, granularity());
    if (rounded < bytes || used_ + rounded > limit || !map()) {
        return CUDA_ERROR_OUT_OF_MEMORY;
    }
    size_t span = round_up(rounded, kPage);
    if (next_ + span + kPage > kSpan) {
        report("the simulated device has used up its addresses, none of which is used twice");
        return CUDA_ERROR_OUT_OF_MEMORY;
    }
    Allocation a{};
    a.first_page = base_ + next_;
    a.end_page = a.first_page + span;
    a.address = a.end_page - rounded;
    a.bytes = bytes;
    a.serial = ++serial_;
    a.pooled = pooled;
    next_ += span + kPage;
    std::memset(alias(a.first_page), kCanary, a.address - a.first_page);
    fill_poison(alias(a.address), bytes);
    std::memset(alias(a.address + bytes), kCanary, rounded - bytes);
    ASAN_POISON_MEMORY_REGION(reinterpret_cast<void*>(a.address + bytes), rounded - bytes);
    ASAN_POISON_MEMORY_REGION(reinterpret_cast<void*>(a.first_page), a.address - a.first_page);
    if (!guards_from_host()) {
        protect(a, PROT_READ | PROT_WRITE);
    }
    live_[a.address] = a;
    used_ += rounded;
    peak_ = std::max(peak_, used_);
    pooled_ += pooled ? rounded : 0;
    *address = a.address;
    return CUDA_SUCCESS;
}

CUresult DeviceMemory::release(CUdeviceptr address) {
    auto found = live_.find(address);
    if (found == live_.end()) {
        report(text("free of 0x%llx, which %s", address, describe(address).c_str()));
        return CUDA_ERROR_INVALID_VALUE;
    }
    Allocation a = found->second;
    intact(a, "free", true);
    size_t rounded = a.end_page - a.address;
    used_ -= rounded;
    pooled_ -= a.pooled ? rounded : 0;
    live_.erase(found);
    protect(a, PROT_NONE);
    ASAN_UNPOISON_MEMORY_REGION(reinterpret_cast<void*>(a.first_page), a.end_page - a.first_page);
    fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(a.first_page - base_),
              static_cast<off_t>(a.end_page - a.first_page));
    freed_.push_back(a);
    if (freed_.size() > 4096) {
        freed_.pop_front();
    }
    return CUDA_SUCCESS;
}

void DeviceMemory::release_all() {
    while (!live_.empty()) {
        release(live_.begin()->first);
    }
    peak_ = 0;
    serial_ = 0;
    freed_.clear();
}

const Allocation* DeviceMemory::find(uintptr_t address) const {
    auto after = live_.upper_bound(address);
    if (after == live_.begin()) {
        return nullptr;
    }
    const Allocation& a = std::prev(after)->second;
    return address < a.address + a.bytes ? &a : nullptr;
}

char* DeviceMemory::view(CUdeviceptr address, size_t bytes, const char* call) {
    const Allocation* a = find(address);
    if (a == nullptr) {
        report(text("%s: 0x%llx %s", call, address, describe(address).c_str()));
        return nullptr;
    }
    if (bytes > a->address + a->bytes - address) {
        report(text("%s: %zu bytes at offset %zu pass the end of allocation %ld of %zu bytes", call, bytes,
                    static_cast<size_t>(address - a->address), a->serial, a->bytes));
        return nullptr;
    }
    return alias(address);
}

void DeviceMemory::hide(const std::vector<uintptr_t>& addresses, bool hidden) {
    for (uintptr_t address : addresses) {
        const Allocation* a = find(address);
        if (a != nullptr && !guards_from_host()) {  // which hides all of them between kernels
            protect(*a, hidden ? PROT_NONE : PROT_READ | PROT_WRITE);
        }
    }
}

void DeviceMemory::open() {
    for (auto& [address, a] : live_) {
        if (guards_from_host()) {
            protect(a, PROT_READ | PROT_WRITE);
        }
    }
}

bool DeviceMemory::close(const char* kernel) {
    bool fine = true;
    for (auto& [address, a] : live_) {
        if (guards_from_host()) {
            protect(a, PROT_NONE);
        }
        fine &= intact(a, kernel, false);
    }
    return fine;
}

bool DeviceMemory::intact(const Allocation& a, const char* kernel, bool front) const {
    auto clean = [&](uintptr_t from, uintptr_t to) {
        const char* bytes = alias(from);
        return std::all_of(bytes, bytes + (to - from), [](char c) { return static_cast<unsigned char>(c) == kCanary; });
    };
    if (!clean(a.address + a.bytes, a.end_page)) {
        report(text("%s: bytes were written past the end of allocation %ld of %zu bytes", kernel, a.serial, a.bytes));
        std::memset(alias(a.address + a.bytes), kCanary, a.end_page - a.address - a.bytes);
        return false;
    }
    if (front && !clean(a.first_page, a.address)) {
        report(text("%s: bytes were written before allocation %ld of %zu bytes", kernel, a.serial, a.bytes));
        return false;
    }
    return true;
}

std::string DeviceMemory::describe(uintptr_t address) const {
    if (!contains(address)) {
        return "is no device address";
    }
    if (const Allocation* a = find(address)) {
        return text("is inside allocation %ld (%zu bytes, offset %zu)", a->serial, a->bytes,
                    static_cast<size_t>(address - a->address));
    }
    for (const Allocation& a : freed_) {
        if (address >= a.first_page && address < a.end_page + kPage) {
            return text("belongs to allocation %ld (%zu bytes), which was freed", a.serial, a.bytes);
        }
    }
    auto after = live_.upper_bound(address);
    if (after != live_.begin()) {
        const Allocation& a = std::prev(after)->second;
        if (address < a.end_page + kPage) {
            return text("is %zu bytes past the end of allocation %ld (%zu bytes)",
                        static_cast<size_t>(address - a.address - a.bytes), a.serial, a.bytes);
        }
    }
    if (after != live_.end()) {
        const Allocation& a = after->second;
        return text("is %zu bytes before allocation %ld (%zu bytes)", static_cast<size_t>(a.address - address), a.serial,
                    a.bytes);
    }
    return "was never allocated";
}

void DeviceMemory::report_leaks(const char* when) const {
    if (live_.empty()) {
        return;
    }
    std::string list;
    int shown = 0;
    for (auto& [address, a] : live_) {
        if (shown++ == 8) {
            list += ", ...";
            break;
        }
        list += text("%s%ld (%zu bytes)", shown == 1 ? "" : ", ", a.serial, a.bytes);
    }
    report(text("%s: %zu device allocations of %zu bytes were not freed: %s", when, live_.size(), used_, list.c_str()));
}

CUresult HostMemory::allocate(size_t bytes, void** address) {
    if (bytes == 0) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    size_t mapped = round_up(bytes, kPage);
    void* memory = mmap(nullptr, mapped + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return CUDA_ERROR_OUT_OF_MEMORY;
    }
    mprotect(static_cast<char*>(memory) + mapped, kPage, PROT_NONE);
    fill_poison(static_cast<char*>(memory), bytes);
    ranges_[reinterpret_cast<uintptr_t>(memory)] = {bytes, mapped + kPage, false};
    used_ += bytes;
    *address = memory;
    return CUDA_SUCCESS;
}

CUresult HostMemory::release(void* address) {
    auto found = ranges_.find(reinterpret_cast<uintptr_t>(address));
    if (found == ranges_.end() || found->second.registered) {
        report("cuMemFreeHost of memory that cuMemHostAlloc did not give");
        return CUDA_ERROR_INVALID_VALUE;
    }
    munmap(address, found->second.mapped);
    used_ -= found->second.bytes;
    ranges_.erase(found);
    return CUDA_SUCCESS;
}

CUresult HostMemory::add(void* address, size_t bytes) {
    if (bytes == 0 || address == nullptr) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    if (pinned(address, 1)) {
        return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
    }
    ranges_[reinterpret_cast<uintptr_t>(address)] = {bytes, 0, true};
    return CUDA_SUCCESS;
}

CUresult HostMemory::remove(void* address) {
    auto found = ranges_.find(reinterpret_cast<uintptr_t>(address));
    if (found == ranges_.end() || !found->second.registered) {
        return CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
    }
    ranges_.erase(found);
    return CUDA_SUCCESS;
}

void HostMemory::release_all() {
    for (auto& [address, range] : ranges_) {
        if (!range.registered) {
            munmap(reinterpret_cast<void*>(address), range.mapped);
        }
    }
    ranges_.clear();
    used_ = 0;
}

const std::pair<const uintptr_t, HostMemory::Range>* HostMemory::find(uintptr_t address) const {
    auto after = ranges_.upper_bound(address);
    if (after == ranges_.begin()) {
        return nullptr;
    }
    auto& found = *std::prev(after);
    return address < found.first + found.second.bytes ? &found : nullptr;
}

bool HostMemory::pinned(const void* address, size_t bytes) const {
    const uintptr_t at = reinterpret_cast<uintptr_t>(address);
    auto* found = find(at);
    return found != nullptr && bytes <= found->first + found->second.bytes - at;
}

void HostMemory::hide(const std::vector<uintptr_t>& addresses, bool hidden) {
    std::vector<std::pair<uintptr_t, size_t>> pages;
    for (uintptr_t address : addresses) {
        if (auto* found = find(address)) {
            auto& [start, range] = *found;
            const uintptr_t first = round_up(start, kPage), bytes = start + range.bytes;
            const uintptr_t end = range.registered ? bytes / kPage * kPage : round_up(bytes, kPage);
            if (first < end) {
                pages.emplace_back(first, end - first);
            }
        }
    }
    if (pages.empty()) {
        return;
    }
    // ahead of the first page that goes, and after the last one that is back: an even number means that all are there
    hidings += hidden;
    for (auto [first, bytes] : pages) {
        mprotect(reinterpret_cast<void*>(first), bytes, hidden ? PROT_NONE : PROT_READ | PROT_WRITE);
    }
    hidings += !hidden;
}

bool HostMemory::comes_back() {
    unsigned now;
    while (((now = hidings) & 1) != 0) {
        sched_yield();
    }
    return std::exchange(tried_at, now) != now;
}

std::string HostMemory::describe(uintptr_t address) const {
    auto* found = find(address);
    return found == nullptr ? "" : text("is inside pinned host memory (%zu bytes, offset %zu)", found->second.bytes,
                                        static_cast<size_t>(address - found->first));
}

}  // namespace quern::driver
