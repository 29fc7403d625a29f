// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/driver/completion.hpp>
#include <reheat/runner/notification.hpp>
#include <reheat/sim/dice.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::sim {

/// Where pages go: a service that takes them after a while, loses some or their answers, refuses some, and lets some
/// lie until newer ones have passed them. One thread at a time.
///
///     receiver.lose(true, 60); // of the deliveries, in percent
///     receiver.advance(time.now, [](const notification& n, std::uint32_t from) { ... }); // they arrive
class page_receiver {
public:
    explicit page_receiver(std::uint64_t seed) : chance_{seed} {}

    /// Deliveries or their answers get lost, or are refused; or no longer.
    void lose(bool on, std::uint8_t share) noexcept { lost_.set(on, share); }
    /// Deliveries take minutes, and their answers as long again.
    void delay(bool on, std::uint8_t share) noexcept { late_.set(on, share); }

    /// One delivery begins, from the controller of that number.
    void take(const notification& n, completion done, std::uint32_t from) {
        delivery d{after(now_, chance_.between(std::chrono::milliseconds{100}, std::chrono::seconds{3})),
                   ++order_,
                   from,
                   n,
                   std::move(done),
                   true,
                   outcome_code::done,
                   {}};
        if (late_.meets(chance_)) {
            d.at = after(now_, chance_.between(std::chrono::seconds{5}, std::chrono::minutes{4}));
            d.answer_takes = chance_.between(std::chrono::seconds{0}, std::chrono::minutes{1});
        }
        if (lost_.meets(chance_)) {
            const std::uint32_t how = chance_.below(4);
            d.arrives = how == 0;
            if (how == 2) d.says = outcome_code::failed;
            else if (how == 3) d.says = outcome_code::refused;
            else {
                d.says.reset();
                d.answer_takes = chance_.between(std::chrono::seconds{20}, std::chrono::minutes{10});
            }
        }
        under_way_.push_back(std::move(d));
    }
    /// What is due happens: `arrived(notification, from)` for each that arrives, in order of time.
    template <class Arrived>
    void advance(time_point now, const Arrived& arrived) {
        now_ = later(now_, now);
        for (std::size_t n = first_due(); n != under_way_.size(); n = first_due()) {
            delivery d = std::move(under_way_[n]);
            under_way_.erase(under_way_.begin() + static_cast<std::ptrdiff_t>(n));
            if (std::exchange(d.arrives, false)) {
                ++arrivals_;
                arrived(std::as_const(d.what), d.from);
            }
            if (d.answer_takes > duration::zero()) {
                d.at = after(now_, std::exchange(d.answer_takes, duration{}));
                under_way_.push_back(std::move(d));
                continue;
            }
            answer(d);
        }
    }
    [[nodiscard]] time_point next() const noexcept {
        time_point at = never;
        for (const delivery& d : under_way_) at = earlier(at, d.at);
        return at;
    }
    [[nodiscard]] bool idle() const noexcept { return under_way_.empty(); }
    [[nodiscard]] std::uint64_t arrivals() const noexcept { return arrivals_; }

private:
    struct weather {
        std::uint16_t on = 0;
        std::uint8_t share = 100;
        void set(bool begins, std::uint8_t of) noexcept {
            on = static_cast<std::uint16_t>(begins ? on + 1 : on - 1);
            if (begins) share = of;
        }
        [[nodiscard]] bool meets(dice& chance) const noexcept { return on != 0 && chance.percent(share); }
    };
    struct delivery {
        time_point at;
        std::uint64_t order;
        std::uint32_t from;
        notification what;
        completion done;
        bool arrives;
        std::optional<outcome_code> says; ///< nothing: the answer got lost, and its sheet is destroyed in the end
        duration answer_takes;
    };

    /// The first one that is due by now, or the end.
    [[nodiscard]] std::size_t first_due() const noexcept {
        std::size_t best = under_way_.size();
        for (std::size_t n = 0; n < under_way_.size(); ++n) {
            const delivery& d = under_way_[n];
            if (d.at > now_) continue;
            const bool before = best == under_way_.size() || d.at < under_way_[best].at ||
                                (d.at == under_way_[best].at && d.order < under_way_[best].order);
            if (before) best = n;
        }
        return best;
    }
    void answer(delivery& d) {
        if (!d.says) return; // destroyed: nobody knows
        outcome said = outcome::done();
        said.code = *d.says;
        d.done(std::move(said));
    }

    dice chance_;
    weather lost_;
    weather late_;
    std::vector<delivery> under_way_;
    std::uint64_t order_ = 0;
    std::uint64_t arrivals_ = 0;
    time_point now_ = (time_point::min)();
};

/// One controller's way to it: a `notifier`.
class page_port {
public:
    page_port(page_receiver& to, std::uint32_t from) noexcept : to_{&to}, from_{from} {}
    void notify(const notification& n, completion done) { to_->take(n, std::move(done), from_); }

private:
    page_receiver* to_;
    std::uint32_t from_;
};

} // namespace reheat::inline REHEAT_ABI::sim
