// Device memory: an address range in which every allocation ends at a guard page and none is used twice. Kernels see it
// through the device addresses; copies and checks go through a second mapping of the same pages. With QUERN_SIM_GUARD_HOST=1
// the device addresses exist only while a kernel runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "abi.h"

namespace quern::driver {

struct Allocation {
    uintptr_t address;
    size_t bytes;
    /// Page-aligned range that holds it; its end is a guard page.
    uintptr_t first_page, end_page;
    long serial;
    bool pooled;
};

class DeviceMemory {
public:
    ~DeviceMemory();

    CUresult allocate(size_t bytes, size_t limit, bool pooled, CUdeviceptr* address);
    CUresult release(CUdeviceptr address);
    void release_all();

    /// The allocation that holds the address, or null.
    const Allocation* find(uintptr_t address) const;
    /// Host view of a device range, or null with a report when it is not inside one allocation.
    char* view(CUdeviceptr address, size_t bytes, const char* call);
    bool contains(uintptr_t address) const { return address >= base_ && address < base_ + kSpan; }

    /// Keeps the allocations that hold one of these addresses from kernels, or gives them back.
    void hide(const std::vector<uintptr_t>& addresses, bool hidden);
    /// Lets kernels touch all live allocations.
    void open();
    /// Forbids it again; false, with a report, when bytes beside an allocation were written.
    bool close(const char* kernel);
    /// "is 4 bytes past the end of allocation 3 (1024 bytes at 0x...)".
    std::string describe(uintptr_t address) const;

    size_t used() const { return used_; }
    size_t peak() const { return peak_; }
    size_t pooled() const { return pooled_; }
    size_t live() const { return live_.size(); }
    void report_leaks(const char* when) const;

private:
    static constexpr size_t kSpan = size_t{1} << 40;

    bool map();
    char* alias(uintptr_t address) const { return alias_ + (address - base_); }
    bool intact(const Allocation& a, const char* kernel, bool front) const;

    uintptr_t base_ = 0;
    char* alias_ = nullptr;
    int file_ = -1;
    size_t next_ = 4096;
    long serial_ = 0;
    size_t used_ = 0, peak_ = 0, pooled_ = 0;
    std::map<uintptr_t, Allocation> live_;
    std::deque<Allocation> freed_;
};

/// Pinned host memory.
class HostMemory {
public:
    CUresult allocate(size_t bytes, void** address);
    CUresult release(void* address);
    CUresult add(void* address, size_t bytes);
    CUresult remove(void* address);
    void release_all();
    bool pinned(const void* address, size_t bytes) const;
    size_t used() const { return used_; }

    /// Keeps the memory that holds one of these addresses from kernels, or gives it back; of registered memory the whole pages,
    /// for the rest of a page is somebody else's. Threads of the program that touch it meanwhile are to ask comes_back().
    void hide(const std::vector<uintptr_t>& addresses, bool hidden);
    /// For a thread whose access failed: waits until nothing is hidden, and says whether to try again. Safe in signal handlers.
    static bool comes_back();
    /// "is inside pinned host memory (1024 bytes, offset 4)"; empty where the address is in none.
    std::string describe(uintptr_t address) const;

private:
    struct Range {
        size_t bytes, mapped;
        bool registered;
    };
    /// The start and the range that hold the address, or null.
    const std::pair<const uintptr_t, Range>* find(uintptr_t address) const;

    std::map<uintptr_t, Range> ranges_;
    size_t used_ = 0;
};

}  // namespace quern::driver
