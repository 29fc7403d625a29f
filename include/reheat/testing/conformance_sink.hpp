// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/driver/completion.hpp>

#include <cstddef>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::testing {

/// What one call came to.
struct call_answer {
    unsigned times = 0;     ///< how often its completion was called, or destroyed uncalled
    bool abandoned = false; ///< destroyed uncalled
    outcome first{};        ///< what counts

    [[nodiscard]] bool given() const noexcept { return times != 0; }
    [[nodiscard]] bool is(outcome_code code) const noexcept { return given() && first.code == code; }
    [[nodiscard]] bool done() const noexcept { return is(outcome_code::done); }
    /// Whether it says that certainly nothing changed.
    [[nodiscard]] bool harmless() const noexcept { return is(outcome_code::failed) || is(outcome_code::refused); }
};

/// Counts the answers to the calls of the conformance kit. Any thread may deliver.
class conformance_sink final : public completion_sink {
public:
    void deliver(op_id op, outcome&& result, bool repeated) noexcept override {
        const std::lock_guard lock{mutex_};
        call_answer& a = answers_[op];
        if (++a.times != 1) return;
        a.abandoned = !repeated && result.code == outcome_code::unknown && result.reason == "abandoned";
        a.first = std::move(result);
    }

    [[nodiscard]] call_answer answer_of(op_id op) const {
        const std::lock_guard lock{mutex_};
        const auto found = answers_.find(op);
        return found == answers_.end() ? call_answer{} : found->second;
    }
    [[nodiscard]] std::size_t deliveries() const {
        const std::lock_guard lock{mutex_};
        std::size_t n = 0;
        for (const auto& [op, a] : answers_) n += a.times;
        return n;
    }
    /// All so far, with the operations that they answer.
    [[nodiscard]] std::vector<std::pair<op_id, call_answer>> all() const {
        const std::lock_guard lock{mutex_};
        return {answers_.begin(), answers_.end()};
    }

private:
    ~conformance_sink() override = default;

    mutable std::mutex mutex_;
    std::map<op_id, call_answer> answers_;
};

} // namespace reheat::inline REHEAT_ABI::testing
