// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/time.hpp>

#include "report.hpp"

#include <chrono>
#include <cstddef>
#include <exception>
#include <initializer_list>
#include <string>
#include <string_view>

namespace vectors {

/// Calls `check(id, row)` for each row of a list of the file; a row that `check` can not read has an unknown shape.
template <class Check>
void each_row(const json& file, const std::string& list, report& r, Check check) {
    if (!file.contains(list)) return;
    const json& rows = file[list];
    if (!rows.is_array()) return r.unknown_shape(list, rows);
    for (std::size_t n = 0; n < rows.size(); ++n) {
        const json& row = rows[n];
        std::string id = list + ' ' + std::to_string(n);
        try {
            for (const char* key : {"id", "name"}) {
                if (row.is_object() && row.contains(key)) id = list + ' ' + row[key].get<std::string>();
            }
            check(id, row);
        } catch (const std::exception&) {
            r.unknown_shape(id, row);
        }
    }
}

/// Calls `check(id, key, value)` for each member of an object of the file.
template <class Check>
void each_member(const json& file, const std::string& object, report& r, Check check) {
    if (!file.contains(object)) return;
    if (!file[object].is_object()) return r.unknown_shape(object, file[object]);
    for (const auto& [key, value] : file[object].items()) {
        const std::string id = object + ' ' + key;
        try {
            check(id, key, value);
        } catch (const std::exception&) {
            r.unknown_shape(id, value);
        }
    }
}

/// Whether a row has no key but the known ones, and those that say where it is from.
inline bool has_only(const json& row, std::initializer_list<std::string_view> known) {
    for (const auto& [key, value] : row.items()) {
        bool found = key == "id" || key == "source" || key == "note";
        for (const std::string_view k : known) found = found || k == key;
        if (!found) return false;
    }
    return true;
}

inline reheat::duration seconds(const json& number) {
    return std::chrono::round<reheat::duration>(std::chrono::duration<double>{number.get<double>()});
}

} // namespace vectors
