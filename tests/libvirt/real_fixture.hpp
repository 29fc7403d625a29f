// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/adapters/libvirt_agent.hpp>

#include "fixture_base.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <optional>
#include <signal.h>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace libvirt_tests {

/// Real machines in QEMU on two libvirtds that tests/real/conformance has started: it names the folder, in which
/// `domain.xml` describes a machine and `images/disk.raw` is its empty disk. What runs is seen in the table of
/// processes, and what a guest knows on its console.
class real_fixture : public fixture_base<guest_driver> {
public:
    static constexpr std::string_view password = "sesame-8";
    static constexpr const char* folder_variable = "REHEAT_MACHINES";

    /// Empty: it can be had here.
    [[nodiscard]] static std::string why_not() {
        return std::getenv(folder_variable) == nullptr
                   ? "it needs machines, which tools/conformance --driver libvirt starts before"
                   : "";
    }

    real_fixture()
        : fixture_base{"qemu+unix:///system?socket="}, lab_{std::getenv(folder_variable)},
          description_{content_of(lab_ + "/domain.xml")} {
        using namespace std::chrono_literals;
        for (const char* const name : {"one", "two"}) add_host(name, lab_ + "/" + name + "/run/libvirt/libvirt-sock");
        settings().service_command = {"systemctl", "restart", "--", "{service}"};
        settings().agent_answers = 5s;
        settings().dumps = lab_;
        settings().reconnect_first = 20ms;
        settings().reconnect_most = 100ms;
        settings().status_every = 1s;
        restart_driver();
    }
    ~real_fixture() {
        for (const machine& m : booting_) discard({.name = m.name});
    }

    reheat::result<reheat::testing::test_target> make(const reheat::testing::wanted_target& want) {
        if (want.stack) return reheat::error{reheat::errc::unsupported, want.name, "libvirt has no stacks"};
        if (!want.running) {
            const machine m = plan(want.name);
            if (auto kept = driver().inner().keep(m.xml); !kept) return kept.error();
            return reheat::testing::test_target{.name = m.name};
        }
        auto made = take();
        if (!made) return made;
        if (auto adopted = driver().inner().adopt(made->name); !adopted) return adopted.error();
        return made;
    }
    reheat::result<reheat::testing::test_target> make_foreign(const reheat::testing::wanted_target&) { return take(); }
    void dispose(const reheat::testing::test_target& t) {
        static_cast<void>(driver().inner().disown(t.name));
        discard(t);
    }

    // Looks

    std::size_t running_copies(const reheat::testing::test_target& t) { return processes(t).size(); }
    bool ready(const reheat::testing::test_target& t) {
        return !processes(t).empty() && !told(t).boot.empty() && say(t, R"({"execute":"guest-ping"})").has_value();
    }
    std::string boot_id(const reheat::testing::test_target& t) {
        return processes(t).empty() ? std::string{} : told(t).boot;
    }
    std::string root_marker(const reheat::testing::test_target& t) {
        return processes(t).empty() ? std::string{} : told(t).disk;
    }
    /// Of what is off, those of its description.
    std::vector<std::string> addresses(const reheat::testing::test_target& t) {
        const std::string inside = processes(t).empty() ? std::string{} : told(t).mac;
        return inside.empty() ? values(t, "<mac address='") : std::vector<std::string>{inside};
    }
    std::string host(const reheat::testing::test_target& t) {
        for (const pid_t p : processes(t)) {
            const std::string mounts = content_of("/proc/" + std::to_string(p) + "/mountinfo");
            for (hypervisor& h : hosts()) {
                if (mounts.find("/" + h.name + "/etc /etc ") != std::string::npos) return h.name;
            }
        }
        return {};
    }
    /// Those that are attached, and that QEMU has open if it runs.
    std::vector<reheat::testing::volume_seen> volumes(const reheat::testing::test_target& t) {
        std::vector<reheat::testing::volume_seen> out;
        const std::vector<std::string> all = disks(t);
        const std::vector<pid_t> running = processes(t);
        for (std::size_t n = 1; n < all.size(); ++n) {
            if (running.empty() || has_open(running.front(), all[n])) out.push_back({all[n], marker_in(all[n])});
        }
        return out;
    }
    bool service_runs(const reheat::testing::test_target& t, std::string_view service) {
        return run_inside(t, {"/bin/svc", "status", std::string{service}}) == 0;
    }

