// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/mock_driver.hpp>
#include <reheat/testing/mock_fixture.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Drivers of the mock cloud, each of them wrong in one way. The function that is wrong stands in for that of the
// driver.

namespace broken {

namespace rh = reheat;
using rh::completion;
using rh::mock_driver;
using rh::outcome;
using rh::outcome_code;
using rh::proof_of_death;
using rh::request;

/// A completion that changes the outcome before it hands it on.
template <class Change>
completion changed(completion done, Change change) {
    class changer final : public rh::completion_sink {
    public:
        changer(completion to, Change how) : to_{std::move(to)}, how_{std::move(how)} {}
        void deliver(rh::op_id, outcome&& result, bool) noexcept override {
            how_(result);
            to_(std::move(result));
        }

    private:
        completion to_;
        Change how_;
    };
    const rh::op_id op = done.op();
    auto* const sink = new changer{std::move(done), std::move(change)};
    completion other{op, *sink};
    sink->release();
    return other;
}
inline void be_done(outcome& o) { o.code = outcome_code::done; }

/// One that nobody hears.
inline completion unheard(rh::op_id op) {
    class deaf final : public rh::completion_sink {
        void deliver(rh::op_id, outcome&&, bool) noexcept override {}
    };
    auto* const sink = new deaf;
    completion done{op, *sink};
    sink->release();
    return done;
}

// Completions

struct forgets_to_answer : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request&, completion done) { kept_.push_back(std::move(done)); }

private:
    std::vector<completion> kept_;
};

struct answers_twice : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request&, completion done) {
        done(outcome::done({.exists = false}));
        done(outcome::done({.exists = false}));
    }
};

struct abandons : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        if (cloud().find(r.name) != nullptr) mock_driver::describe(r, std::move(done));
    }
};

/// The answer of one call goes to the one that came before.
struct mixes_answers : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        if (!waiting_) {
            waiting_.emplace(std::move(done));
            last_ = std::string{r.name};
            return;
        }
        completion first = std::move(*waiting_);
        waiting_.reset();
        mock_driver::describe(r, std::move(first));
        request other = r;
        other.name = other.instance = last_;
        mock_driver::describe(other, std::move(done));
    }
    void poll(rh::time_point) {
        if (!waiting_) return;
        request r;
        r.what = rh::operation::describe;
        r.name = r.instance = last_;
        completion done = std::move(*waiting_);
        waiting_.reset();
        mock_driver::describe(r, std::move(done));
    }

private:
    std::optional<completion> waiting_;
    std::string last_;
};

// Arguments

struct describes_later : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) { later_.emplace_back(r, std::move(done)); }
    void poll(rh::time_point) {
        for (auto& [r, done] : std::exchange(later_, {})) mock_driver::describe(r, std::move(done));
    }

private:
    std::vector<std::pair<request, completion>> later_; // the texts are not in there
};

struct fences_later : mock_driver {
    using mock_driver::mock_driver;
    void fence(const request& r, completion done) { later_.emplace_back(&r, std::move(done)); }
    void poll(rh::time_point) {
        for (auto& [r, done] : std::exchange(later_, {})) {
            request copy = *r;
            copy.what = rh::operation::fence_instance;
            mock_driver::fence(copy, std::move(done));
        }
    }

private:
    std::vector<std::pair<const request*, completion>> later_;
};

struct recreates_later : mock_driver {
    using mock_driver::mock_driver;
    void recreate(const request& r, proof_of_death why, completion done) {
        later_.push_back({r, std::move(why), std::move(done)});
    }
    void poll(rh::time_point) {
        for (waiting& w : std::exchange(later_, {})) mock_driver::recreate(w.what, std::move(w.why), std::move(w.done));
    }

private:
    struct waiting {
        request what;
        proof_of_death why;
        completion done;
    };
    std::vector<waiting> later_;
};

struct knows_by_prefix : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        request whole = r;
        for (const rh::mock_machine& m : cloud().machines()) {
            if (m.name.starts_with(r.name)) whole.name = whole.instance = m.name;
        }
        mock_driver::describe(whole, std::move(done));
    }
};

