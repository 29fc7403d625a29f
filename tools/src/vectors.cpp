// SPDX-License-Identifier: MIT
// vectors FILE...: runs files of test vectors against the library. The schema of a file says which of its rules.
#include "vectors/alarm_api.hpp"
#include "vectors/aodh.hpp"
#include "vectors/composite.hpp"
#include "vectors/detectors.hpp"
#include "vectors/heat.hpp"
#include "vectors/missing_data.hpp"
#include "vectors/prometheus.hpp"
#include "vectors/put_metric_data.hpp"
#include "vectors/report.hpp"
#include "vectors/statistics.hpp"

#include <array>
#include <fstream>
#include <string_view>

namespace {

using vectors::json;
using vectors::report;

struct entry {
    std::string_view schema;
    void (*run)(const json&, report&);
};

constexpr std::array schemas{
    entry{"reheat.alarm.missing_data/1", vectors::run_missing_data},
    entry{"reheat.alarm.missing_data_exhaustive/1", vectors::run_missing_data_exhaustive},
    entry{"reheat.alarm.composite/1", vectors::run_composite},
    entry{"reheat.alarm.suppressor/1", vectors::run_suppressor},
    entry{"reheat.alarm.api/1", vectors::run_alarm_api},
    entry{"reheat.alarm.heat/1", vectors::run_heat},
    entry{"reheat.alarm.aodh/1", vectors::run_aodh},
    entry{"reheat.alarm.prometheus/1", vectors::run_prometheus},
    entry{"reheat.metric.stats/1", vectors::run_statistics},
    entry{"reheat.metric.put/1", vectors::run_put_metric_data},
    entry{"reheat.flap/1", vectors::run_flapping},
    entry{"reheat.detector/1", vectors::run_detectors},
};

bool run_file(const char* path, report& all) {
    std::ifstream in{path};
    if (!in) {
        std::cerr << path << ": cannot be opened\n";
        return false;
    }
    const json file = json::parse(in, nullptr, false);
    if (!file.is_object() || !file.contains("schema") || !file["schema"].is_string()) {
        std::cerr << path << ": expected a JSON object with a schema\n";
        return false;
    }
    const std::string& schema = file["schema"].get_ref<const std::string&>();
    for (const entry& known : schemas) {
        if (known.schema != schema) continue;
        std::string_view name{path};
        all.begin(std::string{name.substr(name.find_last_of('/') + 1)});
        known.run(file, all);
        return true;
    }
    std::cerr << path << ": unknown schema " << schema << '\n';
    return false;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::cerr << "usage: vectors FILE...\n";
        return 2;
    }
    report all;
    bool read = true;
    for (int i = 1; i < argc; ++i) read &= run_file(argv[i], all);
    all.print_total();
    return !read ? 2 : all.good() ? 0 : 1;
}
