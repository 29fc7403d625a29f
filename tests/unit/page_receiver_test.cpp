// SPDX-License-Identifier: MIT
// A receiver of pages that loses some and lets some lie, and a pager that brings the last word there all the same.
#include <reheat/recovery/ladder.hpp>
#include <reheat/runner/mailbox.hpp>
#include <reheat/runner/page_queue.hpp>
#include <reheat/sim/page_receiver.hpp>
#include <reheat/sim/run_schedule.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

using namespace std::chrono_literals;
namespace rh = reheat;
namespace sim = reheat::sim;

namespace {

constexpr std::size_t outcome_codes = 4;

struct pages_to {
    ~pages_to() {
        mail->close();
        mail->release();
    }
    void send(std::uint64_t id) {
        rh::notification n;
        n.id = rh::notification_id{id};
        to.take(n, {rh::op_id{id}, *mail}, 1);
    }
    void run(rh::duration d) {
        for (const rh::time_point end = now + d; now < end;) {
            now = rh::earlier(end, rh::later(now, to.next()));
            to.advance(now, [this](const rh::notification& n, std::uint32_t) {
                arrived.push_back(static_cast<std::uint64_t>(n.id));
            });
        }
    }
    std::array<unsigned, outcome_codes> answers() {
        std::array<unsigned, outcome_codes> all{};
        rh::delivered_outcome got;
        while (mail->outcomes.take(got)) ++all[static_cast<std::size_t>(got.result.code)];
        return all;
    }

    sim::page_receiver to{7};
    rh::mailbox* mail = new rh::mailbox{512, 16};
    rh::time_point now = sim::world_time{}.now;
    std::vector<std::uint64_t> arrived;
};

} // namespace

TEST_CASE("a receiver that is well takes every page within seconds and says so") {
    pages_to f;
    for (std::uint64_t n = 1; n <= 100; ++n) f.send(n);
    f.run(4s);
    CHECK(f.arrived.size() == 100);
    CHECK(f.answers()[static_cast<std::size_t>(rh::outcome_code::done)] == 100);
    CHECK(f.to.idle());
}

TEST_CASE("one that loses pages refuses some, answers nothing to others, and some arrive without an answer") {
    pages_to f;
    f.to.lose(true, 100);
    for (std::uint64_t n = 1; n <= 200; ++n) f.send(n);
    f.run(10min);
    const auto answers = f.answers();
    CHECK(answers[static_cast<std::size_t>(rh::outcome_code::done)] == 0);
    CHECK(answers[static_cast<std::size_t>(rh::outcome_code::failed)] > 20);
    CHECK(answers[static_cast<std::size_t>(rh::outcome_code::refused)] > 20);
    CHECK(f.arrived.size() > 20);
    CHECK(f.arrived.size() < 80);
    f.to.lose(false, 0);
    f.send(201);
    f.run(4s);
    CHECK(f.answers()[static_cast<std::size_t>(rh::outcome_code::done)] == 1);
}

TEST_CASE("one that is slow lets newer pages pass older ones") {
    pages_to f;
    f.to.delay(true, 100);
    for (std::uint64_t n = 1; n <= 50; ++n) f.send(n);
    f.run(10min);
    REQUIRE(f.arrived.size() == 50);
    CHECK(!std::is_sorted(f.arrived.begin(), f.arrived.end()));
    CHECK(f.answers()[static_cast<std::size_t>(rh::outcome_code::done)] == 50);
}

TEST_CASE("in the end the last word about each target has arrived, whatever the receiver did meanwhile") {
    sim::schedule s;
    s.fleet.stacks = 5;
    for (std::uint32_t n = 0; n < 20; ++n) s.fleet.machines.push_back({.stack = n % 5, .host = n % 12});
    // A ladder that calls a human at once, and one who mends nothing: the guest gets well by itself.
    s.policies = {rh::ladder{rh::page{}, rh::reboot_instance{.attempts = 1, .within = 1h}}.lowered()};
    s.calm = 4h;
    for (std::uint32_t n = 0; n < 10; ++n) {
        sim::planned_fault f;
        f.kind = n < 2 ? (n == 0 ? sim::fault_kind::pages_lost : sim::fault_kind::pages_late)
                       : sim::fault_kind::guest_freezes;
        f.at = n < 2 ? 1min : std::chrono::minutes{n * 20};
        f.lasts = 5h;
        f.machine = n;
        f.share = 90;
        s.faults.push_back(f);
    }
    const sim::run_result r = sim::schedule_run{s}.run();
    CHECK(r.violations.empty());
    CHECK(r.pages >= 8);
    CHECK(r.recovered >= 8);
}
