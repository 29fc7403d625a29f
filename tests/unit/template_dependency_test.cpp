// SPDX-License-Identifier: MIT
#include <reheat/stack/dependency.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace {

using edges = std::vector<std::pair<std::size_t, std::size_t>>;

reheat::dependency_graph graph_of(std::size_t size, const edges& all) {
    reheat::dependency_graph graph;
    for (std::size_t i = 0; i < size; ++i) graph.add(std::string(1, static_cast<char>('a' + i)));
    for (const auto& [item, needed] : all) graph.require(item, needed);
    return graph;
}

} // namespace

TEST_CASE("creation order is that of the dependencies, else that of the text") {
    using order = std::vector<std::size_t>;
    CHECK(*graph_of(3, {}).creation_order() == order{0, 1, 2});
    CHECK(*graph_of(4, {{0, 3}, {0, 3}}).creation_order() == order{1, 2, 3, 0});
    CHECK(*graph_of(4, {{0, 1}, {1, 2}, {2, 3}}).creation_order() == order{3, 2, 1, 0});
    CHECK(*graph_of(0, {}).creation_order() == order{});
}

TEST_CASE("a cycle is named in order, from its first item") {
    const auto self = graph_of(2, {{1, 1}}).creation_order();
    REQUIRE(!self);
    CHECK(self.error().message == "these wait for each other: b -> b");
    // e waits for the cycle without being in it.
    const auto ring = graph_of(5, {{4, 2}, {2, 1}, {1, 3}, {3, 2}, {0, 4}}).creation_order();
    REQUIRE(!ring);
    CHECK(ring.error().code == reheat::errc::cycle);
    CHECK(ring.error().where == "b");
    CHECK(ring.error().message == "these wait for each other: b -> d -> c -> b");
}
