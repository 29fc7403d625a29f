// SPDX-License-Identifier: MIT
// Random worlds with random policies and bounds, and random inputs: what the engine promises, checked after every step
// from its outputs alone.
#include "../unit/support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
namespace rh = reheat;

namespace {

class world {
public:
    explicit world(std::uint64_t seed) : dice_{rh::mix(seed)}, e_{random_policy(), random_options(seed)} {
        const auto second = *e_.add_policy(random_policy());
        const std::array<std::string, 3> zones{"east", "west", ""};
        const auto stacks = 1 + dice_.below(3);
        for (std::int64_t s = 0; s < stacks; ++s) {
            for (std::int64_t i = 0; i <= dice_.below(4); ++i) {
                const std::string name = std::to_string(s) + "-" + std::to_string(i);
                const std::string stack = one_in(5) ? "" : "stack-" + std::to_string(s);
                const std::string host = one_in(4) ? "" : "host-" + std::to_string(dice_.below(3));
                const auto vm =
                    *e_.add(rh::instance{.name = name,
                                         .stack = stack,
                                         .host = host,
                                         .rack = one_in(2) ? "" : "rack-" + std::to_string(dice_.below(2)),
                                         .zone = zones[pick(3)],
                                         .keep = one_in(6) ? rh::ephemeral_disk : rh::volumes,
                                         .cloud_id = one_in(2) ? "" : "id-" + name,
                                         .group = one_in(3) ? "group-" + std::to_string(dice_.below(2)) : "",
                                         .priority = static_cast<std::uint8_t>(one_in(3) ? pick(3) : 0)});
                for (std::int64_t n = dice_.below(3); n > 0; --n)
                    REQUIRE(e_.add(rh::service{.name = "s" + std::to_string(n), .on = vm}));
            }
        }
        for (std::size_t n = 0; n < e_.targets().size(); ++n) {
            const auto t = static_cast<rh::target_id>(n);
            if (one_in(3)) e_.use_policy(t, second);
            if (e_.targets()[t].of != rh::level::stack && one_in(2))
                watches_.push_back(*e_.watch(t, rh::heartbeat_alarm{.period = 60s}.rule(), now_));
            if (one_in(8)) static_cast<void>(e_.depend(t, any_target()));
        }
        step();
    }

    void live(int inputs) {
        for (int n = 0; n < inputs && problem_.empty(); ++n) {
            disturb();
            step();
            run_for(std::chrono::seconds{dice_.below(one_in(6) ? 3600 : 120)});
        }
        if (!journal_ok_) e_.journal_reopened();
        journal_ok_ = true;
        run_for(1h);
    }

    [[nodiscard]] const std::string& problem() const { return problem_; }
    [[nodiscard]] std::uint64_t hash() const { return hash_; }

    std::size_t calls = 0;
    std::size_t denials = 0;
    std::size_t full_budgets = 0; ///< times that an action took the last of a shared budget
    std::size_t full_quotas = 0;  ///< times that a call took the last of the quota

private:
    // What a world is made of

    [[nodiscard]] bool one_in(std::int64_t n) { return dice_.below(n) == 0; }
    [[nodiscard]] std::size_t pick(std::size_t n) {
        return static_cast<std::size_t>(dice_.below(static_cast<std::int64_t>(n)));
    }
    [[nodiscard]] rh::target_id any_target() { return static_cast<rh::target_id>(pick(e_.targets().size())); }
    [[nodiscard]] rh::budget random_budget() {
        return {static_cast<std::uint16_t>(1 + dice_.below(3)), std::chrono::minutes{1 + dice_.below(120)}};
    }

