// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/json_path.hpp>
#include <reheat/core/node.hpp>
#include <reheat/core/result.hpp>
#include <reheat/core/time.hpp>
#include <reheat/stack/creation_action.hpp>
#include <reheat/stack/functions.hpp>
#include <reheat/stack/names.hpp>
#include <reheat/stack/resource_specs.hpp>
#include <reheat/stack/template.hpp>
#include <reheat/stack/wait_handle.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// Brings a loaded template into the world, sans I/O: it reads no clock and calls nobody. Inputs only record; `step`
/// decides and says what is wanted; `next()` says when it wants to be stepped again. Resources start when all they
/// depend on is complete; after the first failure none starts. Access keys, users, handles, wait conditions and
/// restarters are made inside. One thread at a time.
///
///     stack_creation wiki{std::move(*loaded), "http://10.0.0.1:8000", make_key};
///     wiki.step(now, actions);                                 // create_instance …
///     wiki.created("Db", cloud_id, {{"PublicIp", ip}}, now);   // and so on, until status() is complete
class stack_creation {
public:
    /// `endpoint` is the URL, without a path, at which guests reach the CloudFormation API. `keys` is asked at once.
    template <access_key_source Keys>
    stack_creation(stack_template from, std::string endpoint, Keys&& keys)
        : template_{std::move(from)}, endpoint_{std::move(endpoint)}, states_(template_.resources().size()) {
        while (endpoint_.ends_with('/')) endpoint_.pop_back();
        for (std::size_t i = 0; i < states_.size(); ++i) {
            const template_resource& r = template_.resources()[i];
            for (const std::string& needed : r.depends_on) states_[i].needs.push_back(index_of(needed));
            if (r.type->kind == resource_kind::iam_access_key) states_[i].key = keys(std::string_view{r.name});
        }
    }

    [[nodiscard]] const stack_template& loaded() const noexcept { return template_; }
    [[nodiscard]] creation_status status() const noexcept { return status_; }
    /// Why the creation failed.
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
    /// `init` for a name that the template does not have.
    [[nodiscard]] creation_status status(std::string_view resource) const noexcept {
        const std::size_t i = index_of(resource);
        return i == none ? creation_status::init : states_[i].status;
    }
    /// The next time at which `step` has something to do by itself; `never` if only an input can change that.
    [[nodiscard]] time_point next() const noexcept {
        time_point out = due_;
        for (const state& s : states_) {
            if (s.status == creation_status::in_progress && s.deadline < out) out = s.deadline;
        }
        return out;
    }

    /// Does what is due at `now` and appends to `out`.
    void step(time_point now, std::vector<creation_action>& out) {
        due_ = never;
        if (status_ == creation_status::init) set_status(creation_status::in_progress, {}, out);
        bool complete = true;
        for (const std::size_t i : template_.creation_order()) {
            if (states_[i].status == creation_status::init && status_ == creation_status::in_progress && is_ready(i))
                start(i, now, out);
            if (states_[i].status == creation_status::in_progress) wait(i, now);
            report(i, out);
            complete = complete && states_[i].status == creation_status::complete;
        }
        if (complete && status_ == creation_status::in_progress) set_status(creation_status::complete, {}, out);
    }

    /// The instance exists. `attributes` are those of its type by Heat's name (`PublicIp` …); one not given is empty
    /// text. It may come after the stack failed, so that whoever cleans up knows. `errc::not_found`,
    /// `invalid_argument`.
    [[nodiscard]] result<void> created(std::string_view resource, std::string cloud_id, text_pairs attributes,
                                       time_point now) {
        return became(resource, creation_status::in_progress, std::move(cloud_id), std::move(attributes), now);
    }
    /// Recovery made the instance anew: `Ref` and attributes give the new values from now on; nothing waits again.
    [[nodiscard]] result<void> replaced(std::string_view resource, std::string cloud_id, text_pairs attributes,
                                        time_point now) {
        return became(resource, creation_status::complete, std::move(cloud_id), std::move(attributes), now);
    }
    [[nodiscard]] result<void> alarm_watched(std::string_view resource, time_point now) {
        auto i = find(resource, resource_kind::alarm, creation_status::in_progress);
        if (!i) return std::move(i.error());
        states_[*i].status = creation_status::complete;
        due_ = now;
        return {};
    }
    [[nodiscard]] result<void> create_failed(std::string_view resource, std::string reason, time_point now) {
        const std::size_t i = index_of(resource);
        if (i == none) return unknown(resource);
        if (states_[i].status != creation_status::in_progress) return not_now(resource);
        fail(i, std::move(reason));
        due_ = now;
        return {};
    }
    /// A guest's signal. `handle` is the handle's ARN, or its name in the template. Counts if `now` is not past the
    /// deadline.
    [[nodiscard]] result<void> signal(std::string_view handle, stack_signal what, time_point now) {
        for (std::size_t i = 0; i < states_.size(); ++i) {
            const template_resource& r = template_.resources()[i];
            if (r.type->kind != resource_kind::wait_condition_handle) continue;
            if (handle != r.name && handle != resource_arn(template_.identity(), r.name)) continue;
            if (states_[i].status != creation_status::complete) return not_now(r.name);
            due_ = now;
            return states_[i].handle.receive(std::move(what), now);
        }
        return error{errc::not_found, {}, "expected a wait condition handle, found " + detail::in_quotes(handle)};
    }

