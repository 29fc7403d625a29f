// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/runner/clocks.hpp>
#include <reheat/sim/cloud_protocol_reader.hpp>
#include <reheat/sim/mock_cloud.hpp>
#include <reheat/testing/proof_mint.hpp>

#include "../../../examples/heat_ha/control.hpp"
#include "call_log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace mock_cloud {

namespace protocol = reheat::cloud_protocol;
using heat_ha::control_peer;

/// A simulated cloud in real time, whoever comes and goes. Every call is in the log before it is carried out, and what
/// it came to before anybody hears of it. No key is carried out twice, and no call of an epoch that is over.
class served_cloud {
public:
    static constexpr std::size_t most_calls = 1'000'000;
    static constexpr std::size_t most_machines = 10'000;
    static constexpr std::size_t most_faults = 100'000; ///< and programmed replies

    /// Time goes `scale` times faster than life. `publish` is called with the line of each heartbeat.
    served_cloud(call_log& log, double scale, std::function<void(const std::string&)> publish)
        : log_{&log}, publish_{std::move(publish)}, time_{scale}, sink_{new sink{*this}} {}
    served_cloud(const served_cloud&) = delete;
    served_cloud& operator=(const served_cloud&) = delete;
    ~served_cloud() {
        sink_->owner = nullptr; // what is under way is told to nobody
        sink_->release();
    }

    [[nodiscard]] reheat::mock_cloud& cloud() noexcept { return cloud_; }
    [[nodiscard]] reheat::time_point now() const noexcept { return time_.now(); }

    /// Lets everything happen that is due, and gives how long it is until something is due again; negative: never.
    reheat::duration catch_up() {
        told_.clear();
        const reheat::time_point now = time_.now();
        for (reheat::time_point at = cloud_.next(); at <= now; at = cloud_.next()) happen(at);
        happen(now);
        const reheat::time_point next = cloud_.next();
        return next == reheat::never ? reheat::duration{-1} : time_.real_wait(next);
    }

    /// One line; it is answered at once.
    void hear(std::string_view line, const control_peer& peer) {
        const auto said = protocol::read_command(line, reheat::nlohmann_json{});
        if (!said) {
            const reheat::op_id op = protocol::op_of(line, reheat::nlohmann_json{});
            return peer.answer(to_json(protocol::answer{false, to_string(said.error()), op, {}}));
        }
        std::visit([&](const auto& what) { take(what, peer); }, *said);
        note_changes();
    }

    /// Whether somebody asked for the end.
    [[nodiscard]] bool over() const noexcept { return over_; }

private:
    using object_text = protocol::object_text;

    struct sink final : reheat::completion_sink {
        explicit sink(served_cloud& of) : owner{&of} {}
        void deliver(reheat::op_id number, reheat::outcome&& result, bool) noexcept override {
            if (owner != nullptr) owner->ended(static_cast<std::size_t>(number) - 1, std::move(result));
        }
        served_cloud* owner;
    };
    /// Who waits for what a call comes to.
    struct waiting {
        control_peer peer;
        reheat::op_id op;
    };
    struct served_call {
        protocol::call what;
        std::vector<waiting> for_it;
        std::optional<reheat::outcome> came_to;
    };
    /// What the log was last told of a machine.
    struct known {
        reheat::mock_machine::condition is{};
        std::uint32_t generation = 0;
        std::uint32_t boots = 0;
    };

    static void accept(const control_peer& peer) { peer.answer(to_json(protocol::answer{.ok = true})); }
    static void refuse(const control_peer& peer, std::string why, reheat::op_id op = reheat::no_op) {
        peer.answer(to_json(protocol::answer{false, std::move(why), op, {}}));
    }

    void take(const protocol::add& a, const control_peer& peer) {
        if (cloud_.find(a.name) != nullptr) return accept(peer);
        if (cloud_.machines().size() == most_machines) return refuse(peer, "the cloud is full");
        cloud_.add(a.name, a.how, a.running);
        log_->write(now(), "add", object_text{}.text("name", a.name).flag("running", a.running));
        accept(peer);
    }

    void take(const protocol::call& c, const control_peer& peer) {
        if (calls_.size() == most_calls) return refuse(peer, "the cloud has had its last call", c.op);
        const std::size_t n = calls_.size();
        calls_.push_back({c, {{peer, c.op}}, {}});
        log_->write(now(), "call", described(n).number("pid", static_cast<std::uint64_t>(peer.process())));
        peer.answer(to_json(protocol::answer{.ok = true, .op = c.op}));
        if (c.reign < reign_) return refuse_call(n, "its epoch is over");
        reign_ = c.reign;
        const bool one_copy_dies =
            c.what == reheat::operation::recreate_instance || c.what == reheat::operation::evacuate_instance;
        if (one_copy_dies && !c.proof) return refuse_call(n, "no proof of death");
        if (c.what != reheat::operation::describe) {
            const auto [earlier, is_new] = keys_.try_emplace(c.key, n);
            if (!is_new) return repeat(n, earlier->second);
        }
        carry_out(n);
    }

