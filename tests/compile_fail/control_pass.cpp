// What the other cases do wrong, done right.
// SPDX-License-Identifier: MIT
#include <reheat/core/result.hpp>
#include <reheat/core/time.hpp>

reheat::duration period();
reheat::duration period() { return std::chrono::seconds{60}; }

reheat::result<int> answer();
reheat::result<int> answer() { return 42; }
