// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/driver/capabilities.hpp>
#include <reheat/testing/driver_fixture.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::testing::detail {

/// A fixture and its driver behind one interface, so that the rules are compiled once and not for each driver. What is
/// optional answers nothing where the fixture does not have it.
class fixture_port {
public:
    fixture_port() = default;
    fixture_port(const fixture_port&) = delete;
    fixture_port& operator=(const fixture_port&) = delete;

    virtual capabilities can() const = 0;
    virtual void call(bool second, const request& r, std::span<proof_of_death> proofs, completion done) = 0;
    virtual result<test_target> make(const wanted_target& want) = 0;
    virtual void dispose(const test_target& t) = 0;
    virtual std::size_t running_copies(const test_target& t) = 0;
    virtual void pump(duration d) = 0;

    /// `power_off` to `remove`.
    virtual std::optional<bool> harm(fixture_function how, const test_target& t, std::string_view service) = 0;
    virtual std::optional<bool> block_power_off(const test_target& t, bool on) = 0;
    /// `cut_api` and `lose_answers`.
    virtual std::optional<bool> trouble(fixture_function what, bool on) = 0;
    /// `slow_api` and `throttle_api`.
    virtual std::optional<bool> trouble(fixture_function what, duration d) = 0;
    virtual std::optional<bool> restart_driver() = 0;
    virtual std::optional<result<test_target>> make_foreign(const wanted_target& want) = 0;
    virtual bool has_second_driver() const = 0;

    virtual std::optional<bool> ready(const test_target& t) = 0;
    virtual std::optional<bool> service_runs(const test_target& t, std::string_view service) = 0;
    /// `cloud_id`, `boot_id`, `host` and `root_marker`.
    virtual std::optional<std::string> text(fixture_function what, const test_target& t) = 0;
    virtual std::optional<std::vector<volume_seen>> volumes(const test_target& t) = 0;
    virtual std::optional<std::vector<std::string>> addresses(const test_target& t) = 0;
    virtual std::optional<std::size_t> peak_copies(const test_target& t) = 0;
    virtual std::optional<std::vector<std::string>> fence_methods() = 0;
    virtual std::optional<std::vector<std::string>> secrets() = 0;
    virtual std::optional<fixture_limits> limits() = 0;
    virtual std::optional<time_point> now() = 0;
    virtual std::string absent(fixture_function f) = 0;

protected:
    ~fixture_port() = default;
};

/// The function of a driver that a request is for.
template <cloud_driver Driver>
void call_driver(Driver& d, const request& r, std::span<proof_of_death> proofs, completion done) {
    switch (r.what) {
    case operation::describe: return d.describe(r, std::move(done));
    case operation::create_instance:
        if constexpr (creates_instances<Driver>) return d.create(r, std::move(done));
        break;
    case operation::restart_service:
        if constexpr (restarts_services<Driver>) return d.restart_service(r, std::move(done));
        break;
    case operation::reboot_instance:
        if constexpr (reboots_instances<Driver>) return d.reboot(r, std::move(done));
        break;
    case operation::rebuild_instance:
        if constexpr (rebuilds_instances<Driver>) return d.rebuild(r, std::move(done));
        break;
    case operation::fence_instance:
        if constexpr (fences_instances<Driver>) return d.fence(r, std::move(done));
        break;
    case operation::recreate_instance:
        if constexpr (recreates_instances<Driver>) return d.recreate(r, std::move(proofs.front()), std::move(done));
        break;
    case operation::evacuate_instance:
        if constexpr (evacuates_instances<Driver>) return d.evacuate(r, std::move(proofs.front()), std::move(done));
        break;
    case operation::converge_stack:
        if constexpr (converges_stacks<Driver>) return d.converge(r, proofs, std::move(done));
        break;
    case operation::collect_forensics:
        if constexpr (collects_forensics<Driver>) return d.forensics(r, std::move(done));
        break;
    default: break;
    }
    done(outcome::refused("the driver has no such function"));
}

template <driver_fixture F>
class fixture_adapter final : public fixture_port {
    using driver_type = std::remove_reference_t<decltype(std::declval<F&>().driver())>;
    static constexpr bool has_second = requires(F& f) {
        { f.second_driver() } -> std::same_as<driver_type&>;
    };

public:
    explicit fixture_adapter(F& fixture) noexcept : f_{fixture} {}

    capabilities can() const override { return capabilities_of<driver_type>(); }
    void call(bool second, const request& r, std::span<proof_of_death> proofs, completion done) override {
        if constexpr (has_second) {
            if (second) return call_driver(f_.second_driver(), r, proofs, std::move(done));
        }
        call_driver(f_.driver(), r, proofs, std::move(done));
    }
    result<test_target> make(const wanted_target& want) override { return f_.make(want); }
    void dispose(const test_target& t) override { f_.dispose(t); }
    std::size_t running_copies(const test_target& t) override { return static_cast<std::size_t>(f_.running_copies(t)); }
    void pump(duration d) override { f_.pump(d); }

