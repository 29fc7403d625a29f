// SPDX-License-Identifier: MIT
#include "../unit/support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::uint64_t> allocations{0};
std::atomic<std::uint64_t> live_bytes{0};

/// The size of a block is kept before it, at a distance that keeps its alignment.
constexpr std::size_t header = 16;

void* note(void* raw, std::size_t before, std::size_t size) {
    if (raw == nullptr) std::abort();
    ++allocations;
    live_bytes += size;
    void* const block = static_cast<char*>(raw) + before;
    static_cast<std::uint64_t*>(block)[-1] = size;
    return block;
}
void* forget(void* block, std::size_t before) noexcept {
    live_bytes -= static_cast<std::uint64_t*>(block)[-1];
    return static_cast<char*>(block) - before;
}

void* counted(std::size_t size) {
    return note(std::malloc(size + header), header, size); // NOLINT(cppcoreguidelines-no-malloc)
}
void* counted(std::size_t size, std::align_val_t at) {
    const auto alignment = (std::max)(static_cast<std::size_t>(at), header);
    const std::size_t all = (size + 2 * alignment - 1) / alignment * alignment;
#if defined(_WIN32)
    return note(_aligned_malloc(all, alignment), alignment, size);
#else
    return note(std::aligned_alloc(alignment, all), alignment, size);
#endif
}
void release(void* p) noexcept {
    if (p != nullptr) std::free(forget(p, header)); // NOLINT(cppcoreguidelines-no-malloc)
}
void release_aligned(void* p, std::align_val_t at) noexcept {
    if (p == nullptr) return;
    void* const raw = forget(p, (std::max)(static_cast<std::size_t>(at), header));
#if defined(_WIN32)
    _aligned_free(raw);
#else
    std::free(raw); // NOLINT(cppcoreguidelines-no-malloc)
#endif
}

} // namespace

// Replaced for the whole program: every allocation that it makes is counted.
void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void* operator new(std::size_t size, std::align_val_t at) { return counted(size, at); }
void* operator new[](std::size_t size, std::align_val_t at) { return counted(size, at); }
void operator delete(void* p) noexcept { release(p); }
void operator delete[](void* p) noexcept { release(p); }
void operator delete(void* p, std::size_t) noexcept { release(p); }
void operator delete[](void* p, std::size_t) noexcept { release(p); }
void operator delete(void* p, std::align_val_t at) noexcept { release_aligned(p, at); }
void operator delete[](void* p, std::align_val_t at) noexcept { release_aligned(p, at); }
void operator delete(void* p, std::size_t, std::align_val_t at) noexcept { release_aligned(p, at); }
void operator delete[](void* p, std::size_t, std::align_val_t at) noexcept { release_aligned(p, at); }

namespace rh = reheat;
using namespace std::chrono_literals;

namespace {

template <class Work>
std::uint64_t allocations_of(Work work) {
    const std::uint64_t before = allocations;
    work();
    return allocations - before;
}

} // namespace

