// SPDX-License-Identifier: MIT
#pragma once

#include "summary.hpp"

#include <string>
#include <string_view>

namespace policy_lab {

// Pictures as SVG text. Colours are the page's: `c0` to `c7` for the policies, in turn. Drawn 420 wide, so that the
// text can be read on a phone and beside another one on a desk.

inline constexpr std::size_t colours = 8;

/// A dot for each policy, and whiskers as long as the noise, on a logarithmic scale.
[[nodiscard]] std::string dots(const comparison& c, figure standing::* what, std::string_view axis,
                               std::string_view title);
/// How many outages a year last longer than a time; both axes logarithmic.
[[nodiscard]] std::string longer_than(const comparison& c);
/// Of what kind the actions were, in parts of all, and how many they were.
[[nodiscard]] std::string shares_of_rungs(const comparison& c);

} // namespace policy_lab
