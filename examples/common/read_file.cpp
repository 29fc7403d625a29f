// SPDX-License-Identifier: MIT
#include "read_file.hpp"

#include <array>
#include <cstdio>
#include <memory>

namespace common {

reheat::result<std::string> read_file(const std::string& path, std::size_t most) {
    const auto close = [](std::FILE* f) { std::fclose(f); };
    const std::unique_ptr<std::FILE, decltype(close)> file{std::fopen(path.c_str(), "rb"), close};
    if (!file) return reheat::error{reheat::errc::io, {}, "cannot be opened"};
    std::string text;
    std::array<char, 4096> part{};
    while (const std::size_t n = std::fread(part.data(), 1, part.size(), file.get())) {
        text.append(part.data(), n);
        if (text.size() > most) break; // the reader says so
    }
    if (std::ferror(file.get()) != 0) return reheat::error{reheat::errc::io, {}, "cannot be read"};
    return text;
}

} // namespace common