TEST_SUITE("allocation") {
    TEST_CASE("the counter counts") {
        // A call of the function itself: a compiler may leave out what `new` and `delete` would do.
        CHECK(allocations_of([] { ::operator delete(::operator new(1)); }) == 1);
        CHECK(allocations_of([] { std::vector<int>(100).clear(); }) == 1);
        const std::uint64_t before = live_bytes;
        std::vector<std::uint64_t> held(100);
        CHECK(live_bytes - before == 800);
    }

    TEST_CASE("a million samples into fleets, transitions, names and deadlines: nothing after registration") {
        std::vector<rh::transition> out;
        out.reserve(4000);
        rh::named_fleet hosts{rh::heartbeat_alarm{.period = 60s, .grace = 0s}.rule()};
        rh::fleet<rh::any_alarm> averages{{.of = {.statistic = {rh::statistic::average}}, .grace = 0s}};
        rh::alarm<rh::window<rh::extended_statistic<rh::sketch<64>>>, rh::greater_than> slow{.threshold = 90,
                                                                                             .grace = 0s};
        slow.of.statistic = {*rh::parse_statistic("p99")};
        rh::fleet percentiles{slow};
        rh::deadline_fleet probes{support::start};
        std::vector<rh::row_handle> rows[4];
        std::vector<std::string> names;
        for (std::uint32_t n = 0; n < 100; ++n) {
            names.push_back("a name longer than a small string " + std::to_string(n));
            rows[0].push_back(*hosts.watch(names.back(), support::start));
            rows[1].push_back(averages.watch(rh::target_id{n}, support::start));
            rows[2].push_back(percentiles.watch(rh::target_id{n}, support::start));
            rows[3].push_back(probes.watch(rh::target_id{n}, 1500ms, support::start));
        }
        rh::time_point now = support::start;
        CHECK(allocations_of([&] {
                  for (int second = 1; second < 2000; ++second) {
                      now += 1s;
                      out.clear();
                      for (std::size_t n = 0; n < 100; ++n) {
                          if (second % 200 > 120 && n % 2 == 0) continue; // some fall silent and come back
                          hosts.push(names[n], now, rh::heartbeat);
                          averages.push(rows[1][n], now, static_cast<double>(second));
                          percentiles.push(rows[2][n], now, static_cast<double>(second % 100), 3);
                          probes.push(rows[3][n], now);
                      }
                      hosts.rows().evaluate(0, now, out);
                      averages.evaluate(0, now, out);
                      percentiles.evaluate(0, now, out);
                      probes.evaluate(now, out);
                  }
              }) == 0);
        CHECK(out.capacity() == 4000);
    }

    TEST_CASE("a composite alarm's children change: nothing after registration") {
        rh::composite_set alarms;
        std::vector<rh::composite_transition> changes;
        changes.reserve(100);
        const auto a = *alarms.add("a");
        const auto b = *alarms.add("b");
        REQUIRE(alarms.add("both", *rh::parse_composite_rule("ALARM(a) AND ALARM(b)"), support::start, changes));
        REQUIRE(
            alarms.add("any", *rh::parse_composite_rule("AT_LEAST(1, ALARM, (a, b, both))"), support::start, changes));
        CHECK(allocations_of([&] {
                  for (int n = 0; n < 1000; ++n) {
                      changes.clear();
                      alarms.set_state(n % 2 == 0 ? a : b, n % 3 == 0 ? rh::alarm_state::alarm : rh::alarm_state::ok,
                                       support::start, changes);
                  }
              }) == 0);
    }

    TEST_CASE("bytes: 64 hot ones for a heartbeat target, 192 with its name and index, 384 more for five statistics") {
        constexpr std::size_t many = 20'000;
        rh::named_fleet hosts{rh::heartbeat_alarm{}.rule()};
        rh::fleet counts{rh::heartbeat_alarm{}.rule()};
        rh::fleet<rh::any_alarm> five{{.of = {.statistic = {rh::statistic::average}}, .evaluation_periods = 12}};
        hosts.reserve(many, 32 * many);
        counts.reserve(many);
        five.reserve(many);
        for (std::uint32_t n = 0; n < many; ++n) {
            const std::string number = std::to_string(100'000 + n);
            REQUIRE(hosts.watch("instance-of-a-name-of-32-b" + number, support::start));
            counts.watch(rh::target_id{n}, support::start);
            five.watch(rh::target_id{n}, support::start);
        }
        CHECK(counts.bytes() == 64 * many);
        CHECK(hosts.bytes() <= 192 * many);
        CHECK(five.bytes() <= (64 + 384) * many);
    }

    TEST_CASE("pushing to an existing target, evaluating without a transition and a quiet step do not allocate") {
        rh::engine e{rh::three_levels.lowered()};
        rh::outputs out;
        rh::time_point now = support::start;
        std::vector<rh::watch_id> watches;
        for (int n = 0; n < 100; ++n) {
            const auto vm = e.add(rh::instance{.name = "a name longer than a small string " + std::to_string(n)});
            watches.push_back(*e.watch(*vm, rh::heartbeat_alarm{.period = 60s}.rule(), now));
            watches.push_back(
                *e.watch(*vm, rh::any_alarm{.of = {.statistic = {rh::statistic::average}}, .threshold = -1}, now));
        }
        const auto minute = [&] {
            for (const rh::watch_id w : watches) e.push(w, now, rh::heartbeat);
            now += 60s;
            out.clear();
            e.step(now, out);
        };
        minute(); // every alarm goes to `ok`
        REQUIRE(out.events.size() == watches.size());
        CHECK(allocations_of([&] {
                  for (int n = 0; n < 100; ++n) minute();
              }) == 0);
        CHECK(out.empty());
        CHECK(allocations_of([&] {
                  for (int n = 0; n < 50; ++n) {
                      e.step(now, out);
                      now = std::min(e.next(), now + 1s);
                  }
              }) == 0);
    }

    TEST_CASE("a target without an incident costs at most 256 bytes in all, and nothing is allocated for it") {
        constexpr std::size_t many = 100'000;
        rh::time_point now = support::start;
        rh::outputs out;
        std::vector<rh::watch_id> watches;
        watches.reserve(many);
        const std::uint64_t before = live_bytes;
        rh::engine e{rh::three_levels.lowered()};
        e.reserve(many);
        {
            char name[] = "instance-of-a-name-of-32-b123456"; // 32 bytes
            for (std::size_t n = 0; n < many; ++n) {
                for (std::size_t digit = 0, rest = n; digit < 6; ++digit, rest /= 10)
                    name[31 - digit] = static_cast<char>('0' + rest % 10);
                const auto vm = e.add(rh::instance{.name = name});
                REQUIRE(vm);
                watches.push_back(*e.watch(*vm, rh::heartbeat_alarm{.period = 60s}.rule(), now));
            }
        }
        e.step(now, out);
        out = {}; // the records and events are the caller's
        const auto minute = [&] {
            for (const rh::watch_id w : watches) e.push(w, now, rh::heartbeat);
            now += 60s;
            out.clear();
            e.step(now, out);
        };
        minute();
        REQUIRE(out.events.size() == many); // all of them are ok from now on
        out = {};
        const double each = static_cast<double>(live_bytes - before) / static_cast<double>(many);
        MESSAGE(each, " bytes for each target: record, name, index, heartbeat window");
        CHECK(each <= 256);
        CHECK(allocations_of([&] {
                  for (int n = 0; n < 3; ++n) minute();
              }) == 0);
        CHECK(out.empty());
        CHECK(e.open_incidents() == 0);
    }

    TEST_CASE("pushing and posting through a pipeline, and a quiet poll, do not allocate") {
        support::notebook cloud;
        rh::pipeline ha{cloud, rh::manual_clock{}, rh::three_levels};
        const auto vm = ha.add(rh::instance{.name = "db-1"});
        const auto alarm = ha.watch(*vm, rh::heartbeat_alarm{.period = 60s});
        const auto minute = [&] {
            ha.push(*vm, rh::heartbeat);
            ha.push(*alarm, rh::heartbeat);
            ha.post(*alarm, rh::heartbeat);
            ha.poll();
            ha.time().advance(60s);
            ha.poll();
        };
        minute();
        CHECK(allocations_of([&] {
                  for (int n = 0; n < 100; ++n) minute();
              }) == 0);
    }

    TEST_CASE("a sample for nobody, or of no number, does not allocate either") {
        rh::engine e{rh::policy{}};
        CHECK(allocations_of([&] {
                  e.push(rh::no_watch, support::start, 1);
                  e.push(rh::watch_id{7}, support::start, 0.0 / 1.0);
              }) == 0);
    }

    TEST_CASE("a completion does not allocate, called or dropped") {
        rh::mailbox* box = new rh::mailbox{16, 16};
        CHECK(allocations_of([&] {
                  rh::completion one{rh::op_id{1}, *box};
                  one(rh::outcome::done());
                  const rh::completion two{rh::op_id{2}, *box};
              }) == 0);
        box->release();
    }
}