    // Breaks

    bool crash(const reheat::testing::test_target& t) {
        const std::vector<pid_t> running = processes(t);
        for (const pid_t p : running) kill(p, SIGKILL);
        return !running.empty() && until([&] { return processes(t).empty(); });
    }
    bool hang(const reheat::testing::test_target& t) {
        if (!say(t, reheat::detail::guest_exec({"/bin/fault", "freeze"}, {}))) return false;
        return until([&] { return !say(t, R"({"execute":"guest-ping"})"); });
    }
    bool kill_service(const reheat::testing::test_target& t, std::string_view service) {
        return run_inside(t, {"/bin/svc", "stop", std::string{service}}) == 0 && !service_runs(t, service);
    }

    std::vector<std::string> secrets() { return {std::string{password}}; }
    /// Boots take 3 to 8 s on quiet processors, and far longer on busy ones.
    reheat::testing::fixture_limits limits() {
        using namespace std::chrono_literals;
        return {.answer = 2min, .boot = 2min, .quiet = 400ms, .step = 30ms};
    }

private:
    struct machine {
        std::string name;
        std::string xml;
    };
    /// What a guest says of itself on its console when it is up.
    struct facts {
        std::string boot{}; ///< the disk's counter of boots, and the kernel's id of this one
        std::string disk{}; ///< what the first boot wrote on the disk
        std::string mac{};
    };

