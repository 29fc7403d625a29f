// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/testing/scenario.hpp>
#include <reheat/testing/scenario_words.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

// What can happen in a scenario, read from its `at` lines.

namespace reheat::inline REHEAT_ABI::testing::detail {

/// The names that a scenario has declared so far. Targets and alarms share them, so that a name means one thing.
class declared_names {
public:
    void declare_target(const std::string& name, word_line& in) {
        if (!targets_.insert(name).second || alarms_.count(name) != 0) taken(name, in);
    }
    /// A stack is named by its instances, as often as they like; the name is nobody else's.
    void declare_stack(const std::string& name, word_line& in) {
        if (stacks_.insert(name).second) declare_target(name, in);
    }
    void declare_alarm(const std::string& name, word_line& in) {
        if (!alarms_.insert(name).second || targets_.count(name) != 0) taken(name, in);
    }

    [[nodiscard]] bool is_stack(std::string_view name) const { return stacks_.count(name) != 0; }
    [[nodiscard]] bool is_fed(std::string_view name) const {
        return alarms_.count(name) != 0 || (targets_.count(name) != 0 && !is_stack(name));
    }
    /// The next word, which has to be a target.
    std::string target(word_line& in) const {
        const std::string_view word = in.next();
        if (targets_.count(word) == 0) in.fail("there is no target " + word_line::quoted(word) + " above this line");
        return std::string{word};
    }

private:
    static void taken(const std::string& name, word_line& in) {
        in.fail("the name " + word_line::quoted(name) + " is taken");
    }

    std::set<std::string, std::less<>> targets_;
    std::set<std::string, std::less<>> stacks_;
    std::set<std::string, std::less<>> alarms_;
};

inline happening::breakage read_breakage(word_line& in, const declared_names& names) {
    const std::string whole = names.target(in);
    const std::size_t slash = whole.find('/');
    happening::breakage h{whole.substr(0, slash), slash == std::string::npos ? std::string{} : whole.substr(slash + 1),
                          in.choice(fault_words(), "a fault")};
    if (names.is_stack(h.instance)) in.fail("expected an instance or a service, found a stack");
    if (h.how != fault::service_dies && !h.service.empty()) in.fail("expected an instance for this fault");
    if (h.how == fault::service_dies && h.service.empty())
        in.fail("expected a service (instance/service) for this fault");
    return h;
}

inline happening::samples read_samples(word_line& in, const declared_names& names) {
    constexpr std::uint32_t most = 10'000;
    happening::samples h;
    h.to = in.next();
    if (!names.is_fed(h.to))
        in.fail("there is no alarm, instance or service " + word_line::quoted(h.to) + " above this line");
    while (!in.empty() && !in.failed()) {
        if (in.take("times")) h.times = in.whole<std::uint32_t>("a count", 1, most);
        else if (in.take("value")) h.value = in.number("a value");
        else in.fail("expected value or times, found " + word_line::quoted(in.peek()));
    }
    return h;
}

inline happening::answer read_answer(word_line& in) {
    happening::answer h;
    h.to = in.choice(operation_words(), "an operation");
    bool code_given = false;
    bool effect_given = false;
    while (!in.empty() && !in.failed()) {
        const std::string_view word = in.peek();
        bool is_code = false;
        for (const auto& known : outcome_words()) is_code = is_code || known.first == word;
        if (in.take("latency")) h.how.latency = in.time("a latency");
        else if (in.take("always")) h.always = true;
        else if (word == "effect" || word == "no_effect") {
            effect_given = true;
            h.how.takes_effect = in.next() == "effect";
        } else if (is_code) {
            code_given = true;
            h.how.code = in.choice(outcome_words(), "an outcome");
        } else h.how.how = in.choice(manner_words(), "an outcome, latency, always, effect, no_effect or a manner");
    }
    const bool heard = h.how.how != mock_reply::manner::abandoned && h.how.how != mock_reply::manner::silent;
    // What nobody hears of has no outcome of its own; `unknown` lets it be without effect.
    if (!heard && code_given) in.fail("abandoned and silent have no outcome");
    if (!heard) h.how.code = outcome_code::unknown;
    if (!effect_given) h.how.takes_effect = h.how.code == outcome_code::done || h.how.code == outcome_code::unknown;
    if (h.how.code == outcome_code::done && !h.how.takes_effect) in.fail("what is done has an effect");
    return h;
}

inline happening::journal read_journal_turn(word_line& in) {
    using turn = happening::journal::turn;
    happening::journal h;
    h.to = in.choice<turn>({{"hold", turn::hold},
                            {"release", turn::release},
                            {"fail", turn::fail},
                            {"reopen", turn::reopen},
                            {"delay", turn::delay}},
                           "a turn of the journal");
    if (h.to == turn::delay) h.delay = in.time("a delay", {}, std::chrono::hours{1});
    return h;
}

/// Reads what follows `at`.
inline timed_event read_event(word_line& in, const declared_names& names, std::size_t line) {
    timed_event e;
    e.at = in.time("a time");
    e.line = line;
    if (in.take("break")) e.what = read_breakage(in, names);
    else if (in.take("silence")) e.what = happening::silence{names.target(in), true};
    else if (in.take("resume")) e.what = happening::silence{names.target(in), false};
    else if (in.take("push")) e.what = read_samples(in, names);
    else if (in.take("observe")) {
        happening::sighting h;
        h.target = names.target(in);
        h.seen = in.choice(health_words(), "a health");
        h.from = in.choice(vantage_words(), "a vantage");
        e.what = h;
    } else if (in.take("approve")) {
        happening::word h{names.target(in), operator_verb::approve, {}};
        if (in.take("for")) h.valid_for = in.time("a duration", std::chrono::seconds{1});
        e.what = h;
    } else if (in.take("reply")) e.what = read_answer(in);
    else if (in.take("latency")) {
        const operation of = in.choice(operation_words(), "an operation");
        e.what = happening::pace{of, in.time("a latency")};
    } else if (in.take("journal")) e.what = read_journal_turn(in);
    else
        in.fail("expected break, silence, resume, push, observe, approve, reply, latency or journal, found " +
                word_line::quoted(in.peek()));
    return e;
}

} // namespace reheat::inline REHEAT_ABI::testing::detail
