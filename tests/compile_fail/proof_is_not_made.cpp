// Only the engine makes a proof of death.
// SPDX-License-Identifier: MIT
// expect-error-gcc: proof_of_death.* is private within this context
// expect-error-clang: calling a private constructor of class .*proof_of_death
#include <reheat/action/proof_of_death.hpp>

reheat::proof_of_death forged{reheat::proof_kind::fenced, reheat::incident_id{1}, reheat::target_id{1}, reheat::never};
