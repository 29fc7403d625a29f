// SPDX-License-Identifier: MIT
// look PORT NAME: asks the driver what a machine is.
#include "driver.hpp"

#include <cstdio>
#include <cstdlib>

int main(int count, char** words) {
    if (count < 3) return 2;
    const small_cloud cloud{"127.0.0.1", static_cast<std::uint16_t>(std::atoi(words[1])), "tutorial-token"};
    rh::request r;
    r.instance = words[2];
    const rh::outcome answer = cloud.describe(r);
    std::printf("%s: %s %s\n", words[2], to_string(answer.code).data(), answer.reason.c_str());
    if (answer.seen.exists == true)
        std::printf("%s runs on %s\n", answer.seen.cloud_id.c_str(), answer.seen.host.c_str());
    else std::puts("it does not exist");
}
