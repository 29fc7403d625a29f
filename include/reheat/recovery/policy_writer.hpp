// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/escape.hpp>
#include <reheat/core/node.hpp>
#include <reheat/core/text.hpp>
#include <reheat/recovery/limits.hpp>
#include <reheat/recovery/policy.hpp>
#include <reheat/recovery/policy_words.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

namespace detail {

class policy_writer {
public:
    [[nodiscard]] static node write(const policy& p, const limits& l) {
        std::vector<node> rungs;
        for (const rung& r : p.rungs()) rungs.push_back(of(r));
        std::vector<node> methods;
        for (const std::string_view m : p.fencing.methods) {
            if (m.empty()) break;
            methods.push_back(node::string(std::string{m}));
        }
        const evidence_rules& e = p.evidence;
        return node::object({{"rungs", node::array(std::move(rungs))},
                             {"retry_parked", of(p.retry_parked)},
                             {"probation", of(p.probation)},
                             {"stable", of(p.stable)},
                             {"related", of(p.related)},
                             {"forensics", of(p.forensics)},
                             {"evidence", node::object({{"polls", of(e.polls)},
                                                        {"unhealthy_polls", of(e.unhealthy_polls)},
                                                        {"vantages", of(e.vantages)},
                                                        {"alone", of(policy_words::alone, e.alone)},
                                                        {"max_age", of(e.max_age)}})},
                             {"returned", of(policy_words::returned, p.returned)},
                             {"fencing", node::object({{"methods", node::array(std::move(methods))},
                                                       {"parallel", node::boolean(p.fencing.parallel)}})},
                             {"limits", of(l)}});
    }

private:
    [[nodiscard]] static node of(duration d) { return node::string(format_duration(d)); }
    [[nodiscard]] static node of(std::uint32_t number) { return node::number(std::to_string(number)); }
    template <class Words, class E>
    [[nodiscard]] static node of(const Words& words, E value) {
        std::string_view text;
        for (const auto& w : words) {
            if (w.value == value) text = w.text;
        }
        return node::string(std::string{text});
    }
    [[nodiscard]] static node of(const budget& b) {
        return node::object({{"count", of(b.count)}, {"within", of(b.within)}});
    }
    [[nodiscard]] static node of(const share& s) {
        return node::object({{"percent", of(s.percent)}, {"least", of(s.least)}});
    }
    [[nodiscard]] static node of(const shared_budget& b) {
        return node::object({{"burst", of(b.burst)}, {"sustained", of(b.sustained)}});
    }
    [[nodiscard]] static node of(const rung& r) {
        node out = node::object({{"operation", of(policy_words::operations, r.what)},
                                 {"attempts", of(r.burst.count)},
                                 {"within", of(r.burst.within)},
                                 {"sustained", of(r.sustained)},
                                 {"verify", of(r.verify)},
                                 {"grace", of(r.grace)},
                                 {"timeout", of(r.timeout)},
                                 {"approval", of(policy_words::consents, r.approval)},
                                 {"wait", node::object({{"first", of(r.wait.first)},
                                                        {"most", of(r.wait.most)},
                                                        {"full_jitter", node::boolean(r.wait.full_jitter)},
                                                        {"spread", of(r.wait.spread)}})}});
        if (r.what == operation::reboot_instance) out.members().emplace_back("how", of(policy_words::reboots, r.how));
        return out;
    }
    [[nodiscard]] static node of(const limits& l) {
        return node::object({{"breaker", node::object({{"group", of(l.breaker.group)},
                                                       {"domain", of(l.breaker.domain)},
                                                       {"counted_from", of(l.breaker.counted_from)},
                                                       {"cooldown", of(l.breaker.cooldown)}})},
                             {"silence", node::object({{"targets", of(l.silence.targets)},
                                                       {"domains", of(l.silence.domains)},
                                                       {"cliff", of(l.silence.cliff)},
                                                       {"within", of(l.silence.within)}})},
                             {"in_flight", of(l.in_flight)},
                             {"services_in_flight", of(l.services_in_flight)},
                             {"between", of(l.between)},
                             {"start_hold", of(l.start_hold)},
                             {"yield_to_higher", of(l.yield_to_higher)},
                             {"group", of(l.group)},
                             {"domain", of(l.domain)},
                             {"all", of(l.all)},
                             {"api", of(l.api)}});
    }
};

/// JSON for people: an object or a list that holds no other stands on one line.
inline void append_json(std::string& out, const node& n, std::size_t indent) {
    if (n.is_string()) return append_json_string(out, n.text());
    if (n.is_scalar()) {
        out += n.text();
        return;
    }
    if (n.is_null()) {
        out += "null";
        return;
    }
    bool flat = true;
    for (const node& item : n.items()) flat = flat && (item.is_scalar() || item.is_null());
    for (const node::member& m : n.members()) flat = flat && (m.second.is_scalar() || m.second.is_null());
    const auto separate = [&](bool first) {
        if (!first) out += ',';
        if (!flat) out += '\n' + std::string(indent + 2, ' ');
        else if (!first) out += ' ';
    };
    out += n.is_array() ? '[' : '{';
    bool first = true;
    for (const node& item : n.items()) {
        separate(std::exchange(first, false));
        append_json(out, item, indent + 2);
    }
    for (const node::member& m : n.members()) {
        separate(std::exchange(first, false));
        append_json_string(out, m.first);
        out += ": ";
        append_json(out, m.second, indent + 2);
    }
    if (!flat) out += '\n' + std::string(indent, ' ');
    out += n.is_array() ? ']' : '}';
}

} // namespace detail

/// A policy and limits as the file that `read_policy` reads back as the same, every member written out. What no file
/// can say is not kept: an operation that is no rung, a `how` of anything but a reboot, an empty name among the fence
/// methods; and a number out of the file's range is written and refused by the reader.
[[nodiscard]] inline node to_node(const policy& p, const limits& l) { return detail::policy_writer::write(p, l); }

/// The same as text.
[[nodiscard]] inline std::string to_json(const policy& p, const limits& l) {
    std::string out;
    detail::append_json(out, to_node(p, l), 0);
    out += '\n';
    return out;
}

} // namespace reheat::inline REHEAT_ABI