struct touches_strangers : mock_driver {
    using mock_driver::mock_driver;
    void reboot(const request& r, completion done) {
        if (rh::mock_machine* m = cloud().edit(r.name); m != nullptr) m->how.foreign = false;
        mock_driver::reboot(r, std::move(done));
    }
};

struct trips_over_quotes : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        if (r.name.find('\'') != std::string_view::npos) return done(outcome::done({.exists = true}));
        mock_driver::describe(r, std::move(done));
    }
};

// What is

struct takes_unreachable_for_gone : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        mock_driver::describe(r, changed(std::move(done), [](outcome& o) {
                                  if (o.code != outcome_code::unknown) return;
                                  o.code = outcome_code::done;
                                  o.seen.exists = o.seen.running = false;
                              }));
    }
};

struct takes_gone_for_unreachable : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        mock_driver::describe(r, changed(std::move(done), [](outcome& o) {
                                  if (o.seen.exists == false) o = outcome::unknown("404");
                              }));
    }
};

struct takes_hung_for_off : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        const rh::mock_machine* m = cloud().find(r.name);
        const bool hung = m != nullptr && m->is == rh::mock_machine::condition::hung;
        mock_driver::describe(r, changed(std::move(done), [hung](outcome& o) {
                                  if (hung) o.seen.running = false;
                              }));
    }
};

/// Once it is cut off it stays so.
struct never_reconnects : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        cut_ = cut_ || !cloud().hosts().all_reachable();
        if (cut_) return done(outcome::unknown("not connected"));
        mock_driver::describe(r, std::move(done));
    }

private:
    bool cut_ = false;
};

struct describe_reboots : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        if (rh::mock_machine* m = cloud().edit(r.name); m != nullptr) ++m->boots;
        mock_driver::describe(r, std::move(done));
    }
};

struct tells_an_old_boot : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        mock_driver::describe(r, changed(std::move(done), [this, name = std::string{r.name}](outcome& o) {
                                  o.seen.boot_id = first_.try_emplace(name, o.seen.boot_id).first->second;
                              }));
    }

private:
    std::map<std::string, std::string> first_;
};

// Outcomes

struct takes_lost_for_failed : mock_driver {
    using mock_driver::mock_driver;
    void reboot(const request& r, completion done) {
        mock_driver::reboot(r, changed(std::move(done), [](outcome& o) {
                                if (o.code == outcome_code::unknown) o = outcome::failed("timeout");
                            }));
    }
};

struct takes_not_found_for_unknown : mock_driver {
    using mock_driver::mock_driver;
    void reboot(const request& r, completion done) {
        mock_driver::reboot(r, changed(std::move(done), [](outcome& o) {
                                if (o.code == outcome_code::refused) o.code = outcome_code::unknown;
                            }));
    }
};

struct takes_conflict_for_done : mock_driver {
    using mock_driver::mock_driver;
    void create(const request& r, completion done) { mock_driver::create(r, changed(std::move(done), be_done)); }
};

struct is_impatient : mock_driver {
    using mock_driver::mock_driver;
    void fence(const request& r, completion done) {
        const bool slow = cloud().latency(r.what) > std::chrono::seconds{20};
        mock_driver::fence(r, changed(std::move(done), [slow](outcome& o) {
                               if (slow) o = outcome::failed("the deadline is over");
                           }));
    }
};

struct forgets_retry_after : mock_driver {
    using mock_driver::mock_driver;
    void fence(const request& r, completion done) {
        mock_driver::fence(r, changed(std::move(done), [](outcome& o) { o.retry_after = {}; }));
    }
};

struct says_done_at_once : mock_driver {
    using mock_driver::mock_driver;
    void reboot(const request&, completion done) { done(outcome::done()); }
};

struct tells_its_password : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        mock_driver::describe(r, changed(std::move(done), [](outcome& o) {
                                  if (o.code == outcome_code::unknown)
                                      o.reason = "cloud://ha:" + std::string{rh::testing::mock_fixture<>::password} +
                                                 "@host does not answer";
                              }));
    }
};

struct gives_no_reason : mock_driver {
    using mock_driver::mock_driver;
    void reboot(const request& r, completion done) {
        mock_driver::reboot(r, changed(std::move(done), [](outcome& o) { o.reason.clear(); }));
    }
};

