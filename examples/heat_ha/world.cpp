// SPDX-License-Identifier: MIT
#include "world.hpp"

#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/core/escape.hpp>
#include <reheat/core/parse_time.hpp>
#include <reheat/core/text.hpp>
#include <reheat/engine/why.hpp>
#include <reheat/stack/load_template.hpp>

#include "../common/read_file.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace heat_ha {

namespace {

/// The form of a UUID, made of the stack's name and its birth: on manual time every run has the same.
std::string stack_id(std::string_view name, reheat::time_point born) {
    const reheat::stack_identity seed{std::string{name}, std::to_string(born.time_since_epoch().count()), {}, {}};
    const std::string digits = physical_name(seed, "a").substr(name.size() + 3) +
                               physical_name(seed, "b").substr(name.size() + 3) +
                               physical_name(seed, "c").substr(name.size() + 3);
    return digits.substr(0, 8) + '-' + digits.substr(8, 4) + "-4" + digits.substr(12, 3) + "-8" + digits.substr(15, 3) +
           '-' + digits.substr(18, 12);
}

reheat::policy policy_of(ladder_kind kind) {
    return kind == ladder_kind::three_levels ? reheat::three_levels.lowered() : reheat::ha_restarter.lowered();
}

reheat::engine_options engine_of(const options& from, const reheat::limits& bounds) {
    reheat::engine_options out;
    out.bounds = bounds;
    out.shadow = from.shadow;
    // A cloud that outlives this program may know the keys of a journal that was thrown away.
    std::random_device source;
    if (!from.cloud.empty()) out.seed = std::uint64_t{source()} << 32U | source();
    return out;
}

std::string ladder_text(const reheat::policy& p) {
    std::string out;
    for (const reheat::rung& r : p.rungs()) out += (out.empty() ? "" : " ") + std::string{to_string(r.what)};
    return out;
}

} // namespace

reheat::result<reheat::stack_template> load(const options& from, std::string_view id) {
    const auto text = common::read_file(from.template_file, reheat::read_limits{}.bytes);
    if (!text) return common::located(from.template_file, text.error());
    auto loaded = reheat::load_template(
        *text, reheat::nlohmann_json{},
        {.stack_name = from.stack,
         .stack_id = id.empty() ? stack_id(from.stack, program_clock{from}.now()) : std::string{id},
         .tenant = "heat_ha",
         .parameters = from.parameters});
    if (!loaded) return common::located(from.template_file, loaded.error());
    for (const planned_failure& f : from.failures) {
        bool known = false;
        for (const reheat::template_resource& r : loaded->resources()) {
            if (r.type->kind != reheat::resource_kind::instance) continue;
            known = known || f.instance == r.name || f.instance == physical_name(loaded->identity(), r.name);
        }
        if (!known)
            return reheat::error{reheat::errc::not_found, "--fail",
                                 "the template has no instance '" + f.instance + "'"};
    }
    return loaded;
}

reheat::lint_context context_of(const reheat::stack_template& from) {
    reheat::lint_context out;
    for (const reheat::template_resource& r : from.resources())
        out.targets += r.type->kind == reheat::resource_kind::instance ? 1U : 0U;
    return out;
}

world::world(const options& from, reheat::stack_template loaded, stack_memory memory,
             std::optional<reheat::policy_file> policy, common::event_writer& events, page_program& pages,
             remote_cloud* remote)
    : name_{loaded.identity().name}, events_{&events}, simulate_guests_{from.simulate_guests},
      strict_policy_{from.strict_policy}, shadow_{from.shadow}, failures_{from.failures}, context_{context_of(loaded)},
      bounds_{policy ? policy->bounds() : reheat::limits{}}, rules_{policy ? policy->rules() : policy_of(from.ladder)},
      loaded_{std::move(loaded)}, memory_{std::move(memory)}, grace_{from.grace}, run_for_{from.run_for},
      cloud_{remote},
      ha_{cloud_, program_clock{from}, rules_, common::chosen_journal{from.journal}, engine_of(from, bounds_)},
      // A page program has a limit of its own, in real time.
      pages_{pages, ha_, {.answer_within = std::chrono::hours{24 * 365}, .seed = 0}} {
    if (policy) policies_.push_back(std::move(*policy));
    memory_.set_id(loaded_->identity().id);
}

