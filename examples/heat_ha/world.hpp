// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/guest/cloudformation.hpp>
#include <reheat/guest/cloudwatch.hpp>
#include <reheat/guest/heat_stack.hpp>
#include <reheat/recovery/lint_context.hpp>
#include <reheat/recovery/policy_reader.hpp>
#include <reheat/runner/pipeline.hpp>

#include "../common/chosen_journal.hpp"
#include "../common/event_writer.hpp"
#include "../common/policy_input.hpp"
#include "cloud.hpp"
#include "options.hpp"
#include "page_program.hpp"
#include "program_clock.hpp"
#include "request.hpp"
#include "simulated_guests.hpp"
#include "stack_memory.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heat_ha {

/// Everything but the sockets: the stack, the cloud that it lives in, what watches it, and time.
class world {
public:
    /// `loaded` is the checked template; every planned failure names an instance of it. `remote` may be null.
    world(const options& from, reheat::stack_template loaded, stack_memory memory,
          std::optional<reheat::policy_file> policy, common::event_writer& events, page_program& pages,
          remote_cloud* remote);

    /// Opens the journal, before anything else is done. What an earlier run wrote is gone on with.
    reheat::result<void> open_journal();
    /// Begins to create the stack, or to look after the one that there is. `endpoint` is the URL of the CloudFormation
    /// API.
    reheat::result<void> open(const std::string& endpoint);

    /// Does what is due up to the clock's horizon, at most `most` times; true if nothing is left to do now.
    bool catch_up(std::size_t most);
    /// How long to sleep until something is due, in real time; negative if only an input can change anything.
    [[nodiscard]] reheat::duration wait() const noexcept { return clock().real_wait(reheat::earlier(next_, end_)); }
    /// A guest of a remote cloud reports.
    void heard(const reheat::cloud_protocol::heartbeat& from);
    /// Whether the time that the program was given is over.
    [[nodiscard]] bool over() const noexcept { return clock().now() >= end_; }
    [[nodiscard]] bool failed() const noexcept {
        return heat_ && heat_->creation().status() == reheat::creation_status::failed;
    }

    reheat::guest::response cloudwatch(const reheat::guest::request& from);
    reheat::guest::response cloudformation(const reheat::guest::request& from);

    // The operator's

    /// False where time goes by itself.
    bool advance(reheat::duration by);
    [[nodiscard]] std::string status() const;
    /// What there is to answer: whether it was taken, a text for a person, and members for a program.
    struct reply {
        bool ok = false;
        std::string text;
        std::string members; ///< of a JSON object, each with a comma before it
    };
    /// An operator's word, which `check` has passed: whether the engine took it, or why not.
    reply speak(const request& said);
    /// Another policy, from the next rung on: what lint finds in it, or why nothing has changed.
    reply change_policy(const request& said);
    [[nodiscard]] reply describe() const;
    [[nodiscard]] reply why(std::string_view target) const;

    [[nodiscard]] reheat::time_point now() const noexcept { return clock().now(); }

private:
    using pipeline = reheat::pipeline<cloud, program_clock, common::chosen_journal>;
    using heat_stack = reheat::guest::heat_stack<pipeline>;

    /// Where guests signal to: what they say is safe before they hear that it was taken.
    struct signal_desk {
        world* of;
        reheat::result<void> signal(std::string_view handle, const reheat::guest::wait_signal& what) {
            auto taken = of->heat_->signal(handle, what);
            return taken ? of->memory_.note(handle, what) : taken;
        }
    };

    [[nodiscard]] program_clock& clock() noexcept { return ha_.time(); }
    [[nodiscard]] const program_clock& clock() const noexcept { return const_cast<pipeline&>(ha_).time(); }
    void settle();
    reheat::time_point poll();
    void signal_again();
    void look_after_journal();
    void hear(const reheat::event& e);
    void told(const reheat::creation_action& action);
    void tell_resource(const reheat::resource_changed& change);
    void tell_created();
    void beat(std::string_view machine, std::string_view cloud_id, std::uint32_t boots);
    [[nodiscard]] reheat::target_id find(std::string_view target) const;
    [[nodiscard]] reply explain_target(reheat::target_id target) const;

    std::string name_;
    common::event_writer* events_;
    bool simulate_guests_;
    bool strict_policy_;
    bool shadow_;
    std::vector<planned_failure> failures_;
    reheat::lint_context context_;
    std::vector<reheat::policy_file> policies_; ///< every one that the engine has: it refers to their names
    reheat::limits bounds_;
    reheat::policy rules_; ///< the newest
    std::optional<reheat::stack_template> loaded_;
    stack_memory memory_;
    reheat::duration grace_;
    std::optional<reheat::duration> run_for_;
    cloud cloud_;
    pipeline ha_;
    reheat::pager<page_program, reheat::engine> pages_;
    std::optional<heat_stack> heat_;
    std::optional<reheat::guest::cloudwatch_api<heat_stack>> cloudwatch_;
    signal_desk signals_{this};
    std::optional<reheat::guest::cloudformation_api<signal_desk, reheat::nlohmann_json>> cloudformation_;
    std::vector<stack_memory::remembered_signal> unsaid_; ///< of an earlier run, for handles that are not there yet
    std::optional<simulated_guests> guests_;
    reheat::time_point end_ = reheat::never;
    reheat::time_point next_ = reheat::never;
    reheat::time_point reopen_at_ = reheat::never; ///< the journal, after it failed
    reheat::duration reopen_pause_{};
    std::optional<reheat::event> heard_; ///< what the engine said to the last operator's word
    const request* changing_ = nullptr;  ///< who changes the policy
    bool changed_ = false;               ///< whether the engine took it
};

/// What lint can know from a template: how many instances share the limits.
reheat::lint_context context_of(const reheat::stack_template& from);

/// Reads and checks the template of the command line; the error says where. `id` is that of a stack that there is
/// already, or empty.
reheat::result<reheat::stack_template> load(const options& from, std::string_view id = {});

} // namespace heat_ha