    std::optional<bool> harm(fixture_function how, const test_target& t, std::string_view service) override {
        switch (how) {
        case fixture_function::power_off:
            if constexpr (requires {
                              { f_.power_off(t) } -> std::same_as<bool>;
                          })
                return f_.power_off(t);
            break;
        case fixture_function::crash:
            if constexpr (requires {
                              { f_.crash(t) } -> std::same_as<bool>;
                          })
                return f_.crash(t);
            break;
        case fixture_function::hang:
            if constexpr (requires {
                              { f_.hang(t) } -> std::same_as<bool>;
                          })
                return f_.hang(t);
            break;
        case fixture_function::kill_service:
            if constexpr (requires {
                              { f_.kill_service(t, service) } -> std::same_as<bool>;
                          })
                return f_.kill_service(t, service);
            break;
        case fixture_function::remove:
            if constexpr (requires {
                              { f_.remove(t) } -> std::same_as<bool>;
                          })
                return f_.remove(t);
            break;
        default: break;
        }
        static_cast<void>(service);
        return std::nullopt;
    }
    std::optional<bool> block_power_off(const test_target& t, bool on) override {
        if constexpr (requires {
                          { f_.block_power_off(t, on) } -> std::same_as<bool>;
                      })
            return f_.block_power_off(t, on);
        else return std::nullopt;
    }
    std::optional<bool> trouble(fixture_function what, bool on) override {
        if (what == fixture_function::cut_api) {
            if constexpr (requires {
                              { f_.cut_api(on) } -> std::same_as<bool>;
                          })
                return f_.cut_api(on);
        } else {
            if constexpr (requires {
                              { f_.lose_answers(on) } -> std::same_as<bool>;
                          })
                return f_.lose_answers(on);
        }
        return std::nullopt;
    }
    std::optional<bool> trouble(fixture_function what, duration d) override {
        if (what == fixture_function::slow_api) {
            if constexpr (requires {
                              { f_.slow_api(d) } -> std::same_as<bool>;
                          })
                return f_.slow_api(d);
        } else {
            if constexpr (requires {
                              { f_.throttle_api(d) } -> std::same_as<bool>;
                          })
                return f_.throttle_api(d);
        }
        return std::nullopt;
    }
    std::optional<bool> restart_driver() override {
        if constexpr (requires {
                          { f_.restart_driver() } -> std::same_as<bool>;
                      })
            return f_.restart_driver();
        else return std::nullopt;
    }
    std::optional<result<test_target>> make_foreign(const wanted_target& want) override {
        if constexpr (requires {
                          { f_.make_foreign(want) } -> std::same_as<result<test_target>>;
                      })
            return f_.make_foreign(want);
        else return std::nullopt;
    }
    bool has_second_driver() const override { return has_second; }

    std::optional<bool> ready(const test_target& t) override {
        if constexpr (requires {
                          { f_.ready(t) } -> std::same_as<bool>;
                      })
            return f_.ready(t);
        else return std::nullopt;
    }
    std::optional<bool> service_runs(const test_target& t, std::string_view service) override {
        if constexpr (requires {
                          { f_.service_runs(t, service) } -> std::same_as<bool>;
                      })
            return f_.service_runs(t, service);
        else return std::nullopt;
    }
    std::optional<std::string> text(fixture_function what, const test_target& t) override {
        switch (what) {
        case fixture_function::cloud_id:
            if constexpr (requires {
                              { f_.cloud_id(t) } -> std::same_as<std::string>;
                          })
                return f_.cloud_id(t);
            break;
        case fixture_function::boot_id:
            if constexpr (requires {
                              { f_.boot_id(t) } -> std::same_as<std::string>;
                          })
                return f_.boot_id(t);
            break;
        case fixture_function::host:
            if constexpr (requires {
                              { f_.host(t) } -> std::same_as<std::string>;
                          })
                return f_.host(t);
            break;
        case fixture_function::root_marker:
            if constexpr (requires {
                              { f_.root_marker(t) } -> std::same_as<std::string>;
                          })
                return f_.root_marker(t);
            break;
        default: break;
        }
        return std::nullopt;
    }
    std::optional<std::vector<volume_seen>> volumes(const test_target& t) override {
        if constexpr (requires {
                          { f_.volumes(t) } -> std::same_as<std::vector<volume_seen>>;
                      })
            return f_.volumes(t);
        else return std::nullopt;
    }
    std::optional<std::vector<std::string>> addresses(const test_target& t) override {
        if constexpr (requires {
                          { f_.addresses(t) } -> std::same_as<std::vector<std::string>>;
                      })
            return f_.addresses(t);
        else return std::nullopt;
    }
    std::optional<std::size_t> peak_copies(const test_target& t) override {
        if constexpr (requires {
                          { f_.peak_copies(t) } -> std::convertible_to<std::size_t>;
                      })
            return static_cast<std::size_t>(f_.peak_copies(t));
        else return std::nullopt;
    }
    std::optional<std::vector<std::string>> fence_methods() override {
        if constexpr (requires {
                          { f_.fence_methods() } -> std::same_as<std::vector<std::string>>;
                      })
            return f_.fence_methods();
        else return std::nullopt;
    }
    std::optional<std::vector<std::string>> secrets() override {
        if constexpr (requires {
                          { f_.secrets() } -> std::same_as<std::vector<std::string>>;
                      })
            return f_.secrets();
        else return std::nullopt;
    }
    std::optional<fixture_limits> limits() override {
        if constexpr (requires {
                          { f_.limits() } -> std::same_as<fixture_limits>;
                      })
            return f_.limits();
        else return std::nullopt;
    }
    std::optional<time_point> now() override {
        if constexpr (requires {
                          { f_.now() } -> std::same_as<time_point>;
                      })
            return f_.now();
        else return std::nullopt;
    }

    std::string absent(fixture_function f) override {
        if constexpr (requires {
                          { f_.absent(f) } -> std::same_as<std::string>;
                      })
            return f_.absent(f);
        else return {};
    }

private:
    F& f_;
};

} // namespace reheat::inline REHEAT_ABI::testing::detail
