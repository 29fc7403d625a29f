// SPDX-License-Identifier: MIT
#pragma once

#include "broken_parts.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace broken {

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

// Keys and reigns

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

/// It belongs to the thread that made it.
struct keeps_to_its_thread : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        if (std::this_thread::get_id() != home_) return done(outcome::refused("the wrong thread"));
        mock_driver::describe(r, std::move(done));
    }

private:
    std::thread::id home_ = std::this_thread::get_id();
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
