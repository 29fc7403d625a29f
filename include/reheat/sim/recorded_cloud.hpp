// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/recording.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// What is assumed of calls that a recording says nothing of.
struct assumed_calls {
    /// A call of the same kind on the same target, made in the recording so long before or after, stands for it.
    duration same_within = std::chrono::minutes{5};
    /// A question that was asked so long before or after says whether the cloud answered at all.
    duration asked_within = std::chrono::seconds{60};
    /// How long a call takes, in the order of `operation`, where the recording has none of its kind that was answered.
    std::array<duration, operation_count> latency{
        std::chrono::seconds{0},  std::chrono::seconds{1},  std::chrono::seconds{20}, std::chrono::seconds{5},
        std::chrono::seconds{10}, std::chrono::seconds{60}, std::chrono::seconds{15}, std::chrono::seconds{60},
        std::chrono::seconds{60}, std::chrono::seconds{90}, std::chrono::seconds{0},  std::chrono::seconds{0},
        std::chrono::seconds{5}};
};

/// The cloud of a recording, to answer the calls of a policy that was not there. A call that the recorded engine made
/// too, at about that time, comes out as it did then, unanswered where it was. A question is answered as the target's
/// last one was, or with nothing but an answer; not at all while nobody's was answered. Any other call is done, after
/// the median time that calls of its kind took.
class recorded_cloud {
public:
    struct reply {
        duration latency{};
        outcome result{};
    };

    explicit recorded_cloud(const recording& tape, const assumed_calls& assume = {})
        : assume_{assume}, latency_{assume.latency} {
        std::vector<std::pair<op_id, std::size_t>> by_op;
        tape.each([&](time_point at, const auto& what) {
            if constexpr (std::same_as<std::remove_cvref_t<decltype(what)>, recorded::call>) {
                by_op.emplace_back(what.op, calls_.size());
                calls_.push_back({what.what, what.target, at, never, {}});
            }
        });
        std::sort(by_op.begin(), by_op.end());
        tape.each([&](time_point at, const auto& what) {
            if constexpr (std::same_as<std::remove_cvref_t<decltype(what)>, recorded::completion>) {
                const auto c = std::lower_bound(by_op.begin(), by_op.end(), std::pair{what.op, std::size_t{0}});
                if (what.repeated || c == by_op.end() || c->first != what.op) return;
                made& m = calls_[c->second];
                if (m.ended != never) return;
                m.ended = later(at, m.at);
                m.result = what.result;
            }
        });
        for (const made& m : calls_) {
            if (m.what == operation::describe) asked_.emplace_back(m.at, m.ended != never);
        }
        std::sort(asked_.begin(), asked_.end());
        std::sort(calls_.begin(), calls_.end(), [](const made& x, const made& y) { return key(x) < key(y); });
        for (std::size_t o = 0; o < operation_count; ++o) {
            std::vector<duration> took;
            for (const made& m : calls_) {
                if (static_cast<std::size_t>(m.what) == o && m.ended != never && m.result.code != outcome_code::unknown)
                    took.push_back(m.ended - m.at);
            }
            if (took.empty()) continue;
            std::sort(took.begin(), took.end());
            latency_[o] = took[(took.size() - 1) / 2];
        }
    }

    /// How a call comes out; nothing if it is never answered.
    [[nodiscard]] std::optional<reply> answer(operation what, target_id target, time_point at) const {
        const duration usual = latency_[static_cast<std::size_t>(what)];
        const bool asks = what == operation::describe;
        if (const made* m = nearest(what, target, at, asks ? assume_.asked_within : assume_.same_within)) {
            if (m->ended == never) return std::nullopt;
            return reply{m->ended - m->at, m->result};
        }
        if (!asks || answered(at)) return reply{usual, outcome::done()};
        return std::nullopt;
    }
    /// Whether something was done in the recording that may have made a target well.
    [[nodiscard]] bool helped(const target_tree& tree, target_id target, time_point from, time_point to) const {
        for (const made& m : calls_) {
            const bool acts = m.what != operation::describe && m.what != operation::collect_forensics;
            const bool nothing = m.result.code == outcome_code::failed || m.result.code == outcome_code::refused;
            if (!acts || nothing || m.at < from || m.at > to || !tree.has(m.target)) continue;
            if (tree.covers(m.target, target) || tree.covers(target, m.target)) return true;
        }
        return false;
    }
    /// The median time that calls of a kind took, or what is assumed.
    [[nodiscard]] duration latency_of(operation what) const noexcept {
        return latency_[static_cast<std::size_t>(what)];
    }

private:
    struct made {
        operation what;
        target_id target;
        time_point at;
        time_point ended; ///< `never`: it was not answered
        outcome result;
    };
    [[nodiscard]] static std::pair<std::pair<operation, target_id>, time_point> key(const made& m) noexcept {
        return {{m.what, m.target}, m.at};
    }
    [[nodiscard]] static duration apart(time_point a, time_point b) noexcept { return a < b ? b - a : a - b; }

    [[nodiscard]] const made* nearest(operation what, target_id target, time_point at, duration within) const {
        const auto from = std::partition_point(calls_.begin(), calls_.end(), [&](const made& m) {
            return key(m) < std::pair{std::pair{what, target}, at};
        });
        const made* found = nullptr;
        const auto consider = [&](const made& m) {
            if (m.what != what || m.target != target || apart(m.at, at) > within) return;
            if (found == nullptr || apart(m.at, at) < apart(found->at, at)) found = &m;
        };
        if (from != calls_.end()) consider(*from);
        if (from != calls_.begin()) consider(*std::prev(from));
        return found;
    }
    /// Whether a question was answered at about that time, if any was asked.
    [[nodiscard]] bool answered(time_point at) const {
        const auto from = std::partition_point(
            asked_.begin(), asked_.end(), [&](const auto& q) { return after(q.first, assume_.asked_within) < at; });
        bool any = false;
        for (auto q = from; q != asked_.end() && q->first <= after(at, assume_.asked_within); ++q) {
            if (q->second) return true;
            any = true;
        }
        return !any;
    }

    assumed_calls assume_;
    std::array<duration, operation_count> latency_;
    std::vector<made> calls_;                        // by operation, target and time
    std::vector<std::pair<time_point, bool>> asked_; // questions, and whether they were answered
};

} // namespace reheat::inline REHEAT_ABI
