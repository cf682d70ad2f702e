// Reports of misuse: one line on standard error each, and the last one kept for quern_sim_report.
#pragma once

#include <string>

namespace quern::driver {

std::string text(const char* format, ...) __attribute__((format(printf, 1, 2)));

/// Adds a report: "quern-sim: " and the text.
void report(const std::string& message);

std::string last_report();
long reports();
void clear_reports();

}  // namespace quern::driver
