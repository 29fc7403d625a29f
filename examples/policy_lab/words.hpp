// SPDX-License-Identifier: MIT
#pragma once

#include "summary.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace policy_lab {

// Numbers as people read them: two or three digits that count, and a unit.

/// `0`, `0.04`, `2.9`, `41`, `1240`, `764k`.
[[nodiscard]] std::string number(double n);
/// `95 s`, `28 min`, `6.0 h`, `2.5 d`.
[[nodiscard]] std::string time_text(double seconds);
/// `99.9947 %`, with so many digits after the point.
[[nodiscard]] std::string percent(double share, int after);
/// Digits that show the best of several shares: as many as it has nines.
[[nodiscard]] int nines(double best_share);
/// `28 ± 4`; without noise where nothing is known of it.
[[nodiscard]] std::string with_noise(const estimate& e);

/// How far another one is from the first, in words: `+12 ± 3`, and whether chance explains it.
struct verdict {
    std::string text;
    enum class is { better, worse, same } how = is::same;
};
/// Less is better.
[[nodiscard]] verdict difference(const figure& other, const figure& first);

/// A table: the first row is the head; the first column is text, the others are numbers.
using rows = std::vector<std::vector<std::string>>;
struct section {
    std::string title;
    std::string note;
    rows lines;
};

/// What was simulated, a sentence each.
[[nodiscard]] std::vector<std::string> what_was_done(const comparison& c);
/// Everything in numbers; terminal and page show the same.
[[nodiscard]] std::vector<section> sections_of(const comparison& c);

} // namespace policy_lab