    rh::policy random_policy() {
        constexpr std::array operations{rh::operation::guest_restarts,    rh::operation::restart_service,
                                        rh::operation::reboot_instance,   rh::operation::rebuild_instance,
                                        rh::operation::recreate_instance, rh::operation::evacuate_instance,
                                        rh::operation::converge_stack,    rh::operation::page};
        rh::policy p;
        for (const rh::operation what : operations) {
            if (one_in(2)) continue;
            rh::rung r;
            r.what = what;
            r.burst = random_budget();
            r.sustained = random_budget();
            r.grace = std::chrono::seconds{dice_.below(600)};
            r.verify = r.grace + std::chrono::seconds{dice_.below(1200)};
            r.timeout = std::chrono::seconds{dice_.below(600)};
            r.approval = one_in(8) ? rh::consent::required : rh::consent::none;
            r.wait = one_in(2) ? rh::service_backoff : rh::instance_backoff;
            p.add(r);
        }
        if (one_in(2)) p.probation = std::chrono::minutes{dice_.below(30)};
        if (one_in(2)) p.stable = 0s;
        if (one_in(3)) p.related = std::chrono::minutes{dice_.below(60)};
        if (one_in(3)) p.forensics = std::chrono::seconds{1 + dice_.below(120)};
        p.retry_parked = std::chrono::minutes{1 + dice_.below(40)};
        p.evidence.alone = static_cast<rh::single_vantage>(dice_.below(3));
        p.returned = static_cast<rh::return_rule>(dice_.below(4));
        if (one_in(3)) p.fencing.methods = {"ipmi", "pdu"};
        p.fencing.parallel = one_in(2);
        return p;
    }

    rh::engine_options random_options(std::uint64_t seed) {
        rh::engine_options o;
        o.seed = seed;
        if (one_in(2)) o.bounds.start_hold = 0s;
        if (one_in(2)) o.bounds.in_flight = {static_cast<std::uint8_t>(dice_.below(101)), 1};
        if (one_in(2)) o.bounds.services_in_flight = {static_cast<std::uint8_t>(dice_.below(101)), 1};
        if (one_in(2)) o.bounds.between = std::chrono::seconds{dice_.below(30)};
        if (one_in(2)) o.bounds.breaker.counted_from = static_cast<std::uint32_t>(1 + dice_.below(6));
        if (one_in(3)) o.bounds.all = {random_budget(), random_budget()};
        if (one_in(3)) o.bounds.group = {random_budget(), random_budget()};
        if (one_in(3)) o.bounds.domain = {random_budget(), random_budget()};
        if (one_in(4)) o.bounds.api = {static_cast<std::uint16_t>(1 + dice_.below(10)), 1min};
        o.shadow = one_in(20);
        return o;
    }

    void disturb() {
        const rh::target_id t = any_target();
        switch (dice_.below(18)) {
        case 0:
        case 1:
        case 2:
        case 3:
        case 4:
            e_.observe({t, static_cast<rh::vantage>(dice_.below(rh::vantage_count)),
                        one_in(4) ? rh::health::healthy : rh::health::unhealthy, now_, one_in(4), any_target()});
            break;
        case 5:
            e_.observe({t, static_cast<rh::vantage>(dice_.below(rh::vantage_count)),
                        static_cast<rh::health>(dice_.below(3)), now_, false, any_target()});
            break;
        case 6:
            for (std::size_t n = 0; n < e_.targets().size(); ++n) {
                for (std::size_t v = 0; v < rh::vantage_count; ++v)
                    e_.observe({static_cast<rh::target_id>(n), static_cast<rh::vantage>(v), rh::health::healthy, now_,
                                false, rh::no_target});
            }
            break;
        case 7: answering_ = !answering_; break;
        case 8: beating_ = pick(watches_.size() + 1); break;
        case 9:
            e_.operate({static_cast<rh::operator_verb>(dice_.below(9)), one_in(4) ? rh::no_target : t,
                        one_in(9) ? "" : "ann", "because", now_ + std::chrono::minutes{dice_.below(60)}},
                       now_);
            break;
        case 10: e_.operate({rh::operator_verb::approve, rh::no_target, "ann", {}, rh::never}, now_); break;
        case 11:
            if (one_in(2)) e_.host_died("host-" + std::to_string(dice_.below(3)), rh::proof_kind::fenced, now_);
            else e_.host_returned("host-" + std::to_string(dice_.below(3)), now_);
            break;
        case 12: e_.renew({t, now_ + std::chrono::minutes{dice_.below(20)}, 60s, one_in(2)}); break;
        case 13:
            e_.sighted({t, "id-" + std::string{e_.name(t)}, "host-0", now_ - std::chrono::minutes{dice_.below(100)}},
                       now_);
            break;
        case 14: {
            const auto room = static_cast<std::uint32_t>(dice_.below(3));
            e_.tell_capacity(one_in(2) ? "" : "east", room, now_);
            break;
        }
        case 15:
            if (one_in(3)) {
                const rh::policy next = random_policy();
                e_.change_policy(static_cast<rh::policy_id>(dice_.below(2)), next, now_);
            } else {
                e_.guest_restarted(t, now_);
            }
            break;
        case 16:
            if (one_in(3)) e_.leads(rh::epoch{2}, rh::never, now_);
            else e_.order_creation(t, now_);
            break;
        default:
            if (one_in(3)) {
                journal_ok_ = !journal_ok_;
                journal_ok_ ? e_.journal_reopened() : e_.journal_failed();
            } else {
                slow_ = !slow_;
            }
        }
    }