    /// What `Ref` gives of a parameter or a resource. An alarm and a restarter have theirs from the start;
    /// `errc::unavailable` for an instance that does not exist yet.
    [[nodiscard]] result<node> ref(std::string_view name) const {
        const std::size_t i = index_of(name);
        if (i == none) return template_.parameter(name);
        const state& s = states_[i];
        switch (template_.resources()[i].type->kind) {
        case resource_kind::alarm: return node::string(template_.identity().name + '-' + std::string{name});
        case resource_kind::instance:
            if (s.cloud_id.empty())
                return error{errc::unavailable, {}, detail::in_quotes(name) + " does not exist yet"};
            return node::string(s.cloud_id);
        case resource_kind::wait_condition_handle: return node::string(url("/v1/waitcondition/", name));
        case resource_kind::iam_access_key: return node::string(s.key.id);
        default: return node::string(physical_name(template_.identity(), name));
        }
    }

    /// What `Fn::GetAtt` gives.
    [[nodiscard]] result<node> attribute(std::string_view resource, std::string_view attribute) const {
        if (const auto known = detail::unborn_values{template_}.attribute(resource, attribute); !known) return known;
        const std::size_t i = index_of(resource);
        const template_resource& r = template_.resources()[i];
        switch (r.type->kind) {
        case resource_kind::restarter: return node::string(url("/v1/signal/", resource));
        case resource_kind::iam_access_key:
            if (attribute == "SecretAccessKey") return node::string(states_[i].key.secret);
            return ref(r.linked("UserName"));
        case resource_kind::wait_condition: return node::string(states_[index_of(r.linked("Handle"))].handle.data());
        default: break;
        }
        if (states_[i].cloud_id.empty())
            return error{errc::unavailable, {}, detail::in_quotes(resource) + " does not exist yet"};
        for (const auto& [name, value] : states_[i].attributes) {
            if (name == attribute) return node::string(value);
        }
        return node::string({});
    }
    [[nodiscard]] const node* mapping(std::string_view name) const noexcept { return template_.mapping(name); }
    [[nodiscard]] bool secret(std::string_view name) const noexcept { return template_.secret(name); }

    /// The metadata of a resource with its functions resolved, as of now.
    [[nodiscard]] result<node> metadata(std::string_view resource) const {
        const std::size_t i = index_of(resource);
        if (i == none) return unknown(resource);
        const json_path root;
        const json_path resources = root.member("Resources");
        const json_path at = resources.member(resource);
        return function_resolver<stack_creation>{*this}.resolve(template_.resources()[i].metadata,
                                                                at.member("Metadata"), true);
    }

    /// The outputs of a complete stack by their names, as of now; `errc::unavailable` before.
    [[nodiscard]] result<std::vector<node::member>> outputs() const {
        if (status_ != creation_status::complete)
            return error{errc::unavailable, "$.Outputs", "the stack is not complete"};
        const json_path root;
        const json_path at = root.member("Outputs");
        function_resolver<stack_creation> resolver{*this};
        std::vector<node::member> out;
        for (const template_output& o : template_.outputs()) {
            const json_path here = at.member(o.name);
            auto value = resolver.resolve(o.value, here.member("Value"));
            if (!value) return std::move(value.error());
            out.emplace_back(o.name, std::move(*value));
        }
        return out;
    }

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    struct state {
        creation_status status = creation_status::init;
        creation_status reported = creation_status::init;
        std::string reason;
        std::vector<std::size_t> needs;
        std::string cloud_id;
        text_pairs attributes;
        access_key key;
        wait_handle handle;
        time_point deadline = never;
        std::size_t count = 0;
    };

    [[nodiscard]] std::size_t index_of(std::string_view resource) const noexcept {
        for (std::size_t i = 0; i < states_.size(); ++i) {
            if (template_.resources()[i].name == resource) return i;
        }
        return none;
    }
    [[nodiscard]] static error unknown(std::string_view resource) {
        return {errc::not_found, {}, "expected a resource, found " + detail::in_quotes(resource)};
    }
    [[nodiscard]] error not_now(std::string_view resource) const {
        return {errc::invalid_argument,
                {},
                detail::in_quotes(resource) + " is " + std::string{to_string(status(resource))}};
    }
    [[nodiscard]] result<std::size_t> find(std::string_view resource, resource_kind kind,
                                           creation_status status) const {
        const std::size_t i = index_of(resource);
        if (i == none || template_.resources()[i].type->kind != kind) return unknown(resource);
        if (states_[i].status != status) return not_now(resource);
        return i;
    }

