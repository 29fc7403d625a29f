// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/core/time.hpp>
#include <reheat/engine/resume.hpp>
#include <reheat/recovery/guard.hpp>
#include <reheat/sim/mock_cloud.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

// What the controller of a scenario runs on: a journal, a clock and a guard that are moved by hand.

namespace reheat::inline REHEAT_ABI::testing {

/// Where a controller may end: told of each moment, it throws `controller_crash` at one of them.
class crash_points final : public mock_witness {
public:
    struct controller_crash {};
    static constexpr std::size_t nowhere = SIZE_MAX;

    explicit crash_points(std::size_t at = nowhere) noexcept : at_{at} {}
    void pass() {
        if (seen_++ == at_) throw controller_crash{};
    }
    [[nodiscard]] std::size_t seen() const noexcept { return seen_; }

    void before(const mock_call&) override { pass(); }
    void after(const mock_call&) override { pass(); }
    void completed() override { pass(); }

private:
    std::size_t at_;
    std::size_t seen_ = 0;
};

/// A journal in memory whose watermark is moved by hand: it holds, lags behind, or fails. A record that could not be
/// appended is in nobody's journal, so nothing after it is durable until it has been appended again.
class scripted_journal {
public:
    explicit scripted_journal(crash_points* points = nullptr) noexcept : points_{points} {}

    result<void> open() noexcept {
        failing_ = false;
        return {};
    }
    result<void> append(std::span<const record> records) {
        if (failing_) return error{errc::io, "journal", "as scripted"};
        for (const record& r : records) {
            if (points_ != nullptr) points_->pass();
            if (static_cast<std::uint64_t>(r.seq) != all_.size() + 1) continue; // a gap stays a gap
            all_.push_back(r);
            waiting_.push_back({r.seq, after(r.at, delay_)});
            advance(r.at);
        }
        if (points_ != nullptr) points_->pass();
        return {};
    }
    /// Everything that was written, in order.
    [[nodiscard]] std::span<const record> records() const noexcept { return all_; }
    template <class Visit>
    result<void> replay(Visit&& visit) {
        for (const record& r : all_) {
            if (auto done = visit(record{r}); !done) return done;
        }
        return {};
    }
    /// The controller is gone, and with it what was not durable.
    void crash() {
        all_.resize(static_cast<std::size_t>(durable_));
        waiting_.clear();
    }
    [[nodiscard]] sequence durable() const noexcept { return durable_; }

    void hold(bool on) noexcept { held_ = on; }
    void fail() noexcept { failing_ = true; }
    void set_delay(duration d) noexcept { delay_ = d; }

    /// Makes durable what is due.
    void advance(time_point now) {
        if (held_) return;
        std::size_t done = 0;
        while (done < waiting_.size() && waiting_[done].due <= now) durable_ = waiting_[done++].seq;
        waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(done));
    }
    [[nodiscard]] time_point next() const noexcept { return held_ || waiting_.empty() ? never : waiting_.front().due; }

private:
    struct lagging {
        sequence seq;
        time_point due;
    };
    std::vector<record> all_;
    std::vector<lagging> waiting_;
    crash_points* points_;
    sequence durable_ = no_sequence;
    duration delay_{};
    bool held_ = false;
    bool failing_ = false;
};

/// The world's time, and what the controller's clock shows of it: the same, until it is set back.
class scripted_clock {
public:
    [[nodiscard]] time_point now() const noexcept { return time_point{world_.time_since_epoch() - back_}; }
    [[nodiscard]] duration real_wait(time_point at) const noexcept {
        return at <= now() ? duration::zero() : duration{-1};
    }
    [[nodiscard]] time_point world() const noexcept { return world_; }
    [[nodiscard]] time_point to_world(time_point shown) const noexcept { return after(shown, back_); }
    /// Moves to a time of the world; an earlier one changes nothing.
    void advance_to(time_point at) noexcept { world_ = later(world_, at); }
    void set_back(duration by) noexcept { back_ += by; }

private:
    time_point world_{std::chrono::seconds{1'767'225'600}}; // 2026-01-01T00:00:00Z
    duration back_{};
};

/// A guard of the integrator's own that denies what it is told to.
class scripted_guard {
public:
    struct rule {
        std::vector<target_id> targets{}; ///< empty: all
        operation only = operation::none; ///< `none`: any
        time_point until = never;
    };

    void deny(rule r) { rules_.push_back(std::move(r)); }
    /// Takes back what was denied for these targets, or for all.
    void allow(const std::vector<target_id>& targets) {
        std::erase_if(rules_, [&](const rule& r) { return targets.empty() || r.targets == targets; });
    }

    [[nodiscard]] guard_answer ask(const guard_question& q) const noexcept {
        for (const rule& r : rules_) {
            const bool meant = r.targets.empty() || has(r.targets, q.target) || has(r.targets, q.subject);
            if (!meant || (r.only != operation::none && r.only != q.what) || q.now >= r.until) continue;
            // Nothing wakes the engine when it is taken back, so one without an end is looked at again.
            return {reason::custom_guard, r.until == never ? after(q.now, std::chrono::minutes{1}) : r.until};
        }
        return {};
    }

private:
    static bool has(const std::vector<target_id>& all, target_id one) noexcept {
        return std::find(all.begin(), all.end(), one) != all.end();
    }

    std::vector<rule> rules_;
};

} // namespace reheat::inline REHEAT_ABI::testing