    /// A key that was seen before: nothing is done, and whoever asks again hears what it came to.
    void repeat(std::size_t n, std::size_t first) {
        const protocol::call& before = calls_[first].what;
        const protocol::call& again = calls_[n].what;
        if (before.what != again.what || before.name != again.name)
            return refuse_call(n, "its key was used for another call");
        log_->write(now(), "repeat", described(n).number("of", first + 1));
        if (calls_[first].came_to) return tell(n, *calls_[first].came_to, false);
        calls_[first].for_it.push_back(std::move(calls_[n].for_it.front()));
        calls_[n].for_it.clear();
    }

    void carry_out(std::size_t n) {
        const protocol::call c = calls_[n].what; // the list may grow meanwhile
        const reheat::request r{.op = c.op,
                                .key = c.key,
                                .reign = c.reign,
                                .what = c.what,
                                .name = c.name,
                                .cloud_id = c.cloud_id,
                                .service = c.service,
                                .instance = c.instance,
                                .stack = c.stack,
                                .method = c.method,
                                .hard = c.hard,
                                .replaced = c.replaced};
        reheat::completion done{static_cast<reheat::op_id>(n + 1), *sink_};
        const auto proof = [&c] {
            return reheat::testing::proof_mint::mint(c.proof.value_or(reheat::proof_kind::confirmed),
                                                     reheat::incident_id{1}, reheat::target_id{}, reheat::never);
        };
        switch (c.what) {
        case reheat::operation::describe: return cloud_.describe(r, std::move(done));
        case reheat::operation::create_instance: return cloud_.create(r, std::move(done));
        case reheat::operation::restart_service: return cloud_.restart_service(r, std::move(done));
        case reheat::operation::reboot_instance: return cloud_.reboot(r, std::move(done));
        case reheat::operation::rebuild_instance: return cloud_.rebuild(r, std::move(done));
        case reheat::operation::fence_instance: return cloud_.fence(r, std::move(done));
        case reheat::operation::recreate_instance: return cloud_.recreate(r, proof(), std::move(done));
        case reheat::operation::evacuate_instance: return cloud_.evacuate(r, proof(), std::move(done));
        case reheat::operation::collect_forensics: return cloud_.forensics(r, std::move(done));
        case reheat::operation::converge_stack: return cloud_.converge(r, {}, std::move(done));
        default: return done(reheat::outcome::refused("no operation of a driver"));
        }
    }

    void refuse_call(std::size_t n, const char* why) { tell(n, reheat::outcome::refused(why), false); }

    void ended(std::size_t n, reheat::outcome result) {
        if (calls_[n].came_to) { // a completion that is called twice, at once
            for (const waiting& w : told_) w.peer.send(to_json(protocol::ended{w.op, result}));
            return;
        }
        note_changes(); // the effect is in the log before its cause is told
        tell(n, std::move(result), true);
    }

    void tell(std::size_t n, reheat::outcome result, bool carried_out) {
        object_text entry = described(n);
        entry.text("outcome", protocol::word_of(protocol::outcome_words, result.code))
            .flag("carried_out", carried_out)
            .text("reason", result.reason);
        if (result.seen.exists) entry.flag("exists", *result.seen.exists);
        if (result.seen.running) entry.flag("running", *result.seen.running);
        entry.text("seen_cloud_id", result.seen.cloud_id).text("seen_boot_id", result.seen.boot_id);
        log_->write(now(), "outcome", entry);
        calls_[n].came_to = std::move(result);
        if (!log_->good()) return;
        told_ = std::exchange(calls_[n].for_it, {}); // a session that is over shall end
        for (const waiting& w : told_) w.peer.send(to_json(protocol::ended{w.op, *calls_[n].came_to}));
    }

    [[nodiscard]] object_text described(std::size_t n) const {
        const protocol::call& c = calls_[n].what;
        object_text out;
        out.number("call", n + 1)
            .text("operation", to_string(c.what))
            .number("op", static_cast<std::uint64_t>(c.op))
            .text("key", protocol::key_text(c.key))
            .number("epoch", static_cast<std::uint64_t>(c.reign))
            .text("name", c.name);
        return out;
    }

