// SPDX-License-Identifier: MIT
#include "page.hpp"

#include <reheat/core/escape.hpp>

#include "plots.hpp"
#include "words.hpp"

#include <cstddef>
#include <string_view>

namespace policy_lab {

namespace {

// Colours that people with any kind of sight can tell apart, darker on white than on black.
constexpr std::string_view style = R"(<style>
:root{color-scheme:light dark;--paper:#fff;--card:#f6f7f9;--ink:#1b1f24;--soft:#5b6470;--line:#d5dae0;
--c0:#0060b9;--c1:#c75000;--c2:#00845f;--c3:#b0408f;--c4:#8a6d00;--c5:#3a8fc4;--c6:#7a4fd0;--c7:#5f6670;
--r0:#2f8fd0;--r1:#12508a;--r2:#7fb77e;--r3:#d9a400;--r4:#c75000;--r5:#8e3b8a;--r6:#8c939c;--good:#00754f;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--paper:#14171b;--card:#1d2126;--ink:#e7eaee;--soft:#a0a9b4;--line:#363c44;
--c0:#5aaeff;--c1:#ff9248;--c2:#35cf9f;--c3:#ec86cc;--c4:#dfc04a;--c5:#9ad4f7;--c6:#b9a0ff;--c7:#b4bac2;
--r0:#63b6ef;--r1:#3f86cf;--r2:#8fcb8e;--r3:#e8bd3c;--r4:#f0813a;--r5:#cf7fca;--r6:#7f8791;--good:#4fd0a0;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1180px;padding:20px 16px 48px;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;line-height:1.2;margin:.2em 0 .4em}h2{font-size:1.15rem;margin:0 0 .2em}
p{margin:.3em 0;max-width:75ch}.soft,.soft p{color:var(--soft);font-size:.92rem}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr));gap:16px;margin:18px 0}
figure{margin:0;padding:14px 12px;background:var(--card);border:1px solid var(--line);border-radius:10px}
figcaption p{color:var(--soft);font-size:.9rem}
svg{display:block;width:100%;height:auto;margin-top:8px}
text{font:13px system-ui,sans-serif;fill:var(--ink)}.tick{font-size:12px;fill:var(--soft)}
.middle{text-anchor:middle}.end{text-anchor:end}.own{font-weight:700}.value{font-variant-numeric:tabular-nums}
.grid line.grid,line.grid{stroke:var(--line);stroke-width:1}.whisker{stroke-width:3;stroke-opacity:.5;stroke-linecap:round}
.curve{fill:none;stroke-width:2}.mine{stroke-width:4}.dashed{stroke-dasharray:7 3}
ul.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 16px;margin:8px 0 0;padding:0;font-size:.9rem}
.legend i{display:inline-block;width:22px;height:0;border-top:4px solid;margin-right:6px;vertical-align:middle}
.legend i.dash{border-top-style:dashed}.legend b.box{display:inline-block;width:13px;height:13px;border-radius:3px;margin-right:6px;vertical-align:-1px}
section{margin:28px 0}.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:8px 0;font-size:.95rem}
th,td{padding:5px 12px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:600}th:first-child,td:first-child{text-align:left;padding-left:0;position:sticky;left:0;background:var(--paper)}
.better{color:var(--good)}.worse{color:var(--bad)}.alarm{border-left:5px solid var(--bad);padding:6px 12px;background:var(--card)}
@media(max-width:520px){text{font-size:14px}.tick{font-size:13px}}
dt{font-weight:600;margin-top:.5em}dd{margin:0;color:var(--soft)}
)";

std::string escaped(std::string_view text) {
    std::string out;
    reheat::append_xml_text(out, text);
    return out;
}

/// The classes of the drawings: each colour as a fill and as a stroke.
std::string colour_classes() {
    std::string out;
    for (std::size_t n = 0; n < colours; ++n) {
        const std::string c = std::string{"c"} + std::to_string(n);
        out += ".f" + c + "{fill:var(--" + c + ")}.s" + c + "{stroke:var(--" + c + ")}.legend .b" + c +
               "{border-color:var(--" + c + ")}\n";
    }
    for (std::size_t r = 0; r < rungs.size(); ++r) {
        const std::string c = std::string{"r"} + std::to_string(r);
        out += "." + c + "{fill:var(--" + c + ");background:var(--" + c + ")}\n";
    }
    return out;
}

