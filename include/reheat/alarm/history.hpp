// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/aws_names.hpp>
#include <reheat/alarm/reason.hpp>
#include <reheat/alarm/state.hpp>
#include <reheat/core/escape.hpp>
#include <reheat/core/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// An alarm's state and when it was written. CloudWatch tells two times apart: any write of the state, the same one
/// included, and a change of it.
struct alarm_record {
    alarm_state state = alarm_state::insufficient_data;
    time_point state_updated_at{};
    time_point state_transitioned_at{};
    time_point configuration_updated_at{};

    /// A new alarm.
    [[nodiscard]] static constexpr alarm_record created(time_point now) noexcept {
        return {alarm_state::insufficient_data, now, now, now};
    }
    /// Writes a state; true if it changed.
    constexpr bool write(alarm_state to, time_point now) noexcept {
        const bool changed = to != state;
        state = to;
        state_updated_at = now;
        if (changed) state_transitioned_at = now;
        return changed;
    }
    /// A new configuration replaces the old one whole, and keeps the state.
    constexpr void configured(time_point now) noexcept { configuration_updated_at = now; }

    friend constexpr bool operator==(const alarm_record&, const alarm_record&) noexcept = default;
};

/// The start of a text, in a place of fixed size.
class kept_text {
public:
    kept_text() noexcept = default;
    explicit kept_text(std::string_view text) noexcept {
        const std::string_view start = clip(text, bytes_.size());
        for (const char c : start) bytes_[size_++] = c;
    }
    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }

private:
    std::array<char, 191> bytes_{};
    std::uint8_t size_ = 0;
};

/// Evidence in a place of fixed size: its counts, and the newest five of the points that speak for the state (of all
/// points where none does).
class kept_evidence {
public:
    kept_evidence() noexcept = default;
    explicit kept_evidence(const alarm_evidence& e) noexcept : evidence_{e} {
        evidence_.points = {};
        for (const evidence_point& p : e.points) {
            if (kept_ == points_.size()) break;
            if (e.supporting == 0 || supports(e, p)) points_[kept_++] = p;
        }
    }
    /// The evidence, pointing into this object.
    [[nodiscard]] alarm_evidence view() const noexcept {
        alarm_evidence e = evidence_;
        e.points = std::span{points_}.first(kept_);
        return e;
    }

private:
    alarm_evidence evidence_{};
    std::array<evidence_point, detail::listed_points> points_{};
    std::size_t kept_ = 0;
};

/// What became of an alarm's configuration.
enum class configuration_change : std::uint8_t { created, updated, deleted };

/// One entry of an alarm's history, without text of its own where text can be made of it. 240 bytes or less.
struct history_record {
    time_point at{};
    history_kind kind = history_kind::state_update;
    configuration_change change = configuration_change::created; ///< of a configuration update
    alarm_state from = alarm_state::insufficient_data;           ///< of a state update
    alarm_state to = alarm_state::insufficient_data;
    bool succeeded = true; ///< of an action
    /// Of a state update its evidence, or the reason that an operator gave; of an action its name.
    std::variant<std::monostate, kept_evidence, kept_text> why{};
};

/// The newest entries of one alarm's history. Its memory is taken when it is made; a new entry replaces the oldest one
/// when it is full. One thread at a time.
///
///     alarm_history history{64};
///     history.add({.at = now, .from = before, .to = after, .why = kept_evidence{evidence}});
class alarm_history {
public:
    /// CloudWatch keeps entries for two weeks.
    explicit alarm_history(std::size_t capacity, duration retention = std::chrono::days{14})
        : ring_(capacity), retention_{retention} {}

    void add(const history_record& r) noexcept {
        if (ring_.empty()) return;
        ring_[next_] = r;
        next_ = (next_ + 1) % ring_.size();
        if (size_ < ring_.size()) ++size_;
    }

    /// How many entries there are that are not older than the retention.
    [[nodiscard]] std::size_t size(time_point now) const noexcept {
        std::size_t young = 0;
        while (young < size_ && after(entry(young).at, retention_) >= now) ++young;
        return young;
    }

    /// The entry of an index below `size`, 0 for the newest one.
    [[nodiscard]] const history_record& operator[](std::size_t i) const noexcept { return entry(i); }

    /// The state update before an entry; null if it is not held any more, or there was none.
    [[nodiscard]] const history_record* state_before(std::size_t i) const noexcept {
        while (++i < size_) {
            if (entry(i).kind == history_kind::state_update) return &entry(i);
        }
        return nullptr;
    }

private:
    [[nodiscard]] const history_record& entry(std::size_t i) const noexcept {
        return ring_[(next_ + ring_.size() - 1 - i) % ring_.size()];
    }

    std::vector<history_record> ring_;
    std::size_t next_ = 0;
    std::size_t size_ = 0;
    duration retention_;
};

} // namespace reheat::inline REHEAT_ABI
