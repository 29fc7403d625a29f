// SPDX-License-Identifier: MIT
#pragma once

#include "broken_parts.hpp"

#include <map>
#include <span>
#include <string>
#include <utility>

namespace broken {

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

} // namespace broken
