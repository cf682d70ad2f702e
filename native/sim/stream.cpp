#include "stream.h"

#include "simulator.h"

namespace quern::driver {

bool Stream::step() {
    if (queue.empty()) {
        return false;
    }
    Entry entry = std::move(queue.front());
    queue.pop_front();
    for (const Mark& mark : entry.after) {
        mark.stream->run_until(mark.position);
    }
    Simulator& s = simulator();
    if (s.lost == CUDA_SUCCESS) {
        CUresult result = entry.task.run();
        if (result != CUDA_SUCCESS) {
            s.lost = result;
        }
    }
    completed++;
    return true;
}

void Stream::run_until(uint64_t position) {
    while (completed < position && step()) {
    }
}

}  // namespace quern::driver
