// Streams as queues of work that is done at issue (eager) or when something has to wait for it (late).
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "abi.h"

namespace quern::driver {

struct Stream;

/// Work of a stream; must be repeatable, because graphs run it again.
struct Task {
    const char* what;
    std::function<CUresult()> run;
    /// For graphs that are updated: what kind of node it is, and the kernel.
    const void* kernel = nullptr;
    /// In a graph: what names the node in it and in everything instantiated from it.
    uintptr_t node = 0;
    unsigned cluster[3] = {1, 1, 1};
    bool overlaps = false;
};

/// A point in a stream's work.
struct Mark {
    std::shared_ptr<Stream> stream;
    uint64_t position = 0;
};

struct Capture {
    std::shared_ptr<Stream> origin;
    int mode = 0;
    bool invalid = false;
    std::vector<Task> tasks;
    /// Streams that joined, with the number of their captured tasks that the origin does not wait for yet.
    std::map<Stream*, long> unjoined;
};

struct Stream : std::enable_shared_from_this<Stream> {
    bool blocking = true, legacy = false;
    int priority = 0;
    unsigned flags = 0;
    struct Entry {
        Task task;
        std::vector<Mark> after;
    };
    std::deque<Entry> queue;
    uint64_t issued = 0, completed = 0;
    std::shared_ptr<Capture> capture;

    /// Does the oldest work; false when there is none.
    bool step();
    void run_until(uint64_t position);
    void finish() { run_until(issued); }
};

struct Event {
    unsigned flags = 0;
    bool recorded = false;
    Mark mark;
    /// Set when the record is executed.
    std::shared_ptr<std::chrono::steady_clock::time_point> time;
    std::weak_ptr<Capture> capture;
    /// Of the capturing stream, how much work it had when the event was recorded.
    Stream* capture_stream = nullptr;
    long capture_position = 0;

    bool complete() const { return !recorded || mark.stream == nullptr || mark.stream->completed >= mark.position; }
};

struct Graph {
    std::vector<Task> tasks;
};

}  // namespace quern::driver
