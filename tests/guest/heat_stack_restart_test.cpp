// SPDX-License-Identifier: MIT
// A stack whose controller ends and starts again on the same journal, while the cloud goes on.
#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/engine/resume.hpp>
#include <reheat/guest/heat_stack.hpp>
#include <reheat/runner/pipeline.hpp>
#include <reheat/sim/mock_cloud.hpp>
#include <reheat/stack/load_template.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

using namespace std::chrono_literals;
using namespace reheat;
namespace guest = reheat::guest;

namespace {

/// Records that outlive the pipeline which writes them.
class kept_journal {
public:
    explicit kept_journal(std::vector<record>& records) : records_{&records} {}
    result<void> open() noexcept { return {}; }
    result<void> append(std::span<const record> more) {
        records_->insert(records_->end(), more.begin(), more.end());
        return {};
    }
    [[nodiscard]] sequence durable() const noexcept { return records_->empty() ? no_sequence : records_->back().seq; }
    template <class Visit>
    result<void> replay(Visit&& visit) {
        for (const record& r : *records_) {
            if (auto done = visit(record{r}); !done) return done;
        }
        return {};
    }

private:
    std::vector<record>* records_;
};

using ha_type = pipeline<mock_cloud, manual_clock, kept_journal>;

/// One life of a controller.
struct life {
    life(mock_cloud& on, std::vector<record>& records, time_point at)
        : cloud{&on}, ha{on, manual_clock{at}, ha_restarter.lowered(), kept_journal{records}}, heat{ha, load()} {
        REQUIRE(ha.open());
        REQUIRE(heat.open());
        poll();
        settle();
    }
    static stack_creation load() {
        std::ifstream in{"tests/data/heartbeat.template", std::ios::binary};
        REQUIRE(in);
        const std::string text{std::istreambuf_iterator<char>{in}, {}};
        auto loaded = load_template(
            text, nlohmann_json{},
            {.stack_name = "wiki", .stack_id = "7c8e", .tenant = "t1", .parameters = {{"KeyName", "ops"}}});
        REQUIRE_MESSAGE(loaded, to_string(loaded.error()));
        return {std::move(*loaded), "http://127.0.0.1:8000",
                [](std::string_view) { return access_key{"key", "secret"}; }};
    }
    time_point poll() {
        return ha.poll([this](const event& e) { heat.notice(e); });
    }
    void settle() {
        for (;;) {
            cloud->advance(ha.time().now(), [this](std::string_view, std::string_view) {
                static_cast<void>(heat.put({"system/linux", "Heartbeat", "Counter", 1, {}, "wiki-Silence"}));
            });
            heat.step([this](const creation_action& a) {
                const auto* wanted = std::get_if<create_instance>(&a);
                if (wanted != nullptr && cloud->find(wanted->physical_name) == nullptr)
                    cloud->add(wanted->physical_name, {.stack = "wiki"}, false);
            });
            const time_point due = poll();
            next = earlier(earlier(due, heat.next()), cloud->next());
            if (next > ha.time().now()) return;
        }
    }
    void advance(duration by) {
        const time_point end = ha.time().now() + by;
        for (settle(); next <= end; settle()) ha.time().advance_to(next);
        ha.time().advance_to(end);
    }
    void signal() {
        REQUIRE(heat.signal("arn:openstack:heat::t1:stacks/wiki/7c8e/resources/Handle", {true, "up", "u", ""}));
        settle();
    }
    [[nodiscard]] std::string name() { return std::string{ha.state().name(heat.target_of("Wiki"))}; }
    [[nodiscard]] creation_status wiki() const { return heat.creation().status("Wiki"); }

    mock_cloud* cloud;
    ha_type ha;
    guest::heat_stack<ha_type> heat;
    time_point next{};
};

const time_point start = manual_clock{}.now();

} // namespace

TEST_CASE("an instance that an earlier run made is there at once, and not made again") {
    mock_cloud cloud;
    std::vector<record> records;
    std::string id;
    {
        life first{cloud, records, start};
        first.advance(60s);
        REQUIRE(first.wiki() == creation_status::complete);
        id = first.heat.creation().ref("Wiki")->text();
    }
    life second{cloud, records, start + 5min};
    CHECK(second.wiki() == creation_status::complete);
    CHECK(second.heat.creation().ref("Wiki")->text() == id);
    second.signal(); // whoever has kept the signal says it again
    CHECK(second.heat.creation().status() == creation_status::complete);
    second.advance(1h);
    CHECK(cloud.count(operation::create_instance) == 1);
    CHECK(second.heat.state_of("Silence") == alarm_state::ok);
    CHECK(second.ha.state().open_incidents() == 0);
}

TEST_CASE("a creation that is under way when the controller ends is read back, and ends as any other") {
    mock_cloud cloud;
    std::vector<record> records;
    {
        life first{cloud, records, start};
        first.advance(1s);
        REQUIRE(cloud.count(operation::create_instance) == 1);
    }
    life second{cloud, records, start + 5s};
    CHECK(second.wiki() == creation_status::in_progress);
    second.advance(5min);
    CHECK(second.wiki() == creation_status::complete);
    CHECK(cloud.count(operation::create_instance) == 1);
}

TEST_CASE("an instance that is being made anew when the controller ends is watched again once that is over") {
    mock_cloud cloud;
    std::vector<record> records;
    time_point now;
    {
        life first{cloud, records, start};
        first.advance(60s);
        first.signal();
        REQUIRE(first.heat.creation().status() == creation_status::complete);
        first.advance(10min);
        cloud.break_at(first.ha.time().now(), first.name(), fault::instance_lost);
        while (cloud.count(operation::recreate_instance) == 0) first.advance(1s);
        now = first.ha.time().now();
    }
    life second{cloud, records, now + 1s};
    CHECK(second.wiki() == creation_status::in_progress);
    second.signal();
    second.advance(10min);
    REQUIRE(second.wiki() == creation_status::complete);
    CHECK(second.heat.creation().ref("Wiki")->text() == cloud.find(second.name())->cloud_id());
    CHECK(second.heat.creation().status() == creation_status::complete);
    CHECK(second.ha.state().open_incidents() == 0);
    CHECK(cloud.count(operation::create_instance) == 1);
    CHECK(cloud.count(operation::recreate_instance) == 1);
    CHECK(cloud.second_copies() == 0);
}
