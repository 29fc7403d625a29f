# SPDX-License-Identifier: MIT
# The distribution's default g++ (Debian 12: g++ 12).
set(CMAKE_CXX_COMPILER g++)
