// SPDX-License-Identifier: MIT
#pragma once

// Everything that needs no package. Adapters, the guest APIs, the simulator and the testing kit are included by those
// who want them.

#include <reheat/action/loss.hpp>
#include <reheat/action/operation.hpp>
#include <reheat/action/outcome.hpp>
#include <reheat/action/proof_of_death.hpp>
#include <reheat/action/request.hpp>
#include <reheat/alarm/alarm.hpp>
#include <reheat/alarm/fleet.hpp>
#include <reheat/config.hpp>
#include <reheat/core/error.hpp>
#include <reheat/core/ids.hpp>
#include <reheat/core/node.hpp>
#include <reheat/core/result.hpp>
#include <reheat/core/text.hpp>
#include <reheat/core/time.hpp>
#include <reheat/driver/capabilities.hpp>
#include <reheat/driver/completion.hpp>
#include <reheat/driver/concepts.hpp>
#include <reheat/engine/engine.hpp>
#include <reheat/engine/render.hpp>
#include <reheat/evidence/health.hpp>
#include <reheat/fwd.hpp>
#include <reheat/metric/sample.hpp>
#include <reheat/metric/statistic.hpp>
#include <reheat/metric/window.hpp>
#include <reheat/recovery/climbable.hpp>
#include <reheat/recovery/ladder.hpp>
#include <reheat/recovery/lint.hpp>
#include <reheat/recovery/policy.hpp>
#include <reheat/recovery/target.hpp>
#include <reheat/runner/clocks.hpp>
#include <reheat/runner/journal.hpp>
#include <reheat/runner/pipeline.hpp>
#include <reheat/runner/run.hpp>
#include <reheat/version.hpp>
