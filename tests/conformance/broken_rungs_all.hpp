// SPDX-License-Identifier: MIT
#pragma once

#include "broken_parts.hpp"

#include <span>
#include <string>
#include <utility>

namespace broken {

/// Every rung is done as it should be, and then a mistake happens to its machine.
template <class Mistake>
struct careless : mock_driver {
    using mock_driver::mock_driver;
    void reboot(const request& r, completion done) { mock_driver::reboot(r, then(r, std::move(done))); }
    void rebuild(const request& r, completion done) { mock_driver::rebuild(r, then(r, std::move(done))); }
    void recreate(const request& r, proof_of_death why, completion done) {
        mock_driver::recreate(r, std::move(why), then(r, std::move(done)));
    }
    void evacuate(const request& r, proof_of_death why, completion done) {
        mock_driver::evacuate(r, std::move(why), then(r, std::move(done)));
    }
    void converge(const request& r, std::span<proof_of_death> proofs, completion done) {
        mock_driver::converge(r, proofs, then(r, std::move(done)));
    }

private:
    completion then(const request& r, completion done) {
        std::string name{r.instance};
        for (const rh::mock_machine& m : cloud().machines()) {
            if (name.empty() && m.how.stack == r.stack) name = m.name;
        }
        return changed(std::move(done), [this, name](outcome& o) {
            rh::mock_machine* const m = cloud().edit(name);
            if (m != nullptr && o.code == outcome_code::done) Mistake{}(*m);
        });
    }
};

struct starts_another {
    void operator()(rh::mock_machine& m) const { ++m.strays; }
};
struct loses_volumes {
    void operator()(rh::mock_machine& m) const { m.how.volumes.clear(); }
};
struct takes_a_new_address {
    void operator()(rh::mock_machine& m) const { m.address = "10.9.9.9"; }
};
struct takes_a_new_id {
    void operator()(rh::mock_machine& m) const { ++m.generation; }
};
struct takes_a_new_root {
    void operator()(rh::mock_machine& m) const { ++m.roots; }
};
struct leaves_it_off {
    void operator()(rh::mock_machine& m) const { m.switch_off(); }
};

/// Every repeat is a new intent.
struct forgets_keys : mock_driver {
    using mock_driver::mock_driver;
    void create(const request& r, completion done) { mock_driver::create(keyless(r), std::move(done)); }
    void reboot(const request& r, completion done) { mock_driver::reboot(keyless(r), std::move(done)); }
    void rebuild(const request& r, completion done) { mock_driver::rebuild(keyless(r), std::move(done)); }
    void recreate(const request& r, proof_of_death why, completion done) {
        mock_driver::recreate(keyless(r), std::move(why), std::move(done));
    }
    void evacuate(const request& r, proof_of_death why, completion done) {
        mock_driver::evacuate(keyless(r), std::move(why), std::move(done));
    }

private:
    static request keyless(request r) {
        r.key = 0;
        return r;
    }
};

} // namespace broken
