// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <string>
#include <string_view>

namespace reheat::inline REHEAT_ABI {

/// A refusal in the words of the CloudWatch API: what an answer's `Code`, `Message` and status line say.
struct api_fault {
    std::string_view code; ///< of static storage, as in the API's list: `ValidationError`, `InvalidParameterValue` …
    std::string message;
    unsigned http_status = 400;

    friend bool operator==(const api_fault&, const api_fault&) = default;
};

} // namespace reheat::inline REHEAT_ABI
