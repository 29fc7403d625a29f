// SPDX-License-Identifier: MIT
#pragma once

#include <thread>
#include <vector>

namespace tools {

/// Calls `work` once on each of so many threads, this one included, and waits for all of them.
template <class Work>
void on_threads(unsigned count, const Work& work) {
    std::vector<std::thread> others;
    for (unsigned n = 1; n < count; ++n) others.emplace_back([&work] { work(); });
    work();
    for (std::thread& t : others) t.join();
}

} // namespace tools
