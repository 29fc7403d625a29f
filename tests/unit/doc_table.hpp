// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

// Tables in docs/ that the code makes, so that they are true.

namespace support {

inline std::string contents(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// What stands in a page between `<!-- NAME: begin -->` and `<!-- NAME: end -->` is what was made; or is written, where
/// the environment has REHEAT_WRITE_DOCS.
inline void check_page(const std::string& path, const std::string& name, const std::string& made) {
    CAPTURE(path);
    CAPTURE(name);
    std::string page = contents(path);
    const std::string begin = "<!-- " + name + ": begin -->\n";
    const std::size_t from = page.find(begin);
    REQUIRE(from != std::string::npos);
    const std::size_t first = from + begin.size();
    const std::size_t to = page.find("<!-- " + name + ": end -->", first);
    REQUIRE(to != std::string::npos);
    if (std::getenv("REHEAT_WRITE_DOCS") != nullptr)
        std::ofstream{path, std::ios::binary} << page.replace(first, to - first, made);
    else CHECK(page.substr(first, to - first) == made);
}

} // namespace support
