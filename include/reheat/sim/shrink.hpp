// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/run_schedule.hpp>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

namespace reheat::inline REHEAT_ABI::sim {

namespace detail {
[[nodiscard]] inline bool breaks(const schedule& s, std::string_view promise) {
    const run_result r = schedule_run{s}.run();
    return std::any_of(r.violations.begin(), r.violations.end(),
                       [promise](const run_violation& v) { return v.what == promise; });
}
} // namespace detail

/// A smaller schedule that breaks the same promise: faults are left out one by one, then what lasts is shortened and
/// what else happens is left out, as long as it still does. It comes to an end: each step makes something less.
///
///     auto least = sim::shrink(sim::make_schedule(seed), "second_copy");
[[nodiscard]] inline schedule shrink(schedule s, std::string_view promise) {
    const auto try_it = [&](schedule smaller) {
        if (!detail::breaks(smaller, promise)) return false;
        s = std::move(smaller);
        return true;
    };
    for (bool less = true; less;) {
        less = false;
        for (std::size_t n = 0; n < s.faults.size();) {
            schedule smaller = s;
            smaller.faults.erase(smaller.faults.begin() + static_cast<std::ptrdiff_t>(n));
            if (try_it(std::move(smaller))) less = true;
            else ++n;
        }
        for (std::size_t n = 0; n < s.faults.size(); ++n) {
            schedule smaller = s;
            smaller.faults[n].lasts /= 2;
            less = (smaller.faults[n].lasts >= std::chrono::seconds{5} && try_it(std::move(smaller))) || less;
        }
        if (s.policies.size() > 1) {
            schedule smaller = s;
            smaller.policies.pop_back();
            less = try_it(std::move(smaller)) || less;
        }
        if (s.people.maintains != 0) {
            schedule smaller = s;
            smaller.people.maintains = 0;
            less = try_it(std::move(smaller)) || less;
        }
    }
    return s;
}

} // namespace reheat::inline REHEAT_ABI::sim
