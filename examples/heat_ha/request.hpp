// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/node.hpp>
#include <reheat/core/result.hpp>
#include <reheat/core/time.hpp>
#include <reheat/engine/effects.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace heat_ha {

/// The longest line that the control socket takes, its end included.
inline constexpr std::size_t longest_line = 4096;
/// The same for a policy: every member of every rung and limit fits in a third of it.
inline constexpr std::size_t longest_policy_line = 16'384;

/// What can be asked beside an operator's words.
inline constexpr std::array<std::string_view, 3> questions{"status", "why", "watch"};

/// One request of `heat_ha ctl` to the control socket; as text it is one JSON object.
struct request {
    std::string verb;
    std::string target; ///< a name, or `all`
    std::string who;
    std::string reason;
    std::string lasts;                  ///< a duration, from when the program hears it
    std::string until;                  ///< a time of the program
    std::optional<reheat::node> policy; ///< what a policy file holds, with the verb `policy`

    /// The operator's word that it is; none for a question.
    [[nodiscard]] std::optional<reheat::operator_verb> word() const;
    [[nodiscard]] bool for_all() const { return target == "all"; }
};

/// What is wrong with a request that both sides can see; `where` names the member.
reheat::result<void> check(const request& r);

std::string to_json(const request& r);
/// The error says what of the line is wrong, and repeats nothing of it but a name.
reheat::result<request> read_request(std::string_view line);

/// All verbs, for a message.
std::string all_verbs();

/// An answer, as one JSON object: `{"ok":…,"text":…}` with further members, each with a comma before it.
std::string answer_json(bool ok, std::string_view text, std::string_view members = {});

} // namespace heat_ha