reheat::result<void> world::open_journal() {
    if (auto opened = ha_.open(); !opened) return opened;
    clock().begin_at(ha_.log().last());
    return memory_.begin();
}

reheat::result<void> world::open(const std::string& endpoint) {
    if (run_for_) end_ = after(now(), *run_for_);
    for (const planned_failure& f : failures_) {
        const bool by_resource = loaded_->find(f.instance) != nullptr;
        cloud_.here().break_at(after(now(), f.at),
                               by_resource ? physical_name(loaded_->identity(), f.instance) : f.instance,
                               reheat::fault::instance_lost);
    }
    const auto keys = [this](std::string_view resource) { return memory_.key(resource); };
    heat_.emplace(ha_, reheat::stack_creation{std::move(*loaded_), endpoint, keys},
                  reheat::guest::heat_stack_options{.grace = grace_});
    loaded_.reset();
    cloudwatch_.emplace(*heat_);
    cloudformation_.emplace(signals_, reheat::nlohmann_json{});
    if (simulate_guests_) guests_.emplace(heat_->creation());
    unsaid_ = memory_.signals();
    if (auto made = heat_->open(); !made) return made;
    if (auto kept = memory_.begin(); !kept) return kept; // with its keys
    poll();                                              // what there is already is known before it is asked for
    return {};
}

bool world::catch_up(std::size_t most) {
    settle();
    const reheat::time_point horizon = reheat::earlier(clock().horizon(), end_);
    for (; next_ <= horizon; settle()) {
        if (most-- == 0) return false;
        clock().advance_to(next_);
    }
    clock().advance_to(horizon);
    return true;
}

/// Everything that is due now, and what follows from it at once.
void world::settle() {
    for (;;) {
        cloud_.here().advance(now(), [this](std::string_view machine, std::string_view service) {
            const reheat::mock_machine& m = *cloud_.here().find(machine);
            if (service.empty()) beat(machine, m.cloud_id(), m.boots);
        });
        heat_->step([this](const reheat::creation_action& a) { told(a); });
        signal_again();
        look_after_journal();
        const reheat::time_point due = poll();
        next_ = earlier(earlier(due, pages_.poll(now())), earlier(cloud_.here().next(), heat_->next()));
        next_ = earlier(next_, ha_.log().trouble() && reopen_at_ == reheat::never ? now() : reopen_at_);
        if (next_ > now()) return;
    }
}

reheat::time_point world::poll() {
    return ha_.poll([this](const reheat::event& e) {
        heat_->notice(e);
        pages_(e);
        hear(e);
        events_->write(ha_.state(), e);
    });
}

/// The guests of an earlier run have signalled already, and do so only once.
void world::signal_again() {
    std::erase_if(unsaid_, [this](const stack_memory::remembered_signal& s) {
        const auto taken = heat_->signal(s.handle, s.what);
        return taken || taken.error().code != reheat::errc::invalid_argument; // else its handle is not there yet
    });
}

/// The engine pages a journal that failed, and begins nothing new. It is opened again, less and less often.
void world::look_after_journal() {
    constexpr reheat::duration first = std::chrono::seconds{1};
    constexpr reheat::duration longest = std::chrono::minutes{1};
    const std::optional<reheat::error>& trouble = ha_.log().trouble();
    if (reopen_at_ == reheat::never) {
        if (!trouble) return;
        reopen_pause_ = first;
    } else {
        if (now() < reopen_at_) return;
        if (ha_.reopen_journal()) {
            reopen_at_ = reheat::never;
            return events_->write(now(), "journal_reopened", name_);
        }
        reopen_pause_ = (std::min)(2 * reopen_pause_, longest);
    }
    reopen_at_ = after(now(), reopen_pause_);
    const std::string why = to_string(trouble.value_or(reheat::error{reheat::errc::io, {}, "it failed"}));
    std::fprintf(stderr, "heat_ha: the journal failed, nothing new is begun: %s\n", why.c_str());
    events_->write(now(), "journal_failed", name_,
                   {{{}, "message", why}, {{}, "next", reheat::format_time(reopen_at_)}});
}