struct tells_too_much : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        mock_driver::describe(r, changed(std::move(done), [](outcome& o) { o.seen.host.assign(256, 'h'); }));
    }
};

// Rungs

struct restarts_by_reboot : mock_driver {
    using mock_driver::mock_driver;
    void restart_service(const request& r, completion done) {
        request other = r;
        other.what = rh::operation::reboot_instance;
        mock_driver::reboot(other, std::move(done));
    }
};

struct restarts_anything : mock_driver {
    using mock_driver::mock_driver;
    void restart_service(const request& r, completion done) {
        mock_driver::restart_service(r, changed(std::move(done), be_done));
    }
};

struct asks_the_guest : mock_driver {
    using mock_driver::mock_driver;
    void reboot(const request& r, completion done) {
        if (hung(r)) return done(outcome::failed("the guest does not answer"));
        mock_driver::reboot(r, std::move(done));
    }
    void fence(const request& r, completion done) {
        if (hung(r)) return done(outcome::failed("the guest does not answer"));
        mock_driver::fence(r, std::move(done));
    }

private:
    bool hung(const request& r) {
        const rh::mock_machine* m = cloud().find(r.name);
        return m != nullptr && m->is == rh::mock_machine::condition::hung;
    }
};

struct reboots_by_recreation : mock_driver {
    using mock_driver::mock_driver;
    void reboot(const request& r, completion done) {
        if (rh::mock_machine* m = cloud().edit(r.name); m != nullptr) ++m->generation;
        mock_driver::reboot(r, std::move(done));
    }
};

struct rebuild_loses_volumes : mock_driver {
    using mock_driver::mock_driver;
    void rebuild(const request& r, completion done) {
        if (rh::mock_machine* m = cloud().edit(r.name); m != nullptr) m->how.volumes.clear();
        mock_driver::rebuild(r, std::move(done));
    }
};

struct recreate_takes_a_new_volume : mock_driver {
    using mock_driver::mock_driver;
    void recreate(const request& r, proof_of_death why, completion done) {
        if (rh::mock_machine* m = cloud().edit(r.name); m != nullptr && !m->how.volumes.empty())
            m->how.volumes = {"an-empty-one"};
        mock_driver::recreate(r, std::move(why), std::move(done));
    }
};

struct recreate_takes_a_new_address : mock_driver {
    using mock_driver::mock_driver;
    void recreate(const request& r, proof_of_death why, completion done) {
        if (rh::mock_machine* m = cloud().edit(r.name); m != nullptr) m->address = "10.9.9.9";
        mock_driver::recreate(r, std::move(why), std::move(done));
    }
};

/// It starts the old machine beside the new one.
struct recreates_two : mock_driver {
    using mock_driver::mock_driver;
    void recreate(const request& r, proof_of_death why, completion done) {
        mock_driver::recreate(r, std::move(why), changed(std::move(done), [this, name = std::string{r.name}](outcome&) {
                                  if (rh::mock_machine* m = cloud().edit(name); m != nullptr) ++m->strays;
                              }));
    }
};

struct tells_the_old_id : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        mock_driver::describe(r, changed(std::move(done), [this, name = std::string{r.name}](outcome& o) {
                                  o.seen.cloud_id = first_.try_emplace(name, o.seen.cloud_id).first->second;
                              }));
    }

private:
    std::map<std::string, std::string> first_;
};

struct evacuates_in_place : mock_driver {
    using mock_driver::mock_driver;
    void evacuate(const request& r, proof_of_death why, completion done) {
        mock_driver::evacuate(r, std::move(why), changed(std::move(done), [this, name = std::string{r.name}](outcome&) {
                                  if (rh::mock_machine* m = cloud().edit(name); m != nullptr) m->how.host = "host-1";
                              }));
    }
};

struct converges_without_proofs : mock_driver {
    using mock_driver::mock_driver;
    void converge(const request& r, std::span<proof_of_death>, completion done) {
        for (const rh::mock_machine& m : cloud().machines()) {
            if (m.how.stack == r.stack) cloud().edit(m.name)->generation += 1;
        }
        mock_driver::converge(r, {}, std::move(done));
    }
};

