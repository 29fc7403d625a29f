// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json.hpp>

#include <cmath>
#include <iostream>
#include <string>
#include <string_view>

namespace vectors {

using nlohmann::json;

/// Counts what the rows of vector files came to, and prints each failure with its input, the expected and the got.
class report {
public:
    /// From here on ids are those of this file.
    void begin(std::string file) { file_ = std::move(file); }

    void check(std::string_view id, bool good, const json& input, const json& expected, const json& got) {
        if (good) {
            ++passed_;
            return;
        }
        ++failed_;
        std::cout << "FAILED " << file_ << ' ' << id << "\n  input    " << input.dump() << "\n  expected "
                  << expected.dump() << "\n  got      " << got.dump() << '\n';
    }
    void equal(std::string_view id, const json& input, const json& expected, const json& got) {
        check(id, expected == got, input, expected, got);
    }
    void close(std::string_view id, const json& input, double expected, double got, double tolerance) {
        check(id, std::abs(expected - got) <= tolerance, input, expected, got);
    }
    /// A row that states something that no function of the library computes: a note, a constant of somebody else.
    void not_executable(std::string_view id, std::string_view why) { other("not executable", id, why, not_executable_); }
    /// A row that asks for a request handler that is not there yet.
    void later(std::string_view id, std::string_view why) { other("later", id, why, later_); }
    /// A row of a shape that this program does not know: it could not be checked, so it failed.
    void unknown_shape(std::string_view id, const json& row) {
        check(id, false, row, "a row of a known shape", "not understood");
    }

    [[nodiscard]] bool good() const { return failed_ == 0; }
    void print_total() const {
        std::cout << not_executable_ << " not executable, " << later_ << " later\n"
                  << passed_ << " passed, " << failed_ << " failed\n";
    }

private:
    void other(std::string_view kind, std::string_view id, std::string_view why, unsigned& count) {
        ++count;
        std::cout << kind << ": " << file_ << ' ' << id << " (" << why << ")\n";
    }

    std::string file_;
    unsigned passed_ = 0;
    unsigned failed_ = 0;
    unsigned not_executable_ = 0;
    unsigned later_ = 0;
};

} // namespace vectors