    void take(const protocol::watch&, const control_peer& peer) {
        accept(peer);
        peer.watch();
    }
    void take(const protocol::breakage& b, const control_peer& peer) {
        if (cloud_.find(b.name) == nullptr) return refuse(peer, "name: there is no such instance");
        if (!may_break(peer)) return;
        cloud_.break_at(reheat::after(now(), b.in), b.name, b.what, b.service);
        log_->write(now(), "fault",
                    object_text{}
                        .text("name", b.name)
                        .text("fault", protocol::word_of(protocol::fault_words, b.what))
                        .text("service", b.service)
                        .text("in", reheat::format_duration(b.in)));
        accept(peer);
    }
    void take(const protocol::host_word& h, const control_peer& peer) {
        using what = protocol::host_word::what;
        if (!may_break(peer)) return;
        switch (h.is) {
        case what::crash: cloud_.fail_hosts(h.where, h.name, false); break;
        case what::darken: cloud_.fail_hosts(h.where, h.name, true); break;
        case what::come_back: cloud_.return_hosts(h.where, h.name); break;
        case what::silence: cloud_.hosts().silence(h.where, h.name, true); break;
        case what::hear: cloud_.hosts().silence(h.where, h.name, false); break;
        case what::cut_off: cloud_.hosts().cut_off(h.where, h.name, true); break;
        case what::reconnect: cloud_.hosts().cut_off(h.where, h.name, false); break;
        }
        log_->write(now(), "hosts",
                    object_text{}
                        .text("what", protocol::word_of(protocol::host_words, h.is))
                        .text("place", protocol::word_of(protocol::place_words, h.where))
                        .text("name", h.name));
        accept(peer);
    }
    void take(const protocol::programmed& p, const control_peer& peer) {
        if (!may_break(peer)) return;
        if (p.always) cloud_.always_reply(p.what, p.how);
        else cloud_.reply(p.what, p.how);
        log_->write(now(), "reply", object_text{}.text("operation", to_string(p.what)).flag("always", p.always));
        accept(peer);
    }
    void take(const protocol::usual_replies&, const control_peer& peer) {
        cloud_.usual_replies();
        log_->write(now(), "usual_replies", {});
        accept(peer);
    }
    void take(const protocol::status&, const control_peer& peer) {
        std::string machines;
        for (const reheat::mock_machine& m : cloud_.machines()) {
            machines += machines.empty() ? ",\"machines\":[" : ",";
            machines += shown(m).flag("serves", m.serves()).done();
        }
        std::size_t under_way = 0;
        for (const served_call& c : calls_) under_way += c.came_to || c.for_it.empty() ? 0U : 1U;
        std::string members = R"(,"calls":)" + std::to_string(calls_.size()) + R"(,"under_way":)" +
                              std::to_string(under_way) + R"(,"second_copies":)" +
                              std::to_string(cloud_.second_copies());
        if (!machines.empty()) members += machines + ']';
        peer.answer(to_json(protocol::answer{.ok = true, .members = std::move(members)}));
    }
    void take(const protocol::quit&, const control_peer& peer) {
        accept(peer);
        over_ = true;
    }

    bool may_break(const control_peer& peer) {
        if (faults_++ < most_faults) return true;
        refuse(peer, "there were too many faults");
        return false;
    }

    void happen(reheat::time_point at) {
        cloud_.advance(at, [this](std::string_view machine, std::string_view service) {
            const reheat::mock_machine& m = *cloud_.find(machine);
            publish_(to_json(protocol::heartbeat{m.name, std::string{service}, m.cloud_id(), m.boots}));
        });
        note_changes();
    }

    /// What became of the machines, whoever did it.
    void note_changes() {
        const auto machines = cloud_.machines();
        if (known_.size() < machines.size()) known_.resize(machines.size());
        for (std::size_t i = 0; i < machines.size(); ++i) {
            const reheat::mock_machine& m = machines[i];
            known& k = known_[i];
            if (k.is == m.is && k.generation == m.generation && k.boots == m.boots) continue;
            k = {m.is, m.generation, m.boots};
            log_->write(now(), "machine", shown(m).number("second_copies", cloud_.second_copies()));
        }
    }

    [[nodiscard]] static object_text shown(const reheat::mock_machine& m) {
        constexpr std::array<std::string_view, 6> words{"absent", "booting", "running", "hung", "lost", "off"};
        object_text out;
        out.text("name", m.name)
            .text("condition", protocol::word_of(words, m.is))
            .number("generation", m.generation)
            .number("boots", m.boots)
            .text("cloud_id", m.cloud_id());
        return out;
    }

    call_log* log_;
    std::function<void(const std::string&)> publish_;
    reheat::scaled_clock time_;
    sink* sink_;
    reheat::mock_cloud cloud_;
    std::vector<served_call> calls_;
    std::unordered_map<std::uint64_t, std::size_t> keys_; ///< of all that is not reading
    std::vector<waiting> told_;                           ///< by the newest outcome
    std::vector<known> known_;
    reheat::epoch reign_{};
    std::size_t faults_ = 0;
    bool over_ = false;
};

} // namespace mock_cloud