std::string legend_of_policies(const comparison& c) {
    std::string out = "<ul class=\"legend\">";
    for (std::size_t n = 0; n < c.standings.size(); ++n) {
        const standing& s = c.standings[n];
        const std::string dash = !s.own && n % 2 != 0 ? " dash" : "";
        out += "<li><i class=\"bc" + std::to_string(n % colours) + dash + "\"></i>" + escaped(s.name) + "</li>";
    }
    return out + "</ul>";
}

std::string legend_of_rungs() {
    std::string out = "<ul class=\"legend\">";
    for (std::size_t r = 0; r < rungs.size(); ++r)
        out += "<li><b class=\"box r" + std::to_string(r) + "\"></b>" + std::string{to_string(rungs[r])} + "</li>";
    return out + "</ul>";
}

std::string figure_of(std::string_view title, std::string_view how, const std::string& picture,
                      const std::string& legend = {}) {
    return "<figure><figcaption><h2>" + escaped(title) + "</h2><p>" + escaped(how) + "</p></figcaption>" + picture +
           legend + "</figure>\n";
}

std::string table(const section& s) {
    std::string out = "<section><h2>" + escaped(s.title) + "</h2>\n<div class=\"wide\"><table>";
    for (std::size_t n = 0; n < s.lines.size(); ++n) {
        const char* const cell = n == 0 ? "th" : "td";
        out += "<tr>";
        for (const std::string& text : s.lines[n]) {
            out += std::string{"<"} + cell;
            if (text.ends_with(" better")) out += " class=\"better\"";
            if (text.ends_with(" worse")) out += " class=\"worse\"";
            out += '>';
            out += escaped(text) + "</" + cell + '>';
        }
        out += "</tr>\n";
    }
    return out + "</table></div><p class=\"soft\">" + escaped(s.note) + "</p></section>\n";
}

} // namespace

std::string page_of(const comparison& c) {
    std::string out = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                      "<title>Recovery policies compared</title>\n" +
                      std::string{style} + colour_classes() + "</style></head>\n<body>\n" +
                      "<h1>Recovery policies compared</h1>\n<div class=\"soft\">";
    for (const std::string& sentence : what_was_done(c)) out += "<p>" + escaped(sentence) + "</p>";
    out += "</div>\n";
    for (const std::string& b : c.broken)
        out += "<p class=\"alarm\"><strong>A promise was broken.</strong> " + escaped(b) + "</p>\n";

    out += "<div class=\"grid\">\n";
    out += figure_of("Downtime", "How long a service is down in a year. Dots are means, bars the noise (95 %).",
                     dots(c, &standing::downtime, "minutes a year of a service", "Downtime by policy"));
    out += figure_of("Needless actions", "Done to what was well when the call was made.",
                     dots(c, &standing::needless, "actions a year of the fleet", "Needless actions by policy"));
    out += figure_of("Pages", "How often a human is called.",
                     dots(c, &standing::pages, "pages a year of the fleet", "Pages by policy"));
    out += figure_of("Disks lost", "Ephemeral disks that an action destroyed; volumes are kept.",
                     dots(c, &standing::disks, "disks a year of the fleet", "Ephemeral disks lost by policy"));
    out += figure_of(
        "Outages that last longer than …",
        "How many a year of the fleet. Lower is better; what lies far to the right waited for a human or a repair.",
        longer_than(c), legend_of_policies(c));
    out +=
        figure_of("What was done", "Actions by rung, in parts of all of a policy's; how many they were on the right.",
                  shares_of_rungs(c), legend_of_rungs());
    out += "</div>\n";

    for (const section& s : sections_of(c)) out += table(s);
    out += "<section><h2>The policies</h2><dl>";
    for (const standing& s : c.standings) out += "<dt>" + escaped(s.name) + "</dt><dd>" + escaped(s.what) + "</dd>";
    out += "</dl></section>\n</body></html>\n";
    return out;
}

} // namespace policy_lab