    template <class Holds>
    static bool until(Holds holds) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{2};
        while (!holds()) {
            if (std::chrono::steady_clock::now() > end) return false;
            std::this_thread::sleep_for(std::chrono::milliseconds{50});
        }
        return true;
    }

    // Machines. They boot while the rules before are tried, so they have names of their own.

    machine plan(std::string name) {
        char mac[18];
        ++made_;
        std::snprintf(mac, sizeof mac, "52:54:00:ab:%02x:%02x", made_ / 256 % 256, made_ % 256);
        const std::string root = file_of(name, "root");
        const std::string volume = file_of(name, "volume");
        std::filesystem::copy_file(lab_ + "/images/disk.raw", root, std::filesystem::copy_options::overwrite_existing);
        std::ofstream{volume, std::ios::binary} << "marker of " << name << '\n' << std::string(1U << 20U, '\0');
        std::filesystem::resize_file(volume, 1U << 20U);
        std::string xml = description_;
        const auto fill = [&xml](std::string_view hole, std::string_view with) {
            for (std::size_t at = 0; (at = xml.find(hole, at)) != std::string::npos; at += with.size())
                xml.replace(at, hole.size(), with);
        };
        fill("{name}", name);
        fill("{mac}", mac);
        fill("{disk}", root);
        fill("{volume}", volume);
        fill("{console}", console_of(name));
        fill("{password}", password);
        return {std::move(name), std::move(xml)};
    }
    std::string file_of(const std::string& name, std::string_view what) const {
        return lab_ + "/" + name + "." + std::string{what};
    }
    std::string console_of(const std::string& name) const { return file_of(name, "console"); }
    bool boot_another() {
        char name[16];
        std::snprintf(name, sizeof name, "tiny-%04u", made_ + 1);
        machine m = plan(name);
        const reheat::detail::libvirt_domain d{virDomainDefineXML(hosts().front().look->c, m.xml.c_str())};
        booting_.push_back(std::move(m));
        return d && virDomainCreate(d.get()) == 0;
    }
    reheat::result<reheat::testing::test_target> take() {
        while (booting_.size() < 2) {
            if (!boot_another())
                return reheat::error{reheat::errc::unavailable, "a machine",
                                     reheat::detail::libvirt_trouble::last().text};
        }
        reheat::testing::test_target t{.name = booting_.front().name, .services = {"app"}};
        booting_.pop_front();
        if (!until([&] { return ready(t); }))
            return reheat::error{reheat::errc::unavailable, t.name,
                                 "it did not come up: " + content_of(console_of(t.name))};
        static_cast<void>(boot_another());
        t.cloud_id = cloud_id(t);
        return t;
    }
    void discard(const reheat::testing::test_target& t) {
        static_cast<void>(remove(t));
        for (const pid_t p : processes(t)) kill(p, SIGKILL);
        for (const char* const what : {"root", "volume", "console"}) unlink(file_of(t.name, what).c_str());
    }

    // Looks

    /// The processes that are this machine, whatever any libvirtd knows of them.
    std::vector<pid_t> processes(const reheat::testing::test_target& t) const {
        std::vector<pid_t> out;
        std::error_code ended;
        for (const auto& entry : std::filesystem::directory_iterator{"/proc", ended}) {
            const std::string id = entry.path().filename().string();
            if (!std::all_of(id.begin(), id.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) continue;
            const std::string command = content_of("/proc/" + id + "/cmdline");
            const std::string_view program{command.c_str()};
            if (program.find("qemu-system") == std::string_view::npos || command.find(lab_) == std::string::npos ||
                command.find("guest=" + t.name + ",") == std::string::npos)
                continue;
            const std::string state = content_of("/proc/" + id + "/stat");
            const std::size_t at = state.rfind(") ");
            if (at == std::string::npos || state[at + 2] == 'Z' || state[at + 2] == 'X') continue;
            out.push_back(static_cast<pid_t>(std::stol(id)));
        }
        return out;
    }
    static bool has_open(pid_t p, const std::string& file) {
        std::error_code ended;
        for (const auto& entry : std::filesystem::directory_iterator{"/proc/" + std::to_string(p) + "/fd", ended}) {
            std::error_code gone;
            if (std::filesystem::read_symlink(entry.path(), gone) == file) return true;
        }
        return false;
    }
    static std::string marker_in(const std::string& file) {
        const std::string all = content_of(file);
        return all.substr(0, all.find('\n'));
    }
    /// The last that it said; each run of QEMU begins a new console.
    facts told(const reheat::testing::test_target& t) const {
        constexpr std::string_view begin = "tiny guest: up, boot ";
        constexpr std::string_view disk = ", disk ";
        constexpr std::string_view mac = ", mac ";
        const std::string all = content_of(console_of(t.name));
        facts f;
        for (std::size_t at = 0; (at = all.find(begin, at)) != std::string::npos;) {
            at += begin.size();
            const std::size_t end = all.find('.', at);
            const std::string_view words = std::string_view{all}.substr(at, end == std::string::npos ? 0 : end - at);
            const std::size_t d = words.find(disk);
            const std::size_t m = words.find(mac);
            if (d == std::string_view::npos || m == std::string_view::npos) break; // it is still being said
            f = {std::string{words.substr(0, d)}, std::string{words.substr(d + disk.size(), m - d - disk.size())},
                 std::string{words.substr(m + mac.size())}};
        }
        return f;
    }

    // The guest agent

    std::optional<std::string> say(const reheat::testing::test_target& t, const std::string& words) {
        std::optional<std::string> heard;
        newest(t, [&](hypervisor&, virDomainPtr d) {
            if (virDomainIsActive(d) != 1) return;
            const reheat::detail::libvirt_text answer{virDomainQemuAgentCommand(d, words.c_str(), 2, 0)};
            if (answer) heard = answer.get();
        });
        return heard;
    }
    /// The exit code of a program in the guest; none if it can not be asked.
    std::optional<std::int64_t> run_inside(const reheat::testing::test_target& t,
                                           const std::vector<std::string>& command) {
        const auto begun = say(t, reheat::detail::guest_exec(command, {}));
        if (!begun) return std::nullopt;
        const auto pid = reheat::detail::guest_answer{*begun}.number("pid");
        if (!pid) return std::nullopt;
        std::optional<std::int64_t> code;
        until([&] {
            const auto status = say(t, reheat::detail::guest_exec_status(*pid));
            if (!status) return false;
            const reheat::detail::guest_answer answer{*status};
            if (answer.truth("exited").value_or(false)) code = answer.number("exitcode").value_or(-1);
            return code.has_value();
        });
        return code;
    }

    std::string lab_;
    std::string description_;
    std::deque<machine> booting_;
    unsigned made_ = 0;
};
static_assert(reheat::testing::driver_fixture<real_fixture>);

} // namespace libvirt_tests
