// SPDX-License-Identifier: MIT
#pragma once

#include "broken_answers.hpp"
#include "broken_calls.hpp"
#include "broken_fences.hpp"
#include "broken_rungs.hpp"
#include "broken_rungs_all.hpp"

// Drivers of the mock cloud, each of them wrong in one way. The function that is wrong stands in for that of the
// driver.
