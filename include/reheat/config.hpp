// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/version.hpp>

/// The inline namespace that every name lives in. It carries the version and each mode that changes code, so that two
/// copies of the library, of different versions or built in different modes, can be linked into one program.
#if defined(__cpp_exceptions)
#define REHEAT_ABI v0_1_0
#else
#define REHEAT_ABI v0_1_0_nx
#endif
