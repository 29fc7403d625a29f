// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/request.hpp>
#include <reheat/driver/completion.hpp>

#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace support {

/// Takes calls on the pipeline's thread and lets other threads take the completions.
class handing_driver {
public:
    void describe(const reheat::request&, reheat::completion done) { put(std::move(done)); }
    void create(const reheat::request&, reheat::completion done) { put(std::move(done)); }
    void reboot(const reheat::request&, reheat::completion done) { put(std::move(done)); }

    /// False if there is none now.
    bool take(std::vector<reheat::completion>& into) {
        const std::lock_guard<std::mutex> lock{mutex_};
        if (waiting_.empty()) return false;
        into.push_back(std::move(waiting_.back()));
        waiting_.pop_back();
        return true;
    }

private:
    void put(reheat::completion done) {
        const std::lock_guard<std::mutex> lock{mutex_};
        waiting_.push_back(std::move(done));
    }

    std::mutex mutex_;
    std::vector<reheat::completion> waiting_;
};

/// Answers what a `handing_driver` was asked, on four threads, until it ends. The last of them drops every 50th
/// completion: nobody knows what became of that call.
class answering_threads {
public:
    explicit answering_threads(handing_driver& cloud) {
        for (int n = 0; n < 4; ++n) {
            threads_.emplace_back([&cloud, n](const std::stop_token& over) {
                std::vector<reheat::completion> mine;
                for (int taken = 0; !over.stop_requested();) {
                    if (!cloud.take(mine)) {
                        std::this_thread::yield();
                        continue;
                    }
                    const bool dropped = n == 3 && ++taken % 50 == 0;
                    if (!dropped) mine.back()(reheat::outcome::done());
                    mine.clear();
                }
            });
        }
    }

private:
    std::vector<std::jthread> threads_;
};

} // namespace support
