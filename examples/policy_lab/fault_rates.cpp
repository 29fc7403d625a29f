// SPDX-License-Identifier: MIT
#include "fault_rates.hpp"

#include <reheat/core/text.hpp>
#include <reheat/sim/dice.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <tuple>

namespace policy_lab {

namespace {

using reheat::duration;
using reheat::errc;
using reheat::error;
using reheat::sim::fault_kind;
using reheat::sim::fault_kind_count;
using reheat::sim::fault_scope;
using namespace std::chrono_literals;

/// How often, and how long where it is a state.
struct usual {
    fault_kind kind;
    double a_year;
    duration least;
    duration most;
};

constexpr std::array usually{
    // Of an instance.
    usual{fault_kind::process_dies, 4, 0s, 0s},
    usual{fault_kind::process_hangs, 2, 0s, 0s},
    usual{fault_kind::guest_panics, 0.5, 0s, 0s},
    usual{fault_kind::guest_freezes, 0.5, 0s, 0s},
    // Of a stack.
    usual{fault_kind::stack_breaks, 0.2, 0s, 0s},
    // Of a host.
    usual{fault_kind::host_loses_power, 0.45, 5min, 24h},
    usual{fault_kind::host_goes_dark, 0.1, 30min, 24h},
    usual{fault_kind::host_loses_network, 0.25, 1min, 4h},
    usual{fault_kind::host_loses_storage, 0.25, 30s, 30min},
    // Of a rack.
    usual{fault_kind::rack_loses_power, 0.45, 1h, 6h},
    // Of a zone.
    usual{fault_kind::heartbeats_lost, 1, 1min, 30min},
    usual{fault_kind::management_cut, 1, 1min, 30min},
    // Of the cloud, and of the controller.
    usual{fault_kind::controller_cut_off, 2, 1min, 30min},
    usual{fault_kind::answers_lost, 2, 1min, 15min},
    usual{fault_kind::api_slow, 12, 5min, 2h},
    usual{fault_kind::api_fails, 6, 1min, 1h},
    usual{fault_kind::api_throttles, 6, 1min, 30min},
    usual{fault_kind::no_room, 1, 10min, 4h},
    usual{fault_kind::controller_stalls, 12, 2s, 10min},
    usual{fault_kind::controller_crashes, 4, 5s, 10min},
    usual{fault_kind::clock_jumps, 2, 0s, 0s},
    usual{fault_kind::journal_slow, 4, 1min, 1h},
    usual{fault_kind::journal_full, 1, 5min, 1h},
};

[[nodiscard]] usual usual_of(fault_kind k) noexcept {
    const auto* const found = std::find_if(usually.begin(), usually.end(), [k](const usual& u) { return u.kind == k; });
    return found == usually.end() ? usual{k, 0, 1min, 30min} : *found;
}

/// What there is so many a year of.
[[nodiscard]] std::string_view is_of(fault_kind k) noexcept {
    switch (reheat::sim::scope_of(k)) {
    case fault_scope::process:
    case fault_scope::machine: return "an instance";
    case fault_scope::stack: return "a stack";
    case fault_scope::host: return "a host";
    case fault_scope::rack: return "a rack";
    case fault_scope::zone: return "a zone";
    case fault_scope::everything: return "the cloud";
    }
    return {};
}

/// Each octave between the two is as likely as any other: most are short, some are very long.
[[nodiscard]] duration length_of(duration least, duration most, reheat::sim::dice& chance) {
    std::size_t octaves = 0;
    for (duration d = least; d < most; d *= 2) ++octaves;
    const auto doubled = std::int64_t{1} << chance.below(octaves);
    const duration from = least * doubled;
    return (std::min)(chance.between(from, from * 2), most);
}

/// How many there are of what it hits.
[[nodiscard]] std::size_t things(fault_kind k, const reheat::sim::fleet_plan& fleet) noexcept {
    switch (reheat::sim::scope_of(k)) {
    case fault_scope::process:
    case fault_scope::machine: return fleet.machines.size();
    case fault_scope::stack: return fleet.stacks;
    case fault_scope::host: return fleet.hosts();
    case fault_scope::rack: return fleet.racks();
    case fault_scope::zone: return fleet.zones;
    case fault_scope::everything: return 1;
    }
    return 0;
}

/// An instance that lies in what is hit; none if nothing does, and nobody would notice.
[[nodiscard]] std::optional<std::uint32_t> machine_in(fault_kind k, std::uint32_t thing,
                                                      const reheat::sim::fleet_plan& fleet, reheat::sim::dice& chance) {
    const auto all = static_cast<std::uint32_t>(fleet.machines.size());
    const std::uint32_t first = chance.below(all);
    for (std::uint32_t n = 0; n < all; ++n) {
        const std::uint32_t m = (first + n) % all;
        const reheat::sim::machine_plan& is = fleet.machines[m];
        switch (reheat::sim::scope_of(k)) {
        case fault_scope::process:
        case fault_scope::machine: return thing;
        case fault_scope::stack:
            if (is.stack == thing) return m;
            break;
        case fault_scope::host:
            if (is.host == thing) return m;
            break;
        case fault_scope::rack:
            if (fleet.rack_of(is.host) == thing) return m;
            break;
        case fault_scope::zone:
            if (fleet.zone_of(is.host) == thing) return m;
            break;
        case fault_scope::everything: return m;
        }
    }
    return std::nullopt;
}

} // namespace

fault_rates::fault_rates() {
    for (const usual& u : usually) a_year_[static_cast<std::size_t>(u.kind)] = u.a_year;
}

reheat::result<void> fault_rates::change(std::string_view words) {
    while (!words.empty()) {
        const std::string_view word = words.substr(0, words.find(','));
        words.remove_prefix((std::min)(word.size() + 1, words.size()));
        if (word == "none") {
            a_year_.fill(0);
            continue;
        }
        const std::size_t mark = word.find('=');
        const std::string_view name = word.substr(0, mark);
        const std::string_view number = mark == std::string_view::npos ? std::string_view{} : word.substr(mark + 1);
        std::size_t kind = 0;
        while (kind < fault_kind_count && to_string(static_cast<fault_kind>(kind)) != name) ++kind;
        if (kind == fault_kind_count) {
            std::string known;
            for (std::size_t k = 0; k < fault_kind_count; ++k)
                known += (k == 0 ? "" : ", ") + std::string{to_string(static_cast<fault_kind>(k))};
            return error{errc::not_found, std::string{name}, "is no kind of fault; known are " + known};
        }
        double rate = 0;
        const auto read = std::from_chars(number.data(), number.data() + number.size(), rate);
        const bool whole = read.ec == std::errc{} && read.ptr == number.data() + number.size() && !number.empty();
        if (!whole || !(rate >= 0 && rate <= 1000))
            return error{errc::invalid_argument, std::string{name}, "expected a number from 0 to 1000, faults a year"};
        a_year_[kind] = rate;
    }
    return {};
}

std::string fault_rates::text() const {
    std::string out;
    for (std::size_t n = 0; n < fault_kind_count; ++n) {
        const auto k = static_cast<fault_kind>(n);
        const usual how = usual_of(k);
        std::array<char, 32> rate{};
        std::snprintf(rate.data(), rate.size(), "%g", a_year_[n]);
        std::string line{to_string(k)};
        line.resize(24, ' ');
        line += rate.data();
        line.resize(32, ' ');
        line += "a year of " + std::string{is_of(k)};
        if (how.most > 0s)
            line += ", for " + reheat::format_duration(how.least) + " to " + reheat::format_duration(how.most);
        out += line + '\n';
    }
    return out;
}

std::vector<reheat::sim::planned_fault> draw_faults(const fault_rates& rates, const reheat::sim::fleet_plan& fleet,
                                                    std::uint32_t days, std::uint64_t seed) {
    // In each slot a thing is hit or not: with slots this short that is as good as at any moment, and whole numbers
    // are the same on every machine.
    constexpr std::uint32_t slots_a_day = 24 * 60;
    constexpr double chances = 1ULL << 40U;
    std::vector<reheat::sim::planned_fault> out;
    for (std::size_t kind = 0; kind < fault_kind_count; ++kind) {
        const auto k = static_cast<fault_kind>(kind);
        const std::size_t all = things(k, fleet);
        const double hits = rates.of(k) * static_cast<double>(all) / (365.0 * slots_a_day);
        const auto whole = static_cast<std::uint64_t>(hits * chances);
        if (whole == 0) continue;
        // A stream of its own for each kind: to change one rate leaves the other faults where they are.
        reheat::sim::dice chance{seed * fault_kind_count + kind};
        const usual how = usual_of(k);
        for (std::uint32_t slot = 0; slot < days * slots_a_day; ++slot) {
            std::uint64_t left = whole;
            for (const std::uint64_t one = 1ULL << 40U; left != 0; left -= (std::min)(left, one)) {
                if ((chance.roll() >> 24U) >= left) continue;
                reheat::sim::planned_fault f;
                f.kind = k;
                f.at = 1min * slot + chance.between(0s, 59s);
                const std::uint32_t thing = chance.below(all);
                const auto machine = machine_in(k, thing, fleet, chance);
                f.machine = machine.value_or(0);
                f.process = static_cast<std::uint8_t>(chance.below(reheat::sim::most_processes));
                f.share = static_cast<std::uint8_t>(1 + chance.below(100));
                f.lasts = 1min; // one that does not last is none
                if (how.most > 0s) f.lasts = length_of(how.least, how.most, chance);
                if (k == fault_kind::clock_jumps) {
                    f.jump = length_of(1s, 10min, chance);
                    if (chance.one_in(2)) f.jump = -f.jump;
                }
                if (machine) out.push_back(f);
            }
        }
    }
    const auto order = [](const auto& f) { return std::tuple{f.at, f.kind, f.machine, f.process, f.share}; };
    std::sort(out.begin(), out.end(), [&order](const auto& a, const auto& b) { return order(a) < order(b); });
    return out;
}

} // namespace policy_lab
