// SPDX-License-Identifier: MIT
// Every order of up to six events, against a reading of the whole past at each instant.
#include <reheat/alarm/suppressor.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
namespace rh = reheat;
using rh::alarm_state;

namespace {

/// `c`, `C`: the composite alarm goes to OK, to ALARM. `s`, `S`, `i`: the suppressor goes to OK, to ALARM, to insufficient
/// data. `R`, `r`: it is replaced by one in ALARM or not. `.`: a second passes.
constexpr std::string_view letters = "cCsSiRr.";

struct heard {
    char what;
    int second;
};

struct answer {
    std::optional<alarm_state> action;
    std::optional<rh::suppressed_by> by;
};

/// Knows only what it heard, and when it acted.
class historian {
public:
    historian(int wait, int extension, bool held) : wait_{wait}, extension_{extension}, held_at_first_{held} {}
    void hear(char what, int second) { past_.push_back({what, second}); }

    answer ask(int second) {
        bool held = held_at_first_;
        int since = 0; // when what holds back began
        alarm_state state{};
        std::optional<rh::suppressed_by> by; // none, with something pending: it is due at `since`
        bool pending = false;
        int length = 0;
        for (std::size_t i = 0; i < past_.size(); ++i) {
            const heard& h = past_[i];
            const bool was_held = held;
            if (h.what == 'S' || h.what == 'R') held = true;
            if (h.what == 's' || h.what == 'i' || h.what == 'r') held = false;
            if (h.what == 'c' || h.what == 'C') {
                state = h.what == 'C' ? alarm_state::alarm : alarm_state::ok;
                pending = true;
                since = h.second;
                length = wait_;
                by = rh::suppressed_by::wait_period;
            } else if (h.what == 'r') {
                since = h.second;
                length = 0;
                by = std::nullopt;
            } else if (was_held && !held) {
                since = h.second;
                length = extension_;
                by = rh::suppressed_by::extension_period;
            }
            if (i + 1 == acted_) pending = false;
        }
        if (!pending) return {};
        if (held) return {std::nullopt, rh::suppressed_by::alarm};
        if (second < since + length) return {std::nullopt, by};
        acted_ = past_.size();
        return {state, std::nullopt};
    }

private:
    int wait_;
    int extension_;
    bool held_at_first_;
    std::vector<heard> past_;
    std::size_t acted_ = 0; ///< how much of the past was acted on
};

} // namespace

TEST_SUITE("suppressor properties") {
    TEST_CASE("every order of up to six events is what the whole past says, and the last action is for the last state") {
        std::uint64_t orders = 0;
        for (std::size_t length = 1, count = letters.size(); length <= 6; ++length, count *= letters.size()) {
            for (std::size_t code = 0; code < count; ++code) {
                std::array<char, 6> events{};
                for (std::size_t i = 0, rest = code; i < length; ++i, rest /= letters.size())
                    events[i] = letters[rest % letters.size()];
                // Periods of 0, 1 and 2 s, and a suppressor in ALARM at first or not; the longest orders try one each.
                for (std::size_t start = length < 6 ? 0 : code % 18; start < 18; start += length < 6 ? 1 : 18) {
                    const int wait = static_cast<int>(start % 3);
                    const int extension = static_cast<int>(start / 3 % 3);
                    const bool held = start >= 9;
                    const rh::suppression_periods periods{.wait = wait * 1s, .extension = extension * 1s};
                    rh::action_suppressor gate{periods, held ? alarm_state::alarm : alarm_state::ok};
                    historian model{wait, extension, held};
                    alarm_state composite{};
                    std::optional<alarm_state> acted;
                    bool suppressed = held;
                    bool early = false;
                    int second = 0;
                    bool good = true;
                    const auto pass = [&] {
                        const answer expected = model.ask(second);
                        const std::optional<rh::due_action> due = gate.advance(rh::time_point{second * 1s});
                        good = good && due.has_value() == expected.action.has_value() &&
                               gate.actions_suppressed_by() == expected.by;
                        if (due) {
                            good = good && due->state == *expected.action && due->at == rh::time_point{second * 1s};
                            acted = due->state;
                        }
                        ++second;
                    };
                    for (std::size_t i = 0; i < length; ++i) {
                        const rh::time_point now{second * 1s};
                        const char e = events[i];
                        if (e != '.') model.hear(e, second);
                        if (e == 'c' || e == 'C') composite = e == 'C' ? alarm_state::alarm : alarm_state::ok;
                        if (e == 'S' || e == 'R') suppressed = true;
                        if (e == 's' || e == 'i' || e == 'r') suppressed = false;
                        switch (e) {
                        case 'c':
                        case 'C': early = early || gate.composite_changed(composite, now).has_value(); break;
                        case 's': early = early || gate.suppressor_changed(alarm_state::ok, now).has_value(); break;
                        case 'S': early = early || gate.suppressor_changed(alarm_state::alarm, now).has_value(); break;
                        case 'i':
                            early = early || gate.suppressor_changed(alarm_state::insufficient_data, now).has_value();
                            break;
                        case 'R': early = early || gate.replace(periods, alarm_state::alarm, now).has_value(); break;
                        case 'r': early = early || gate.replace(periods, alarm_state::ok, now).has_value(); break;
                        default: pass();
                        }
                    }
                    for (int i = 0; i < 4; ++i) pass();
                    // When nothing runs any more, the last word is the last state; a suppressor in ALARM keeps it back.
                    good = good && !early && gate.next() == rh::never;
                    good = good && gate.actions_suppressed_by().has_value() <= suppressed;
                    if (!gate.actions_suppressed_by() && composite != alarm_state{}) good = good && acted == composite;
                    ++orders;
                    if (good) continue;
                    CAPTURE(std::string_view(events.data(), length));
                    CAPTURE(wait);
                    CAPTURE(extension);
                    CAPTURE(held);
                    REQUIRE(good);
                }
            }
        }
        CHECK(orders == 18 * (8 + 64 + 512 + 4'096 + 32'768) + 262'144);
    }
}
