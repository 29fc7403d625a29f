// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/reheat.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What several tests share: a generator that is the same everywhere, a driver that only notes, an engine stepped by
// hand.

namespace support {

namespace rh = reheat;

/// The start of every test's time.
inline constexpr rh::time_point start{std::chrono::seconds{1'767'225'600}};

/// Random numbers from a seed that the test prints.
class dice {
public:
    explicit dice(std::uint64_t seed) : state_{seed} {}
    std::uint64_t roll() { return rh::mix(++state_); }
    /// From 0 to `sides - 1`.
    std::int64_t below(std::int64_t sides) {
        return static_cast<std::int64_t>(roll() % static_cast<std::uint64_t>(sides));
    }

private:
    std::uint64_t state_;
};

/// A driver with every function, that answers what it is told to, or keeps the completion for the test.
class notebook {
public:
    struct note {
        rh::operation what{};
        rh::op_id op{};
        std::string name{};
        std::string service{};
        std::string instance{};
        std::string stack{};
        std::string cloud_id{};
    };

    void describe(const rh::request& r, rh::completion done) { take(r, std::move(done)); }
    void create(const rh::request& r, rh::completion done) { take(r, std::move(done)); }
    void restart_service(const rh::request& r, rh::completion done) { take(r, std::move(done)); }
    void reboot(const rh::request& r, rh::completion done) { take(r, std::move(done)); }
    void rebuild(const rh::request& r, rh::completion done) { take(r, std::move(done)); }
    void fence(const rh::request& r, rh::completion done) { take(r, std::move(done)); }
    void recreate(const rh::request& r, rh::proof_of_death, rh::completion done) { take(r, std::move(done)); }
    void evacuate(const rh::request& r, rh::proof_of_death, rh::completion done) { take(r, std::move(done)); }
    void converge(const rh::request& r, std::span<rh::proof_of_death>, rh::completion done) {
        take(r, std::move(done));
    }

    /// Every call of that operation is answered so, inside the call.
    void answer(rh::operation what, rh::outcome how) { answers_[what] = std::move(how); }
    [[nodiscard]] std::size_t count(rh::operation what) const {
        std::size_t n = 0;
        for (const note& c : calls) n += c.what == what ? 1U : 0U;
        return n;
    }

    std::vector<note> calls;
    std::vector<rh::completion> kept;

private:
    void take(const rh::request& r, rh::completion done) {
        calls.push_back({r.what, r.op, std::string{r.name}, std::string{r.service}, std::string{r.instance},
                         std::string{r.stack}, std::string{r.cloud_id}});
        if (const auto found = answers_.find(r.what); found != answers_.end()) done(found->second);
        else kept.push_back(std::move(done));
    }

    std::map<rh::operation, rh::outcome> answers_;
};

/// Options of an engine that need not wait after its start; a test of that wait says so.
inline rh::engine_options at_once(rh::engine_options o = {}) {
    o.bounds.start_hold = rh::duration::zero();
    return o;
}

/// An engine on a time that the test moves. Records are durable at once unless `slow` is set; calls and events pile up.
class bench {
public:
    explicit bench(const rh::policy& rules, rh::engine_options options = at_once()) : e{rules, options} {}

    /// Steps until nothing comes out.
    void step() {
        for (int rounds = 0; rounds < 1000; ++rounds) {
            rh::outputs out;
            e.step(now, out);
            if (out.empty()) return;
            for (rh::record& r : out.records) records.push_back(std::move(r));
            for (rh::call& c : out.calls) calls.push_back(std::move(c));
            for (const rh::event& v : out.events) events.push_back(v);
            if (!slow && !records.empty()) e.durable(records.back().seq);
        }
        endless = true;
    }
    void at(rh::time_point t) {
        now = t;
        step();
    }
    void pass(rh::duration d) { at(rh::after(now, d)); }
    /// Steps whenever the engine wants to, up to that time. False if it does not move on.
    bool run_until(rh::time_point end) {
        for (int rounds = 0; rounds < 100'000; ++rounds) {
            step();
            const rh::time_point due = e.next();
            if (due <= now) return false;
            if (due > end) {
                now = end;
                return true;
            }
            now = due;
        }
        return false;
    }
    bool run_for(rh::duration d) { return run_until(rh::after(now, d)); }

    void sees(rh::target_id target, rh::health h, rh::vantage from = rh::vantage::driver_status) {
        e.observe({target, from, h, now});
    }
    void answer(rh::outcome o) { e.complete(calls.back().what.op, now, std::move(o)); }

    [[nodiscard]] std::size_t count(rh::operation what) const {
        std::size_t n = 0;
        for (const rh::call& c : calls) n += c.what.what == what ? 1U : 0U;
        return n;
    }
    [[nodiscard]] std::size_t told(rh::decision what, rh::reason why) const {
        std::size_t n = 0;
        for (const rh::event& v : events) n += v.what == what && v.why == why ? 1U : 0U;
        return n;
    }

    rh::engine e;
    rh::time_point now = start;
    bool slow = false;
    bool endless = false;
    std::vector<rh::record> records;
    std::vector<rh::call> calls;
    std::vector<rh::event> events;
};

/// A service on an instance in a stack, under the three levels unless told otherwise.
struct wiki : bench {
    explicit wiki(const rh::policy& rules = rh::three_levels.lowered(), rh::engine_options options = at_once())
        : bench{rules, options}, db{*e.add(rh::instance{.name = "db-1", .stack = "wiki", .keep = rh::volumes})},
          mysqld{*e.add(rh::service{.name = "mysqld", .on = db})}, stack{e.find(rh::level::stack, "wiki")} {
        step();
    }
    /// It is unhealthy, and what follows of that has happened.
    void fail(rh::target_id what) {
        sees(what, rh::health::unhealthy);
        step();
    }

    rh::target_id db;
    rh::target_id mysqld;
    rh::target_id stack;
};

} // namespace support
