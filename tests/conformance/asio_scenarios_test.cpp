// SPDX-License-Identifier: MIT
#include <reheat/adapters/asio.hpp>
#include <reheat/runner/time_view.hpp>

#include "every_scenario.hpp"

#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>

#include <span>
#include <string>
#include <utility>
#include <vector>

// The mock cloud with functions that are Asio's coroutines, each of which calls the mock by `async_call`: all scenarios
// have the same decisions, and the same calls, as without.

using namespace every_scenario;
using rh::manual_clock;
using rh::mock_cloud;
using rh::proof_of_death;
using rh::request;

namespace {

using answer = asio::awaitable<rh::outcome>;

std::size_t calls_seen = 0;

/// It outlives the mocks, whose unanswered calls come back when they end.
asio::io_context& loop() {
    static asio::io_context io{1};
    return io;
}
void drain() {
    loop().restart();
    loop().poll();
}

class asio_mock {
public:
    asio_mock(mock_cloud& c, manual_clock& t) : mock_{&c}, time_{t} {}
    answer describe(const request& r) { return ask(rh::function::describe{}, r); }
    answer create(const request& r) { return ask(rh::function::create{}, r); }
    answer restart_service(const request& r) { return ask(rh::function::restart_service{}, r); }
    answer reboot(const request& r) { return ask(rh::function::reboot{}, r); }
    answer rebuild(const request& r) { return ask(rh::function::rebuild{}, r); }
    answer fence(const request& r) { return ask(rh::function::fence{}, r); }
    answer forensics(const request& r) { return ask(rh::function::forensics{}, r); }
    answer recreate(const request& r, proof_of_death p) { return ask(rh::function::recreate{}, r, std::move(p)); }
    answer evacuate(const request& r, proof_of_death p) { return ask(rh::function::evacuate{}, r, std::move(p)); }
    answer converge(const request& r, std::span<proof_of_death> p) { return ask(rh::function::converge{}, r, p); }

private:
    template <class Function, class... Proofs>
    answer ask(Function f, const request& r, Proofs&&... proofs) {
        ++calls_seen;
        return rh::async_call(loop().get_executor(), *mock_, time_,
                              rh::detail::keep_call(f, r, std::forward<Proofs>(proofs)...), asio::use_awaitable);
    }

    mock_cloud* mock_;
    rh::time_view time_;
};

/// Does what a call has put into the loop, before time goes on.
template <class Driver>
class drained : public rh::driver_wrapper<drained<Driver>, Driver> {
public:
    explicit drained(Driver& below) : rh::driver_wrapper<drained, Driver>{below} {}
    template <class Function, class... Proofs>
    void on_call(Function f, const request& r, rh::completion done, Proofs&&... proofs) {
        this->pass_on(f, r, std::move(done), std::forward<Proofs>(proofs)...);
        drain();
    }
};

struct in_asio {
    in_asio(mock_cloud& c, manual_clock& t) : cloud{c, t} {}
    auto& driver() { return outer; }
    rh::time_point poll(rh::time_point) {
        drain();
        return rh::never;
    }
    asio_mock cloud;
    rh::asio_driver<asio_mock> mine{cloud, loop().get_executor()};
    drained<rh::asio_driver<asio_mock>> outer{mine};
};

} // namespace

TEST_CASE("every scenario has the same decisions where functions are Asio's coroutines") {
    REQUIRE(plain().size() >= 120);
    calls_seen = 0;
    // What returns its answer can not give it twice: there the plain log has one line more, which says so.
    CHECK(different<in_asio>() == std::vector<std::string>{"completion_called_twice_counts_once"});
    CHECK(calls_seen > plain().size());
    drain();
}
