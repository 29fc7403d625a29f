// A bare number of seconds does not compile.
// SPDX-License-Identifier: MIT
// expect-error-gcc: conversion from 'int' to .*duration
// expect-error-clang: no viable conversion from 'int' to .*duration
#include <reheat/core/time.hpp>

reheat::duration period = 60;
