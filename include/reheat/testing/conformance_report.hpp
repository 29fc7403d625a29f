// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/escape.hpp>
#include <reheat/testing/conformance_rule.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::testing {

/// What came of the rules that were tried.
///
///     const conformance_report report = check_conformance(fixture);
///     std::fputs(report.table().c_str(), stdout);
///     return report.conforming() ? 0 : 1;
class conformance_report {
public:
    void add(rule_result r) { results_.push_back(std::move(r)); }

    [[nodiscard]] const std::vector<rule_result>& results() const noexcept { return results_; }
    [[nodiscard]] std::size_t count(rule_state s) const noexcept {
        return static_cast<std::size_t>(
            std::count_if(results_.begin(), results_.end(), [s](const rule_result& r) { return r.state == s; }));
    }
    /// What came of one rule; none if it was not tried.
    [[nodiscard]] const rule_result* find(std::string_view name) const noexcept {
        for (const rule_result& r : results_) {
            if (r.rule->name == name) return &r;
        }
        return nullptr;
    }
    /// Whether every rule that is applicable was tried, and passed. Something must have passed.
    [[nodiscard]] bool conforming() const noexcept {
        return count(rule_state::failed) == 0 && count(rule_state::not_run) == 0 && count(rule_state::passed) != 0;
    }

    /// One line for each rule, with the reason below it where it did not pass; then `summary()`.
    [[nodiscard]] std::string table() const {
        std::string text;
        for (const rule_result& r : results_) text += line_of(r);
        return text + summary();
    }
    [[nodiscard]] static std::string line_of(const rule_result& r) {
        std::string text{r.rule->name};
        text.append(text.size() < 32 ? 32 - text.size() : 1, ' ');
        text += to_string(r.state);
        return text + (r.why.empty() ? "\n" : "\n    " + r.why + "\n");
    }
    /// `N passed, M failed`; a line before it tells what is not among them.
    [[nodiscard]] std::string summary() const {
        std::string text;
        const bool absent = std::any_of(results_.begin(), results_.end(), [](const rule_result& r) {
            return r.state == rule_state::not_applicable && r.why.starts_with(no_such_thing);
        });
        if (const std::size_t n = count(rule_state::not_applicable); n != 0)
            text += std::to_string(n) + " not applicable: the driver has no function for them" +
                    (absent ? ", or the cloud no such thing\n" : "\n");
        if (const std::size_t n = count(rule_state::not_run); n != 0)
            text += std::to_string(n) + " not run: the driver is not called conforming\n";
        return text + std::to_string(count(rule_state::passed)) + " passed, " +
               std::to_string(count(rule_state::failed)) + " failed\n";
    }

    /// The same as JUnit XML: one suite with the driver's name. What is not run or not applicable is `skipped`.
    [[nodiscard]] std::string junit(std::string_view driver) const {
        const std::size_t skipped = count(rule_state::not_run) + count(rule_state::not_applicable);
        std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"" + xml(driver) +
                           "\" tests=\"" + std::to_string(results_.size()) + "\" failures=\"" +
                           std::to_string(count(rule_state::failed)) + "\" errors=\"0\" skipped=\"" +
                           std::to_string(skipped) + "\">\n";
        for (const rule_result& r : results_) {
            text += "  <testcase classname=\"" + xml(driver) + "." + xml(r.rule->group) + "\" name=\"" +
                    xml(r.rule->name) + "\"";
            if (r.state == rule_state::passed) {
                text += "/>\n";
                continue;
            }
            const std::string_view element = r.state == rule_state::failed ? "failure" : "skipped";
            const std::string why =
                r.state == rule_state::failed ? r.why : std::string{to_string(r.state)} + ": " + r.why;
            text += ">\n    <" + std::string{element} + " message=\"" + xml(why) + "\"/>\n  </testcase>\n";
        }
        return text + "</testsuite>\n";
    }

private:
    [[nodiscard]] static std::string xml(std::string_view text) {
        std::string escaped;
        append_xml_text(escaped, text);
        return escaped;
    }

    std::vector<rule_result> results_;
};

} // namespace reheat::inline REHEAT_ABI::testing
