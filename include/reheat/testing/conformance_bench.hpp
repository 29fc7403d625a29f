// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/testing/conformance_memory.hpp>
#include <reheat/testing/conformance_parts.hpp>
#include <reheat/testing/conformance_port.hpp>
#include <reheat/testing/conformance_rule.hpp>
#include <reheat/testing/conformance_sink.hpp>
#include <reheat/testing/proof_mint.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::testing {

/// Goes through a rung.
rung_trial try_rung(conformance_bench& b, operation what);

/// What a rule has at hand: targets, calls, looks from outside, and a judgement. One thread.
class conformance_bench {
public:
    conformance_bench(detail::fixture_port& fixture, conformance_options options)
        : f_{fixture}, options_{std::move(options)}, limits_{fixture.limits().value_or(fixture_limits{})},
          can_{fixture.can()}, sink_{new conformance_sink}, reign_{options_.first_reign}, keys_{options_.first_key} {}
    conformance_bench(const conformance_bench&) = delete;
    conformance_bench& operator=(const conformance_bench&) = delete;
    ~conformance_bench() {
        end_troubles();
        if (spare_) f_.dispose(*spare_);
        sink_->release();
    }

    /// Tries one rule.
    rule_result run(const conformance_rule& rule) {
        judged_ = {&rule, rule_state::passed, {}};
        if (!rule.applies_to(can_)) {
            judged_.state = rule_state::not_applicable;
            judged_.why = "the driver has no function for it";
            return judged_;
        }
        rule.check(*this);
        end_troubles();
        clear_up();
        return judged_;
    }

    // The judgement

    /// It failed unless that holds. The first reason is kept.
    bool expect(bool holds, std::string why) {
        if (!holds && judged_.state != rule_state::failed) judged_ = {judged_.rule, rule_state::failed, std::move(why)};
        return holds;
    }
    /// It can not be tried.
    void not_run(std::string why) {
        if (judged_.state == rule_state::passed) judged_ = {judged_.rule, rule_state::not_run, std::move(why)};
    }
    void lacks(fixture_function f) { impossible(f, "the fixture has no "); }
    /// The fixture can not do it, or the cloud has no such thing.
    void impossible(fixture_function f, std::string_view what) {
        const std::string reason = may_be_absent(f) ? f_.absent(f) : std::string{};
        if (reason.empty()) return not_run(std::string{what} + std::string{declaration_of(f)});
        if (judged_.state == rule_state::passed)
            judged_ = {judged_.rule, rule_state::not_applicable, std::string{no_such_thing} + ": " + reason};
    }
    /// Whether a function of the fixture is there and said yes.
    bool may(fixture_function f, std::optional<bool> answer) {
        if (!answer) lacks(f);
        else if (!*answer) impossible(f, "the fixture can not do it here: ");
        return answer.value_or(false);
    }
    /// Whether something that the fixture tells is there.
    template <class T>
    bool has(fixture_function f, const std::optional<T>& seen) {
        if (!seen) lacks(f);
        return seen.has_value();
    }
    /// The outcome must be `done`.
    bool expect_done(const call_answer& a, std::string_view what) {
        return expect(a.done(), std::string{what} + " " + text_of(a) + ", and should be done");
    }
    [[nodiscard]] static std::string text_of(const call_answer& a) {
        if (!a.given()) return "was never answered";
        std::string text = "was answered '" + std::string{to_string(a.first.code)} + "'";
        if (!a.first.reason.empty()) text += " (" + a.first.reason.substr(0, 200) + ")";
        return text;
    }

    // Targets

