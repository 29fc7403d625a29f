// SPDX-License-Identifier: MIT
#include "recovery_support.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <string_view>

namespace rh = reheat;
using namespace std::chrono_literals;
using rh::decision;
using rh::guard;
using rh::health;
using rh::operation;
using rh::outcome;
using rh::phase;
using rh::reason;
using rh::vantage;
using support::answer_to;
using support::start;
using support::wiki;

namespace {

/// Whether a text is one JSON value: a strict reader that keeps nothing.
class json_check {
public:
    static bool valid(std::string_view text) {
        json_check j{text};
        return j.value() && j.at_ == text.size();
    }

private:
    explicit json_check(std::string_view text) : text_{text} {}
    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    bool take(char c) {
        if (peek() != c) return false;
        ++at_;
        return true;
    }
    bool value() {
        if (peek() == '{') return list('{', '}', true);
        if (peek() == '[') return list('[', ']', false);
        if (peek() == '"') return string();
        return number();
    }
    bool list(char open, char close, bool named) {
        if (!take(open)) return false;
        if (take(close)) return true;
        do {
            if (named && !(string() && take(':'))) return false;
            if (!value()) return false;
        } while (take(','));
        return take(close);
    }
    bool string() {
        if (!take('"')) return false;
        while (peek() != '"') {
            if (static_cast<unsigned char>(peek()) < 0x20) return false;
            if (peek() == '\\') {
                ++at_;
                if (std::strchr("\"\\/bfnrtu", peek()) == nullptr) return false;
            }
            ++at_;
        }
        return take('"');
    }
    bool number() {
        const std::size_t from = at_;
        while (peek() != '\0' && std::strchr("+-.eE0123456789", peek()) != nullptr) ++at_;
        return at_ != from;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

std::string text_of(const wiki& w, rh::target_id t) { return to_text(w.e, rh::why(w.e, t)); }
std::string json_of(const wiki& w, rh::target_id t) {
    const std::string json = to_json(w.e, rh::why(w.e, t));
    CHECK_MESSAGE(json_check::valid(json), json);
    return json;
}
bool has(const std::string& text, std::string_view piece) {
    INFO(text);
    return text.find(piece) != std::string::npos;
}

} // namespace

TEST_SUITE("why") {
    TEST_CASE("the reader of this test reads JSON, and nothing else") {
        for (const char* good : {"{}", "[]", "{\"a\":[1,-2.5,\"x\\n\"],\"b\":{}}", "\"\"", "7"})
            CHECK(json_check::valid(good));
        for (const char* bad : {"", "{", "{\"a\"}", "{\"a\":1,}", "[1,]", "\"", "{a:1}", "\"\n\"", "\"\\x\"", "{}x"})
            CHECK_FALSE(json_check::valid(bad));
    }

    TEST_CASE("a target that nobody knows") {
        wiki w;
        const rh::explanation x = rh::why(w.e, rh::target_id{99});
        CHECK(x.incident == rh::no_incident);
        CHECK(to_text(w.e, x) == "there is no such target");
        json_of(w, rh::target_id{99});
    }

    TEST_CASE("a target without an incident: what each vantage says, and what helped last") {
        wiki w{rh::ladder{rh::reboot_instance{}}.lowered()};
        CHECK(text_of(w, w.db) == "db-1 is unknown; no incident");
        CHECK(json_of(w, w.db) == R"({"target":"db-1","health":"unknown","vantages":{}})");
        w.sees(w.db, health::healthy);
        w.sees(w.db, health::healthy, vantage::cloud_event);
        w.step();
        CHECK(text_of(w, w.db) == "db-1 is healthy (driver_status: healthy, cloud_event: healthy); no incident");
        CHECK(has(json_of(w, w.db), R"("vantages":{"driver_status":"healthy","cloud_event":"healthy"})"));
        w.fail(w.db);
        REQUIRE(answer_to(w, w.db, operation::reboot_instance, outcome::done()));
        w.sees(w.db, health::healthy);
        w.step();
        const rh::explanation x = rh::why(w.e, w.db);
        CHECK(x.helped == operation::reboot_instance);
        CHECK(x.helped_at == start);
        CHECK(has(text_of(w, w.db), "; no incident; reboot_instance helped at 2026-01-01T00:00:00"));
        CHECK(has(json_of(w, w.db), R"("helped":"reboot_instance","helped_at":"2026-01-01T00:00:00)"));
    }

    TEST_CASE("an incident that waits: its step, its attempts, each guard that denies, and until when") {
        wiki w{rh::ladder{rh::restart_service{}, rh::reboot_instance{.approval = rh::required}, rh::recreate_instance{}}
                   .lowered()};
        w.e.operate({rh::operator_verb::maintain, w.db, "ann", "work", start + 5min}, w.now);
        w.fail(w.db);
        const rh::explanation x = rh::why(w.e, w.db);
        CHECK(x.is == health::unhealthy);
        CHECK(x.says[static_cast<std::size_t>(vantage::driver_status)] == health::unhealthy);
        CHECK(x.at == phase::deciding);
        CHECK(x.since == start);
        CHECK(x.rung == operation::reboot_instance);
        CHECK(x.step == 2);
        CHECK(x.steps == 3);
        CHECK(x.attempts == 0);
        CHECK(x.most_attempts == 2);
        CHECK(x.subject == w.db);
        CHECK(x.covered_by == rh::no_target);
        CHECK(x.answers.denied() == (bit(guard::approval) | bit(guard::maintenance)));
        CHECK(x.next == start + 5min);
        const std::string text = text_of(w, w.db);
        CHECK(has(text, "db-1 is unhealthy (driver_status: unhealthy); incident 1 since 2026-01-01T00:00:00"));
        CHECK(has(text, " is deciding; step 2 of 3: reboot_instance, 0 of 2 attempts made"));
        CHECK(
            has(text,
                "; approval denies: approval_required; maintenance denies: in_maintenance, until 2026-01-01T00:05:00"));
        CHECK(has(text, "; next look at 2026-01-01T00:05:00"));
        const std::string json = json_of(w, w.db);
        CHECK(has(json, R"("incident":1,"phase":"deciding","since":"2026-01-01T00:00:00)"));
        CHECK(has(json, R"("rung":"reboot_instance","step":2,"steps":3,"attempts":0,"most_attempts":2,"in_vain":[])"));
        CHECK(has(
            json,
            R"({"guard":"approval","reason":"approval_required"},{"guard":"maintenance","reason":"in_maintenance","next":")"));
    }

    TEST_CASE("what was tried in vain, on whom it acts, and by when it has to help") {
        wiki w{
            rh::ladder{rh::reboot_instance{.attempts = 1}, rh::rebuild_instance{.attempts = 1}, rh::evacuate_instance{}}
                .lowered()};
        w.fail(w.mysqld);
        REQUIRE(answer_to(w, w.db, operation::reboot_instance, outcome::done()));
        CHECK(rh::why(w.e, w.mysqld).next == start + 12min);
        CHECK(has(text_of(w, w.mysqld), "db-1/mysqld is unhealthy"));
        CHECK(has(text_of(w, w.mysqld),
                  "is verifying; step 1 of 3: reboot_instance of db-1, 1 of 1 attempts made; next look at "));
        CHECK(has(json_of(w, w.mysqld), R"("subject":"db-1","denials":[],"next":"2026-01-01T00:12:00)"));
        while (w.count(operation::rebuild_instance) == 0) REQUIRE(w.run_for(10s));
        REQUIRE(answer_to(w, w.db, operation::rebuild_instance, outcome::done()));
        while (w.count(operation::fence_instance) == 0) REQUIRE(w.run_for(10s));
        CHECK(rh::why(w.e, w.mysqld).in_vain[1] == operation::rebuild_instance);
        CHECK(has(text_of(w, w.mysqld), "; in vain: reboot_instance, rebuild_instance; step 3 of 3"));
        CHECK(has(json_of(w, w.mysqld), R"("in_vain":["reboot_instance","rebuild_instance"])"));
        CHECK(has(json_of(w, w.mysqld), R"("phase":"fencing")"));
    }

    TEST_CASE("a long ladder of which nothing helped") {
        rh::policy rules;
        const rh::rung once{
            .what = operation::reboot_instance, .burst = {1, 1min}, .sustained = {9, 1h}, .verify = 1min};
        for (std::size_t n = 0; n < rh::policy::most_rungs; ++n) {
            rh::rung r = once;
            if (n % 2 == 1) r.what = operation::rebuild_instance;
            rules.add(r);
        }
        wiki w{rules};
        w.fail(w.db);
        for (int n = 0; n < 400 && support::phase_of(w, w.db) != phase::parked; ++n) {
            if (support::phase_of(w, w.db) == phase::acting) w.answer(outcome::done());
            REQUIRE(w.run_for(20s));
        }
        REQUIRE(support::phase_of(w, w.db) == phase::parked);
        const rh::explanation x = rh::why(w.e, w.db);
        CHECK(x.in_vain.back() != operation::none);
        CHECK(x.step == 8);
        CHECK(x.rung == operation::none);
        CHECK(has(text_of(w, w.db), "is parked; in vain: reboot_instance, rebuild_instance, "));
        json_of(w, w.db);
    }

    TEST_CASE("an incident that is absorbed names whose action it waits for; one that is parked when it tries again") {
        wiki w;
        w.fail(w.db);
        w.fail(w.mysqld);
        CHECK(rh::why(w.e, w.mysqld).covered_by == w.db);
        CHECK(has(text_of(w, w.mysqld), " is absorbed; it waits for the action upon db-1"));
        CHECK(has(json_of(w, w.mysqld), R"("covered_by":"db-1")"));

        wiki parked{rh::policy{}};
        parked.fail(parked.db);
        const rh::explanation x = rh::why(parked.e, parked.db);
        CHECK(x.steps == 0);
        CHECK(x.subject == rh::no_target);
        CHECK(has(text_of(parked, parked.db), " is parked; next look at 2026-01-01T00:30:00"));
        CHECK(has(json_of(parked, parked.db), R"("phase":"parked")"));
    }

    TEST_CASE("whatever a target is called, its explanation and its events are valid JSON") {
        support::bench b{rh::ladder{rh::reboot_instance{.approval = rh::required}}.lowered()};
        const auto vm = *b.e.add(rh::instance{.name = "a \"name\" \\ of\n\x01", .group = "a \"group\""});
        b.sees(vm, health::unhealthy);
        b.step();
        CHECK(json_check::valid(to_json(b.e, rh::why(b.e, vm))));
        REQUIRE_FALSE(b.events.empty());
        for (const rh::event& e : b.events) CHECK(json_check::valid(to_json(b.e, e)));
    }

    TEST_CASE("every event of a busy day is one line of text and one JSON object") {
        wiki w{rh::three_levels.lowered(), {}};
        const auto alarm = *w.e.watch(w.db, rh::heartbeat_alarm{.period = 60s}.rule(), w.now);
        w.e.push(alarm, w.now, rh::heartbeat);
        REQUIRE(w.run_for(2min));
        w.e.overflowed(3, w.now);
        w.e.host_died("nowhere", rh::proof_kind::absent, w.now);
        w.e.operate({rh::operator_verb::confirm_dead, w.db, "ann", "saw it", rh::never}, w.now);
        w.fail(w.mysqld);
        for (int n = 0; n < 60; ++n) {
            if (!w.calls.empty()) w.answer({static_cast<rh::outcome_code>(n % 4), {}, {}, {}});
            REQUIRE(w.run_for(5min));
        }
        w.pass(-1h);
        CHECK(w.events.size() > 50);
        for (const rh::event& e : w.events) {
            const std::string json = to_json(w.e, e);
            const std::string line = to_text(w.e, e);
            CHECK_MESSAGE(json_check::valid(json), json);
            CHECK(line.find('\n') == std::string::npos);
            CHECK(has(line, to_string(e.what)));
        }
    }
}
