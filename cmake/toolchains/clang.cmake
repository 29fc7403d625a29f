# SPDX-License-Identifier: MIT
# clang 19 where it has its own name (Debian 12's default is too old for C++20), else the distribution's default.
find_program(REHEAT_CLANGXX NAMES clang++-19 clang++ REQUIRED)
set(CMAKE_CXX_COMPILER ${REHEAT_CLANGXX})
