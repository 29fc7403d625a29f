// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/metric/distribution.hpp>
#include <reheat/metric/extended_statistic.hpp>
#include <reheat/metric/low_sample.hpp>

#include "rows.hpp"

#include <cmath>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

namespace vectors {

namespace statistics {

namespace rh = reheat;

using policy = rh::extended_statistic<rh::retained_values<4096>>;

inline std::vector<double> numbers_in(const std::string& text) {
    static const std::regex number{R"([-+]?\d+(\.\d+)?([eE][-+]?\d+)?)"};
    std::vector<double> all;
    for (std::sregex_iterator at{text.begin(), text.end(), number}; at != std::sregex_iterator{}; ++at)
        all.push_back(std::stod(at->str()));
    return all;
}

inline std::vector<double> bracketed(const std::string& text, const std::string& word) {
    const std::size_t from = text.find(word);
    const std::size_t open = from == std::string::npos ? from : text.find('[', from);
    const std::size_t close = open == std::string::npos ? open : text.find(']', open);
    if (close == std::string::npos) return {};
    return numbers_in(text.substr(open + 1, close - open - 1));
}

/// One part of a phrase as `1..100`, `value 11`, `Values [1,10] Counts [2,4]` or `StatisticSet(count 3,sum 6,max 4,min
/// 1)`.
inline void add_part(policy::accumulator& a, const std::string& part) {
    static const std::regex range{R"(\s*(-?\d+)\.\.(-?\d+)\s*)"};
    std::smatch found;
    if (std::regex_match(part, found, range)) {
        for (long n = std::stol(found[1]); n <= std::stol(found[2]); ++n) policy::add(a, static_cast<double>(n));
    } else if (part.find("StatisticSet") != std::string::npos) {
        const auto member = [&part](const std::string& name) {
            const std::regex of{"\\b" + name + R"([a-z]*\s*[=:]?\s*([-+]?\d+(\.\d+)?))", std::regex::icase};
            std::smatch m;
            if (!std::regex_search(part, m, of)) throw std::runtime_error{"no " + name};
            return std::stod(m[1]);
        };
        policy::add_set(a, {member("count"), member("sum"), member("min"), member("max")});
    } else if (const auto values = bracketed(part, "Values"); !values.empty()) {
        const auto counts = bracketed(part, "Counts");
        for (std::size_t n = 0; n < values.size(); ++n)
            policy::add(a, values[n], n < counts.size() ? static_cast<std::uint64_t>(counts[n]) : 1);
    } else {
        const auto plain = numbers_in(part);
        if (plain.empty()) throw std::runtime_error{"no values"};
        for (const double v : plain) policy::add(a, v);
    }
}

inline policy::accumulator read(const json& values) {
    policy::accumulator a{};
    if (values.is_array()) {
        for (const json& v : values) policy::add(a, v.get<double>());
        return a;
    }
    const std::string text = values.get<std::string>();
    for (std::size_t from = 0; from <= text.size();) {
        const std::size_t plus = std::min(
            text.find(" + ", from) == std::string::npos ? text.find("+", from) : text.find(" + ", from), text.size());
        add_part(a, text.substr(from, plus - from));
        from = text.find_first_not_of("+ ", plus);
        if (from == std::string::npos) break;
    }
    return a;
}

inline void check_names(const json& file, report& r) {
    const std::regex pattern{file.at("name_pattern").get<std::string>()};
    each_row(file, "names", r, [&](const std::string& id, const json& row) {
        const std::string name = row.at("name").get<std::string>();
        const auto spec = rh::parse_statistic(name);
        r.equal(id, row, row.value("expected", row.value("aws_pattern", true)), spec.has_value());
        if (spec) {
            const auto again = rh::parse_statistic(to_string(*spec));
            r.check(id + " again", again && *again == *spec, row, name, to_string(*spec));
        }
        // The same answer as the pattern on everything that is one letter away.
        for (std::size_t n = 0; n <= name.size(); ++n) {
            for (const char c : std::string{"0159.%:()pTMe -"}) {
                for (const std::size_t cut : {0U, 1U}) {
                    std::string other = name;
                    other.replace(n, std::min(cut, name.size() - n), 1, c);
                    const auto got = rh::parse_statistic(other);
                    if (!got && got.error().code == rh::errc::unsupported) continue;
                    if (std::regex_match(other, pattern) == got.has_value()) continue;
                    r.equal(id + " as " + other, other, std::regex_match(other, pattern), got.has_value());
                }
            }
        }
    });
}

} // namespace statistics

inline void run_statistics(const json& file, report& r) {
    namespace rh = reheat;
    using statistics::policy;
    if (file.contains("names")) statistics::check_names(file, r);
    each_row(file, "cases", r, [&r](const std::string& index, const json& row) {
        const std::string name = row.at("stat").get<std::string>();
        const std::string id = index + ' ' + name;
        const auto spec = rh::parse_statistic(name);
        if (!spec) return r.equal(id, row, "a statistic", to_string(spec.error()));
        const policy s{*spec};
        const policy::accumulator a = statistics::read(row.at("values"));
        const json got = policy::count(a) != 0 && s.available(a) ? json(s.value(a)) : json();
        if (row.at("expected").is_number() && got.is_number())
            r.close(id, row, row["expected"].get<double>(), got.get<double>(),
                    1e-9 * (1 + std::abs(got.get<double>())));
        else r.equal(id, row, row["expected"], got);
    });
    if (file.contains("low_sample")) {
        each_row(file["low_sample"], "cases", r, [&r](const std::string& id, const json& row) {
            const std::string number = row.at("percentile").dump();
            const auto spec =
                rh::parse_statistic("p" + (number.ends_with(".0") ? number.substr(0, number.size() - 2) : number));
            if (!spec) return r.unknown_shape(id, row);
            const auto needed = static_cast<double>(rh::enough_samples(*spec));
            const double expected = row.contains("int_ceiling") ? row["int_ceiling"].get<double>()
                                                                : std::ceil(row.at("min_samples").get<double>());
            r.close("low sample " + id, row, expected, needed, 0);
        });
        r.not_executable("low_sample rule", "a sentence");
    }
    for (const json& rule : file.value("raw_data_rules", json::array())) {
        const policy p50{*rh::parse_statistic("p50")};
        const std::string text = rule.get<std::string>();
        policy::accumulator a{};
        if (text.find("negative") != std::string::npos) {
            policy::add(a, -1);
            r.equal("raw_data_rules negative", rule, false, p50.available(a));
        } else if (text.find("StatisticSet") != std::string::npos) {
            policy::add_set(a, {1, 7, 7, 7});
            policy::add_set(a, {3, 6, 2, 2});
            r.equal("raw_data_rules one value", rule, true, p50.available(a));
            policy::add_set(a, {3, 7, 2, 3});
            r.equal("raw_data_rules several", rule, false, p50.available(a));
        } else {
            r.not_executable("raw_data_rules", text);
        }
    }
    each_member(file, "seh1", r, [&r](const std::string& id, const std::string& key, const json& value) {
        const rh::sketch<64> one{};
        if (key == "max_relative_error") {
            r.close(id, value, value.get<double>(), one.relative_error(), 1e-6);
        } else if (key == "bucket") {
            bool good = true;
            for (double v = 1e-6; v < 1e6; v *= 1.0371)
                good = good && rh::sketch<64>::key_of(v) == static_cast<int>(std::floor(std::log(v) / std::log(1.1)));
            r.equal(id, value, true, good);
        } else if (key == "representative") {
            rh::sketch<64> s{};
            s.add(7, 1);
            s.visit([&](double v, std::uint64_t) {
                r.close(id, value, std::exp((rh::sketch<64>::key_of(7) + 0.5) * std::log(1.1)), v, 1e-9);
            });
        } else if (key == "rejects") {
            bool refused = true;
            for (const double v : {-1.0, std::nan(""), HUGE_VAL}) {
                rh::sketch<64> s{};
                s.add(v, 1);
                refused = refused && !s.usable();
            }
            r.equal(id, value, true, refused);
        } else {
            r.not_executable(id, "a constant of another implementation, or a source");
        }
    });
}

} // namespace vectors