struct forensics_freeze : mock_driver {
    using mock_driver::mock_driver;
    void forensics(const request& r, completion done) {
        cloud().power_off(r.name);
        mock_driver::forensics(r, std::move(done));
    }
};

// Fences

/// The cloud has accepted it, and the power goes off later.
struct fence_done_when_accepted : mock_driver {
    using mock_driver::mock_driver;
    void fence(const request& r, completion done) {
        mock_driver::fence(r, unheard(r.op));
        done(outcome::done());
    }
};

/// Whatever the board says, the command was sent.
struct fence_believes_the_command : mock_driver {
    using mock_driver::mock_driver;
    void fence(const request& r, completion done) {
        const bool blocked = cloud().hosts().all_reachable();
        mock_driver::fence(r, changed(std::move(done), [blocked](outcome& o) {
                               if (blocked && o.code == outcome_code::failed) o = outcome::done();
                           }));
    }
};

struct fence_done_when_cut_off : mock_driver {
    using mock_driver::mock_driver;
    void fence(const request& r, completion done) {
        mock_driver::fence(r, changed(std::move(done), [](outcome& o) {
                               if (o.code == outcome_code::unknown) o = outcome::done();
                           }));
    }
};

struct fence_believes_a_404 : mock_driver {
    using mock_driver::mock_driver;
    void fence(const request& r, completion done) {
        if (cloud().find(r.name) == nullptr) return done(outcome::done({.exists = false, .running = false}));
        mock_driver::fence(r, std::move(done));
    }
};

struct fence_by_any_method : mock_driver {
    using mock_driver::mock_driver;
    void fence(const request& r, completion done) {
        request other = r;
        other.method = {};
        mock_driver::fence(other, std::move(done));
    }
};

struct fence_knows_one_method : mock_driver {
    using mock_driver::mock_driver;
    void fence(const request& r, completion done) {
        if (r.method == "pdu") return done(outcome::refused("no such method"));
        mock_driver::fence(r, std::move(done));
    }
};

struct fence_goes_by_id : mock_driver {
    using mock_driver::mock_driver;
    void fence(const request& r, completion done) {
        request other = r;
        other.replaced = true;
        mock_driver::fence(other, std::move(done));
    }
};

struct fence_goes_by_name : mock_driver {
    using mock_driver::mock_driver;
    void fence(const request& r, completion done) {
        request other = r;
        other.replaced = false;
        mock_driver::fence(other, std::move(done));
    }
};

struct fence_deletes : mock_driver {
    using mock_driver::mock_driver;
    void fence(const request& r, completion done) {
        mock_driver::fence(r, changed(std::move(done), [this, name = std::string{r.name}](outcome& o) {
                               if (o.code == outcome_code::done) cloud().edit(name)->how.volumes.clear();
                           }));
    }
};

struct fence_fails_if_off : mock_driver {
    using mock_driver::mock_driver;
    void fence(const request& r, completion done) {
        const rh::mock_machine* m = cloud().find(r.name);
        if (m != nullptr && m->is == rh::mock_machine::condition::off) return done(outcome::failed("it is off"));
        mock_driver::fence(r, std::move(done));
    }
};

/// It leaves on what starts the machine again.
struct fence_is_a_reset : mock_driver {
    using mock_driver::mock_driver;
    void fence(const request& r, completion done) {
        mock_driver::fence(r, changed(std::move(done), [this, name = std::string{r.name}](outcome& o) {
                               if (o.code == outcome_code::done) off_ = name;
                           }));
    }
    void poll(rh::time_point) {
        if (rh::mock_machine* m = cloud().edit(std::exchange(off_, {})); m != nullptr)
            m->is = rh::mock_machine::condition::running;
    }

private:
    std::string off_;
};

struct fence_refuses_the_crashed : mock_driver {
    using mock_driver::mock_driver;
    void fence(const request& r, completion done) {
        const rh::mock_machine* m = cloud().find(r.name);
        if (m != nullptr && m->is == rh::mock_machine::condition::lost) return done(outcome::refused("it crashed"));
        mock_driver::fence(r, std::move(done));
    }
};