    /// A machine, or nothing: then the rule is not run.
    std::optional<test_target> make(wanted_target want = {}) {
        result<test_target> made = try_make(std::move(want));
        if (made) return *std::move(made);
        not_run("the fixture can not make such a target: " + to_string(made.error()));
        return std::nullopt;
    }
    /// A machine, or why there is none, without a judgement.
    result<test_target> try_make(wanted_target want) {
        const bool plain =
            !want.service && !want.volume && !want.fixed_address && !want.stack && want.running && want.name.empty();
        if (plain && spare_) {
            mine_.push_back({*std::exchange(spare_, std::nullopt), true});
            return mine_.back().what;
        }
        if (want.name.empty()) want.name = fresh_name();
        if (want.marker.empty()) want.marker = "marker-" + std::to_string(names_);
        result<test_target> made = f_.make(want);
        if (!made) return made;
        mine_.push_back({*made, plain});
        watched_[made->name] = f_.running_copies(*made);
        return made;
    }
    std::optional<test_target> make_foreign() {
        auto made = f_.make_foreign({.name = fresh_name(), .marker = "marker-" + std::to_string(names_)});
        if (!has(fixture_function::make_foreign, made)) return std::nullopt;
        if (!*made) {
            not_run("the fixture can not make a foreign machine: " + to_string(made->error()));
            return std::nullopt;
        }
        mine_.push_back({**made, false});
        return **std::move(made);
    }
    /// One that nobody has made; as long as every other that the kit names.
    [[nodiscard]] test_target nobody() { return {.name = fresh_name()}; }

    bool harm(fixture_function how, const test_target& t, std::string_view service = {}) {
        disturb(t.name);
        return may(how, f_.harm(how, t, service));
    }
    bool block_power_off(const test_target& t) {
        disturb(t.name);
        if (!may(fixture_function::block_power_off, f_.block_power_off(t, true))) return false;
        blocked_.push_back(t);
        return true;
    }
    bool cut_api(bool on = true) { return trouble(fixture_function::cut_api, cut_, on); }
    bool lose_answers(bool on = true) { return trouble(fixture_function::lose_answers, losing_, on); }
    bool slow_api(duration longer) { return trouble(fixture_function::slow_api, slow_, longer); }
    bool throttle_api(duration retry_after) { return trouble(fixture_function::throttle_api, throttled_, retry_after); }
    bool restart_driver() { return may(fixture_function::restart_driver, f_.restart_driver()); }

    // Calls