    [[nodiscard]] result<void> became(std::string_view resource, creation_status from, std::string cloud_id,
                                      text_pairs attributes, time_point now) {
        auto i = find(resource, resource_kind::instance, from);
        if (!i) return std::move(i.error());
        if (cloud_id.empty())
            return error{errc::invalid_argument, {}, "expected the cloud's id of " + detail::in_quotes(resource)};
        for (const auto& [name, value] : attributes) {
            if (auto known = detail::unborn_values{template_}.attribute(resource, name); !known)
                return std::move(known.error());
        }
        state& s = states_[*i];
        s.status = creation_status::complete;
        s.cloud_id = std::move(cloud_id);
        s.attributes = std::move(attributes);
        due_ = now;
        return {};
    }

    [[nodiscard]] std::string url(std::string_view path, std::string_view resource) const {
        return endpoint_ + std::string{path} + percent_encode(resource_arn(template_.identity(), resource));
    }

    [[nodiscard]] bool is_ready(std::size_t i) const noexcept {
        for (const std::size_t needed : states_[i].needs) {
            if (states_[needed].status != creation_status::complete) return false;
        }
        return true;
    }

    void start(std::size_t i, time_point now, std::vector<creation_action>& out) {
        const template_resource& r = template_.resources()[i];
        state& s = states_[i];
        const json_path root;
        const json_path resources = root.member("Resources");
        const json_path here = resources.member(r.name);
        const json_path at = here.member("Properties");
        s.status = creation_status::in_progress;
        function_resolver<stack_creation> resolver{*this};
        auto properties = resolver.resolve(r.properties, at);
        if (!properties) return fail(i, to_string(properties.error()));
        switch (r.type->kind) {
        case resource_kind::instance: {
            auto spec = read_instance(*properties, at);
            if (!spec) return fail(i, to_string(spec.error()));
            auto data = resolver.resolve(r.metadata, here.member("Metadata"), true);
            if (!data) return fail(i, to_string(data.error()));
            report(i, out);
            out.emplace_back(create_instance{r.name, physical_name(template_.identity(), r.name), std::move(*spec),
                                             std::move(*data)});
            return;
        }
        case resource_kind::alarm: {
            auto spec = read_alarm(*properties, at);
            if (!spec) return fail(i, to_string(spec.error()));
            spec->alarm_actions = all_linked(r, "AlarmActions");
            spec->ok_actions = all_linked(r, "OKActions");
            spec->insufficient_data_actions = all_linked(r, "InsufficientDataActions");
            report(i, out);
            out.emplace_back(watch_alarm{r.name, template_.identity().name + '-' + r.name, std::move(*spec)});
            return;
        }
        case resource_kind::wait_condition: {
            const auto spec = read_wait_condition(*properties, at);
            if (!spec) return fail(i, to_string(spec.error()));
            s.deadline = after(now, spec->timeout);
            s.count = spec->count;
            return;
        }
        default: s.status = creation_status::complete; return;
        }
    }

    /// A wait condition in progress: whatever came in time decides, and only then the deadline.
    void wait(std::size_t i, time_point now) {
        const template_resource& r = template_.resources()[i];
        if (r.type->kind != resource_kind::wait_condition) return;
        state& s = states_[i];
        wait_handle::tally got = states_[index_of(r.linked("Handle"))].handle.until(s.deadline);
        if (got.failed) fail(i, std::move(got.reasons));
        else if (got.received >= s.count) s.status = creation_status::complete;
        else if (now >= s.deadline)
            fail(i, std::to_string(got.received) + " of " + std::to_string(s.count) + " received");
    }

    [[nodiscard]] static std::vector<std::string> all_linked(const template_resource& r, std::string_view property) {
        std::vector<std::string> out;
        for (const resource_link& link : r.links) {
            if (link.property == property) out.push_back(link.target);
        }
        return out;
    }

    void fail(std::size_t i, std::string reason) {
        states_[i].status = creation_status::failed;
        states_[i].reason = std::move(reason);
    }

    void report(std::size_t i, std::vector<creation_action>& out) {
        state& s = states_[i];
        if (s.status == s.reported) return;
        s.reported = s.status;
        const std::string& name = template_.resources()[i].name;
        out.emplace_back(resource_changed{name, s.status, s.reason});
        if (s.status == creation_status::failed && status_ == creation_status::in_progress) {
            set_status(creation_status::failed, name + ": " + s.reason, out);
        }
    }

    void set_status(creation_status status, std::string reason, std::vector<creation_action>& out) {
        status_ = status;
        reason_ = std::move(reason);
        out.emplace_back(stack_changed{status_, reason_});
    }

    stack_template template_;
    std::string endpoint_;
    std::vector<state> states_; ///< one for each resource, in the template's order
    creation_status status_ = creation_status::init;
    std::string reason_;
    time_point due_ = (time_point::min)();
};

static_assert(value_source<stack_creation>);

} // namespace reheat::inline REHEAT_ABI
