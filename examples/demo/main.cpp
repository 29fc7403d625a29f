// SPDX-License-Identifier: MIT
// Four failures, each cured on its own level, on scaled time: heat_ha_demo [TIME-SCALE].
#include <reheat/reheat.hpp>
#include <reheat/sim/simulation.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace reheat;

namespace {

struct failure {
    std::string_view title;
    std::string_view stack;
    std::string_view instance;
    fault what;
    duration at; ///< after the start
    // What became of it
    std::string id_before{};
    std::string address_before{};
    std::vector<std::string> volumes_before{};
    std::string cure{};
    time_point opened = never;
    time_point recovered = never;
};

class demo {
public:
    explicit demo(double scale) : pace_{scale}, pace_start_{pace_.now()}, start_{world_.now()} {
        for (failure& f : failures_) {
            mock_cloud::setup how{.stack = std::string{f.stack}, .volumes = {std::string{f.stack} + "-data"}};
            if (f.what == fault::service_dies) how.services = {"nginx"};
            static_cast<void>(world_.add_instance(f.instance, how));
            const mock_cloud::machine& m = *world_.cloud.find(f.instance);
            f.id_before = m.cloud_id();
            f.address_before = m.address;
            f.volumes_before = m.how.volumes;
            world_.cloud.break_at(after(start_, f.at), f.instance, f.what);
        }
    }

    /// Plays it, prints it, and says whether everything recovered.
    bool play() {
        std::puts("What will fail:\n");
        for (const failure& f : failures_)
            std::printf("%s  %-10s  %s\n", offset(after(start_, f.at)).c_str(), f.instance.data(), f.title.data());
        std::puts("\nWhat happens then:\n");
        const time_point end = after(start_, 3h);
        while (!over() && world_.now() < end) {
            std::this_thread::sleep_for(10ms);
            const time_point now = earlier(after(start_, pace_.now() - pace_start_), end);
            // Minute by minute, so that the operator answers in time however long the sleep was.
            while (world_.now() < now && !over()) {
                world_.run_until(earlier(now, after(world_.now(), 1min)));
                tell_news();
            }
        }
        summary();
        return over() && world_.cloud.second_copies() == 0;
    }

private:
    void tell_news() {
        for (; told_ < world_.events().size(); ++told_) tell(world_.events()[told_]);
        std::fflush(stdout);
    }

    void tell(const event& e) {
        failure* f = find(e.target);
        if (f == nullptr) return;
        const std::string what{to_string(e.rung)};
        switch (e.kind) {
        case event_kind::alarm:
            if (e.to == alarm_state::alarm) say(e, "no heartbeat for a minute: the alarm is raised");
            if (e.from == alarm_state::alarm && e.to == alarm_state::ok) say(e, "heartbeats again");
            break;
        case event_kind::rung:
            if (e.what == decision::act) say(e, attempt(what, e));
            if (e.what == decision::climb) say(e, what + " did not help: on to the next level");
            if (e.what == decision::wait && e.why == reason::approval_required) ask(e, *f);
            if (e.what == decision::accept && e.why == reason::proof_minted)
                say(e, "it is certainly off: a new one may be made");
            break;
        case event_kind::call:
            if (e.what == decision::finish) say(e, what + (e.why == reason::outcome_done ? ": done" : ": failed"));
            break;
        case event_kind::verdict:
            if (e.what == decision::give_up) say(e, "still no heartbeat after " + what);
            break;
        case event_kind::operator_word:
            if (e.what == decision::accept) say(e, ">>> the demo, as the operator, approves " + what + " <<<");
            break;
        case event_kind::incident:
            if (e.what == decision::open && f->opened == never) f->opened = e.at;
            if (e.what == decision::recover) {
                f->recovered = e.at;
                f->cure = what;
                say(e, "RECOVERED by " + what + ", " + format_duration(e.at - after(start_, f->at)) +
                           " after the failure");
            }
            break;
        default: break;
        }
    }

    void ask(const event& e, const failure& f) {
        say(e, std::string{to_string(e.rung)} + " of " + std::string{f.stack} + " needs the approval of a human");
        world_.ha().operate({.target = e.target, .who = "demo", .reason = "part of the demonstration"});
    }

    [[nodiscard]] static std::string attempt(const std::string& what, const event& e) {
        return what + (e.attempt > 1 ? " (attempt " + std::to_string(e.attempt) + ")" : "") + " ...";
    }

    void say(const event& e, const std::string& text) {
        std::printf("%s  %-10s  %s\n", offset(e.at).c_str(), find(e.target)->instance.data(), text.c_str());
    }

    void summary() {
        constexpr const char* row = "%-20s %-18s %-9s %-10s %-31s %-8s %s\n";
        std::puts("");
        std::printf(row, "failure", "cured by", "detected", "recovered", "cloud id", "address", "volume");
        for (const failure& f : failures_) {
            const mock_cloud::machine& m = *world_.cloud.find(f.instance);
            const time_point at = after(start_, f.at);
            const auto took = [at](time_point t) {
                return t == never ? std::string{"never"}
                                  : format_duration(std::chrono::floor<std::chrono::seconds>(t - at));
            };
            const std::string id =
                m.cloud_id() == f.id_before ? f.id_before + ", kept" : f.id_before + " -> " + m.cloud_id();
            std::printf(row, f.title.data(), f.cure.c_str(), took(f.opened).c_str(), took(f.recovered).c_str(),
                        id.c_str(), m.address == f.address_before ? "kept" : "lost",
                        m.how.volumes == f.volumes_before ? "kept" : "lost");
        }
        std::printf("Instances that ever ran twice: %zu\n", world_.cloud.second_copies());
    }

    [[nodiscard]] failure* find(target_id target) {
        const std::string_view name = world_.ha().state().name(target);
        for (failure& f : failures_) {
            if (name.substr(0, name.find('/')) == f.instance) return &f;
        }
        return nullptr;
    }
    [[nodiscard]] bool over() const {
        for (const failure& f : failures_) {
            if (f.recovered == never) return false;
        }
        return true;
    }
    /// `+hh:mm:ss`
    [[nodiscard]] std::string offset(time_point at) const {
        return '+' + format_time(time_point{at - start_}).substr(11, 8);
    }

    simulation<> world_{three_levels};
    scaled_clock pace_;
    time_point pace_start_;
    time_point start_;
    std::size_t told_ = 0;
    std::array<failure, 4> failures_{{{"a process dies", "blog", "blog-web", fault::service_dies, 3min},
                                      {"an instance hangs", "shop", "shop-app", fault::instance_hangs, 10min},
                                      {"an instance is lost", "wiki", "wiki-db", fault::instance_lost, 20min},
                                      {"a stack is broken", "mail", "mail-hub", fault::stack_breaks, 35min}}};
};

} // namespace

int main(int argc, char** argv) {
    constexpr double usual = 900;
    const double scale = argc > 1 ? std::strtod(argv[1], nullptr) : usual;
    std::printf("Service, instance, stack: one failure for each level, %g times faster than life.\n\n", scale);
    return demo{scale}.play() ? 0 : 1;
}
