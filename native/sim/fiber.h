// Stacks that one OS thread switches between, at the cost of a function call.
#pragma once

#include <cstddef>

namespace quern::driver {

/// A place where execution can go on. The OS thread's own stack is one, too.
struct Stack {
    void* pointer = nullptr;
    char* bottom = nullptr;
    size_t bytes = 0;
    void* sanitizer = nullptr;
};

/// Goes on at `to`; returns when something switches back to `from`. With last, `from` is not gone back to.
void switch_stack(Stack& from, Stack& to, bool last = false);

/// To be called first on a fresh stack.
void arrived();

/// To be called first where a signal handler, not switch_stack, moved execution to this stack.
void landed(char* bottom, size_t bytes);

struct Fiber {
    Stack stack;
    /// Lowest byte, below it lies a guard page.
    char* memory = nullptr;
    Fiber* next_free = nullptr;

    /// Makes the next switch to it call entry(), which must not return.
    void prepare(void (*entry)());
};

/// Fibers that are kept for reuse; for one OS thread.
class FiberPool {
public:
    static constexpr size_t kStackBytes = 128 << 10;
    static constexpr size_t kGuard = 4096;

    ~FiberPool();
    Fiber* take();
    void give(Fiber* fiber) {
        fiber->next_free = free_;
        free_ = fiber;
    }
    /// Takes back every fiber ever given out, whatever it was doing.
    void reclaim();
    bool in_guard(const void* address) const;

private:
    Fiber* free_ = nullptr;
    Fiber* all_[64 * 1024];
    size_t count_ = 0;
};

}  // namespace quern::driver
