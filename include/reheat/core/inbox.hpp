// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// A bounded lock-free queue: any thread puts, one thread takes. Full means `put` says no and the loss is counted; it
/// never blocks and never allocates after construction. (D. Vyukov's bounded queue: each slot carries a turn number.)
template <class T>
    requires std::is_nothrow_move_assignable_v<T> && std::is_default_constructible_v<T>
class inbox {
public:
    /// `capacity` is rounded up to a power of two.
    explicit inbox(std::size_t capacity) : slots_(rounded_up(capacity)), mask_{slots_.size() - 1} {
        for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].turn.store(i, std::memory_order_relaxed);
    }

    /// Moves a value in, or leaves it and counts the loss. Any thread.
    bool put(T&& value) noexcept {
        return fill([&value](T& place) noexcept { place = std::move(value); });
    }

    /// Lets `into(T&)` write a value where it will lie, or counts the loss. What the slot held before is still in it.
    /// Any thread.
    template <class Into>
        requires std::is_nothrow_invocable_v<Into, T&>
    bool fill(Into&& into) noexcept {
        std::size_t at = head_.load(std::memory_order_relaxed);
        for (;;) {
            slot& s = slots_[at & mask_];
            const std::size_t turn = s.turn.load(std::memory_order_acquire);
            if (turn == at) {
                if (head_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
                    into(s.value);
                    s.turn.store(at + 1, std::memory_order_release);
                    return true;
                }
            } else if (turn < at) {
                lost_.fetch_add(1, std::memory_order_relaxed);
                return false;
            } else {
                at = head_.load(std::memory_order_relaxed);
            }
        }
    }

    /// Takes the oldest value. The one consuming thread.
    bool take(T& value) noexcept {
        return use([&value](T& place) noexcept { value = std::move(place); });
    }

    /// Lets `what(T&)` read the oldest value where it lies. The one consuming thread.
    template <class What>
        requires std::is_nothrow_invocable_v<What, T&>
    bool use(What&& what) noexcept {
        slot& s = slots_[tail_ & mask_];
        if (s.turn.load(std::memory_order_acquire) != tail_ + 1) return false;
        what(s.value);
        s.turn.store(tail_ + mask_ + 1, std::memory_order_release);
        ++tail_;
        return true;
    }

    /// How many values found it full since the last call. Any thread.
    std::uint64_t take_losses() noexcept { return lost_.exchange(0, std::memory_order_relaxed); }

private:
    struct slot {
        std::atomic<std::size_t> turn{0};
        T value{};
    };

    static constexpr std::size_t rounded_up(std::size_t capacity) noexcept {
        std::size_t size = 2;
        while (size < capacity) size *= 2;
        return size;
    }

    std::vector<slot> slots_; // never resized: a slot can not move
    std::size_t mask_;
    alignas(64) std::atomic<std::size_t> head_{0};
    alignas(64) std::size_t tail_ = 0;
    std::atomic<std::uint64_t> lost_{0};
};

} // namespace reheat::inline REHEAT_ABI