/// What an operator waits for.
void world::hear(const reheat::event& e) {
    if (e.kind == reheat::event_kind::operator_word && (!heard_ || e.what == reheat::decision::accept)) heard_ = e;
    if (changing_ == nullptr || e.why != reheat::reason::policy_changed) return;
    changed_ = e.what == reheat::decision::change;
    if (changed_)
        events_->write(
            now(), "policy", name_,
            {{{}, "who", changing_->who}, {{}, "ladder", ladder_text(rules_)}, {{}, "message", changing_->reason}});
}

void world::told(const reheat::creation_action& action) {
    if (const auto* wanted = std::get_if<reheat::create_instance>(&action)) {
        std::vector<std::string> volumes;
        for (const auto& [id, device] : wanted->spec.volumes) volumes.push_back(id);
        // In the shadow nobody creates it: it is there, another program's. So it is after an earlier run.
        const bool there = shadow_ || !ha_.state().targets().cloud_id(heat_->target_of(wanted->resource)).empty();
        cloud_.add(wanted->physical_name,
                   {.stack = name_, .volumes = std::move(volumes), .heartbeats = simulate_guests_}, there);
    } else if (const auto* change = std::get_if<reheat::resource_changed>(&action)) {
        tell_resource(*change);
    } else if (const auto* stack = std::get_if<reheat::stack_changed>(&action)) {
        if (stack->status == reheat::creation_status::in_progress) tell_created();
        if (stack->status == reheat::creation_status::complete) events_->write(now(), "stack_complete", name_);
        if (stack->status == reheat::creation_status::failed)
            events_->write(now(), "stack_failed", name_, {{{}, "message", stack->reason}});
    }
}

void world::tell_created() {
    std::vector<common::detail> details;
    const reheat::stack_creation& stack = heat_->creation();
    const auto add = [&](reheat::resource_kind kind, std::string_view group) {
        for (const reheat::template_resource& r : stack.loaded().resources()) {
            if (r.type->kind != kind) continue;
            details.push_back({std::string{group}, r.name,
                               kind == reheat::resource_kind::instance
                                   ? physical_name(stack.loaded().identity(), r.name)
                                   : stack.ref(r.name)->text()});
        }
    };
    add(reheat::resource_kind::wait_condition_handle, "wait_handles");
    add(reheat::resource_kind::alarm, "alarms");
    add(reheat::resource_kind::instance, "instances");
    events_->write(now(), "stack_created", name_, details);
}

void world::tell_resource(const reheat::resource_changed& change) {
    const reheat::stack_creation& stack = heat_->creation();
    std::vector<common::detail> details{{{}, "resource", change.resource},
                                        {{}, "status", std::string{to_string(change.status)}}};
    if (!change.reason.empty()) details.push_back({{}, "message", change.reason});
    const bool is_instance = heat_->target_of(change.resource) != reheat::no_target;
    if (is_instance && change.status == reheat::creation_status::complete) {
        details.push_back({{}, "cloud_id", stack.ref(change.resource)->text()});
        details.push_back({{}, "address", stack.attribute(change.resource, "PublicIp")->text()});
    }
    events_->write(now(), "resource", name_, details);
}

void world::heard(const reheat::cloud_protocol::heartbeat& from) {
    if (from.service.empty()) beat(from.instance, from.cloud_id, from.boots);
}

void world::beat(std::string_view machine, std::string_view cloud_id, std::uint32_t boots) {
    if (!guests_) return;
    // What the APIs answer is the guest's business: as in life, a heartbeat before the alarm is watched is refused.
    guests_->beat(
        machine, cloud_id, boots,
        [this](const reheat::guest::request& r) { static_cast<void>(cloudformation_->handle(r)); },
        [this](const reheat::guest::request& r) { static_cast<void>(cloudwatch_->handle(r)); });
}

