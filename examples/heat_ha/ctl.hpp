// SPDX-License-Identifier: MIT
#pragma once

namespace heat_ha {

/// `heat_ha ctl`: one request to a running heat_ha, by its control socket. `argv[0]` is `ctl`. Returns the exit code: 0
/// accepted, 1 refused, 2 a bad command line, 3 the socket cannot be reached or does not answer.
int run_ctl(int argc, char** argv);

} // namespace heat_ha
