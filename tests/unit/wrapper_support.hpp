// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/driver/completion.hpp>
#include <reheat/runner/time_view.hpp>
#include <reheat/testing/proof_mint.hpp>

#include "support.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// What the tests of driver wrappers share: somebody who calls, and hears the answers.

namespace wrapper_support {

namespace rh = reheat;

/// Hears the answers to the calls that it makes. It lives on the stack, and its completions must be gone before it.
class caller {
public:
    struct answer {
        rh::op_id op{};
        rh::outcome_code code{};
        std::string reason{};
        rh::duration retry_after{};
        bool repeated = false;
    };

    [[nodiscard]] rh::completion next() { return rh::completion{static_cast<rh::op_id>(++last_), *sink_}; }
    [[nodiscard]] rh::op_id last() const { return static_cast<rh::op_id>(last_); }
    /// The request of the last completion, in texts that are gone once the call returns, as the engine's are.
    class asked {
    public:
        asked(rh::operation what, rh::op_id op, std::string name) : name_{std::move(name)} {
            what_.op = op;
            what_.key = 1000 + static_cast<std::uint64_t>(op);
            what_.what = what;
            what_.target = static_cast<rh::target_id>(1);
            what_.name = what_.instance = name_;
        }
        asked(const asked&) = delete;
        asked& operator=(const asked&) = delete;
        ~asked() { name_.assign(name_.size(), '#'); }
        rh::request* operator->() { return &what_; }
        operator const rh::request&() const { return what_; } // NOLINT(google-explicit-constructor)

    private:
        std::string name_;
        rh::request what_{};
    };
    [[nodiscard]] asked ask(rh::operation what, std::string name = "a machine whose name is no short text") const {
        return {what, last(), std::move(name)};
    }

    template <class Driver>
    void reboot(Driver& d, rh::time_point deadline = rh::never) {
        rh::completion done = next();
        asked r = ask(rh::operation::reboot_instance);
        r->deadline = deadline;
        d.reboot(r, std::move(done));
    }
    template <class Driver>
    void describe(Driver& d, rh::time_point deadline = rh::never) {
        rh::completion done = next();
        asked r = ask(rh::operation::describe);
        r->deadline = deadline;
        d.describe(r, std::move(done));
    }
    template <class Driver>
    void recreate(Driver& d, rh::time_point proof_ends = rh::never) {
        rh::completion done = next();
        const asked r = ask(rh::operation::recreate_instance);
        d.recreate(r,
                   rh::testing::mint_proof(static_cast<rh::incident_id>(7), static_cast<rh::target_id>(1), proof_ends),
                   std::move(done));
    }

    [[nodiscard]] const std::vector<answer>& heard() const { return sink_->heard; }
    [[nodiscard]] const answer& latest() const { return sink_->heard.back(); }
    /// How often somebody woke it.
    [[nodiscard]] int wakes() const { return sink_->wakes; }

    caller() = default;
    caller(const caller&) = delete;
    caller& operator=(const caller&) = delete;
    ~caller() { sink_->release(); }

private:
    class sink final : public rh::completion_sink {
    public:
        void deliver(rh::op_id op, rh::outcome&& o, bool repeated) noexcept override {
            heard.push_back({op, o.code, o.reason, o.retry_after, repeated});
        }
        void wake() noexcept override { ++wakes; }
        std::vector<answer> heard;
        int wakes = 0;

    private:
        ~sink() override = default;
    };

    sink* sink_ = new sink;
    std::uint64_t last_ = 0;
};

/// An answer of a cloud that is busy.
inline rh::outcome busy(rh::duration retry_after, rh::outcome_code code = rh::outcome_code::refused) {
    rh::outcome o = rh::outcome::refused("busy");
    o.code = code;
    o.retry_after = retry_after;
    return o;
}

} // namespace wrapper_support
