// SPDX-License-Identifier: MIT
// A policy as a file that an operator can change: read, checked with the place of each mistake, given to an engine, and
// written back with every default spelled out.

#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/recovery/lint_file.hpp>
#include <reheat/recovery/policy_writer.hpp>
#include <reheat/reheat.hpp>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

namespace rh = reheat;
using namespace std::chrono_literals;

namespace {

std::string contents(const char* path) {
    std::ifstream in{path};
    return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

int main(int argc, char** argv) {
    const std::string folder = argc > 1 ? argv[1] : "examples/data";

    // What the file can not know: how long a machine boots, how slow the cloud is, how often heartbeats come.
    const auto here = rh::lint_context{.boot_time = 4min, .period = 60s, .vantages = 2}.with_latency(
        rh::operation::recreate_instance, 5min);

    // 1. A good file. The object owns the names of the fence methods, so it lives as long as the engine.
    const auto good = rh::read_policy(contents((folder + "/policy.json").c_str()), rh::nlohmann_json{});
    if (!good) {
        std::printf("policy.json: %s\n", rh::to_string(good.error()).c_str());
        return 1;
    }
    for (const rh::file_finding& f : lint(*good, here)) std::printf("policy.json: %s\n", f.text.c_str());
    rh::engine engine{good->rules()};
    std::printf("policy.json: %zu rungs, fenced by %.*s first\n", good->rules().size(),
                static_cast<int>(good->rules().fencing.methods[0].size()), good->rules().fencing.methods[0].data());

    // 2. One that is well-formed and mad: the linter says where, why, and by how much.
    const auto mad = rh::read_policy(contents((folder + "/multiplied.json").c_str()), rh::nlohmann_json{});
    if (!mad) return 1;
    bool thousand = false;
    for (const rh::file_finding& f : lint(*mad, here)) {
        std::printf("multiplied.json: %s\n", f.text.c_str());
        thousand = thousand || f.number == 1000;
    }

    // 3. One with a slip: the error has the path, and what was expected there.
    const auto slip =
        rh::read_policy(R"({"rungs": [{"operation": "reboot_instance", "verify": "12"}]})", rh::nlohmann_json{});
    if (slip) return 1;
    std::printf("a slip: %s\n", rh::to_string(slip.error()).c_str());

    // 4. And back, with every default written out.
    const std::string text = rh::to_json(good->rules(), good->bounds());
    std::printf("%zu bytes with all defaults\n", text.size());
    const auto again = rh::read_policy(text, rh::nlohmann_json{});
    return thousand && lint(*good, here).empty() && again && again->rules() == good->rules() ? 0 : 1;
}
