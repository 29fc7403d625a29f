// SPDX-License-Identifier: MIT
#pragma once

#include "broken_parts.hpp"

#include <string>
#include <utility>

namespace broken {

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

} // namespace broken
