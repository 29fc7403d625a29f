// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/fault_kind.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI::sim {

/// Where incidents stood when faults hit them: fault × rung × phase. Counts are added up from many runs.
class coverage {
public:
    static constexpr std::size_t phase_count = 8;

    void hit(fault_kind k, operation rung, phase in, std::uint64_t times = 1) noexcept {
        cells_[index(k, rung, in)] += times;
    }
    [[nodiscard]] std::uint64_t hits(fault_kind k, operation rung, phase in) const noexcept {
        return cells_[index(k, rung, in)];
    }
    /// A fault began, whatever it met.
    void began(fault_kind k) noexcept { ++began_[static_cast<std::size_t>(k)]; }
    [[nodiscard]] std::uint64_t began_so_often(fault_kind k) const noexcept {
        return began_[static_cast<std::size_t>(k)];
    }
    coverage& operator+=(const coverage& other) noexcept {
        for (std::size_t n = 0; n < cells_.size(); ++n) cells_[n] += other.cells_[n];
        for (std::size_t n = 0; n < began_.size(); ++n) began_[n] += other.began_[n];
        return *this;
    }

private:
    [[nodiscard]] static constexpr std::size_t index(fault_kind k, operation rung, phase in) noexcept {
        return (static_cast<std::size_t>(k) * operation_count + static_cast<std::size_t>(rung)) * phase_count +
               static_cast<std::size_t>(in);
    }

    std::array<std::uint64_t, fault_kind_count * operation_count * phase_count> cells_{};
    std::array<std::uint64_t, fault_kind_count> began_{};
};

/// Why no incident can stand on a rung in a phase; empty where one can. `none` is past the last rung.
[[nodiscard]] constexpr std::string_view why_never(operation rung, phase in) noexcept {
    switch (rung) {
    case operation::describe:
    case operation::create_instance:
    case operation::fence_instance:
    case operation::collect_forensics: return "no rung of a ladder";
    case operation::page: return "a page is left behind in the moment in which it is reached";
    default: break;
    }
    const bool past_the_last = rung == operation::none;
    switch (in) {
    case phase::closed: return "nothing is open";
    case phase::parked:
        return past_the_last
                   ? ""
                   : "who is parked has left the last rung behind; only a resumed controller has forgotten that";
    case phase::absorbed: return "";
    case phase::deciding: return past_the_last ? "past the last rung it is parked at once" : "";
    case phase::fencing:
        return needs_proof(rung) ? ""
               : past_the_last   ? "past the last rung nothing is done"
                                 : "it needs no proof of death";
    case phase::collecting:
        return is_destructive(rung) ? "" : past_the_last ? "past the last rung nothing is done" : "it destroys nothing";
    case phase::acting:
    case phase::verifying:
        if (past_the_last) return "past the last rung nothing is done";
        return rung == operation::guest_restarts ? "the guest acts by itself, the rung only waits" : "";
    }
    return "";
}

/// Why a fault can not meet an incident that stands so; empty where it can.
[[nodiscard]] constexpr std::string_view why_never(fault_kind, operation, phase) noexcept { return {}; }

/// The cells in which an incident can stand.
template <class Visit>
constexpr void each_stand(const Visit& visit) {
    for (std::size_t r = 0; r < operation_count; ++r) {
        for (std::size_t p = 0; p < coverage::phase_count; ++p) {
            const auto rung = static_cast<operation>(r);
            const auto in = static_cast<phase>(p);
            if (why_never(rung, in).empty()) visit(rung, in);
        }
    }
}

} // namespace reheat::inline REHEAT_ABI::sim
