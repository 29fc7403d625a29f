// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/engine/effects.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// A store of one lease and of the journal of whoever holds it, in memory, on the caller's time: what a replicated
/// store does for several controllers. It moves only in `advance`. One thread at a time.
///
///     mock_lease_store store;
///     mock_lease_link to_a{store}, to_b{store};          // one for each controller; each can be cut
///     campaign lead{to_a, {.name = "a", .ttl = 60s}};
///     pipeline ha{cloud, time, steps, leased_journal{to_a, lead.reign()}};
class mock_lease_store {
public:
    /// Its clock goes on; a time before the last one changes nothing.
    void advance(time_point now) noexcept { now_ = later(now_, now); }

    result<epoch> acquire(std::string_view who, duration ttl) {
        if (held()) return error{errc::already_exists, holder_, "expected a lease that nobody holds"};
        holder_ = who;
        ttl_ = ttl;
        until_ = after(now_, ttl);
        reign_ = static_cast<epoch>(static_cast<std::uint64_t>(reign_) + 1);
        return reign_;
    }
    result<void> renew(epoch reign) {
        if (!is_holder(reign)) return error{errc::not_found, {}, "the lease is over"};
        until_ = after(now_, ttl_);
        return {};
    }
    result<void> release(epoch reign) {
        if (!is_holder(reign)) return error{errc::not_found, {}, "the lease is over"};
        until_ = now_;
        return {};
    }
    /// Appends if that epoch has the lease, and if no record is missing; those that it has are skipped.
    result<void> append(epoch reign, std::span<const record> records) {
        if (!is_holder(reign)) return error{errc::denied, {}, "another epoch writes this journal"};
        for (const record& r : records) {
            const auto seq = static_cast<std::uint64_t>(r.seq);
            if (seq > records_.size() + 1) return error{errc::invalid_argument, {}, "a record is missing"};
            if (seq == records_.size() + 1) records_.push_back(r);
        }
        return {};
    }

    /// When the lease of today's holder ends unless it is renewed.
    [[nodiscard]] time_point until() const noexcept { return until_; }
    [[nodiscard]] bool held() const noexcept { return now_ < until_; }
    /// The newest epoch that it gave.
    [[nodiscard]] epoch reign() const noexcept { return reign_; }
    [[nodiscard]] std::string_view holder() const noexcept { return held() ? holder_ : std::string_view{}; }
    [[nodiscard]] std::span<const record> records() const noexcept { return records_; }

private:
    [[nodiscard]] bool is_holder(epoch reign) const noexcept { return held() && reign == reign_; }

    std::string holder_;
    duration ttl_{};
    time_point now_ = (time_point::min)();
    time_point until_ = (time_point::min)();
    epoch reign_{};
    std::vector<record> records_; // with sequence numbers from 1
};

/// One controller's way to the store: a `lease_store` that can be cut off.
class mock_lease_link {
public:
    enum class condition : std::uint8_t {
        up,
        cut,          ///< nothing gets there
        answers_lost, ///< it gets there, and nobody hears of it
    };

    explicit mock_lease_link(mock_lease_store& to) noexcept : to_{&to} {}

    condition is = condition::up;

    result<epoch> acquire(std::string_view who, duration ttl) {
        return pass<epoch>([&] { return to_->acquire(who, ttl); });
    }
    result<void> renew(epoch reign) {
        return pass<void>([&] { return to_->renew(reign); });
    }
    result<void> release(epoch reign) {
        return pass<void>([&] { return to_->release(reign); });
    }
    result<void> append(epoch reign, std::span<const record> records) {
        return pass<void>([&] { return to_->append(reign, records); });
    }
    result<std::vector<record>> read() {
        return pass<std::vector<record>>([&]() -> result<std::vector<record>> {
            return std::vector<record>(to_->records().begin(), to_->records().end());
        });
    }

private:
    template <class T, class Request>
    result<T> pass(const Request& request) {
        if (is == condition::cut) return error{errc::unavailable, {}, "the store does not answer"};
        result<T> answer = request();
        if (is == condition::answers_lost) return error{errc::unavailable, {}, "the store does not answer"};
        return answer;
    }

    mock_lease_store* to_;
};

/// The journal that a leader keeps in the store, under its epoch: once another one leads, `append` is `errc::denied`.
/// `Link` is a `mock_lease_link`, or something around one; the journal refers to it.
template <class Link = mock_lease_link>
class leased_journal {
public:
    leased_journal(Link& to, epoch reign) noexcept : to_{&to}, reign_{reign} {}

    result<void> open() {
        auto all = to_->read();
        if (!all) return std::move(all).error();
        durable_ = all->empty() ? no_sequence : all->back().seq;
        return {};
    }
    result<void> append(std::span<const record> records) {
        if (records.empty()) return {};
        if (auto appended = to_->append(reign_, records); !appended) return appended;
        durable_ = records.back().seq;
        return {};
    }
    [[nodiscard]] sequence durable() const noexcept { return durable_; }

    /// Visits every record, in order of sequence; `visit(record&&)` gives a `result<void>`.
    template <class Visit>
    result<void> replay(Visit&& visit) {
        auto all = to_->read();
        if (!all) return std::move(all).error();
        for (record& r : *all) {
            if (auto visited = visit(std::move(r)); !visited) return visited;
        }
        return {};
    }

private:
    Link* to_;
    epoch reign_;
    sequence durable_ = no_sequence;
};

} // namespace reheat::inline REHEAT_ABI