    /// Makes a call; its answer may be there already, or come as time passes.
    op_id start(operation what, const test_target& t, const call_extras& with = {}) {
        if (what != operation::describe) disturb(t.name);
        request r;
        r.op = op_id{++ops_};
        r.key = with.key != 0 ? with.key : fresh_key();
        r.reign = with.reign.value_or(reign_);
        r.what = what;
        r.target = id_of(t.name);
        const bool stack = what == operation::converge_stack;
        r.name = stack ? t.stack : t.name;
        r.cloud_id = stack ? std::string_view{} : with.cloud_id ? std::string_view{*with.cloud_id} : t.cloud_id;
        r.service = with.service;
        r.instance = stack ? std::string_view{} : t.name;
        r.stack = t.stack;
        r.method = with.method;
        r.hard = with.hard;
        r.replaced = with.replaced;
        r.deadline = after(now(), with.deadline.value_or(limits_.answer));
        calls_[r.op] = {t, what};
        hand_over(r, with);
        look();
        return r.op;
    }
    /// Lets time pass until it is answered, or for too long.
    call_answer wait(op_id op) {
        wait_until([&] { return sink_->answer_of(op).given(); }, limits_.answer);
        return sink_->answer_of(op);
    }
    call_answer ask(operation what, const test_target& t, const call_extras& with = {}) {
        return wait(start(what, t, with));
    }
    [[nodiscard]] call_answer answer_of(op_id op) const { return sink_->answer_of(op); }
    /// How many copies ran when the answer was first seen.
    [[nodiscard]] std::size_t copies_at_answer(op_id op) const {
        const auto found = copies_at_answer_.find(op);
        return found == copies_at_answer_.end() ? 0 : found->second;
    }
    /// An action that the driver can do, the ones that are seen most easily from outside first.
    [[nodiscard]] operation an_action() const noexcept {
        if (can_.has(operation::fence_instance)) return operation::fence_instance;
        return can_.has(operation::reboot_instance) ? operation::reboot_instance : operation::restart_service;
    }
    [[nodiscard]] capabilities can() const noexcept { return can_; }
    [[nodiscard]] std::uint64_t fresh_key() noexcept { return 0x9e37'79b9'7f4a'7c15ULL * keys_++; }
    [[nodiscard]] epoch reign() const noexcept { return reign_; }
    void next_reign() noexcept { reign_ = epoch{static_cast<std::uint64_t>(reign_) + 1}; }
    [[nodiscard]] std::uint64_t calls_made() const noexcept { return ops_; }
    /// Its driver ends while it is under way.
    void let_be_abandoned(op_id op) { may_be_abandoned_.push_back(op); }
    [[nodiscard]] bool may_be_abandoned(op_id op) const {
        return std::find(may_be_abandoned_.begin(), may_be_abandoned_.end(), op) != may_be_abandoned_.end();
    }
    [[nodiscard]] conformance_sink& answers() noexcept { return *sink_; }
    [[nodiscard]] detail::fixture_port& fixture() noexcept { return f_; }
    [[nodiscard]] const fixture_limits& limits() const noexcept { return limits_; }

    /// That rung on a target of its own; the first rule that asks lets it happen.
    const rung_trial& trial(operation what) {
        const auto [at, is_new] = trials_.try_emplace(what);
        if (is_new) at->second = try_rung(*this, what);
        return at->second;
    }

    // Looks from outside, and time

    [[nodiscard]] target_view view(const test_target& t) {
        return {f_.running_copies(t),
                f_.text(fixture_function::cloud_id, t),
                f_.text(fixture_function::boot_id, t),
                f_.text(fixture_function::host, t),
                f_.text(fixture_function::root_marker, t),
                f_.volumes(t),
                f_.addresses(t)};
    }
    /// Whether an action has happened to a target that was up. It may hold only once: in the midst of a boot a fixture
    /// can tell the new one, and then none until the guest is up.
    [[nodiscard]] bool acted_on(const test_target& t, const target_view& before) {
        const auto is_new = [](const std::optional<std::string>& id, const std::optional<std::string>& was) {
            return id != was && id.value_or("") != "";
        };
        const target_view now = view(t);
        return now.copies != before.copies || is_new(now.cloud_id, before.cloud_id) ||
               is_new(now.boot_id, before.boot_id);
    }
    [[nodiscard]] std::size_t copies(const test_target& t) { return f_.running_copies(t); }
    /// The most that ran at the same time since it was made.
    [[nodiscard]] std::size_t peak(const test_target& t) {
        look();
        const auto seen = watched_.find(t.name);
        return (std::max)(f_.peak_copies(t).value_or(0), seen == watched_.end() ? 0 : seen->second);
    }
    [[nodiscard]] bool is_up(const test_target& t) { return f_.ready(t).value_or(true) && f_.running_copies(t) != 0; }
    bool wait_until_up(const test_target& t) {
        return wait_until([&] { return is_up(t); }, limits_.boot);
    }
    /// Lets time pass until it holds, or for so long; whether it does then.
    template <class Holds>
    bool wait_until(Holds holds, duration most) {
        const time_point end = after(now(), most);
        // Without a clock of its own, virtual time does not move the one that is read here.
        duration pumped{};
        for (;;) {
            if (holds()) return true;
            if (now() >= end || pumped / 100 > most) return false;
            f_.pump(limits_.step);
            pumped += limits_.step;
            look();
        }
    }
    /// Lets time pass in which nothing must happen.
    void settle() {
        wait_until([] { return false; }, limits_.quiet);
    }
    [[nodiscard]] time_point now() {
        if (const auto told = f_.now()) return *told;
        return time_point{std::chrono::duration_cast<duration>(std::chrono::system_clock::now().time_since_epoch())};
    }

private:
    struct owned {
        test_target what;
        bool calm; ///< as it was made, and nothing was done to it
    };
    struct made_call {
        test_target on;
        operation what;
    };

    [[nodiscard]] std::string fresh_name() {
        std::string digits = std::to_string(++names_);
        digits.insert(0, digits.size() < 4 ? 4 - digits.size() : 0, '0');
        return options_.prefix + "-" + digits;
    }
    [[nodiscard]] target_id id_of(const std::string& name) {
        return ids_.try_emplace(name, target_id{static_cast<std::uint32_t>(ids_.size() + 1)}).first->second;
    }
    void disturb(const std::string& name) {
        for (owned& o : mine_) {
            if (o.what.name == name) o.calm = false;
        }
    }

    struct handing {
        conformance_bench* bench;
        const request* what;
        bool second;
        std::vector<proof_of_death>* proofs;
    };
    void hand_over(const request& r, const call_extras& with) {
        detail::request_memory memory{r};
        std::vector<proof_of_death> proofs;
        if (with.proof && needs_proof(r.what))
            proofs.push_back(proof_mint::mint(proof_kind::fenced, incident_id{1}, id_of(calls_[r.op].on.name), never));
        handing h{this, &memory.get(), with.second, &proofs};
        const auto make_call = [](void* to) {
            const handing& it = *static_cast<handing*>(to);
            const op_id op = it.what->op;
            it.bench->f_.call(it.second, *it.what, *it.proofs, completion{op, *it.bench->sink_});
        };
        if (with.around != nullptr) with.around(make_call, &h);
        else make_call(&h);
        if (options_.free_arguments) return; // both end here
        request decoy;
        if (with.decoy != nullptr) {
            decoy.name = decoy.instance = with.decoy->name;
            decoy.cloud_id = with.decoy->cloud_id;
            decoy.stack = with.decoy->stack;
            if (!with.decoy->services.empty()) decoy.service = with.decoy->services.front();
        }
        memory.spoil(decoy);
        spoiled_.push_back(std::move(memory));
        for (proof_of_death& p : proofs) static_cast<void>(proof_of_death{std::move(p)});
        spent_.push_back(std::move(proofs));
    }

    /// What must be seen at once: who runs, and who runs while an answer comes.
    void look() {
        for (const owned& o : mine_) {
            std::size_t& most = watched_[o.what.name];
            most = (std::max)(most, f_.running_copies(o.what));
        }
        for (auto at = calls_.begin(); at != calls_.end();) {
            const bool answered = sink_->answer_of(at->first).given();
            if (answered) copies_at_answer_[at->first] = f_.running_copies(at->second.on);
            at = answered ? calls_.erase(at) : std::next(at);
        }
    }

    bool trouble(fixture_function what, bool& is, bool on) {
        if (!may(what, f_.trouble(what, on))) return false;
        is = on;
        return true;
    }
    bool trouble(fixture_function what, bool& is, duration d) {
        if (!may(what, f_.trouble(what, d))) return false;
        is = d != duration::zero();
        return true;
    }
    void end_troubles() {
        if (std::exchange(cut_, false)) f_.trouble(fixture_function::cut_api, false);
        if (std::exchange(losing_, false)) f_.trouble(fixture_function::lose_answers, false);
        if (std::exchange(slow_, false)) f_.trouble(fixture_function::slow_api, duration::zero());
        if (std::exchange(throttled_, false)) f_.trouble(fixture_function::throttle_api, duration::zero());
        for (const test_target& t : blocked_) f_.block_power_off(t, false);
        blocked_.clear();
    }
    void clear_up() {
        // What is still under way would meet the next rule.
        wait_until([&] { return calls_.empty(); }, limits_.answer);
        calls_.clear();
        for (owned& o : mine_) {
            if (o.calm && !spare_ && judged_.state == rule_state::passed) spare_ = std::move(o.what);
            else f_.dispose(o.what);
        }
        mine_.clear();
        watched_.clear();
    }

    detail::fixture_port& f_;
    conformance_options options_;
    fixture_limits limits_;
    capabilities can_;
    conformance_sink* sink_;
    rule_result judged_{};
    std::optional<test_target> spare_{}; ///< of an earlier rule that did it no harm
    std::vector<owned> mine_{};
    std::map<std::string, std::size_t, std::less<>> watched_{}; ///< by name: the most copies at the same time
    std::map<std::string, target_id, std::less<>> ids_{};
    std::map<op_id, made_call> calls_{}; ///< those without an answer
    std::map<op_id, std::size_t> copies_at_answer_{};
    std::vector<detail::request_memory> spoiled_{};
    std::vector<std::vector<proof_of_death>> spent_{};
    std::vector<test_target> blocked_{};
    std::vector<op_id> may_be_abandoned_{};
    std::map<operation, rung_trial> trials_{};
    epoch reign_;
    std::uint64_t keys_;
    std::uint64_t ops_ = 0;
    std::uint64_t names_ = 0;
    bool cut_ = false;
    bool losing_ = false;
    bool slow_ = false;
    bool throttled_ = false;
};

} // namespace reheat::inline REHEAT_ABI::testing
