// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/ids.hpp>
#include <reheat/core/time.hpp>
#include <reheat/recovery/target_tree.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// An operator's word that holds for a while: nothing is done to a target and what is below it, or to anything.
struct standing_order {
    enum class kind : std::uint8_t { maintenance, freeze };

    kind what{};
    target_id target = no_target; ///< `no_target`: everything
    time_point until = never;
    std::string who{};
    std::string why{};
};

/// The standing orders, few at a time.
class order_book {
public:
    /// A new order for a target replaces its old one of the same kind.
    void give(standing_order order) {
        end(order.what, order.target);
        orders_.push_back(std::move(order));
    }
    /// Ends an order; false if there is none.
    bool end(standing_order::kind what, target_id target) {
        return std::erase_if(orders_, [&](const standing_order& o) { return o.what == what && o.target == target; }) !=
               0;
    }
    /// The order of that kind that holds for a target at a time, or null: on itself, what is above it, or
    /// everything; and for a stack on one of its instances, which an action upon the stack would reach.
    [[nodiscard]] const standing_order* holding(standing_order::kind what, target_id target, time_point now,
                                                const target_tree& tree) const noexcept {
        for (const standing_order& o : orders_) {
            if (o.what != what || now >= o.until) continue;
            if (o.target == no_target || tree.covers(o.target, target) || is_below(o.target, target, tree)) return &o;
        }
        return nullptr;
    }
    /// Forgets the orders that are over and visits each; true if there was one.
    template <class Visit>
    bool expire(time_point now, const Visit& visit) {
        return std::erase_if(orders_, [&](const standing_order& o) {
                   if (now < o.until) return false;
                   visit(o);
                   return true;
               }) != 0;
    }
    /// When the next one is over.
    [[nodiscard]] time_point next() const noexcept {
        time_point earliest = never;
        for (const standing_order& o : orders_) earliest = earlier(earliest, o.until);
        return earliest;
    }

private:
    [[nodiscard]] static bool is_below(target_id ordered, target_id target, const target_tree& tree) noexcept {
        return tree[target].of == level::stack && tree[ordered].of == level::instance && tree.covers(target, ordered);
    }

    std::vector<standing_order> orders_;
};

} // namespace reheat::inline REHEAT_ABI
