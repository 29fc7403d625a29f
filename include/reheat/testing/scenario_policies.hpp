// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/recovery/peers.hpp>
#include <reheat/testing/scenario.hpp>
#include <reheat/testing/scenario_words.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Ladders, their rules, and the numbers of the engine, read from a scenario's lines.

namespace reheat::inline REHEAT_ABI::testing::detail {

inline constexpr duration one_second = std::chrono::seconds{1};

inline const word_table<const peer_preset*>& preset_words() {
    static const word_table<const peer_preset*> table{
        {"heat", &peer::all[0]},         {"masakari", &peer::all[1]},
        {"instance_ha", &peer::all[2]},  {"node_health_check", &peer::all[3]},
        {"vmware", &peer::all[4]},       {"vmware_host", &peer::all[5]},
        {"otp", &peer::all[6]},          {"systemd", &peer::all[7]},
        {"fabric_healer", &peer::all[8]}};
    return table;
}

inline void add_ladder(scenario& s, scenario_ladder l, word_line& in) {
    for (const scenario_ladder& other : s.ladders) {
        if (other.name == l.name) in.fail("there is a ladder of that name");
    }
    if (s.ladders.size() >= 100) in.fail("expected at most 100 ladders");
    s.ladders.push_back(std::move(l));
}

/// What follows `ladder`. True if its rungs follow it.
inline bool read_ladder(scenario& s, word_line& in) {
    scenario_ladder l;
    l.name = in.name("a ladder's name");
    if (l.name == "three_levels") l.rules = three_levels.lowered();
    if (l.name == "ha_restarter") l.rules = ha_restarter.lowered();
    const bool open = l.rules.size() == 0;
    while (!in.empty() && !in.failed()) {
        if (in.take("retry_parked")) l.rules.retry_parked = in.time("a duration", std::chrono::minutes{1});
        else if (in.take("probation")) l.rules.probation = in.time("a duration");
        else if (in.take("stable")) l.rules.stable = in.time("a duration");
        else if (in.take("related")) l.rules.related = in.time("a duration");
        else if (in.take("forensics")) l.rules.forensics = in.time("a duration");
        else if (in.take("returned")) l.rules.returned = in.choice(return_words(), "a rule for what returns");
        else
            in.fail("expected retry_parked, probation, stable, related, forensics or returned, found " +
                    word_line::quoted(in.peek()));
    }
    add_ladder(s, std::move(l), in);
    return open;
}

/// What follows `preset`: a peer's ladder, and its limits for the whole engine.
inline void read_preset(scenario& s, word_line& in) {
    const std::string_view name = in.peek();
    const peer_preset* const p = in.choice(preset_words(), "a preset");
    if (in.failed()) return;
    s.options.bounds = p->bounds;
    scenario_ladder l;
    l.name = name;
    l.rules = p->rules;
    add_ladder(s, std::move(l), in);
}

/// What follows `evidence`, for the newest ladder.
inline void read_evidence(scenario_ladder& l, word_line& in) {
    evidence_rules& rules = l.rules.evidence;
    while (!in.empty() && !in.failed()) {
        if (in.take("vantages")) rules.vantages = in.whole<std::uint8_t>("a count", 1, vantage_count);
        else if (in.take("alone")) rules.alone = in.choice(alone_words(), "what one vantage alone allows");
        else if (in.take("max_age")) rules.max_age = in.time("a duration", one_second);
        else if (in.take("polls")) {
            const std::string_view word = in.next();
            const std::size_t slash = word.find('/');
            std::string both{word};
            if (slash != std::string_view::npos) both[slash] = ' ';
            word_line parts{both};
            rules.unhealthy_polls = parts.whole<std::uint8_t>("M", 1, testimony::most_polls);
            rules.polls = parts.whole<std::uint8_t>("N", 1, testimony::most_polls);
            if (parts.failed() || rules.unhealthy_polls > rules.polls)
                in.fail("expected M/N as in 7/10, at most 16/16, found " + word_line::quoted(word));
        } else in.fail("expected vantages, polls, alone or max_age, found " + word_line::quoted(in.peek()));
    }
}

/// What follows `fencing`, for the newest ladder.
inline void read_fencing(scenario_ladder& l, word_line& in) {
    while (!in.empty() && !in.failed()) {
        if (in.take("parallel")) l.rules.fencing.parallel = true;
        else if (in.take("methods")) {
            l.fence_methods.clear();
            for (const std::string_view part : split_list(in.next()))
                l.fence_methods.push_back(in.checked_name(part, "a fence method"));
            if (l.fence_methods.size() > fence_rules::most_methods) in.fail("expected at most 4 fence methods");
        } else in.fail("expected methods or parallel, found " + word_line::quoted(in.peek()));
    }
}

inline budget read_budget(word_line& in, std::uint16_t most) {
    budget b;
    b.count = in.whole<std::uint16_t>("a count", 0, most);
    if (!in.take("per")) in.fail("expected 'per'");
    b.within = in.time("a duration", one_second);
    return b;
}

/// What follows `rung`, for the newest ladder.
inline void read_rung(policy& rules, word_line& in) {
    const operation what = in.choice(operation_words(), "a rung");
    const std::optional<rung> known = default_rung(what);
    if (in.failed()) return;
    if (!known) return in.fail("expected a rung, found " + word_line::quoted(to_string(what)));
    rung r = *known;
    const std::uint16_t many = 1'000;
    while (!in.empty() && !in.failed()) {
        if (in.take("attempts")) r.burst.count = in.whole<std::uint16_t>("attempts", 0, many);
        else if (in.take("within")) r.burst.within = in.time("a duration", one_second);
        else if (in.take("verify")) r.verify = in.time("a duration", one_second);
        else if (in.take("grace")) r.grace = in.time("a duration");
        else if (in.take("timeout")) r.timeout = in.time("a duration", one_second);
        else if (in.take("how")) r.how = in.choice(reboot_words(), "a kind of reboot");
        else if (in.take("sustained")) r.sustained = read_budget(in, many);
        else if (in.take("approval"))
            r.approval = in.choice<consent>({{"none", consent::none}, {"required", consent::required}}, "a consent");
        else if (in.take("backoff")) {
            r.wait.first = in.time("a duration");
            if (!in.take("to")) in.fail("expected 'to'");
            r.wait.most = in.time("a duration", r.wait.first);
        } else
            in.fail("expected attempts, within, sustained, verify, grace, timeout, approval, how or backoff, found " +
                    word_line::quoted(in.peek()));
    }
    if (rules.size() == policy::most_rungs) return in.fail("expected at most 8 rungs");
    rules.add(r);
}

/// What follows `option`: a number of the engine.
class option_reader {
public:
    option_reader(engine_options& into, word_line& in) : o_{into}, in_{in} {}

