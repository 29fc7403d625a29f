// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/sim/mock_machine.hpp>

namespace reheat::inline REHEAT_ABI {

/// Looks on as the mock cloud is called. What it throws comes out of the call, or of `mock_cloud::advance`.
class mock_witness {
public:
    mock_witness() = default;
    mock_witness(const mock_witness&) = delete;
    mock_witness& operator=(const mock_witness&) = delete;
    virtual ~mock_witness() = default;
    virtual void before(const mock_call&) {} ///< it has not reached the cloud
    virtual void after(const mock_call&) {}  ///< it has
    virtual void completed() {}              ///< the outcome of one has left the cloud
};

} // namespace reheat::inline REHEAT_ABI
