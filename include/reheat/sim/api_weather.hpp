// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/operation.hpp>
#include <reheat/action/outcome.hpp>
#include <reheat/sim/dice.hpp>
#include <reheat/sim/fault_kind.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace reheat::inline REHEAT_ABI::sim {

/// How one call goes.
struct call_fate {
    bool arrives = true; ///< otherwise nothing happens, and nobody answers
    bool takes_effect = true;
    bool half = false;              ///< the old copy goes and no new one comes
    bool false_proof = false;       ///< a fence that says done and did nothing
    bool lies_about_status = false; ///< a description that says the opposite
    bool twice = false;
    bool late = false;
    bool abandoned = false;
    std::optional<outcome_code> says{}; ///< instead of what is so
    duration retry_after{};
    duration takes{};
};

/// Which faults of the API are on, and what they do to a call. One thread at a time.
class api_weather {
public:
    /// A fault begins or ends; `share` is the part of the calls that it meets, in percent.
    void set(fault_kind k, bool on, std::uint8_t share = 100) noexcept {
        state& s = states_[static_cast<std::size_t>(k)];
        if (on) {
            ++s.on;
            s.share = share;
        } else if (s.on != 0) {
            --s.on;
        }
    }
    [[nodiscard]] bool on(fault_kind k) const noexcept { return states_[static_cast<std::size_t>(k)].on != 0; }
    /// A mode of its own: fences that say they worked, and did not.
    void lie_about_proofs(unsigned percent) noexcept { false_proofs_ = percent; }

    [[nodiscard]] call_fate fate_of(operation what, dice& chance) const noexcept {
        call_fate f;
        f.takes = usual_[static_cast<std::size_t>(what)] * std::int64_t{50 + chance.below(100)} / 100;
        const bool asks = what == operation::describe;
        const bool fences = what == operation::fence_instance;
        if (on(fault_kind::controller_cut_off)) f.arrives = f.takes_effect = false;
        if (meets(fault_kind::api_slow, chance)) f.takes = f.takes * std::int64_t{3 + chance.below(40)};
        if (meets(fault_kind::completions_twice, chance)) f.twice = true;
        if (meets(fault_kind::completions_late, chance)) f.late = true;
        if (meets(fault_kind::completions_abandoned, chance)) f.abandoned = true;
        if (meets(fault_kind::api_throttles, chance)) {
            f.takes_effect = false;
            f.says = outcome_code::refused;
            f.retry_after = std::chrono::seconds{5 + std::int64_t{chance.below(120)}};
        }
        if (meets(fault_kind::api_fails, chance)) {
            const bool nobody_knows = chance.one_in(3);
            f.takes_effect = nobody_knows && chance.one_in(2);
            f.says = nobody_knows ? outcome_code::unknown : outcome_code::failed;
        }
        if (meets(fault_kind::api_lies, chance)) {
            if (asks) {
                f.lies_about_status = true;
            } else if (chance.one_in(2)) {
                f.says = chance.one_in(2) ? outcome_code::failed : outcome_code::refused;
            } else if (!fences) { // a fence that says done is a proof, and of those it speaks the truth
                f.takes_effect = false;
                f.says = outcome_code::done;
            }
        }
        const bool copies = what == operation::recreate_instance || what == operation::evacuate_instance;
        if (copies && meets(fault_kind::half_done, chance)) f.half = true;
        if (fences && false_proofs_ != 0 && chance.percent(false_proofs_)) f.false_proof = true;
        return f;
    }

private:
    struct state {
        std::uint16_t on = 0;
        std::uint8_t share = 100;
    };

    [[nodiscard]] bool meets(fault_kind k, dice& chance) const noexcept {
        const state& s = states_[static_cast<std::size_t>(k)];
        return s.on != 0 && chance.percent(s.share);
    }

    std::array<state, fault_kind_count> states_{};
    unsigned false_proofs_ = 0;
    /// In the order of `operation`.
    std::array<duration, operation_count> usual_{
        std::chrono::seconds{0},  std::chrono::seconds{1},  std::chrono::seconds{20}, std::chrono::seconds{5},
        std::chrono::seconds{10}, std::chrono::seconds{60}, std::chrono::seconds{15}, std::chrono::seconds{60},
        std::chrono::seconds{60}, std::chrono::seconds{90}, std::chrono::seconds{0},  std::chrono::seconds{0},
        std::chrono::seconds{5}};
};

} // namespace reheat::inline REHEAT_ABI::sim
