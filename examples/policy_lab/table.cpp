// SPDX-License-Identifier: MIT
#include "table.hpp"

#include "words.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace policy_lab {

namespace {

/// Columns on a terminal: a byte that goes on with a character takes none.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string blanks(std::size_t n) { return std::string(n, ' '); }

/// Broken at blanks, so that no line is longer than a terminal is wide.
std::string wrapped(std::string_view text, std::string_view before) {
    constexpr std::size_t most = 100;
    std::string out{before};
    std::size_t column = width(before);
    bool first = true;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix((std::min)(word.size() + 1, text.size()));
        if (!first && column + 1 + width(word) > most) {
            out += '\n' + std::string{before};
            column = width(before);
        } else if (!first) {
            out += ' ';
            ++column;
        }
        out += word;
        column += width(word);
        first = false;
    }
    return out + '\n';
}

std::string columns(const rows& lines) {
    std::vector<std::size_t> widths;
    for (const auto& line : lines) {
        widths.resize((std::max)(widths.size(), line.size()));
        for (std::size_t n = 0; n < line.size(); ++n) widths[n] = (std::max)(widths[n], width(line[n]));
    }
    std::string out;
    for (const auto& line : lines) {
        for (std::size_t n = 0; n < line.size(); ++n) {
            const std::string space = blanks(widths[n] - width(line[n]));
            out += n == 0 ? "  " + line[n] + space : "  " + space + line[n];
        }
        out += '\n';
    }
    return out;
}

} // namespace

std::string table_of(const comparison& c) {
    std::string out;
    for (const std::string& sentence : what_was_done(c)) out += wrapped(sentence, "");
    for (const section& s : sections_of(c)) {
        out += '\n' + s.title + '\n' + columns(s.lines) + wrapped(s.note, "    ");
    }
    for (const std::string& b : c.broken) out += wrapped("BROKEN " + b, "");
    return out;
}

} // namespace policy_lab
