// SPDX-License-Identifier: MIT
// vectors FILE...: runs files of test vectors against the library. The schema of a file says which of its rules.
#include "vectors/report.hpp"

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

constexpr std::array<entry, 0> schemas{};

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
