// SPDX-License-Identifier: MIT
#include "plots.hpp"

#include <reheat/core/escape.hpp>

#include "words.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <vector>

namespace policy_lab {

namespace {

constexpr double width = 420;
constexpr double names = 150; ///< for the policies' names, on the left
constexpr double right = 416;
constexpr double numbers = 50; ///< for those on the right

/// The text of an SVG element, part by part.
class drawing {
public:
    drawing(double height, std::string_view title) {
        text_ = "<svg viewBox=\"0 0 " + at(width) + ' ' + at(height) + "\" role=\"img\" aria-label=\"";
        reheat::append_xml_text(text_, title);
        text_ += "\">";
    }
    void line(double x1, double y1, double x2, double y2, std::string_view style) {
        text_ += "<line x1=\"" + at(x1) + "\" y1=\"" + at(y1) + "\" x2=\"" + at(x2) + "\" y2=\"" + at(y2) +
                 "\" class=\"" + std::string{style} + "\"/>";
    }
    void circle(double x, double y, double r, std::string_view style) {
        text_ += "<circle cx=\"" + at(x) + "\" cy=\"" + at(y) + "\" r=\"" + at(r) + "\" class=\"" + std::string{style} +
                 "\"/>";
    }
    void box(double x, double y, double w, double h, std::string_view style, std::string_view hint) {
        text_ += "<rect x=\"" + at(x) + "\" y=\"" + at(y) + "\" width=\"" + at(w) + "\" height=\"" + at(h) +
                 "\" class=\"" + std::string{style} + "\"><title>";
        reheat::append_xml_text(text_, hint);
        text_ += "</title></rect>";
    }
    void words(double x, double y, std::string_view what, std::string_view style) {
        text_ += "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\" class=\"" + std::string{style} + "\">";
        reheat::append_xml_text(text_, what);
        text_ += "</text>";
    }
    void path(const std::string& d, std::string_view style) {
        text_ += "<path d=\"" + d + "\" class=\"" + std::string{style} + "\"/>";
    }
    [[nodiscard]] std::string done() && { return std::move(text_) + "</svg>\n"; }

    [[nodiscard]] static std::string at(double n) {
        std::array<char, 32> text{};
        std::snprintf(text.data(), text.size(), "%.1f", n);
        return text.data();
    }

private:
    std::string text_;
};

/// A logarithmic axis.
struct scale {
    double least = 1;
    double most = 10;
    double from = 0;
    double to = 1;

