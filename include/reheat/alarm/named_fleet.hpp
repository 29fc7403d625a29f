// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/fleet.hpp>
#include <reheat/core/name_index.hpp>
#include <reheat/core/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// A fleet whose targets have names: for a program that has no engine, and for transports that carry names. Samples go
/// by handle, which is faster, or by name. Nothing allocates but `watch`, `remove` and `reserve`. One thread at a time.
///
///     named_fleet hosts{heartbeat_alarm{}.rule()};
///     const auto db = hosts.watch("db-1", now);
///     hosts.push("db-1", now, heartbeat);
///     hosts.rows().evaluate(0, now, transitions); // hosts.name(t) names the target of a transition
template <alarm_rule Rule>
class named_fleet {
public:
    explicit named_fleet(const Rule& rule, duration phase = {}) noexcept : rows_{rule, phase} {}

    /// Begins to watch a target; its `target_id` is its row. Refused: an empty name, one longer than 255 characters,
    /// one that is watched already.
    result<row_handle> watch(std::string_view name, time_point at) {
        if (name.empty() || name.size() > 255)
            return error{errc::invalid_argument, "name", "expected 1 to 255 characters"};
        if (holds(find(name))) return error{errc::already_exists, std::string{name}, "it is watched already"};
        if (text_.size() - garbage_ + name.size() > UINT32_MAX)
            return error{errc::limit_exceeded, std::string{name}, "expected at most 4 GiB of names"};
        if (garbage_ > text_.size() / 2) compact();
        const row_handle h = rows_.watch(target_id{rows_.next_row()}, at);
        if (h.row >= places_.size()) places_.resize(h.row + std::size_t{1});
        places_[h.row] = {static_cast<std::uint32_t>(text_.size()), h.generation,
                          static_cast<std::uint32_t>(name.size())};
        text_ += name;
        index_.add(name, h.row);
        return h;
    }

    /// Gives a target up. False if nobody is called so.
    bool remove(std::string_view name) {
        const row_handle h = find(name);
        if (!rows_.remove(h)) return false;
        index_.remove(name, h.row);
        garbage_ += name.size();
        places_[h.row].size = 0;
        return true;
    }

    /// The handle of a name; one that holds nothing if nobody is called so.
    [[nodiscard]] row_handle find(std::string_view name) const noexcept {
        const std::uint32_t row = index_.find(name, name_of{*this});
        return row == name_index::none ? row_handle{} : row_handle{row, places_[row].generation};
    }
    [[nodiscard]] bool holds(row_handle h) const noexcept { return rows_.holds(h); }

    bool push(row_handle h, time_point at, double value) noexcept { return rows_.push(h, at, value); }
    bool push(std::string_view name, time_point at, double value) noexcept { return rows_.push(find(name), at, value); }

    /// The name of a row; empty if it is given up.
    [[nodiscard]] std::string_view name(std::uint32_t row) const noexcept {
        if (row >= places_.size()) return {};
        return std::string_view{text_}.substr(places_[row].at, places_[row].size);
    }
    [[nodiscard]] std::string_view name(const transition& t) const noexcept {
        return name(static_cast<std::uint32_t>(t.target));
    }

    [[nodiscard]] fleet<Rule>& rows() noexcept { return rows_; }
    [[nodiscard]] const fleet<Rule>& rows() const noexcept { return rows_; }

    /// Makes room for so many targets with names of so many bytes in all.
    void reserve(std::size_t targets, std::size_t name_bytes) {
        rows_.reserve(targets);
        places_.reserve(targets);
        text_.reserve(name_bytes);
    }
    /// The memory of rows, names and index, in bytes.
    [[nodiscard]] std::size_t bytes() const noexcept {
        return rows_.bytes() + places_.capacity() * sizeof(place) + text_.capacity() + index_.bytes();
    }

private:
    struct place {
        std::uint32_t at = 0;
        std::uint32_t generation = 0;
        std::uint32_t size = 0;
    };
    struct name_of {
        const named_fleet& all;
        std::string_view operator()(std::uint32_t row) const noexcept { return all.name(row); }
    };

    void compact() {
        std::string text;
        text.reserve(text_.size() - garbage_);
        for (place& p : places_) {
            const auto at = static_cast<std::uint32_t>(text.size());
            text.append(text_, p.at, p.size);
            p.at = at;
        }
        text_ = std::move(text);
        garbage_ = 0;
    }

    fleet<Rule> rows_;
    std::vector<place> places_; // by row
    std::string text_;
    std::size_t garbage_ = 0; // bytes of names that are gone
    name_index index_;
};

} // namespace reheat::inline REHEAT_ABI
