// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// A target: a service, an instance or a stack. Dense, never reused while the engine lives.
enum class target_id : std::uint32_t {};

/// An incident: one failure of one target, from its opening to its end.
enum class incident_id : std::uint32_t {};

/// A recovery policy known to an engine.
enum class policy_id : std::uint16_t {};

/// One operation on the cloud: one intent in the journal, at most one call, one outcome.
enum class op_id : std::uint64_t {};

/// The reign of a controller. A driver that sees a smaller epoch than it has seen before refuses the call.
enum class epoch : std::uint64_t {};

/// The place of a record in the journal; the first record is 1.
enum class sequence : std::uint64_t {};

/// One alarm watched on one target: the group of equal rules in the high half, the row in it in the low half.
enum class watch_id : std::uint64_t {};

inline constexpr target_id no_target{0xffff'ffffU};
inline constexpr incident_id no_incident{0xffff'ffffU};
inline constexpr op_id no_op{0};
inline constexpr sequence no_sequence{0};
inline constexpr watch_id no_watch{0xffff'ffff'ffff'ffffULL};

} // namespace reheat::inline REHEAT_ABI
