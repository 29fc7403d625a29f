// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/testing/mock_fixture.hpp>

#include "broken_parts.hpp"

#include <chrono>
#include <map>
#include <string>
#include <utility>

namespace broken {

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

struct tells_another_host : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        mock_driver::describe(r, changed(std::move(done), [](outcome& o) { o.seen.host = "host-9"; }));
    }
};

struct tells_another_address : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        mock_driver::describe(r, changed(std::move(done), [](outcome& o) { o.seen.address = "10.9.9.9"; }));
    }
};

struct takes_off_for_running : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        mock_driver::describe(r, changed(std::move(done), [](outcome& o) { o.seen.running = o.seen.exists; }));
    }
};

/// What it has made or seen is there for ever.
struct remembers_the_removed : mock_driver {
    using mock_driver::mock_driver;
    void describe(const request& r, completion done) {
        mock_driver::describe(r, changed(std::move(done), [had_id = !r.cloud_id.empty()](outcome& o) {
                                  if (had_id && o.code == outcome_code::done) o.seen.exists = true;
                              }));
    }
};

// Outcomes

struct takes_cut_off_for_done : mock_driver {
    using mock_driver::mock_driver;
    void reboot(const request& r, completion done) {
        const bool cut = !cloud().hosts().all_reachable();
        mock_driver::reboot(r, changed(std::move(done), [cut](outcome& o) {
                                if (cut) o = outcome::done();
                            }));
    }
};

struct takes_lost_copy_for_failed : mock_driver {
    using mock_driver::mock_driver;
    void recreate(const request& r, proof_of_death why, completion done) {
        mock_driver::recreate(r, std::move(why), changed(std::move(done), [](outcome& o) {
                                  if (o.code == outcome_code::unknown) o = outcome::failed("timeout");
                              }));
    }
};

struct creates_nothing : mock_driver {
    using mock_driver::mock_driver;
    void create(const request&, completion done) { done(outcome::done()); }
};

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

} // namespace broken
