# SPDX-License-Identifier: MIT
# The oldest clang that is supported.
set(CMAKE_CXX_COMPILER clang++-16)
