// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::detail {

template <class T>
struct input_box {
    std::vector<T> all;
};

/// Inputs of several types in the order in which they came. Its memory is used again; nothing is paid for the largest
/// type but by itself.
template <class... Ts>
class input_queue : private input_box<Ts>... {
public:
    template <class T>
        requires(std::same_as<T, Ts> || ...)
    void put(T input) {
        std::vector<T>& box = static_cast<input_box<T>&>(*this).all;
        order_.push_back({number_of<T>(), static_cast<std::uint32_t>(box.size())});
        box.push_back(std::move(input));
    }
    [[nodiscard]] bool empty() const noexcept { return order_.empty(); }

    /// Visits every input, oldest first.
    template <class Visit>
    void each(const Visit& visit) {
        for (const place& p : order_) {
            const auto here = [&]<class T>(std::vector<T>& box) {
                if (p.type == number_of<T>()) visit(box[p.at]);
            };
            (here(static_cast<input_box<Ts>&>(*this).all), ...);
        }
    }
    void clear() noexcept {
        order_.clear();
        (static_cast<input_box<Ts>&>(*this).all.clear(), ...);
    }
    void swap(input_queue& other) noexcept {
        order_.swap(other.order_);
        (static_cast<input_box<Ts>&>(*this).all.swap(static_cast<input_box<Ts>&>(other).all), ...);
    }

private:
    struct place {
        std::uint8_t type;
        std::uint32_t at;
    };
    template <class T>
    static constexpr std::uint8_t number_of() noexcept {
        std::uint8_t n = 0;
        std::uint8_t found = 0;
        (static_cast<void>(found = std::same_as<T, Ts> ? n : found, ++n), ...);
        return found;
    }

    std::vector<place> order_;
};

} // namespace reheat::inline REHEAT_ABI::detail
