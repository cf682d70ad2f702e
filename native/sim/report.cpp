#include "report.h"

#include <cstdarg>
#include <cstdio>
#include <mutex>

namespace quern::driver {
namespace {

std::mutex report_guard;
std::string last;
long count = 0;

}  // namespace

std::string text(const char* format, ...) {
    char buffer[2048];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(buffer, sizeof buffer, format, arguments);
    va_end(arguments);
    return buffer;
}

void report(const std::string& message) {
    std::lock_guard lock(report_guard);
    last = message;
    count++;
    std::fprintf(stderr, "quern-sim: %s\n", message.c_str());
}

std::string last_report() {
    std::lock_guard lock(report_guard);
    return last;
}

long reports() {
    std::lock_guard lock(report_guard);
    return count;
}

void clear_reports() {
    std::lock_guard lock(report_guard);
    last.clear();
    count = 0;
}

}  // namespace quern::driver
