// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/alarm/flap.hpp>
#include <reheat/alarm/lifeguard.hpp>
#include <reheat/alarm/pause_guard.hpp>
#include <reheat/alarm/suspicion.hpp>

#include "report.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

namespace vectors {

namespace detectors {

namespace rh = reheat;
using rh::duration;
using rh::time_point;
using std::chrono::milliseconds;

/// Zero of the files' times, far enough from zero of ours.
inline constexpr time_point t0{std::chrono::seconds{1'000'000'000}};

inline duration ms(const json& number) {
    return std::chrono::round<duration>(std::chrono::duration<double, std::milli>{number.get<double>()});
}
inline duration seconds(const json& number) {
    return std::chrono::round<duration>(std::chrono::duration<double>{number.get<double>()});
}

inline bool has_any(const json& row, std::initializer_list<const char*> keys) {
    return std::any_of(keys.begin(), keys.end(), [&row](const char* key) { return row.contains(key); });
}

inline bool has_only(const json& row, std::initializer_list<std::string_view> keys) {
    for (const auto& [key, value] : row.items()) {
        if (std::find(keys.begin(), keys.end(), key) == keys.end()) return false;
    }
    return true;
}

/// Calls `check(id, row, r)` for each row of a list; a row that `check` can not read has an unknown shape.
template <class Check>
void each(const json& list, const std::string& name, report& r, Check check) {
    if (!list.is_array()) return r.unknown_shape(name, list);
    std::size_t n = 0;
    for (const json& row : list) {
        std::string id = name + ' ' + std::to_string(n++);
        try {
            if (row.is_object() && row.contains("id")) id = name + ' ' + row["id"].get<std::string>();
            if (row.is_object() && has_only(row, {"id", "note", "rule", "source"})) {
                r.not_executable(id, "a note");
            } else {
                check(id, row, r);
            }
        } catch (const json::exception&) {
            r.unknown_shape(id, row);
        }
    }
}

/// Checks a number against a default of ours; everything else in a list of constants is somebody else's or a sentence.
inline void constant(const std::string& id, const json& expected, double ours, report& r) {
    if (expected.is_string()) return r.not_executable(id, "a sentence");
    if (!expected.is_number()) return r.unknown_shape(id, expected);
    r.close(id, nullptr, expected.get<double>(), ours, 0);
}

using known_constants = std::map<std::string, double>;

inline void constants(const std::string& name, const json& all, const known_constants& ours, report& r) {
    for (const auto& [key, value] : all.items()) {
        const std::string id = name + ' ' + key;
        if (const auto known = ours.find(key); known != ours.end()) {
            constant(id, value, known->second, r);
        } else {
            r.not_executable(id, value.is_string() ? "a sentence" : "no default of the library");
        }
    }
}

inline double in_ms(duration d) { return std::chrono::duration<double, std::milli>{d}.count(); }

inline void phi_normal(const std::string& id, const json& row, report& r) {
    const double t = row.at("t");
    const double mean = row.at("mean");
    const double sd = row.at("sd");
    const double tolerance = row.value("tolerance", 0.0);
    const double phi = rh::normal_phi(t, mean, sd);
    if (!has_any(row, {"expected", "exact", "expected_cdf"})) return r.unknown_shape(id, row);
    if (row.contains("expected")) r.close(id + " phi", row, row["expected"], phi, tolerance);
    if (row.contains("exact")) {
        const double exact = row["exact"];
        r.close(id + " exact", row, exact, phi, 1e-9 * (std::max)(1.0, std::abs(exact)));
    }
    if (row.contains("expected_cdf"))
        r.close(id + " cdf", row, row["expected_cdf"], rh::normal_cdf(t, mean, sd), tolerance);
}

inline void phi_history(const std::string& id, const json& row, report& r) {
    constexpr double printed = 1e-5; // the figures are rounded
    rh::interval_history<> h{row.at("max").get<std::uint32_t>()};
    for (const json& sample : row.at("samples")) h.push(ms(sample));
    if (!has_any(row, {"mean", "variance"})) return r.unknown_shape(id, row);
    if (row.contains("mean")) r.close(id + " mean", row, row["mean"], h.mean(), printed);
    if (row.contains("variance")) r.close(id + " variance", row, row["variance"], h.variance(), printed);
}

using akka_detector = rh::accrual_detector<rh::phi_normal>;

inline void hear(akka_detector& d, const json& times) {
    if (times.is_number()) return d.heartbeat(t0 + ms(times));
    for (const json& t : times) d.heartbeat(t0 + ms(t));
}

/// Pairs of a time and whether the target is available then.
inline void availability(const std::string& id, const json& checks, const akka_detector& d, const json& row,
                         report& r) {
    for (const json& check : checks)
        r.equal(id + " at " + check.at(0).dump(), row, check.at(1).get<bool>(), !d.suspects(t0 + ms(check.at(0))));
}

/// One phi before any heartbeat, or times with what phi is then and how exactly.
inline void phi_of(const std::string& id, const json& row, const akka_detector& d, report& r) {
    const json& phi = row["phi"];
    if (phi.is_array()) {
        for (const json& check : phi) {
            const std::string at = id + " at " + check.at(0).dump();
            const double got = d.phi(t0 + ms(check.at(0)));
            const double tolerance = check.size() > 2 ? check[2].get<double>() : row.value("tolerance", 0.1);
            if (const std::string bound = check.at(1).is_string() ? check[1] : ""; bound.starts_with('>')) {
                r.check(at, got > json::parse(bound.substr(1)).get<double>(), row, bound, got);
            } else {
                r.close(at, row, check[1], got, tolerance);
            }
        }
    } else if (!row.contains("heartbeats")) {
        r.close(id, row, phi, d.phi(t0), row.value("tolerance", 0.0));
    } else {
        r.unknown_shape(id, row);
    }
}

inline void scenario(const std::string& id, const json& row, report& r) {
    if (!has_only(row, {"id", "threshold", "first", "min_sd", "pause", "max_samples", "heartbeats", "checks",
                        "then_heartbeat", "checks2", "heartbeats_a", "check_a", "heartbeats_b_after_a", "check_b",
                        "phi", "tolerance", "note", "source"}))
        return r.unknown_shape(id, row);
    if (!has_any(row, {"phi", "checks", "checks2", "heartbeats_a"})) return r.unknown_shape(id, row);
    rh::phi_normal policy;
    policy.threshold = row.value("threshold", policy.threshold);
    policy.window = row.value("max_samples", policy.window);
    if (row.contains("first")) policy.first_estimate = ms(row["first"]);
    if (row.contains("min_sd")) policy.min_sd = ms(row["min_sd"]);
    // Akka's own tests make detectors without a pause, unlike its configuration.
    policy.acceptable_pause = row.contains("pause") ? ms(row["pause"]) : duration::zero();
    akka_detector d{policy};
    if (row.contains("heartbeats")) hear(d, row["heartbeats"]);
    if (row.contains("phi")) phi_of(id, row, d, r);
    if (row.contains("checks")) availability(id, row["checks"], d, row, r);
    if (row.contains("then_heartbeat")) hear(d, row["then_heartbeat"]);
    if (row.contains("checks2")) availability(id, row["checks2"], d, row, r);
    if (row.contains("heartbeats_a")) {
        hear(d, row["heartbeats_a"]);
        const double a = d.phi(t0 + ms(row.at("check_a")));
        hear(d, row.at("heartbeats_b_after_a"));
        r.close(id, row, a, d.phi(t0 + ms(row.at("check_b"))), 0.001);
    }
}

inline void phi_exponential(const json& part, report& r) {
    for (const auto& [key, value] : part.items()) {
        const std::string name = "phi_exponential " + key;
        if (key == "cases") {
            each(value, name, r, [](const std::string& id, const json& row, report& out) {
                const double expected = row.at("expected");
                const double got = rh::exponential_phi(row.at("t"), row.at("mean"));
                out.close(id, row, expected, got, 1e-12 * (std::max)(1.0, expected));
            });
        } else if (key == "constants") {
            constexpr rh::phi_exponential ours;
            constants(name, value,
                      {{"sample_size", ours.window},
                       {"convict_threshold", ours.threshold},
                       {"initial_ms", in_ms(ours.first_estimate)},
                       {"max_interval_ms", in_ms(ours.max_interval)},
                       {"max_local_pause_ms", in_ms(rh::pause_guard{}.longest_gap())}},
                      r);
        } else if (value.is_string()) {
            if (key != "source") r.not_executable(name, "a sentence");
        } else {
            r.unknown_shape(name, value);
        }
    }
}

inline void systems(const json& part, report& r) {
    for (const auto& [key, value] : part.items()) {
        const std::string name = "constants " + key;
        if (key != "akka") {
            r.not_executable(name, "another system's defaults");
            continue;
        }
        constexpr rh::phi_normal ours;
        constants(name, value,
                  {{"threshold", ours.threshold},
                   {"max_samples", ours.window},
                   {"min_sd_ms", in_ms(ours.min_sd)},
                   {"acceptable_pause_ms", in_ms(ours.acceptable_pause)},
                   {"heartbeat_ms", in_ms(ours.first_estimate)}},
                  r);
    }
}

/// The time that a suspicion with so many confirmations lasts, all of them different; the accuser and repetitions in
/// between must not count.
inline rh::suspicion_timer<64> suspected(std::uint32_t confirmations, const rh::suspicion_limits& limits) {
    constexpr std::uint64_t accuser = 1;
    rh::suspicion_timer<64> timer{limits, accuser, t0};
    for (std::uint32_t i = 0; i < confirmations; ++i) {
        for (const std::uint64_t from : {std::uint64_t{2} + i, accuser, std::uint64_t{2} + i}) timer.confirm(from);
    }
    return timer;
}

inline void suspicion(const std::string& id, const json& row, report& r) {
    const rh::suspicion_limits limits{row.at("k"), seconds(row.at("min_s")), seconds(row.at("max_s"))};
    const duration elapsed = seconds(row.at("elapsed_s"));
    const auto confirmations = row.at("confirmations").get<std::uint32_t>();
    const double expected = row.at("remaining_s").get<double>() * 1000;
    constexpr double rounding = 1; // the cut to a millisecond, where the logarithms are not exact
    r.close(id, row, expected, in_ms(rh::suspicion_timeout(confirmations, limits) - elapsed), rounding);
    r.close(id + " timer", row, expected, in_ms(suspected(confirmations, limits).remaining(t0 + elapsed)), rounding);
}

inline void timer(const std::string& id, const json& row, report& r) {
    constexpr double fudge = 25; // the source measures its timer with this tolerance
    const rh::suspicion_limits limits{row.at("k"), ms(row.at("min_ms")), ms(row.at("max_ms"))};
    const auto lasts = suspected(row.at("confirmations"), limits).timeout();
    r.close(id, row, row.at("total_ms"), in_ms(lasts), fudge);
}

inline void awareness(const json& part, report& r) {
    rh::local_awareness own{part.value("max", 8)};
    each(part.at("steps"), "lifeguard awareness", r, [&own](const std::string& id, const json& step, report& out) {
        out.equal(id, step, step.at(1), own.apply_delta(step.at(0)));
        constexpr duration timeout = milliseconds{500};
        out.equal(id + " scale", step, in_ms(timeout) * (step.at(1).get<double>() + 1), in_ms(own.scale(timeout)));
    });
}

inline void lifeguard_constants(const std::string& name, const json& all, const rh::lifeguard_profile& ours,
                                report& r) {
    json own = all;
    for (const char* part : {"wan", "local"}) own.erase(part);
    constants(name, own,
              {{"probe_interval_ms", in_ms(ours.probe_interval)},
               {"suspicion_mult", ours.suspicion_mult},
               {"suspicion_max_mult", ours.suspicion_max_mult},
               {"awareness_max", rh::local_awareness{}.worst() + 1}},
              r);
    if (all.contains("wan")) lifeguard_constants(name + " wan", all["wan"], rh::lifeguard_wan, r);
    if (all.contains("local")) lifeguard_constants(name + " local", all["local"], rh::lifeguard_local, r);
}

inline void lifeguard(const json& part, report& r) {
    for (const auto& [key, value] : part.items()) {
        const std::string name = "lifeguard " + key;
        if (key == "suspicion") {
            each(value, name, r, suspicion);
        } else if (key == "timer") {
            each(value, name, r, timer);
        } else if (key == "awareness") {
            awareness(value, r);
        } else if (key == "constants") {
            lifeguard_constants(name, value, rh::lifeguard_lan, r);
        } else if (key != "source" && key != "formula") {
            r.unknown_shape(name, value);
        }
    }
}

/// Icinga's detector begins with Unknown, Nagios's with OK.
template <class Policy>
using letters = rh::flap_detector<Policy, char>;

inline void icinga(const std::string& id, const json& row, report& r) {
    constexpr double printed = 1e-6; // every value is a multiple of 0.1
    letters<rh::icinga_flap> d{'U'};
    json flapping = json::array();
    json values = json::array();
    const std::string states = row.at("states");
    for (const char s : states) {
        d.add(s);
        flapping.push_back(d.flapping());
        values.push_back(d.value());
    }
    if (!has_any(row, {"values", "flapping", "final", "flapping_final", "stable_checks_to_recover"}))
        return r.unknown_shape(id, row);
    if (row.contains("values")) {
        const json& expected = row["values"];
        bool same = expected.size() == values.size();
        for (std::size_t i = 0; same && i < values.size(); ++i)
            same = std::abs(expected.at(i).get<double>() - values[i].get<double>()) <= printed;
        r.check(id + " values", same, states, expected, values);
    }
    if (row.contains("flapping")) r.equal(id + " flapping", states, row["flapping"], flapping);
    if (row.contains("final")) r.close(id + " final", states, row["final"], d.value(), printed);
    if (row.contains("flapping_final")) r.equal(id + " flapping_final", states, row["flapping_final"], d.flapping());
    if (row.contains("stable_checks_to_recover")) {
        // How often its first, usual state must come until it does not flap any more.
        std::uint32_t count = 0;
        for (; d.flapping() && count < 1'000; ++count) d.add(states.front());
        r.equal(id + " recovery", states, row["stable_checks_to_recover"], count);
    }
}

inline void nagios(const std::string& id, const json& row, report& r) {
    constexpr double printed = 1e-6;
    letters<rh::nagios_flap> d{'O'};
    const std::string history = row.at("history");
    for (const char s : history) d.add(s);
    r.close(id, row, row.at("percent"), d.value(), printed);
}

template <class Policy, class Check>
void flapping(const std::string& name, const json& part, std::uint32_t remembered, report& r, Check check) {
    for (const auto& [key, value] : part.items()) {
        const std::string id = name + ' ' + key;
        if (key == "cases") {
            each(value, name, r, check);
        } else if (key == "buffer" || key == "history") {
            constant(id, value, remembered, r);
        } else if (key == "low" || key == "high") {
            constant(id, value, key == "low" ? Policy::low : Policy::high, r);
        } else if (value.is_string()) {
            if (key != "source") r.not_executable(id, "a sentence");
        } else {
            r.unknown_shape(id, value);
        }
    }
}

} // namespace detectors

inline void run_detectors(const json& file, report& r) {
    for (const auto& [key, value] : file.items()) {
        try {
            if (key == "schema") continue;
            if (key == "phi_normal") {
                detectors::each(value, key, r, detectors::phi_normal);
            } else if (key == "phi_history") {
                detectors::each(value, key, r, detectors::phi_history);
            } else if (key == "scenarios") {
                detectors::each(value, "scenario", r, detectors::scenario);
            } else if (!value.is_object()) {
                r.unknown_shape(key, value);
            } else if (key == "phi_exponential") {
                detectors::phi_exponential(value, r);
            } else if (key == "constants") {
                detectors::systems(value, r);
            } else if (key == "lifeguard") {
                detectors::lifeguard(value, r);
            } else {
                r.unknown_shape(key, value);
            }
        } catch (const json::exception&) {
            r.unknown_shape(key, value);
        }
    }
}

inline void run_flapping(const json& file, report& r) {
    for (const auto& [key, value] : file.items()) {
        try {
            if (key == "schema") continue;
            if (!value.is_object()) {
                r.unknown_shape(key, value);
            } else if (key == "icinga") {
                detectors::flapping<reheat::icinga_flap>(key, value, reheat::icinga_flap::changes, r,
                                                         detectors::icinga);
            } else if (key == "nagios") {
                detectors::flapping<reheat::nagios_flap>(key, value, reheat::nagios_flap::changes + 1, r,
                                                         detectors::nagios);
            } else {
                r.unknown_shape(key, value);
            }
        } catch (const json::exception&) {
            r.unknown_shape(key, value);
        }
    }
}

} // namespace vectors
