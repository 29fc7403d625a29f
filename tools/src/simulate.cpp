// SPDX-License-Identifier: MIT
// Runs simulated worst days from seeds; docs/explanation/simulation.md describes the world and its faults.
#include <reheat/engine/render.hpp>
#include <reheat/sim/make_schedule.hpp>
#include <reheat/sim/run_schedule.hpp>
#include <reheat/sim/shrink.hpp>

#include "arguments.hpp"
#include "workers.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rh = reheat;
namespace sim = reheat::sim;

namespace {

constexpr std::string_view usage =
    "usage: simulate --schedules N --seed S [--jobs J] [--lying-proofs] [--except FAULT]\n"
    "       simulate --replay SEED [--lying-proofs] [--except FAULT]\n"
    "  runs the schedules of N seeds from S on, J at once, and prints what came of them, and which faults met which\n"
    "  rungs in which phases; what breaks a promise is made smaller and printed\n"
    "  --replay SEED    prints the schedule of one seed and every event of its run\n"
    "  --lying-proofs   fences say that they worked and did not: trust has to be broken, with a page\n"
    "  --except FAULT   faults of that kind do not happen, and their cells are not asked for\n"
    "exit code: 0 all promises held and every cell was hit, 1 not so, 2 bad command line\n";

struct settings {
    std::uint64_t schedules = 0;
    std::uint64_t seed = 1;
    unsigned jobs = 1;
    std::optional<std::uint64_t> replay;
    bool lying_proofs = false;
    std::optional<sim::fault_kind> except;
};

sim::schedule schedule_of(std::uint64_t seed, const settings& with) {
    sim::schedule s = sim::make_schedule(seed, with.lying_proofs);
    std::erase_if(s.faults, [&](const sim::planned_fault& f) { return with.except && f.kind == *with.except; });
    return s;
}

std::optional<sim::fault_kind> kind_of(std::string_view name) {
    for (std::size_t k = 0; k < sim::fault_kind_count; ++k) {
        if (to_string(static_cast<sim::fault_kind>(k)) == name) return static_cast<sim::fault_kind>(k);
    }
    return std::nullopt;
}

std::optional<settings> read_arguments(int count, char** words) {
    settings s;
    tools::arguments given{count, words};
    while (const auto word = given.next()) {
        bool read = true;
        if (*word == "--lying-proofs") s.lying_proofs = true;
        else if (*word == "--except") read = (s.except = kind_of(given.next().value_or(""))).has_value();
        else if (*word == "--schedules") read = given.number<std::uint64_t>(s.schedules, 0, 1'000'000'000);
        else if (*word == "--seed") read = given.number(s.seed);
        else if (*word == "--jobs") read = given.number(s.jobs, 1U, 256U);
        else if (*word == "--replay") read = given.number(s.replay.emplace());
        else return std::nullopt;
        if (!read) return std::nullopt;
    }
    if ((s.schedules == 0) == !s.replay) return std::nullopt;
    return s;
}

/// What is added up.
struct totals {
    std::uint64_t schedules = 0;
    rh::duration virtual_time{};
    std::uint64_t years = 0; ///< whole ones, beside `virtual_time`: nanoseconds are used up in 292 years
    std::uint64_t actions = 0;
    std::uint64_t calls = 0;
    std::uint64_t faults = 0;
    std::uint64_t crashes = 0;
    std::uint64_t takeovers = 0;
    std::uint64_t stale_calls = 0;
    std::uint64_t pages = 0;
    std::uint64_t recovered = 0;
    std::uint64_t parked = 0;
    std::uint64_t trust_broken = 0;
    std::uint64_t false_copies = 0;
    std::uint64_t violations = 0;
    sim::coverage hits{};
    std::map<std::uint64_t, std::vector<sim::run_violation>> broken; ///< by seed

    void add_time(rh::duration d) {
        constexpr rh::duration year = std::chrono::hours{24 * 365};
        virtual_time += d;
        for (; virtual_time >= year; virtual_time -= year) ++years;
    }
    void add(std::uint64_t seed, sim::run_result&& r) {
        ++schedules;
        add_time(r.virtual_time);
        actions += r.actions;
        calls += r.calls;
        faults += r.faults;
        crashes += r.crashes;
        takeovers += r.takeovers;
        stale_calls += r.stale_calls;
        pages += r.pages;
        recovered += r.recovered;
        parked += r.parked;
        trust_broken += r.trust_broken ? 1U : 0U;
        false_copies += r.copies_by_false_proofs;
        violations += r.violations.size();
        hits += r.hits;
        if (!r.violations.empty()) broken.emplace(seed, std::move(r.violations));
    }
    void add(totals&& other) {
        schedules += other.schedules;
        add_time(other.virtual_time);
        years += other.years;
        actions += other.actions;
        calls += other.calls;
        faults += other.faults;
        crashes += other.crashes;
        takeovers += other.takeovers;
        stale_calls += other.stale_calls;
        pages += other.pages;
        recovered += other.recovered;
        parked += other.parked;
        trust_broken += other.trust_broken;
        false_copies += other.false_copies;
        violations += other.violations;
        hits += other.hits;
        broken.merge(other.broken);
    }
};

void show(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

std::string text_of(const std::vector<sim::run_violation>& all) {
    std::string out;
    for (const sim::run_violation& v : all)
        out += "  BROKEN " + v.what + " at " + rh::format_time(v.at) + ": " + v.text + "\n";
    return out;
}

int replay(std::uint64_t seed, const settings& with) {
    const sim::schedule s = schedule_of(seed, with);
    show(to_text(s));
    const sim::run_result r =
        sim::schedule_run{s}.run([](const rh::engine& e, const rh::event& v) { show(to_text(e, v) + "\n"); });
    show(text_of(r.violations));
    return r.violations.empty() ? 0 : 1;
}

totals run_all(const settings& with) {
    totals all;
    std::mutex guard;
    std::atomic<std::uint64_t> next{0};
    const auto work = [&] {
        totals mine;
        for (;;) {
            const std::uint64_t n = next.fetch_add(1);
            if (n >= with.schedules) break;
            const std::uint64_t seed = with.seed + n;
            mine.add(seed, sim::schedule_run{schedule_of(seed, with)}.run());
        }
        const std::lock_guard<std::mutex> lock{guard};
        all.add(std::move(mine));
    };
    tools::on_threads(with.jobs, work);
    return all;
}

std::string cell(std::string text, std::size_t width) {
    if (text.size() < width) text.insert(0, width - text.size(), ' ');
    return text;
}

/// Fault × rung × phase; how many cells are empty that could be hit.
std::size_t show_table(const sim::coverage& hits, std::optional<sim::fault_kind> except) {
    constexpr std::array phases{rh::phase::deciding,  rh::phase::collecting, rh::phase::fencing, rh::phase::acting,
                                rh::phase::verifying, rh::phase::absorbed,   rh::phase::parked};
    std::size_t empty = 0;
    std::size_t cells = 0;
    for (std::size_t k = 0; k < sim::fault_kind_count; ++k) {
        const auto kind = static_cast<sim::fault_kind>(k);
        if (kind == except) continue;
        std::string text =
            "\n" + std::string{to_string(kind)} + ", " + std::to_string(hits.began_so_often(kind)) + " times\n";
        std::string head(20, ' ');
        for (const rh::phase p : phases) head += cell(std::string{to_string(p)}, 12);
        text += head + "\n";
        for (std::size_t r = 0; r < rh::operation_count; ++r) {
            const auto rung = static_cast<rh::operation>(r);
            std::string line{rung == rh::operation::none ? "past the last" : to_string(rung)};
            line.resize(20, ' ');
            bool any = false;
            for (const rh::phase p : phases) {
                const bool possible = sim::why_never(rung, p).empty() && sim::why_never(kind, rung, p).empty();
                const std::uint64_t n = hits.hits(kind, rung, p);
                any = any || sim::why_never(rung, p).empty();
                cells += possible ? 1U : 0U;
                empty += possible && n == 0 ? 1U : 0U;
                line += cell(possible || n != 0 ? std::to_string(n) : "-", 12);
            }
            if (any) text += line + "\n";
        }
        show(text);
    }
    show("\n" + std::to_string(cells) + " cells, " + std::to_string(empty) + " empty\n");
    return empty;
}

std::string years_of(const totals& t) {
    const auto hours = std::chrono::duration_cast<std::chrono::hours>(t.virtual_time).count();
    const auto hundredths = static_cast<std::uint64_t>(hours) * 100 / (24 * 365);
    return std::to_string(t.years) + "." + (hundredths < 10 ? "0" : "") + std::to_string(hundredths);
}

int run(const settings& with) {
    const auto began = std::chrono::steady_clock::now();
    const totals t = run_all(with);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::fprintf(stderr, "%.1f s\n", took.count());

    constexpr std::size_t most_shown = 5;
    std::size_t shown = 0;
    for (const auto& [seed, violations] : t.broken) {
        if (shown++ == most_shown) break;
        show("seed " + std::to_string(seed) + "\n" + text_of(violations));
        const sim::schedule least = sim::shrink(schedule_of(seed, with), violations.front().what);
        show("  shrunk: " + to_text(least));
    }
    if (t.broken.size() > most_shown) show("and " + std::to_string(t.broken.size() - most_shown) + " more seeds\n");
    const auto line = [](std::string_view what, const std::string& n) {
        std::string text{what};
        text.resize(16, ' ');
        show(text + n + "\n");
    };
    line("schedules", std::to_string(t.schedules) + ", seeds " + std::to_string(with.seed) + " to " +
                          std::to_string(with.seed + with.schedules - 1));
    line("virtual years", years_of(t));
    line("faults", std::to_string(t.faults) + ", of them crashes of the controller " + std::to_string(t.crashes));
    line("actions", std::to_string(t.actions) + ", calls in all " + std::to_string(t.calls));
    line("leaders", std::to_string(t.takeovers) + " took over from another one, of whose calls the cloud refused " +
                        std::to_string(t.stale_calls));
    line("recovered", std::to_string(t.recovered));
    line("pages", std::to_string(t.pages));
    line("parked", std::to_string(t.parked) + " at the end");
    if (with.lying_proofs)
        line("false proofs", std::to_string(t.false_copies) + " second copies, trust broken in " +
                                 std::to_string(t.trust_broken) + " schedules");
    line("violations", std::to_string(t.violations));
    const std::size_t empty = show_table(t.hits, with.except);
    // In the mode in which proofs lie, a run ends where trust does: nobody asks it for every cell.
    const bool covered = empty == 0 || with.lying_proofs;
    return t.violations == 0 && covered ? 0 : 1;
}

} // namespace

int main(int count, char** words) {
    const std::optional<settings> with = read_arguments(count, words);
    if (!with) return tools::bad_command_line(usage);
    return with->replay ? replay(*with->replay, *with) : run(*with);
}
