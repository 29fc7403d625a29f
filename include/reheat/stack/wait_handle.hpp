// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/escape.hpp>
#include <reheat/core/result.hpp>
#include <reheat/core/time.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// What a guest says to a wait condition handle.
struct stack_signal {
    bool success = false;
    std::string reason{};
    std::string unique_id{};
    std::string data{};
};

/// The signals that one `AWS::CloudFormation::WaitConditionHandle` received, one for each distinct id; a later one
/// replaces the former of its id, as in Heat. Keeps at most 1,000 of them and 1 MiB of text. One thread at a time.
class wait_handle {
public:
    static constexpr std::size_t max_signals = 1'000;
    static constexpr std::size_t max_bytes = std::size_t{1} << 20U;
    static constexpr std::size_t max_reasons = 4'096; ///< bytes of a tally's reasons

    /// What the signals that came in time amount to.
    struct tally {
        std::size_t received = 0;
        bool failed = false;
        std::string reasons{}; ///< of the failures, joined by `;`
    };

    /// `errc::limit_exceeded` if it cannot be kept; then nothing changed.
    [[nodiscard]] result<void> receive(stack_signal signal, time_point now) {
        std::size_t at = 0;
        while (at < signals_.size() && signals_[at].first.unique_id != signal.unique_id) ++at;
        const std::size_t before = at < signals_.size() ? size_of(signals_[at].first) : 0;
        if (at == max_signals) return error{errc::limit_exceeded, {}, "the handle holds signals of 1000 distinct ids"};
        if (bytes_ - before + size_of(signal) > max_bytes)
            return error{errc::limit_exceeded, {}, "the handle holds too much text"};
        bytes_ += size_of(signal) - before;
        if (at == signals_.size()) signals_.emplace_back(std::move(signal), now);
        else signals_[at] = {std::move(signal), now};
        return {};
    }

    [[nodiscard]] tally until(time_point deadline) const {
        tally out;
        for (const auto& [signal, at] : signals_) {
            if (at > deadline) continue;
            ++out.received;
            if (signal.success) continue;
            if (out.failed) out.reasons += ';';
            out.reasons += clip(signal.reason, out.reasons.size() < max_reasons ? max_reasons - out.reasons.size() : 0);
            out.failed = true;
        }
        return out;
    }

    /// A JSON object of each id's data: the attribute `Data` of a wait condition.
    [[nodiscard]] std::string data() const {
        std::string out = "{";
        for (const auto& [signal, at] : signals_) {
            if (out.size() > 1) out += ", ";
            append_json_string(out, signal.unique_id);
            out += ": ";
            append_json_string(out, signal.data);
        }
        return out + "}";
    }

private:
    [[nodiscard]] static std::size_t size_of(const stack_signal& s) noexcept {
        return s.reason.size() + s.unique_id.size() + s.data.size();
    }

    std::vector<std::pair<stack_signal, time_point>> signals_;
    std::size_t bytes_ = 0;
};

} // namespace reheat::inline REHEAT_ABI