    [[nodiscard]] double operator()(double v) const noexcept {
        const double part = std::log(std::clamp(v, least, most) / least) / std::log(most / least);
        return from + part * (to - from);
    }
};

/// Whole decades around what there is.
scale around(double least, double most, double from, double to) {
    scale s{1, 10, from, to};
    if (!(most > 0)) return s;
    s.least = std::pow(10, std::floor(std::log10(least)));
    s.most = std::pow(10, std::ceil(std::log10(most)));
    if (s.most <= s.least) s.most = s.least * 10;
    return s;
}

std::string colour(std::size_t n) { return std::string{"c"} + std::to_string(n % colours); }

std::string decade(double v) {
    std::string text = number(v);
    if (text.find(".0") + 2 == text.size()) text.resize(text.size() - 2);
    return text;
}

std::string shortened(const std::string& name) {
    constexpr std::size_t most = 18;
    if (name.size() <= most) return name;
    std::size_t end = most - 1;
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;
    return name.substr(0, end) + "…";
}

} // namespace

std::string dots(const comparison& c, figure standing::* what, std::string_view axis, std::string_view title) {
    constexpr double row = 26;
    double least = HUGE_VAL;
    double most = 0;
    for (const standing& s : c.standings) {
        const estimate& e = (s.*what).all;
        const double high = std::isfinite(e.noise) ? e.high() : e.mean;
        if (e.mean > 0) least = (std::min)(least, e.low() > e.mean / 10 && e.low() > 0 ? e.low() : e.mean / 10);
        most = (std::max)(most, high);
    }
    const double bottom = 10 + row * static_cast<double>(c.standings.size());
    const scale x = around(least, most, names, right - numbers);
    drawing d{bottom + 42, title};
    for (double v = x.least; v <= x.most * 1.01; v *= 10) {
        d.line(x(v), 6, x(v), bottom, "grid");
        d.words(x(v), bottom + 16, decade(v), "tick middle");
    }
    d.words((names + right - numbers) / 2, bottom + 35, axis, "tick middle");
    for (std::size_t n = 0; n < c.standings.size(); ++n) {
        const standing& s = c.standings[n];
        const estimate& e = (s.*what).all;
        const double y = 10 + row * (static_cast<double>(n) + 0.5);
        d.words(names - 12, y + 5, shortened(s.name), s.own ? "name own end" : "name end");
        if (e.mean > 0) {
            if (std::isfinite(e.noise)) d.line(x(e.low()), y, x(e.high()), y, "whisker s" + colour(n));
            d.circle(x(e.mean), y, 5.5, std::string{"f"} + colour(n));
        }
        d.words(right, y + 5, number(e.mean), "value end");
    }
    return std::move(d).done();
}

std::string longer_than(const comparison& c) {
    constexpr double left = 48;
    constexpr double top = 10;
    constexpr double bottom = 250;
    struct mark {
        double at;
        std::string_view text;
    };
    constexpr std::array marks{mark{10, "10 s"},  mark{60, "1 min"},  mark{600, "10 min"},
                               mark{3600, "1 h"}, mark{21600, "6 h"}, mark{86400, "1 d"}};
    double most = 0;
    for (const standing& s : c.standings) most = (std::max)(most, static_cast<double>(s.outages.size()) / c.years);
    const scale x{10, 86400 * 2, left, right};
    const scale y = around(1 / c.years, most, bottom, top);
    drawing d{bottom + 42, "Outages a year that last longer than a time"};
    for (const mark& m : marks) {
        d.line(x(m.at), top, x(m.at), bottom, "grid");
        d.words(x(m.at), bottom + 16, m.text, "tick middle");
    }
    for (double v = y.least; v <= y.most * 1.01; v *= 10) {
        d.line(left, y(v), right, y(v), "grid");
        d.words(left - 6, y(v) + 4, decade(v), "tick end");
    }
    d.words((left + right) / 2, bottom + 35, "longer than", "tick middle");
    for (std::size_t n = 0; n < c.standings.size(); ++n) {
        const std::vector<double>& all = c.standings[n].outages;
        if (all.empty()) continue;
        const double count = static_cast<double>(all.size());
        std::string path = std::string{"M"} + drawing::at(left) + ' ' + drawing::at(y(count / c.years));
        double last = 0;
        // Half a pixel is fine enough; a fleet's year may have a hundred thousand of them.
        for (std::size_t k = 0; k < all.size(); ++k) {
            const double px = x(all[k]);
            const bool end = k + 1 == all.size();
            if (!end && px - last < 0.5) continue;
            path += 'H';
            path += drawing::at(px);
            path += 'V';
            path += (end ? drawing::at(bottom) : drawing::at(y((count - static_cast<double>(k) - 1) / c.years)));
            last = px;
        }
        d.path(path, "curve s" + colour(n) + (c.standings[n].own ? " mine" : n % 2 == 0 ? "" : " dashed"));
    }
    return std::move(d).done();
}

std::string shares_of_rungs(const comparison& c) {
    constexpr double row = 26;
    const double bottom = 10 + row * static_cast<double>(c.standings.size());
    drawing d{bottom + 22, "Actions by rung, in parts of all"};
    for (std::size_t n = 0; n < c.standings.size(); ++n) {
        const standing& s = c.standings[n];
        const double y = 10 + row * static_cast<double>(n);
        double all = 0;
        for (const reheat::operation rung : rungs) all += s.calls[static_cast<std::size_t>(rung)];
        d.words(names - 12, y + row / 2 + 5, shortened(s.name), s.own ? "name own end" : "name end");
        double from = names;
        for (std::size_t r = 0; r < rungs.size() && all > 0; ++r) {
            const double calls = s.calls[static_cast<std::size_t>(rungs[r])];
            const double wide = calls / all * (right - numbers - names);
            if (wide > 0)
                d.box(from, y + 4, wide, row - 8, std::string{"r"} + std::to_string(r),
                      std::string{to_string(rungs[r])} + ": " + number(calls) + " a year");
            from += wide;
        }
        d.words(right, y + row / 2 + 5, number(all), "value end");
    }
    d.words(right, bottom + 15, "actions a year", "tick end");
    return std::move(d).done();
}

} // namespace policy_lab
