// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/driver/completion.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// Who stands between a driver and its caller. `answered` gets each answer of the driver, on the driver's thread;
/// `repeated` is one beyond the first. `wake` wakes the caller.
template <class B>
concept answer_bearer = requires(B& b, outcome&& result, bool repeated) {
    { b.answered(std::move(result), repeated) } noexcept;
    { b.wake() } noexcept;
};

namespace detail {

template <answer_bearer Bearer>
class relay final : public completion_sink {
public:
    explicit relay(Bearer&& b) : bearer_{std::move(b)} {}
    void deliver(op_id, outcome&& result, bool repeated) noexcept override {
        bearer_.answered(std::move(result), repeated);
    }
    void wake() noexcept override { bearer_.wake(); }

private:
    ~relay() override = default;

    Bearer bearer_;
};

} // namespace detail

/// A completion for the driver whose answers go to `bearer`, which lives as long as the driver can answer.
template <answer_bearer Bearer>
[[nodiscard]] completion relayed(op_id op, Bearer bearer) {
    auto* const made = new detail::relay<Bearer>{std::move(bearer)};
    completion told{op, *made};
    made->release(); // from now on the completion owns it
    return told;
}

namespace detail {

template <class Hear>
struct listener {
    completion to;
    Hear hear;

    void answered(outcome&& result, bool repeated) noexcept {
        if (!repeated) hear(std::as_const(result));
        to(std::move(result));
    }
    void wake() noexcept { to.wake(); }
};

} // namespace detail

/// A completion that lets `hear(const outcome&)` hear the first answer on its way, on the driver's thread.
///
///     driver.reboot(r, overheard(std::move(done), [log](const outcome& o) noexcept { log->note(o); }));
template <class Hear>
    requires std::is_nothrow_invocable_v<Hear&, const outcome&>
[[nodiscard]] completion overheard(completion done, Hear hear) {
    const op_id op = done.op();
    return relayed(op, detail::listener<Hear>{std::move(done), std::move(hear)});
}

} // namespace reheat::inline REHEAT_ABI