    // How it goes on

    void run_for(rh::duration d) {
        const rh::time_point end = now_ + d;
        for (int rounds = 0; problem_.empty(); ++rounds) {
            if (rounds > 3000) return fail("it wants too many steps in so short a time");
            const rh::time_point due = rh::earlier(e_.next(), rh::earlier(next_answer(), next_beat_));
            if (due > end) break;
            now_ = rh::later(now_, due);
            while (next_beat_ <= now_) {
                for (std::size_t n = 0; n < beating_ && n < watches_.size(); ++n)
                    e_.push(watches_[n], now_, rh::heartbeat);
                beat_ = true;
                next_beat_ += 50s;
            }
            answer_due();
            step();
        }
        now_ = end;
    }

    [[nodiscard]] rh::time_point next_answer() const {
        rh::time_point first = rh::never;
        for (const auto& [op, at] : answers_) first = rh::earlier(first, at);
        return first;
    }
    void answer_due() {
        for (auto a = answers_.begin(); a != answers_.end();) {
            if (a->second > now_) {
                ++a;
                continue;
            }
            rh::outcome o;
            o.code = one_in(2) ? rh::outcome_code::done : static_cast<rh::outcome_code>(dice_.below(4));
            if (one_in(2)) o.seen.exists = !one_in(4);
            if (one_in(2)) o.seen.running = one_in(2);
            o.seen.vouched = one_in(2);
            if (one_in(3)) o.seen.cloud_id = "id-" + std::to_string(dice_.below(1000));
            if (one_in(3)) o.seen.host = "host-" + std::to_string(dice_.below(3));
            if (one_in(5)) o.retry_after = std::chrono::seconds{dice_.below(900)};
            e_.complete(a->first, now_, std::move(o), one_in(20));
            a = answers_.erase(a);
        }
    }

    void step() {
        for (int rounds = 0; e_.next() <= now_; ++rounds) {
            if (rounds > 200) return fail("it spins at one time");
            rh::outputs out;
            e_.step(now_, out);
            take(out);
        }
        // A beat asks for no step, and any step may find that it was the verdict.
        if (std::exchange(beat_, false) || !one_in(4)) return;
        rh::outputs out;
        e_.step(now_, out);
        // Hearing that nothing is due, a runner sleeps: nothing may have been, but that more stands in the way.
        const bool only_waits = std::all_of(out.events.begin(), out.events.end(),
                                            [](const rh::event& v) { return v.what == rh::decision::wait; });
        if (!only_waits || !out.calls.empty() || !out.records.empty())
            fail("it said that nothing is due, and then did something");
        take(out);
    }

    void take(rh::outputs& out) {
        for (const rh::event& v : out.events) {
            note(static_cast<std::uint64_t>(v.what) << 32U | static_cast<std::uint64_t>(v.why));
            note(static_cast<std::uint64_t>(v.target) << 32U | v.denied);
            denials += v.denied != 0 ? 1U : 0U;
            if (v.at > now_) fail("an event of the future");
            if (v.what == rh::decision::wait && v.next <= v.at) fail("it waits for a time that is over");
        }
        for (const rh::record& r : out.records) {
            if (static_cast<std::uint64_t>(r.seq) != ++last_) fail("a gap in the journal");
            note(static_cast<std::uint64_t>(r.kind));
            if (r.kind == rh::record_kind::intent) intend(r);
            if (r.kind == rh::record_kind::dropped)
                intents_.erase(r.op), std::erase_if(spent_, [&](const spent& s) { return s.op == r.op; });
        }
        for (const rh::call& c : out.calls) check(c);
        if (journal_ok_ && (!slow_ || one_in(3))) {
            durable_ = static_cast<rh::sequence>(last_);
            e_.durable(durable_);
        }
        check_state();
    }

