// SPDX-License-Identifier: MIT
// decisions WHAT ROUNDS: the alarms of 100 targets are raised once a round, in an engine that has been through it
// before. The script `run` counts the instructions inside `counted_step`: the step that sees the alarms, up to its
// structured events and records.
#include <reheat/recovery/peers.hpp>
#include <reheat/reheat.hpp>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace rh = reheat;
using namespace std::chrono_literals;

/// What `run` counts the inside of.
extern "C" [[gnu::noinline]] void counted_step(rh::engine& e, rh::time_point now, rh::outputs& out) {
    e.step(now, out);
}

namespace {

constexpr rh::time_point start{std::chrono::hours{24 * 365 * 50}};
constexpr std::size_t targets = 100;

/// Bounds that a hundred failures at once do not reach.
rh::limits wide() {
    rh::limits l = rh::peer::no_limits;
    l.in_flight = l.services_in_flight = {100, 1000};
    return l;
}

/// Restarts without end, or a re-creation that a standing order holds up.
rh::policy rules(bool acts) {
    rh::policy p =
        acts
            ? rh::ladder{rh::restart_service{.attempts = 60'000, .within = 1min, .sustained = {60'000, 1min}}}.lowered()
            : rh::ladder{rh::recreate_instance{.attempts = 60'000, .within = 1min, .sustained = {60'000, 1min}}}
                  .lowered();
    p.related = 0s;
    p.probation = 0s;
    return p;
}

class world {
public:
    explicit world(bool acts) : e_{rules(acts), {.bounds = wide()}} {
        for (std::size_t n = 0; n < targets; ++n) {
            const std::string name = "db-" + std::to_string(n);
            const auto db =
                *e_.add(rh::instance{.name = name, .stack = "wiki", .host = "h1", .rack = "r1", .zone = "z1"});
            const auto mysqld = *e_.add(rh::service{.name = "mysqld", .on = db});
            watches_.push_back(*e_.watch(mysqld, rh::heartbeat_alarm{.period = 60s, .grace = 0s}.rule(), now_));
        }
        if (!acts)
            e_.operate(
                {rh::operator_verb::maintain, e_.find(rh::level::stack, "wiki"), "ann", "new disks", now_ + 24h * 365},
                now_);
        settle();
    }
    /// Heard, then silent for a period: `counted` sees the alarm. Then heard again.
    template <class Step>
    void round(const Step& counted) {
        beat();
        now_ += 60s;
        out_.clear();
        counted(e_, now_, out_);
        seen_ += out_.events.size();
        settle();
        beat();
        beat();
    }
    [[nodiscard]] std::size_t seen() const { return seen_; }

private:
    void beat() {
        for (const rh::watch_id w : watches_) e_.push(w, now_ + 30s, rh::heartbeat);
        now_ += 60s;
        out_.clear();
        e_.step(now_, out_);
        settle();
    }
    void settle() {
        for (int n = 0; n < 4; ++n) {
            if (!out_.records.empty()) e_.durable(out_.records.back().seq);
            for (const rh::call& c : out_.calls) e_.complete(c.what.op, now_, rh::outcome::done());
            out_.calls.clear();
            e_.step(now_, out_);
        }
    }

    rh::engine e_;
    rh::time_point now_ = start;
    std::vector<rh::watch_id> watches_;
    rh::outputs out_;
    std::size_t seen_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const std::string_view what = argv[1];
    const int rounds = std::atoi(argv[2]);
    if (what != "decide_wait" && what != "decide_act") return 2;
    world w{what == "decide_act"};
    for (int n = 0; n < 8; ++n) w.round([](rh::engine& e, rh::time_point now, rh::outputs& out) { e.step(now, out); });
    const std::size_t before = w.seen();
    for (int n = 0; n < rounds; ++n) w.round(counted_step);
    // The alarm, the incident, and the decision: or nothing was measured.
    return w.seen() - before == static_cast<std::size_t>(rounds) * 3 * targets ? 0 : 1;
}
