// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/adapters/libvirt_agent.hpp>
#include <reheat/adapters/libvirt_core.hpp>
#include <reheat/adapters/libvirt_operations.hpp>

#include <libvirt/libvirt-qemu.h>

// Restarts in the guest: definitions of members of `libvirt_core`.

namespace reheat::inline REHEAT_ABI::detail {

inline outcome libvirt_core::restart_service(const work& w) {
    if (w.service.empty() || w.service.find('\0') != std::string::npos || w.service.front() == '-')
        return outcome::refused("no service has such a name");
    placement p = locate(w.name);
    if (auto no = refuse(p, w)) return std::move(*no);
    placed& d = *current(p);
    if (!d.active) return outcome::failed("its machine does not run");
    return run_in_guest(d, w);
}

inline outcome libvirt_core::run_in_guest(const placed& p, const work& w) {
    const auto seconds = [&w](duration most) {
        const auto left = std::chrono::duration_cast<std::chrono::seconds>(w.by - steady::now());
        const auto asked = std::chrono::duration_cast<std::chrono::seconds>(most);
        return static_cast<int>((std::max)((std::min)(left, asked).count(), std::int64_t{1}));
    };
    const auto own = apart(p);
    if (!own) return outcome::failed(own.error().message);
    libvirt_trouble why;
    const auto say = [&](const std::string& words) {
        const int limit = seconds(options_.agent_answers);
        const libvirt_text heard{virDomainQemuAgentCommand(own->domain.get(), words.c_str(), limit, 0)};
        why = heard ? libvirt_trouble{} : libvirt_trouble::last();
        return heard ? std::string{heard.get()} : std::string{};
    };
    if (say(R"({"execute":"guest-ping"})").empty()) return failed_step(why, own->link);
    if (auto too_late = stale(w)) return std::move(*too_late);
    const std::string begun = say(guest_exec(options_.service_command, w.service));
    if (begun.empty() && why.code == VIR_ERR_AGENT_UNRESPONSIVE)
        return outcome::unknown("the guest agent fell silent: " + why.text);
    if (begun.empty()) return failed_step(why, own->link);
    const auto pid = guest_answer{begun}.number("pid");
    if (!pid) return outcome::unknown("the guest agent's answer is not one");
    const steady::time_point limit = (std::min)(w.by, steady_after(options_.service_restarts));
    for (auto pause = std::chrono::milliseconds{20};; pause = (std::min)(2 * pause, std::chrono::milliseconds{500})) {
        const std::string text = say(guest_exec_status(*pid));
        if (text.empty()) return outcome::unknown("the guest agent fell silent: " + why.text);
        const guest_answer status{text};
        if (status.truth("exited").value_or(false)) {
            const auto code = status.number("exitcode");
            if (code == 0) return outcome::done(look(p));
            // It may have stopped what it could not start.
            return outcome::unknown(code ? "its command ended with " + std::to_string(*code)
                                         : "its command was killed");
        }
        if (steady::now() + pause >= limit) return outcome::unknown("its command has not ended yet");
        std::this_thread::sleep_for(pause);
    }
}

} // namespace reheat::inline REHEAT_ABI::detail
