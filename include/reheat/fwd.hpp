// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <cstdint>

// Names without their definitions, for headers that only pass references on.

namespace reheat::inline REHEAT_ABI {

enum class target_id : std::uint32_t;
enum class incident_id : std::uint32_t;
enum class policy_id : std::uint16_t;
enum class op_id : std::uint64_t;
enum class epoch : std::uint64_t;
enum class sequence : std::uint64_t;
enum class watch_id : std::uint64_t;
enum class operation : std::uint8_t;
enum class decision : std::uint8_t;
enum class reason : std::uint8_t;
enum class guard : std::uint8_t;
enum class alarm_state : std::uint8_t;
enum class health : std::uint8_t;

struct error;
class node;
struct request;
struct outcome;
struct observation;
struct observed;
struct event;
struct record;
struct call;
struct outputs;
struct operator_input;
struct stack;
struct instance;
struct service;
class completion;
class completion_sink;
class proof_of_death;
class capabilities;
class policy;
class engine;
class mock_cloud;

} // namespace reheat::inline REHEAT_ABI
