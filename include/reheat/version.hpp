// SPDX-License-Identifier: MIT
#pragma once

/// The version of the library, one number for each part.
#define REHEAT_VERSION_MAJOR 0
#define REHEAT_VERSION_MINOR 1
#define REHEAT_VERSION_PATCH 0