reheat::guest::response world::cloudwatch(const reheat::guest::request& from) { return cloudwatch_->handle(from); }
reheat::guest::response world::cloudformation(const reheat::guest::request& from) {
    return cloudformation_->handle(from);
}

bool world::advance(reheat::duration by) {
    if (!clock().manual()) return false;
    clock().extend(by);
    return true;
}

std::string world::status() const {
    const reheat::stack_creation& stack = heat_->creation();
    std::string out = "time=" + reheat::format_time(now()) + " stack=" + std::string{to_string(stack.status())} +
                      " events=" + std::to_string(events_->count()) +
                      " incidents=" + std::to_string(ha_.state().open_incidents());
    for (const reheat::template_resource& r : stack.loaded().resources()) {
        if (r.type->kind == reheat::resource_kind::alarm)
            out += " alarm." + r.name + '=' + std::string{to_string(heat_->state_of(r.name))};
        if (r.type->kind != reheat::resource_kind::instance) continue;
        const auto id = stack.ref(r.name);
        out += " instance." + r.name + '=' + (id ? id->text() : "none");
    }
    return out;
}

world::reply world::speak(const request& said) {
    const auto word = said.word();
    if (!word) return {false, "expected one of " + all_verbs(), {}};
    reheat::operator_input input{.what = *word, .who = said.who, .reason = said.reason};
    if (!said.for_all()) {
        input.target = find(said.target);
        if (input.target == reheat::no_target) return {false, "there is no target '" + said.target + "'", {}};
    }
    if (const auto lasts = reheat::parse_duration(said.lasts)) input.expires = after(now(), *lasts);
    if (const auto until = reheat::parse_time(said.until)) input.expires = *until;
    if (input.expires <= now()) return {false, "until: it is " + reheat::format_time(now()) + " already", {}};
    heard_.reset();
    ha_.operate(input);
    settle();

    std::string members = R"(,"verb":)";
    reheat::append_json_string(members, said.verb);
    members += R"(,"target":)";
    reheat::append_json_string(members, said.for_all() ? "all" : ha_.state().name(input.target));
    if (input.expires != reheat::never) members += R"(,"expires":")" + reheat::format_time(input.expires) + '"';
    if (!heard_ || heard_->what != reheat::decision::accept) {
        const reheat::reason why = heard_ ? heard_->why : reheat::reason::none;
        const bool says_more = why != reheat::reason::none && why != reheat::reason::operator_word;
        members += R"(,"reason":")" + std::string{to_string(why)} + '"';
        return {false,
                said.verb + ' ' + said.target + ": " +
                    (says_more ? std::string{to_string(why)} : "nothing waits for it there"),
                members};
    }
    std::string text = said.verb + ' ' + said.target + ": accepted";
    if (input.expires != reheat::never) text += ", until " + reheat::format_time(input.expires);
    return {true, text, members};
}

world::reply world::change_policy(const request& said) {
    const auto refuse = [](const reheat::error& e) {
        std::string members = R"(,"verb":"policy","where":)";
        reheat::append_json_string(members, e.where);
        return reply{false, "policy: " + to_string(e), members};
    };
    auto read = reheat::read_policy(*said.policy);
    if (!read) return refuse(read.error());
    // A file without limits says nothing of them.
    if (said.policy->find("limits") != nullptr) {
        if (auto same = common::check_same_limits(read->bounds(), bounds_); !same) return refuse(same.error());
    }
    const std::vector<reheat::file_finding> found = lint(*read, context_);
    const std::string findings = R"(,"verb":"policy","findings":)" + common::findings_json(found);
    std::string text = "policy: ";
    const auto answer = [&](bool ok, std::string_view what, bool changed) {
        text += what;
        for (const reheat::file_finding& f : found) text += "\nwarning: " + common::finding_line(f);
        return reply{ok, text, findings + (changed ? R"(,"changed":true)" : R"(,"changed":false)")};
    };
    if (strict_policy_ && !found.empty()) return answer(false, "findings, and --strict-policy allows none", false);
    if (read->rules() == rules_) return answer(true, "accepted, it is the same as before", false);

    const reheat::policy before = rules_;
    rules_ = read->rules();
    policies_.push_back(std::move(*read));
    changing_ = &said;
    changed_ = false;
    auto can = ha_.change_policy(reheat::policy_id{}, rules_);
    if (can) settle();
    changing_ = nullptr;
    if (changed_) return answer(true, "accepted, from the next rung on", true);
    rules_ = before;
    policies_.pop_back();
    if (!can) return refuse(can.error());
    return answer(false, "it was changed too often: end the program and start it again", false);
}

