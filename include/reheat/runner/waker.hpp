// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

namespace reheat::inline REHEAT_ABI {

/// Wakes whoever runs a pipeline when something has arrived for it: a sleeping thread (`runner/run.hpp`), an event
/// loop.
class waker {
public:
    waker() = default;
    waker(const waker&) = delete;
    waker& operator=(const waker&) = delete;
    virtual ~waker() = default;

    /// Any thread, often, and never for long.
    virtual void wake() noexcept = 0;
};

} // namespace reheat::inline REHEAT_ABI