    void read() {
        using reader = void (option_reader::*)();
        using me = option_reader;
        const word_table<reader> known{{"page_after", &me::page_after},
                                       {"fence_timeout", &me::fence_timeout},
                                       {"create_timeout", &me::create_timeout},
                                       {"proof_validity", &me::proof_validity},
                                       {"read_back_every", &me::read_back_every},
                                       {"lease_margin", &me::lease_margin},
                                       {"lease_covers", &me::lease_covers},
                                       {"start_hold", &me::start_hold},
                                       {"between", &me::between},
                                       {"yield_to_higher", &me::yield_to_higher},
                                       {"breaker_group", &me::breaker_group},
                                       {"breaker_domain", &me::breaker_domain},
                                       {"breaker_from", &me::breaker_from},
                                       {"cooldown", &me::cooldown},
                                       {"in_flight", &me::in_flight},
                                       {"services_in_flight", &me::services_in_flight},
                                       {"silence_targets", &me::silence_targets},
                                       {"silence_domains", &me::silence_domains},
                                       {"silence_within", &me::silence_within},
                                       {"cliff", &me::cliff},
                                       {"group_budget", &me::group_budget},
                                       {"domain_budget", &me::domain_budget},
                                       {"all_budget", &me::all_budget},
                                       {"api", &me::api},
                                       {"self_doubt", &me::self_doubt},
                                       {"most_late", &me::most_late},
                                       {"shadow", &me::shadow}};
        const reader how = in_.choice(known, "an option");
        if (!in_.failed()) (this->*how)();
    }

private:
    void page_after() { o_.page_after = in_.time("a duration", one_second); }
    void fence_timeout() { o_.fence_timeout = in_.time("a duration", one_second); }
    void create_timeout() { o_.create_timeout = in_.time("a duration", one_second); }
    void proof_validity() { o_.proof_validity = in_.time("a duration", one_second); }
    void read_back_every() { o_.read_back_every = in_.time("a duration", one_second); }
    void lease_margin() { o_.lease_margin = in_.time("a duration"); }
    void lease_covers() { o_.lease_covers = in_.time("a duration"); }
    void start_hold() { o_.bounds.start_hold = in_.time("a duration"); }
    void between() { o_.bounds.between = in_.time("a duration"); }
    void yield_to_higher() { o_.bounds.yield_to_higher = in_.time("a duration"); }
    void breaker_group() { o_.bounds.breaker.group = a_share(); }
    void breaker_domain() { o_.bounds.breaker.domain = a_share(); }
    void breaker_from() { o_.bounds.breaker.counted_from = in_.whole<std::uint32_t>("a count", 0, 1'000'000); }
    void cooldown() { o_.bounds.breaker.cooldown = in_.time("a duration"); }
    void in_flight() { o_.bounds.in_flight = a_share(); }
    void services_in_flight() { o_.bounds.services_in_flight = a_share(); }
    void silence_targets() { o_.bounds.silence.targets = in_.whole<std::uint32_t>("a count", 1, 1'000'000); }
    void silence_domains() { o_.bounds.silence.domains = in_.whole<std::uint32_t>("a count", 1, 1'000'000); }
    void silence_within() { o_.bounds.silence.within = in_.time("a duration"); }
    void cliff() { o_.bounds.silence.cliff = a_share(); }
    void group_budget() { o_.bounds.group = shared(); }
    void domain_budget() { o_.bounds.domain = shared(); }
    void all_budget() { o_.bounds.all = shared(); }
    void api() { o_.bounds.api = read_budget(in_, 65'535); }
    void self_doubt() { o_.doubts.on = on_or_off(); }
    void most_late() { o_.doubts.most_late = in_.time("a duration"); }
    void shadow() { o_.shadow = on_or_off(); }

    bool on_or_off() { return in_.choice<bool>({{"on", true}, {"off", false}}, "on or off"); }
    /// `5%`, `5% least 3`, or a number of its own.
    share a_share() {
        share s;
        if (in_.peek().find('%') == std::string_view::npos)
            return {0, in_.whole<std::uint32_t>("a count", 1, 1'000'000)};
        s.percent = in_.percent("a share");
        if (in_.take("least")) s.least = in_.whole<std::uint32_t>("a count", 0, 1'000'000);
        return s;
    }
    /// `N per D [sustained N per D]`
    shared_budget shared() {
        shared_budget b;
        b.burst = read_budget(in_, 65'535);
        if (in_.take("sustained")) b.sustained = read_budget(in_, 65'535);
        return b;
    }

    engine_options& o_;
    word_line& in_;
};

} // namespace reheat::inline REHEAT_ABI::testing::detail
