// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <unistd.h>

namespace policy_lab {

/// A bar on stderr, and only if that is a terminal; it is gone when its owner is. Any thread.
class progress {
public:
    explicit progress(std::uint64_t days) : days_{days}, shown_{::isatty(STDERR_FILENO) != 0} {}
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;
    ~progress() {
        if (shown_) std::fputs("\r\x1b[K", stderr);
    }

    void add(std::uint64_t days) {
        if (!shown_) return;
        const std::lock_guard<std::mutex> lock{guard_};
        done_ += days;
        constexpr std::uint64_t width = 40;
        const std::uint64_t full = done_ * width / days_;
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began_;
        const double left = took.count() / static_cast<double>(done_) * static_cast<double>(days_ - done_);
        std::string bar;
        for (std::uint64_t n = 0; n < width; ++n) bar += n < full ? '#' : '.';
        std::fprintf(stderr, "\r[%s] %3llu %%  %llu of %llu days  %.0f s left \x1b[K", bar.c_str(),
                     static_cast<unsigned long long>(done_ * 100 / days_), static_cast<unsigned long long>(done_),
                     static_cast<unsigned long long>(days_), left);
    }

private:
    std::uint64_t days_;
    bool shown_;
    std::uint64_t done_ = 0;
    std::mutex guard_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

} // namespace policy_lab