    // What holds

    struct spent {
        rh::op_id op;
        rh::target_id subject;
        rh::operation what;
        rh::time_point at;
        std::vector<rh::set_id> in; ///< its group, rack and zone when it began: where it was spent
    };

    [[nodiscard]] static bool is_action(rh::operation o) {
        return o != rh::operation::fence_instance && o != rh::operation::create_instance &&
               o != rh::operation::collect_forensics;
    }

    void intend(const rh::record& r) {
        const bool again = intents_.count(r.op) != 0;
        intents_[r.op] = r.seq;
        if (again || !is_action(r.what)) return;
        const rh::incident* i = nullptr;
        for (const rh::incident& open : e_.incidents()) i = open.id == r.incident ? &open : i;
        std::vector<rh::set_id> places;
        if (i != nullptr) {
            places = i->places;
            for (const rh::set_id s : e_.sets().of(i->member_of).above_host()) places.push_back(s);
        }
        spent_.push_back({r.op, r.target, r.what, r.at, std::move(places)});
        const rh::limits& bounds = e_.options().bounds;
        within(bounds.all, [](const spent&) { return true; }, "more actions than the budget of all");
        for (const rh::set_id id : spent_.back().in) {
            if (id == rh::no_set) continue;
            const bool group = e_.sets()[id].of == rh::set_kind::group;
            within(
                group ? bounds.group : bounds.domain,
                [id](const spent& s) { return std::find(s.in.begin(), s.in.end(), id) != s.in.end(); },
                group ? "more actions than the budget of a group" : "more actions than the budget of a domain");
        }
        if (i == nullptr || i->rung >= e_.policy_of(*i).size()) return;
        const rh::rung& rung = e_.policy_of(*i).rungs()[i->rung];
        if (rung.what != r.what) return;
        for (const rh::budget& b : {rung.burst, rung.sustained}) {
            if (used(b, [&](const spent& s) { return s.subject == r.target && s.what == r.what; }) > b.count)
                fail("more actions on a target than its budget");
        }
    }
    template <class Which>
    void within(const rh::shared_budget& shared, const Which& which, const char* broken) {
        for (const rh::budget& b : {shared.burst, shared.sustained}) {
            if (b.count == 0) continue;
            const std::size_t n = used(b, which);
            full_budgets += n == b.count ? 1U : 0U;
            if (n > b.count) fail(broken);
        }
    }
    template <class Which>
    [[nodiscard]] std::size_t used(const rh::budget& b, const Which& which) const {
        return static_cast<std::size_t>(std::count_if(
            spent_.begin(), spent_.end(), [&](const spent& s) { return which(s) && now_ - s.at < b.within; }));
    }

    void check(const rh::call& c) {
        ++calls;
        note(static_cast<std::uint64_t>(c.what.op) << 8U | static_cast<std::uint64_t>(c.what.what));
        if (e_.options().shadow) fail("a call in shadow mode");
        if (answering_)
            answers_.emplace_back(c.what.op, now_ + std::chrono::seconds{dice_.below(one_in(4) ? 900 : 30)});
        called_.push_back(now_);
        const bool acts = c.what.what != rh::operation::describe;
        const rh::budget& api = e_.options().bounds.api;
        if (api.count != 0) {
            const auto lately = std::count_if(called_.begin(), called_.end(),
                                              [&](rh::time_point at) { return now_ - at < api.within; });
            full_quotas += lately == api.count ? 1U : 0U;
            if (lately > api.count) fail("more calls than the quota of the API");
        }
        if (!acts) return;
        const auto intent = intents_.find(c.what.op);
        if (intent == intents_.end() || intent->second > durable_) fail("a call before its intent was durable");
        else intents_.erase(intent); // once
        if (!journal_ok_) fail("a call while the journal fails");
        if (e_.trust_broken()) fail("a call while the trust is broken");
        for (const rh::proof_of_death& p : c.proofs) {
            if (!p.speaks_for(c.incident, p.target(), now_)) fail("a proof that speaks for nobody");
            if (!e_.targets().covers(c.what.target, p.target())) fail("a proof for something else");
        }
        const bool one =
            c.what.what == rh::operation::recreate_instance || c.what.what == rh::operation::evacuate_instance;
        if (one && (c.proofs.size() != 1 || c.proofs[0].target() != c.what.target))
            fail("a second copy without a proof");
        if (!rh::needs_proof(c.what.what) && !c.proofs.empty()) fail("a proof that nobody asked for");
    }

