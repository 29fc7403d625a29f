// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/engine/recording.hpp>
#include <reheat/recovery/decision_words.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace reheat::inline REHEAT_ABI {

namespace detail::form {

// The words of an enumeration, in the order of its values.
template <class E>
struct words;
template <class E, std::size_t Count>
struct words_by_to_string {
    static constexpr std::size_t count = Count;
    static constexpr std::string_view of(std::size_t n) noexcept { return to_string(static_cast<E>(n)); }
};
template <>
struct words<operation> : words_by_to_string<operation, operation_count> {};
template <>
struct words<operator_verb> : words_by_to_string<operator_verb, 9> {};
template <>
struct words<proof_kind> : words_by_to_string<proof_kind, 4> {};
template <>
struct words<outcome_code> : words_by_to_string<outcome_code, 4> {};
template <>
struct words<health> : words_by_to_string<health, 3> {};
template <>
struct words<vantage> : words_by_to_string<vantage, vantage_count> {};
template <>
struct words<comparison> : words_by_to_string<comparison, 9> {};
template <>
struct words<statistic> : words_by_to_string<statistic, 5> {}; // `extended` needs more than a word
template <std::size_t Count>
struct words_in {
    std::array<std::string_view, Count> all;
};
template <class E>
inline constexpr words_in<0> listed{};
template <>
inline constexpr words_in<3> listed<single_vantage>{{"fence_first", "wait", "act"}};
template <>
inline constexpr words_in<4> listed<return_rule>{{"keep_replacement", "keep_original", "longest_running", "stop_both"}};
template <>
inline constexpr words_in<2> listed<consent>{{"none", "required"}};
template <>
inline constexpr words_in<3> listed<reboot_kind>{{"soft_then_hard", "soft", "hard"}};
template <>
inline constexpr words_in<2> listed<alignment>{{"grid", "watch"}};
template <>
inline constexpr words_in<4> listed<missing_data>{{"missing", "breaching", "not_breaching", "ignore"}};
template <>
inline constexpr words_in<2> listed<empty_period>{{"counts_missing", "counts_zero"}};
template <>
inline constexpr words_in<2> listed<low_sample_option>{{"evaluate", "ignore"}};
template <>
inline constexpr words_in<2> listed<agreement>{{"m_of_n", "unanimous"}};
template <>
inline constexpr words_in<3> listed<repetition>{{"on_transition", "every_evaluation", "re_sent"}};
template <class E>
struct words {
    static constexpr std::size_t count = listed<E>.all.size();
    static constexpr std::string_view of(std::size_t n) noexcept { return listed<E>.all[n]; }
};

// What is written is what is read: each type lists its fields once, for a writer and for a reader.

template <class V, class T>
concept either = std::same_as<std::remove_const_t<V>, T>;

template <class Ar, either<recorded::added_stack> V>
void fields(Ar& ar, V& v) {
    ar("name", v.name);
}
template <class Ar, either<recorded::added_instance> V>
void fields(Ar& ar, V& v) {
    ar("name", v.name);
    ar("stack", v.stack);
    ar("host", v.host);
    ar("rack", v.rack);
    ar("zone", v.zone);
    ar("cloud_id", v.cloud_id);
    ar("group", v.group);
    ar("keep", v.keep);
    ar("priority", v.priority);
}
template <class Ar, either<recorded::added_service> V>
void fields(Ar& ar, V& v) {
    ar("name", v.name);
    ar("on", v.on);
    ar("priority", v.priority);
}
template <class Ar, either<recorded::used_policy> V>
void fields(Ar& ar, V& v) {
    ar("target", v.target);
    ar("policy", v.rules);
}
template <class Ar, either<recorded::dependency> V>
void fields(Ar& ar, V& v) {
    ar("target", v.dependent);
    ar("on", v.on);
}
template <class Ar, either<recorded::watch> V>
void fields(Ar& ar, V& v) {
    ar("target", v.target);
    ar("from", v.from);
    auto& r = v.rule;
    ar("statistic", r.of.statistic.which);
    ar("period", r.of.period);
    ar("align", r.of.align);
    ar("step", r.of.step);
    ar("compare", r.compare.which);
    ar("threshold", r.threshold);
    ar("upper_threshold", r.upper_threshold);
    ar("evaluation_periods", r.evaluation_periods);
    ar("datapoints_to_alarm", r.datapoints_to_alarm);
    ar("look_back", r.look_back);
    ar("premature", r.premature);
    ar("raise", r.raise);
    ar("treat_missing", r.treat_missing);
    ar("empty", r.empty);
    ar("low_samples", r.low_samples);
    ar("actions", r.actions);
    ar("resend_after", r.resend_after);
    ar("pending_period", r.pending_period);
    ar("recovery_period", r.recovery_period);
    ar("grace", r.grace);
    ar("warm_up", r.warm_up);
    ar("whole_warm_up", r.whole_warm_up);
}
template <class Ar, either<recorded::sample> V>
void fields(Ar& ar, V& v) {
    ar("watch", v.watch);
    ar("value", v.value);
}
template <class Ar, either<recorded::stamped_sample> V>
void fields(Ar& ar, V& v) {
    ar("watch", v.watch);
    ar("value", v.value);
    ar("of", v.of);
}
template <class Ar, either<observation> V>
void fields(Ar& ar, V& v) {
    ar("target", v.target);
    ar("from", v.from);
    ar("seen", v.seen);
    ar("of", v.at);
    ar("polled", v.polled);
    ar("witness", v.witness);
}
template <class Ar, either<recorded::operator_word> V>
void fields(Ar& ar, V& v) {
    ar("verb", v.what);
    ar("target", v.target);
    ar("expires", v.expires);
    ar("who", v.who);
    ar("reason", v.reason);
}
template <class Ar, class V>
    requires either<V, recorded::creation_order> || either<V, recorded::guest_restart>
void fields(Ar& ar, V& v) {
    ar("target", v.target);
}
template <class Ar, either<recorded::host_word> V>
void fields(Ar& ar, V& v) {
    ar("host", v.host);
    ar("dead", v.dead);
    ar("by", v.by);
}
template <class Ar, either<lease> V>
void fields(Ar& ar, V& v) {
    ar("target", v.target);
    ar("until", v.until);
    ar("watchdog", v.watchdog);
    ar("tied", v.tied);
}
template <class Ar, either<recorded::sighting> V>
void fields(Ar& ar, V& v) {
    ar("target", v.target);
    ar("cloud_id", v.cloud_id);
    ar("host", v.host);
    ar("running_since", v.running_since);
}
template <class Ar, either<recorded::capacity> V>
void fields(Ar& ar, V& v) {
    ar("zone", v.zone);
    ar("room", v.room);
}
template <class Ar, either<recorded::leadership> V>
void fields(Ar& ar, V& v) {
    ar("epoch", v.reign);
    ar("until", v.until);
}
template <class Ar, either<recorded::overflow> V>
void fields(Ar& ar, V& v) {
    ar("lost", v.lost);
}
template <class Ar, either<recorded::journal_word> V>
void fields(Ar& ar, V& v) {
    ar("well", v.well);
}
template <class Ar, either<recorded::call> V>
void fields(Ar& ar, V& v) {
    ar("op", v.op);
    ar("what", v.what);
    ar("target", v.target);
}
template <class Ar, either<recorded::completion> V>
void fields(Ar& ar, V& v) {
    ar("op", v.op);
    ar("code", v.result.code);
    ar("exists", v.result.seen.exists);
    ar("running", v.result.seen.running);
    ar("vouched", v.result.seen.vouched);
    ar("cloud_id", v.result.seen.cloud_id);
    ar("boot_id", v.result.seen.boot_id);
    ar("host", v.result.seen.host);
    ar("address", v.result.seen.address);
    ar("reason", v.result.reason);
    ar("retry_after", v.result.retry_after);
    ar("repeated", v.repeated);
}
template <class Ar, either<recorded::step> V>
void fields(Ar&, V&) {}
template <class Ar, either<recorded::late_step> V>
void fields(Ar& ar, V& v) {
    ar("due", v.due);
}
template <class Ar, either<recorded::clock_jump> V>
void fields(Ar& ar, V& v) {
    ar("to", v.to);
}

template <class Ar, either<share> V>
void share_fields(Ar& ar, std::string_view percent, std::string_view least, V& v) {
    ar(percent, v.percent);
    ar(least, v.least);
}
template <class Ar, either<budget> V>
void budget_fields(Ar& ar, std::string_view count, std::string_view within, V& v) {
    ar(count, v.count);
    ar(within, v.within);
}
template <class Ar, either<rung> V>
void fields(Ar& ar, V& v) {
    ar("what", v.what);
    budget_fields(ar, "attempts", "within", v.burst);
    budget_fields(ar, "sustained", "sustained_within", v.sustained);
    ar("verify", v.verify);
    ar("grace", v.grace);
    ar("timeout", v.timeout);
    ar("approval", v.approval);
    ar("how", v.how);
    ar("wait_first", v.wait.first);
    ar("wait_most", v.wait.most);
    ar("wait_full_jitter", v.wait.full_jitter);
    ar("wait_spread", v.wait.spread);
}
/// All of a policy but its rungs.
template <class Ar, either<policy> V>
void fields(Ar& ar, V& v) {
    ar("retry_parked", v.retry_parked);
    ar("probation", v.probation);
    ar("stable", v.stable);
    ar("related", v.related);
    ar("forensics", v.forensics);
    ar("polls", v.evidence.polls);
    ar("unhealthy_polls", v.evidence.unhealthy_polls);
    ar("vantages", v.evidence.vantages);
    ar("alone", v.evidence.alone);
    ar("max_age", v.evidence.max_age);
    ar("returned", v.returned);
    ar("fence1", v.fencing.methods[0]);
    ar("fence2", v.fencing.methods[1]);
    ar("fence3", v.fencing.methods[2]);
    ar("fence4", v.fencing.methods[3]);
    ar("fences_in_parallel", v.fencing.parallel);
}
template <class Ar, either<engine_options> V>
void fields(Ar& ar, V& v) {
    ar("epoch", v.reign);
    ar("seed", v.seed);
    ar("proof_validity", v.proof_validity);
    ar("fence_timeout", v.fence_timeout);
    ar("create_timeout", v.create_timeout);
    ar("read_back_every", v.read_back_every);
    ar("page_after", v.page_after);
    ar("lease_margin", v.lease_margin);
    ar("lease_covers", v.lease_covers);
    ar("doubts", v.doubts.on);
    ar("most_late", v.doubts.most_late);
    ar("shadow", v.shadow);
    auto& b = v.bounds;
    share_fields(ar, "breaker_group", "breaker_group_least", b.breaker.group);
    share_fields(ar, "breaker_domain", "breaker_domain_least", b.breaker.domain);
    ar("breaker_from", b.breaker.counted_from);
    ar("breaker_cooldown", b.breaker.cooldown);
    ar("silence_targets", b.silence.targets);
    ar("silence_domains", b.silence.domains);
    share_fields(ar, "cliff", "cliff_least", b.silence.cliff);
    ar("silence_within", b.silence.within);
    share_fields(ar, "in_flight", "in_flight_least", b.in_flight);
    share_fields(ar, "services_in_flight", "services_in_flight_least", b.services_in_flight);
    ar("between", b.between);
    ar("start_hold", b.start_hold);
    ar("yield_to_higher", b.yield_to_higher);
    budget_fields(ar, "group_burst", "group_burst_within", b.group.burst);
    budget_fields(ar, "group_sustained", "group_sustained_within", b.group.sustained);
    budget_fields(ar, "domain_burst", "domain_burst_within", b.domain.burst);
    budget_fields(ar, "domain_sustained", "domain_sustained_within", b.domain.sustained);
    budget_fields(ar, "all_burst", "all_burst_within", b.all.burst);
    budget_fields(ar, "all_sustained", "all_sustained_within", b.all.sustained);
    budget_fields(ar, "api", "api_within", b.api);
}

// The word of each input.
template <class T>
inline constexpr std::string_view input_word{};
template <>
inline constexpr std::string_view input_word<recorded::added_stack>{"stack"};
template <>
inline constexpr std::string_view input_word<recorded::added_instance>{"instance"};
template <>
inline constexpr std::string_view input_word<recorded::added_service>{"service"};
template <>
inline constexpr std::string_view input_word<recorded::used_policy>{"use_policy"};
template <>
inline constexpr std::string_view input_word<recorded::dependency>{"depends"};
template <>
inline constexpr std::string_view input_word<recorded::watch>{"watch"};
template <>
inline constexpr std::string_view input_word<recorded::sample>{"sample"};
template <>
inline constexpr std::string_view input_word<recorded::stamped_sample>{"stamped_sample"};
template <>
inline constexpr std::string_view input_word<observation>{"observation"};
template <>
inline constexpr std::string_view input_word<recorded::operator_word>{"operator"};
template <>
inline constexpr std::string_view input_word<recorded::creation_order>{"order_creation"};
template <>
inline constexpr std::string_view input_word<recorded::guest_restart>{"guest_restarted"};
template <>
inline constexpr std::string_view input_word<recorded::host_word>{"host"};
template <>
inline constexpr std::string_view input_word<lease>{"lease"};
template <>
inline constexpr std::string_view input_word<recorded::sighting>{"sighted"};
template <>
inline constexpr std::string_view input_word<recorded::capacity>{"capacity"};
template <>
inline constexpr std::string_view input_word<recorded::leadership>{"leads"};
template <>
inline constexpr std::string_view input_word<recorded::overflow>{"overflow"};
template <>
inline constexpr std::string_view input_word<recorded::journal_word>{"journal"};
template <>
inline constexpr std::string_view input_word<recorded::call>{"call"};
template <>
inline constexpr std::string_view input_word<recorded::completion>{"completion"};
template <>
inline constexpr std::string_view input_word<recorded::step>{"step"};
template <>
inline constexpr std::string_view input_word<recorded::late_step>{"late_step"};
template <>
inline constexpr std::string_view input_word<recorded::clock_jump>{"clock_jump"};

} // namespace detail::form

} // namespace reheat::inline REHEAT_ABI
