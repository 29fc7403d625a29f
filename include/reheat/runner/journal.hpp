// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/engine/effects.hpp>

#include <concepts>
#include <span>

namespace reheat::inline REHEAT_ABI {

/// Where records are kept. `append` takes them in order of their sequence numbers and may return before they are safe;
/// `durable` says up to which they are. No call is made before its intent is durable.
/// After an `append` that failed, `open` is called again and then the refused records come again: those that it has
/// after all are to be skipped. `errc::denied` says that another controller leads: this one has lost the lead.
template <class J>
concept journal = requires(J& j, const J& safe, std::span<const record> records) {
    { j.open() } -> std::same_as<result<void>>;
    { j.append(records) } -> std::same_as<result<void>>;
    { safe.durable() } -> std::same_as<sequence>;
};

/// A journal that remembers nothing once the program ends. After a restart attempts are not counted as spent and calls
/// under way are forgotten: for tests, demonstrations, and fleets that can bear it.
class volatile_journal {
public:
    result<void> open() noexcept { return {}; }
    result<void> append(std::span<const record> records) noexcept {
        if (!records.empty()) last_ = records.back().seq;
        return {};
    }
    [[nodiscard]] sequence durable() const noexcept { return last_; }

private:
    sequence last_ = no_sequence;
};

} // namespace reheat::inline REHEAT_ABI
