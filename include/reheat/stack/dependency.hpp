// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI {

/// What waits for what. Items are known by the order in which they were added. One thread at a time.
///
///     dependency_graph graph;
///     const std::size_t volume = graph.add("volume"), server = graph.add("server");
///     graph.require(server, volume);
///     auto order = graph.creation_order(); // volume, server
class dependency_graph {
public:
    std::size_t add(std::string name) {
        names_.push_back(std::move(name));
        needs_.emplace_back();
        return names_.size() - 1;
    }

    /// `item` waits for `needed`; saying it twice changes nothing.
    void require(std::size_t item, std::size_t needed) {
        for (const std::size_t known : needs_[item]) {
            if (known == needed) return;
        }
        needs_[item].push_back(needed);
    }

    [[nodiscard]] const std::vector<std::size_t>& needs(std::size_t item) const noexcept { return needs_[item]; }

    /// Every item after all that it needs; among those that could be next, the one added first. `errc::cycle` names the
    /// items of one cycle, each followed by one that it needs. Read backwards it is the order of deletion.
    [[nodiscard]] result<std::vector<std::size_t>> creation_order() const {
        std::vector<std::size_t> order;
        std::vector<bool> placed(names_.size(), false);
        while (order.size() < names_.size()) {
            std::size_t item = 0;
            while (item < names_.size() && (placed[item] || missing(item, placed) != none)) ++item;
            if (item == names_.size()) return cycle(placed);
            placed[item] = true;
            order.push_back(item);
        }
        return order;
    }

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    [[nodiscard]] std::size_t missing(std::size_t item, const std::vector<bool>& placed) const noexcept {
        for (const std::size_t needed : needs_[item]) {
            if (!placed[needed]) return needed;
        }
        return none;
    }

    /// None of what is left can be placed, so each item left needs another one left: following them must come round.
    [[nodiscard]] error cycle(const std::vector<bool>& placed) const {
        std::size_t item = 0;
        while (placed[item]) ++item;
        for (std::size_t steps = 0; steps < names_.size(); ++steps) item = missing(item, placed);
        std::size_t first = item;
        for (std::size_t at = missing(item, placed); at != item; at = missing(at, placed)) {
            if (at < first) first = at;
        }
        std::string message = "these wait for each other: " + names_[first];
        std::size_t at = first;
        do {
            at = missing(at, placed);
            message += " -> " + names_[at];
        } while (at != first);
        return {errc::cycle, names_[first], std::move(message)};
    }

    std::vector<std::string> names_;
    std::vector<std::vector<std::size_t>> needs_;
};

} // namespace reheat::inline REHEAT_ABI