    void check_state() {
        std::array<std::uint32_t, 2> flying{};
        const rh::target_tree& tree = e_.targets();
        for (const rh::incident& i : e_.incidents()) {
            // Whatever is not being acted upon has said who stands in the way, or when it goes on.
            if (i.at == rh::phase::deciding && i.denied == 0 && i.wake == rh::never)
                fail("an incident waits in silence");
            if (i.at == rh::phase::parked && i.wake == rh::never) fail("an incident is parked for good");
            if (i.subject == rh::no_target) continue;
            ++flying[tree[i.subject].of == rh::level::service ? 0 : 1];
            for (const rh::incident& other : e_.incidents()) {
                if (&other != &i && other.subject != rh::no_target && tree.covers(i.subject, other.subject))
                    fail("two actions on a target and what is above it");
            }
        }
        const rh::limits& bounds = e_.options().bounds;
        if (flying[0] > bounds.services_in_flight.of(static_cast<std::uint32_t>(tree.count(rh::level::service))))
            fail("too many services in flight");
        if (flying[1] > bounds.in_flight.of(static_cast<std::uint32_t>(tree.count(rh::level::instance))))
            fail("too many instances in flight");
        for (std::size_t n = 0; n < tree.size(); ++n) {
            const auto t = static_cast<rh::target_id>(n);
            if (e_.health_of(t) == rh::health::unhealthy && e_.incident_of(t) == nullptr)
                fail("a failure that nobody opened");
            if (e_.incident_of(t) == nullptr) continue;
            if (to_text(e_, rh::why(e_, t)).empty()) fail("nothing to say");
        }
    }

    void note(std::uint64_t what) { hash_ = rh::mix(hash_ ^ what); }
    void fail(std::string what) {
        if (problem_.empty())
            problem_ = std::move(what) + ", " + std::to_string((now_ - support::start) / 1s) + " s after the start";
    }

    support::dice dice_;
    rh::time_point now_ = support::start;
    rh::engine e_;
    std::vector<rh::watch_id> watches_;
    std::size_t beating_ = 1000;
    rh::time_point next_beat_ = support::start + 1s;
    bool beat_ = false; ///< one came in since the last look
    bool answering_ = true;
    bool slow_ = false;
    bool journal_ok_ = true;
    std::uint64_t last_ = 0;
    rh::sequence durable_ = rh::no_sequence;
    std::map<rh::op_id, rh::sequence> intents_;
    std::vector<spent> spent_;
    std::vector<rh::time_point> called_;
    std::vector<std::pair<rh::op_id, rh::time_point>> answers_;
    std::string problem_;
    std::uint64_t hash_ = 0;
};

} // namespace

TEST_CASE("2,000 random worlds: no promise is broken after any step") {
    std::size_t calls = 0;
    std::size_t denials = 0;
    std::size_t full_budgets = 0;
    std::size_t full_quotas = 0;
    for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
        world w{seed};
        w.live(25);
        CHECK_MESSAGE(w.problem().empty(), "seed ", seed, ": ", w.problem());
        calls += w.calls;
        denials += w.denials;
        full_budgets += w.full_budgets;
        full_quotas += w.full_quotas;
    }
    MESSAGE("2,000 worlds, ", calls, " calls, ", denials, " denials, ", full_budgets, " budgets and ", full_quotas,
            " quotas spent to the last");
    CHECK(calls > 20'000); // a world in which nothing happens proves nothing
    CHECK(denials > 5'000);
    CHECK(full_budgets > 500);
    CHECK(full_quotas > 100);
}

TEST_CASE("the same world twice") {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        CAPTURE(seed);
        world once{seed};
        world again{seed};
        once.live(25);
        again.live(25);
        CHECK(once.hash() == again.hash());
    }
}
