// SPDX-License-Identifier: MIT
#include <reheat/guest/cloudformation.hpp>
#include <reheat/guest/cloudwatch.hpp>
#include <reheat/guest/heat_stack.hpp>
#include <reheat/reheat.hpp>
#include <reheat/sim/mock_cloud.hpp>
#include <reheat/stack/creation_action.hpp>
#include <reheat/stack/functions.hpp>

#include <string_view>

// Facts of templates, guests and the mock cloud. There is nothing to run.

namespace guest_facts {

namespace rh = reheat;

struct reader {
    [[nodiscard]] rh::result<rh::node> read(std::string_view text, const rh::read_limits& limits) const;
};
struct boundless_reader {
    [[nodiscard]] rh::result<rh::node> read(std::string_view text) const;
};
struct throwing_reader { // an error is a value
    [[nodiscard]] rh::node read(std::string_view text, const rh::read_limits& limits) const;
};
struct changing_reader {
    rh::result<rh::node> read(std::string_view text, const rh::read_limits& limits);
};
static_assert(rh::json_reader<reader>);
static_assert(!rh::json_reader<boundless_reader>);
static_assert(!rh::json_reader<throwing_reader>);
static_assert(!rh::json_reader<changing_reader>);

struct metrics {
    rh::result<void> put(const rh::guest::metric_datum& datum);
};
struct checking_metrics : metrics {
    rh::result<void> check(const rh::guest::metric_datum& datum);
};
struct silent_metrics {
    void put(const rh::guest::metric_datum& datum); // can not refuse
};
static_assert(rh::guest::metric_sink<metrics> && rh::guest::metric_sink<checking_metrics>);
static_assert(rh::guest::checking_metric_sink<checking_metrics> && !rh::guest::checking_metric_sink<metrics>);
static_assert(!rh::guest::metric_sink<silent_metrics>);

struct signals {
    rh::result<void> signal(std::string_view arn, const rh::guest::wait_signal& signal);
};
static_assert(rh::guest::wait_condition_sink<signals>);
static_assert(!rh::guest::wait_condition_sink<metrics>);

struct keys {
    rh::access_key operator()(std::string_view resource);
};
static_assert(rh::access_key_source<keys>);
static_assert(!rh::access_key_source<signals>);

struct values {
    [[nodiscard]] rh::result<rh::node> ref(std::string_view name) const;
    [[nodiscard]] rh::result<rh::node> attribute(std::string_view name, std::string_view which) const;
    [[nodiscard]] const rh::node* mapping(std::string_view name) const;
    [[nodiscard]] bool secret(std::string_view name) const;
};
struct indiscreet_values { // does not know what is a secret
    [[nodiscard]] rh::result<rh::node> ref(std::string_view name) const;
    [[nodiscard]] rh::result<rh::node> attribute(std::string_view name, std::string_view which) const;
    [[nodiscard]] const rh::node* mapping(std::string_view name) const;
};
static_assert(rh::value_source<values>);
static_assert(!rh::value_source<indiscreet_values>);

static_assert(rh::guest::recovery_pipeline<rh::pipeline<rh::mock_cloud, rh::manual_clock>>);
static_assert(!rh::guest::recovery_pipeline<rh::engine>);

// The mock cloud can do everything.
static_assert(rh::creates_instances<rh::mock_cloud> && rh::restarts_services<rh::mock_cloud> &&
              rh::reboots_instances<rh::mock_cloud>);
static_assert(rh::rebuilds_instances<rh::mock_cloud> && rh::fences_instances<rh::mock_cloud> &&
              rh::recreates_instances<rh::mock_cloud>);
static_assert(rh::evacuates_instances<rh::mock_cloud> && rh::converges_stacks<rh::mock_cloud>);

} // namespace guest_facts
