#include "fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if !defined(__x86_64__)
#error "the simulated driver switches stacks in x86-64 assembly; port quern_sim_switch to build it here"
#endif

// saves what a call must preserve (System V ABI) and changes the stack
asm(R"(
    .text
    .globl quern_sim_switch
    .hidden quern_sim_switch
    .type quern_sim_switch, @function
quern_sim_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size quern_sim_switch, . - quern_sim_switch
)");
extern "C" void quern_sim_switch(void** from, void* to);

namespace quern::driver {

#if defined(__SANITIZE_ADDRESS__)
namespace {
thread_local Stack* left = nullptr;
thread_local bool left_for_good = false;
}  // namespace

void switch_stack(Stack& from, Stack& to, bool last) {
    left = &from;
    left_for_good = last;
    __sanitizer_start_switch_fiber(last ? nullptr : &from.sanitizer, to.bottom, to.bytes);
    quern_sim_switch(&from.pointer, to.pointer);
    void* mine = from.sanitizer;
    const void* bottom;
    size_t bytes;
    __sanitizer_finish_switch_fiber(mine, &bottom, &bytes);
    if (left->bottom == nullptr) {
        left->bottom = const_cast<char*>(static_cast<const char*>(bottom));
        left->bytes = bytes;
    }
}

void arrived() {
    const void* bottom;
    size_t bytes;
    __sanitizer_finish_switch_fiber(nullptr, &bottom, &bytes);
    if (left->bottom == nullptr) {
        left->bottom = const_cast<char*>(static_cast<const char*>(bottom));
        left->bytes = bytes;
    }
}

void landed(char* bottom, size_t bytes) {
    // the last landing left for good, with its frames' marks in place
    __asan_unpoison_memory_region(bottom, bytes);
    __sanitizer_start_switch_fiber(nullptr, bottom, bytes);
    __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
}
#else
void switch_stack(Stack& from, Stack& to, bool) { quern_sim_switch(&from.pointer, to.pointer); }

void arrived() {}

void landed(char*, size_t) {}
#endif

void Fiber::prepare(void (*entry)()) {
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(stack.bottom, stack.bytes);
#endif
    // tops at different offsets within a page, or all of them would fall into the same few lines of the first cache
    uintptr_t index = reinterpret_cast<uintptr_t>(memory) / FiberPool::kStackBytes;
    uintptr_t top = reinterpret_cast<uintptr_t>(stack.bottom + stack.bytes) - (index * 5 % 61 + 1) * 64;
    void** frame = reinterpret_cast<void**>(top);
    *--frame = nullptr;
    *--frame = reinterpret_cast<void*>(entry);
    for (int i = 0; i < 6; i++) {
        *--frame = nullptr;
    }
    stack.pointer = frame;
    stack.sanitizer = nullptr;
}

FiberPool::~FiberPool() {
    for (size_t i = 0; i < count_; i++) {
        munmap(all_[i]->memory, kGuard + kStackBytes);
        delete all_[i];
    }
}

Fiber* FiberPool::take() {
    if (free_ != nullptr) {
        Fiber* fiber = free_;
        free_ = fiber->next_free;
        return fiber;
    }
    void* memory = mmap(nullptr, kGuard + kStackBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || count_ == sizeof all_ / sizeof all_[0]) {
        std::abort();
    }
    mprotect(memory, kGuard, PROT_NONE);
    Fiber* fiber = new Fiber;
    fiber->memory = static_cast<char*>(memory);
    fiber->stack.bottom = fiber->memory + kGuard;
    fiber->stack.bytes = kStackBytes;
    all_[count_++] = fiber;
    return fiber;
}

void FiberPool::reclaim() {
    free_ = nullptr;
    for (size_t i = count_; i-- > 0;) {
        give(all_[i]);
    }
}

bool FiberPool::in_guard(const void* address) const {
    for (size_t i = 0; i < count_; i++) {
        const char* at = static_cast<const char*>(address);
        if (at >= all_[i]->memory && at < all_[i]->memory + kGuard) {
            return true;
        }
    }
    return false;
}

}  // namespace quern::driver
