// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/testing/scenario.hpp>
#include <reheat/testing/scenario_names.hpp>
#include <reheat/testing/scenario_words.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What can happen in a scenario, read from its `at` lines.

namespace reheat::inline REHEAT_ABI::testing::detail {

/// Reads what follows `at`. A line may be several events: of several targets, or one after the other.
class event_reader {
public:
    static constexpr std::size_t most = 100'000;

    event_reader(word_line& in, const declared_names& names, const std::vector<scenario_ladder>& ladders,
                 std::size_t line, std::vector<timed_event>& into)
        : in_{in}, names_{names}, ladders_{ladders}, line_{line}, into_{into} {}

    void read() {
        at_ = in_.time("a time");
        using reader = void (event_reader::*)();
        const word_table<reader> known{{"break", &event_reader::breakage},
                                       {"silence", &event_reader::silence},
                                       {"resume", &event_reader::resume},
                                       {"host", &event_reader::host},
                                       {"rack", &event_reader::rack},
                                       {"zone", &event_reader::zone},
                                       {"controller", &event_reader::controller},
                                       {"clock", &event_reader::clock},
                                       {"overflow", &event_reader::overflow},
                                       {"push", &event_reader::samples},
                                       {"observe", &event_reader::observe},
                                       {"guest_restart", &event_reader::healed},
                                       {"lease", &event_reader::lease},
                                       {"sighted", &event_reader::sighted},
                                       {"capacity", &event_reader::capacity},
                                       {"operator", &event_reader::operator_word},
                                       {"approve", &event_reader::approve},
                                       {"policy", &event_reader::policy_change},
                                       {"leads", &event_reader::leads},
                                       {"lost_lead", &event_reader::lost_lead},
                                       {"guard", &event_reader::guard},
                                       {"reply", &event_reader::reply},
                                       {"latency", &event_reader::latency},
                                       {"journal", &event_reader::journal}};
        const reader how = in_.choice(known, "what happens");
        if (!in_.failed()) (this->*how)();
    }

private:
    [[nodiscard]] duration at() const noexcept { return at_; }
    void add(happening::any what, duration later = {}) {
        if (in_.failed()) return;
        if (into_.size() >= most) return in_.fail("expected at most 100,000 events");
        into_.push_back({at_ + later, line_, std::move(what)});
    }
    /// `times N every D`
    struct series {
        std::uint32_t times = 1;
        duration every{};
    };
    [[nodiscard]] series times_every() {
        series s;
        s.times = in_.whole<std::uint32_t>("a count", 1, 1'000);
        if (!in_.take("every")) in_.fail("expected 'every'");
        s.every = in_.time("a duration", std::chrono::milliseconds{1}, std::chrono::hours{24});
        return s;
    }
    template <class Happening>
    void add_all(const std::vector<Happening>& each, const series& s) {
        for (std::uint32_t n = 0; n < s.times; ++n) {
            for (const Happening& h : each) add(h, s.every * n);
        }
    }

    void breakage() {
        const std::vector<std::string> all = names_.targets(in_);
        const fault how = in_.choice(fault_words(), "a fault");
        for (const std::string& whole : all) {
            const std::size_t slash = whole.find('/');
            const bool service = slash != std::string::npos;
            if (names_.is_stack(whole)) in_.fail("expected an instance or a service, found a stack");
            if (how != fault::service_dies && service) in_.fail("expected an instance for this fault");
            if (how == fault::service_dies && !service)
                in_.fail("expected a service (instance/service) for this fault");
            add(happening::breakage{whole.substr(0, slash), service ? whole.substr(slash + 1) : std::string{}, how});
        }
    }
    void silence() {
        for (const std::string& t : names_.targets(in_)) add(happening::silence{t, true});
    }
    void resume() {
        for (const std::string& t : names_.targets(in_)) add(happening::silence{t, false});
    }

    void host() {
        const std::string name = names_.set_name("host", in_);
        if (in_.take("dead")) {
            const word_table<proof_kind> kinds{
                {"fenced", proof_kind::fenced}, {"absent", proof_kind::absent}, {"confirmed", proof_kind::confirmed}};
            add(happening::host_word{name, true, in_.choice(kinds, "by what it is proved")});
        } else if (in_.take("returned")) add(happening::host_word{name, false, proof_kind::fenced});
        else place(mock_place::host, name);
    }
    void rack() { place(mock_place::rack, names_.set_name("rack", in_)); }
    void zone() { place(mock_place::zone, names_.set_name("zone", in_)); }
    void place(mock_place where, const std::string& name) {
        using turn = happening::place_turn::turn;
        const word_table<turn> turns{{"dies", turn::dies},     {"loses_power", turn::loses_power},
                                     {"silent", turn::silent}, {"partitioned", turn::partitioned},
                                     {"back", turn::back},     {"returns", turn::back}};
        add(happening::place_turn{where, name, in_.choice(turns, "what happens there")});
    }

    void controller() {
        using turn = happening::controller_turn::turn;
        happening::controller_turn h;
        h.to = in_.choice<turn>({{"partitioned", turn::partitioned}, {"back", turn::back}, {"stalls", turn::stalls}},
                                "its turn");
        if (h.to == turn::stalls) h.by = in_.time("a duration", {}, std::chrono::hours{24});
        add(h);
    }
    void clock() {
        if (!in_.take("back")) return in_.fail("expected 'back'");
        add(happening::controller_turn{happening::controller_turn::turn::clock_back,
                                       in_.time("a duration", {}, std::chrono::hours{24})});
    }
    void overflow() { add(happening::overflow{in_.whole<std::uint64_t>("a count", 1, 1'000'000'000)}); }

    void samples() {
        constexpr std::uint32_t most_times = 10'000;
        happening::samples h;
        h.to = in_.next();
        if (!names_.is_fed(h.to))
            in_.fail("there is no alarm, instance or service " + word_line::quoted(h.to) + " above this line");
        while (!in_.empty() && !in_.failed()) {
            if (in_.take("times")) h.times = in_.whole<std::uint32_t>("a count", 1, most_times);
            else if (in_.take("value")) h.value = in_.number("a value");
            else in_.fail("expected value or times, found " + word_line::quoted(in_.peek()));
        }
        add(h);
    }

    void observe() {
        std::vector<happening::sighting> each;
        for (const std::string& t : names_.targets(in_)) each.push_back({t});
        const health seen = in_.choice(health_words(), "a health");
        const vantage from = in_.choice(vantage_words(), "a vantage");
        bool polled = false;
        std::string witness;
        series s;
        while (!in_.empty() && !in_.failed()) {
            if (in_.take("polled")) polled = true;
            else if (in_.take("by")) witness = names_.target(in_);
            else if (in_.take("times")) s = times_every();
            else in_.fail("expected polled, by or times, found " + word_line::quoted(in_.peek()));
        }
        for (happening::sighting& h : each) h = {h.target, seen, from, polled, witness};
        add_all(each, s);
    }

    void healed() {
        std::vector<happening::healed> each;
        for (const std::string& t : names_.targets(in_)) each.push_back({t});
        add_all(each, in_.take("times") ? times_every() : series{});
    }

    void lease() {
        happening::lease_turn h;
        h.target = names_.target(in_);
        while (!in_.empty() && !in_.failed()) {
            if (in_.take("for")) h.valid_for = in_.time("a duration");
            else if (in_.take("until")) h.valid_for = in_.time("a time", at()) - at();
            else if (in_.take("watchdog")) h.watchdog = in_.time("a duration");
            else
                h.tied = in_.choice<bool>({{"tied", true}, {"untied", false}}, "for, until, watchdog or whether its "
                                                                               "watchdog is tied to it");
        }
        add(h);
    }

    void sighted() {
        happening::copy_seen h;
        h.target = names_.target(in_);
        while (!in_.empty() && !in_.failed()) {
            if (in_.take("cloud_id")) h.cloud_id = in_.name("a cloud's id");
            else if (in_.take("copy")) h.copy = in_.whole<std::uint32_t>("a copy's number", 1, 1'000);
            else if (in_.take("host")) h.host = in_.name("a host's name");
            else if (in_.take("since")) h.since = in_.time("a time");
            else in_.fail("expected cloud_id, copy, host or since, found " + word_line::quoted(in_.peek()));
        }
        add(h);
    }

    void capacity() {
        happening::room h;
        if (in_.take("zone")) h.zone = names_.set_name("zone", in_);
        else if (!in_.take("cloud")) return in_.fail("expected zone or cloud, found " + word_line::quoted(in_.peek()));
        h.instances = in_.whole<std::uint32_t>("how many instances have room", 0, 1'000'000);
        add(h);
    }

    void operator_word() {
        happening::word h;
        h.who.clear();
        h.what = in_.choice(verb_words(), "a verb");
        if (!in_.take("all")) h.target = names_.target(in_);
        while (!in_.empty() && !in_.failed()) {
            if (in_.take("who")) h.who = in_.name("a name");
            else if (in_.take("reason")) h.reason = in_.name("a reason");
            else if (in_.take("for")) h.valid_for = in_.time("a duration", std::chrono::seconds{1});
            else in_.fail("expected who, reason or for, found " + word_line::quoted(in_.peek()));
        }
        add(h);
    }
    void approve() {
        happening::word h;
        h.target = names_.target(in_);
        h.what = operator_verb::approve;
        if (in_.take("for")) h.valid_for = in_.time("a duration", std::chrono::seconds{1});
        add(h);
    }

    std::size_t ladder() {
        const std::string name = in_.name("a ladder's name");
        const auto found =
            std::find_if(ladders_.begin(), ladders_.end(), [&](const scenario_ladder& l) { return l.name == name; });
        if (found == ladders_.end()) in_.fail("there is no ladder " + word_line::quoted(name) + " above this line");
        return static_cast<std::size_t>(found - ladders_.begin());
    }
    void policy_change() {
        const std::size_t from = ladder();
        if (!in_.take("becomes")) in_.fail("expected 'becomes'");
        add(happening::policy_change{from, ladder()});
    }
    void leads() {
        happening::leadership h{static_cast<epoch>(in_.whole<std::uint64_t>("an epoch", 0, UINT64_MAX))};
        if (in_.take("for")) h.lease = in_.time("a duration");
        add(h);
    }

    void lost_lead() { add(happening::leadership{.lost = true}); }

    void guard() {
        happening::guard_turn h;
        h.deny = in_.choice<bool>({{"deny", true}, {"allow", false}}, "what the guard says");
        if (!in_.take("all")) h.targets = names_.targets(in_);
        while (!in_.empty() && !in_.failed()) {
            if (in_.take("for")) h.valid_for = in_.time("a duration", std::chrono::seconds{1});
            else h.only = in_.choice(operation_words(), "for or an operation");
        }
        add(h);
    }

    void reply() {
        happening::answer h;
        h.to = in_.choice(operation_words(), "an operation");
        bool code_given = false;
        bool effect_given = false;
        while (!in_.empty() && !in_.failed()) {
            const std::string_view word = in_.peek();
            bool is_code = false;
            for (const auto& known : outcome_words()) is_code = is_code || known.first == word;
            if (in_.take("latency")) h.how.latency = in_.time("a latency");
            else if (in_.take("retry_after")) h.how.retry_after = in_.time("a duration");
            else if (in_.take("always")) h.always = true;
            else if (in_.take("for")) h.how.only = names_.target(in_);
            else if (in_.take("method")) h.how.method = in_.name("a fence method");
            else if (word == "effect" || word == "no_effect") {
                effect_given = true;
                h.how.takes_effect = in_.next() == "effect";
            } else if (is_code) {
                code_given = true;
                h.how.code = in_.choice(outcome_words(), "an outcome");
            } else
                h.how.how = in_.choice(manner_words(), "an outcome, latency, retry_after, always, for, method, effect, "
                                                       "no_effect or a manner");
        }
        const bool heard = h.how.how != mock_reply::manner::abandoned && h.how.how != mock_reply::manner::silent;
        // What nobody hears of has no outcome of its own; `unknown` lets it be without effect.
        if (!heard && code_given) in_.fail("abandoned and silent have no outcome");
        if (!heard) h.how.code = outcome_code::unknown;
        if (!effect_given) h.how.takes_effect = h.how.code == outcome_code::done || h.how.code == outcome_code::unknown;
        if (h.how.code == outcome_code::done && !h.how.takes_effect) in_.fail("what is done has an effect");
        add(h);
    }
    void latency() {
        const operation of = in_.choice(operation_words(), "an operation");
        add(happening::pace{of, in_.time("a latency")});
    }
    void journal() {
        using turn = happening::journal::turn;
        happening::journal h;
        h.to = in_.choice<turn>({{"hold", turn::hold},
                                 {"release", turn::release},
                                 {"fail", turn::fail},
                                 {"reopen", turn::reopen},
                                 {"delay", turn::delay}},
                                "a turn of the journal");
        if (h.to == turn::delay) h.delay = in_.time("a delay", {}, std::chrono::hours{1});
        add(h);
    }

    word_line& in_;
    const declared_names& names_;
    const std::vector<scenario_ladder>& ladders_;
    std::size_t line_;
    std::vector<timed_event>& into_;
    duration at_{};
};

} // namespace reheat::inline REHEAT_ABI::testing::detail