struct fence_takes_lost_for_failed : mock_driver {
    using mock_driver::mock_driver;
    void fence(const request& r, completion done) {
        mock_driver::fence(r, changed(std::move(done), [](outcome& o) {
                               if (o.code == outcome_code::unknown) o = outcome::failed("timeout");
                           }));
    }
};

// Keys and reigns

struct knows_no_keys : mock_driver {
    using mock_driver::mock_driver;
    void reboot(const request& r, completion done) {
        request other = r;
        other.key = 0;
        mock_driver::reboot(other, std::move(done));
    }
    void recreate(const request& r, proof_of_death why, completion done) {
        request other = r;
        other.key = 0;
        mock_driver::recreate(other, std::move(why), std::move(done));
    }
};

/// A repeat waits until the first call is over, and is carried out then.
struct queues_repeats : mock_driver {
    using mock_driver::mock_driver;
    void reboot(const request& r, completion done) {
        if (r.key != key_) {
            key_ = r.key;
            return mock_driver::reboot(r, std::move(done));
        }
        name_ = r.name;
        since_ = cloud().now();
        waiting_.emplace(std::move(done));
    }
    void poll(rh::time_point now) {
        if (!waiting_ || now < since_ + std::chrono::minutes{2}) return;
        request r;
        r.what = rh::operation::reboot_instance;
        r.reign = rh::epoch{1'000'000};
        r.name = r.instance = name_;
        completion done = std::move(*waiting_);
        waiting_.reset();
        mock_driver::reboot(r, std::move(done));
    }

private:
    std::optional<completion> waiting_;
    std::string name_;
    std::uint64_t key_ = 0;
    rh::time_point since_{};
};

/// The target is its key.
struct knows_one_key : mock_driver {
    using mock_driver::mock_driver;
    void reboot(const request& r, completion done) {
        request other = r;
        other.key = static_cast<std::uint64_t>(r.target) << 32U;
        mock_driver::reboot(other, std::move(done));
    }
};

struct serves_every_reign : mock_driver {
    using mock_driver::mock_driver;
    void fence(const request& r, completion done) {
        request other = r;
        other.reign = rh::epoch{1'000'000};
        mock_driver::fence(other, std::move(done));
    }
};

struct serves_one_reign : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        if (!first_) first_ = r.reign;
        mock_driver::describe(r, std::move(done));
    }
    void fence(const request& r, completion done) {
        if (r.reign != *first_) return done(outcome::refused("not my controller"));
        mock_driver::fence(r, std::move(done));
    }

private:
    std::optional<rh::epoch> first_;
};

// Threads and the end

/// It returns when the cloud has answered.
struct waits_for_the_cloud : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        bool answered = false;
        mock_driver::describe(r, changed(std::move(done), [&answered](outcome&) { answered = true; }));
        while (!answered && cloud().next() != rh::never)
            cloud().advance(cloud().next(), [](std::string_view, std::string_view) {});
    }
};

/// What it was asked for outlives it.
struct answers_from_the_grave {
    explicit answers_from_the_grave(rh::mock_cloud& cloud) : cloud_{&cloud} {}
    void describe(const request& r, completion done) { cloud_->describe(r, std::move(done)); }
    void fence(const request& r, completion done) { cloud_->fence(r, std::move(done)); }

private:
    rh::mock_cloud* cloud_;
};

/// It tidies up at its end.
struct takes_all_with_it : mock_driver {
    explicit takes_all_with_it(rh::mock_cloud& of) : mock_driver{of} {}
    takes_all_with_it(const takes_all_with_it&) = delete;
    takes_all_with_it& operator=(const takes_all_with_it&) = delete;
    ~takes_all_with_it() {
        for (const rh::mock_machine& m : cloud().machines()) cloud().power_off(m.name);
    }
};

/// What it knows, it knows from its own calls.
struct believes_its_memory : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        const bool off = off_.contains(r.name);
        mock_driver::describe(r, changed(std::move(done), [off](outcome& o) {
                                  if (o.seen.running) o.seen.running = !off;
                              }));
    }
    void fence(const request& r, completion done) {
        off_.emplace(r.name, true);
        mock_driver::fence(r, std::move(done));
    }

private:
    std::map<std::string, bool, std::less<>> off_;
};

} // namespace broken
