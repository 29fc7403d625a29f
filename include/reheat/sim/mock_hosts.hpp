// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/mock_machine.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// Where a machine of the mock cloud stands.
enum class mock_place : std::uint8_t { host, rack, zone };

/// The hosts of the mock cloud: which have power, and which can not be reached. One thread at a time.
class mock_hosts {
public:
    enum class state : std::uint8_t {
        up,
        crashed, ///< it does not run, and its management board answers
        dark,    ///< without power, and so is its board
    };

    void note(const mock_setup& how) {
        if (!how.host.empty() && find(how.host) == nullptr) hosts_.push_back({how.host, how.rack, how.zone});
    }

    /// Every host of a place gets that state.
    void set(mock_place where, std::string_view name, state to) {
        for (host& h : hosts_) {
            if (is_in(where, name, h.name, h.rack, h.zone)) h.is = to;
        }
    }
    [[nodiscard]] state of(std::string_view name) const noexcept {
        const host* h = find(name);
        return h == nullptr ? state::up : h->is;
    }

    /// Nothing that a place's machines send is heard, or that and no call about them gets through; or no longer.
    void silence(mock_place where, std::string_view name, bool on) { mark(silent_, where, name, on); }
    void cut_off(mock_place where, std::string_view name, bool on) { mark(cut_off_, where, name, on); }
    /// The same for the whole cloud: it is the controller that is cut off.
    void cut_off_all(bool on) noexcept { all_cut_off_ = on; }

    [[nodiscard]] bool reachable(const mock_setup& m) const { return !all_cut_off_ && !marked(cut_off_, m); }
    [[nodiscard]] bool all_reachable() const noexcept { return !all_cut_off_; }
    [[nodiscard]] bool heard(const mock_setup& m) const { return reachable(m) && !marked(silent_, m); }

    [[nodiscard]] static bool knows(std::string_view method) noexcept {
        return method.empty() || method == "ipmi" || method == "redfish" || method == "pdu" || method == "hypervisor";
    }
    /// Whether a fence gets through: a board without power does not answer. The driver's own way, `ipmi` and `redfish`
    /// go by the board of the host, every other method does not need it.
    [[nodiscard]] bool fences(const mock_setup& m, std::string_view method) const {
        const bool by_board = method.empty() || method == "ipmi" || method == "redfish";
        return !by_board || of(m.host) != state::dark;
    }

    /// Moves a machine to the host that runs and has the fewest, in its own zone if there is one; false if none runs.
    [[nodiscard]] bool move(mock_setup& m, std::span<const mock_machine> machines) const {
        if (m.host.empty()) return true;
        const host* best = nullptr;
        std::size_t least = 0;
        for (const host& h : hosts_) {
            if (h.is != state::up || h.name == m.host) continue;
            const auto here = static_cast<std::size_t>(
                std::count_if(machines.begin(), machines.end(), [&](const auto& o) { return o.how.host == h.name; }));
            const bool nearer = best != nullptr && h.zone == m.zone && best->zone != m.zone;
            const bool farther = best != nullptr && h.zone != m.zone && best->zone == m.zone;
            if (best != nullptr && !nearer && (farther || here >= least)) continue;
            best = &h;
            least = here;
        }
        if (best == nullptr) return of(m.host) == state::up;
        m.host = best->name;
        m.rack = best->rack;
        m.zone = best->zone;
        return true;
    }

    [[nodiscard]] static bool is_in(mock_place where, std::string_view name, const mock_setup& m) noexcept {
        return is_in(where, name, m.host, m.rack, m.zone);
    }

private:
    struct host {
        std::string name;
        std::string rack;
        std::string zone;
        state is = state::up;
    };
    struct place {
        mock_place where;
        std::string name;
    };

    [[nodiscard]] const host* find(std::string_view name) const noexcept {
        for (const host& h : hosts_) {
            if (h.name == name) return &h;
        }
        return nullptr;
    }
    [[nodiscard]] static bool is_in(mock_place where, std::string_view name, std::string_view host_name,
                                    std::string_view rack, std::string_view zone) noexcept {
        switch (where) {
        case mock_place::host: return host_name == name;
        case mock_place::rack: return rack == name;
        case mock_place::zone: return zone == name;
        }
        return false;
    }
    static void mark(std::vector<place>& places, mock_place where, std::string_view name, bool on) {
        std::erase_if(places, [&](const place& p) { return p.where == where && p.name == name; });
        if (on) places.push_back({where, std::string{name}});
    }
    [[nodiscard]] static bool marked(const std::vector<place>& places, const mock_setup& m) {
        return std::any_of(places.begin(), places.end(), [&](const place& p) { return is_in(p.where, p.name, m); });
    }

    std::vector<host> hosts_;
    std::vector<place> silent_;
    std::vector<place> cut_off_;
    bool all_cut_off_ = false;
};

} // namespace reheat::inline REHEAT_ABI