world::reply world::describe() const {
    const reheat::stack_creation& stack = heat_->creation();
    const reheat::engine& engine = ha_.state();
    reply out{true,
              "time " + reheat::format_time(now()) + "\nstack " + name_ + ' ' + std::string{to_string(stack.status())},
              {}};
    const auto member = [&out](std::string_view name, std::string_view value) {
        out.members += ",";
        reheat::append_json_string(out.members, name);
        out.members += ':';
        reheat::append_json_string(out.members, value);
    };
    member("time", reheat::format_time(now()));
    member("stack", name_);
    member("status", to_string(stack.status()));
    out.members += R"(,"events":)" + std::to_string(events_->count()) + R"(,"calls":)" + std::to_string(cloud_.calls());
    const auto group = [&](reheat::resource_kind kind, const char* word, const char* plural, auto value_of) {
        out.members += std::string{",\""} + plural + "\":{";
        bool first = true;
        for (const reheat::template_resource& r : stack.loaded().resources()) {
            if (r.type->kind != kind) continue;
            const std::string value = value_of(r.name);
            out.text += std::string{"\n"} + word + ' ' + r.name + ' ' + value;
            if (!std::exchange(first, false)) out.members += ',';
            reheat::append_json_string(out.members, r.name);
            out.members += ':';
            reheat::append_json_string(out.members, value);
        }
        out.members += '}';
    };
    group(reheat::resource_kind::alarm, "alarm", "alarms",
          [&](const std::string& name) { return std::string{to_string(heat_->state_of(name))}; });
    group(reheat::resource_kind::instance, "instance", "instances", [&](const std::string& name) {
        const auto id = stack.ref(name);
        return id ? id->text() : std::string{"none"};
    });
    const reheat::pager_figures& told = pages_.figures();
    out.members += R"(,"pages":{"deliveries":)" + std::to_string(told.deliveries) + R"(,"acknowledged":)" +
                   std::to_string(told.acknowledged) + R"(,"failed":)" + std::to_string(told.failed) +
                   R"(,"expired":)" + std::to_string(told.expired) + R"(,"dropped":)" + std::to_string(told.dropped) +
                   '}';
    out.members += R"(,"incidents":[)";
    bool first = true;
    for (std::size_t n = 0; n < engine.targets().size(); ++n) {
        const auto target = static_cast<reheat::target_id>(n);
        if (engine.incident_of(target) == nullptr) continue;
        const reply one = explain_target(target);
        out.text += '\n' + one.text;
        if (!std::exchange(first, false)) out.members += ',';
        out.members += '{' + one.members.substr(1) + '}';
    }
    out.members += ']';
    return out;
}

world::reply world::why(std::string_view target) const {
    const reheat::target_id id = find(target);
    if (id == reheat::no_target) return {false, "there is no target '" + std::string{target} + "'", {}};
    return explain_target(id);
}

/// What can be said of a target, and of its incident if it has one.
world::reply world::explain_target(reheat::target_id target) const {
    const reheat::engine& engine = ha_.state();
    const reheat::explanation known = reheat::why(engine, target);
    const std::string object = to_json(engine, known);
    return {true, to_text(engine, known), ',' + object.substr(1, object.size() - 2)};
}

reheat::target_id world::find(std::string_view target) const {
    if (const reheat::target_id id = heat_->target_of(target); id != reheat::no_target) return id;
    for (const reheat::level of : {reheat::level::instance, reheat::level::service, reheat::level::stack}) {
        if (const reheat::target_id id = ha_.state().find(of, target); id != reheat::no_target) return id;
    }
    return reheat::no_target;
}

} // namespace heat_ha
