// SPDX-License-Identifier: MIT
// Policy files, from any text and from a good file with values replaced: an error names a place and what was expected
// there; what is read is linted, written and read again as the same.
#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/recovery/ladder.hpp>
#include <reheat/recovery/lint_file.hpp>
#include <reheat/recovery/policy_writer.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rh = reheat;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

/// Takes numbers and text from the fuzzer's bytes; when they are used up there are only zeros.
class byte_source {
public:
    byte_source(const std::uint8_t* data, std::size_t size) noexcept : data_{data}, left_{size} {}

    std::size_t number() noexcept {
        if (left_ == 0) return 0;
        --left_;
        return *data_++;
    }
    std::string text() {
        std::string out;
        for (std::size_t n = number() % 32; n > 0 && left_ > 0; --n) out += static_cast<char>(number());
        return out;
    }
    [[nodiscard]] bool empty() const noexcept { return left_ == 0; }

private:
    const std::uint8_t* data_;
    std::size_t left_;
};

rh::node* nth(rh::node& value, std::size_t& n) {
    if (n-- == 0) return &value;
    for (rh::node& item : value.items()) {
        if (rh::node* const found = nth(item, n); found != nullptr) return found;
    }
    for (rh::node::member& m : value.members()) {
        if (rh::node* const found = nth(m.second, n); found != nullptr) return found;
    }
    return nullptr;
}

rh::node value_from(byte_source& bytes) {
    switch (bytes.number() % 7) {
    case 0: return rh::node::number(std::to_string(bytes.number() * bytes.number() * bytes.number()));
    case 1: return rh::node::number(bytes.text());
    case 2: return rh::node::string(std::to_string(bytes.number()) + "d");
    case 3: return rh::node::string(std::to_string(bytes.number()) + "s");
    case 4: return rh::node::string(bytes.text());
    case 5: return rh::node::object({{bytes.text(), rh::node::boolean(true)}});
    default: return rh::node::array(std::vector<rh::node>(bytes.number() % 10));
    }
}

void check(const rh::result<rh::policy_file>& file) {
    if (!file) {
        require(file.error().where.starts_with("$"));
        require(!file.error().message.empty() && file.error().message.size() < 400);
        return;
    }
    const std::string text = rh::to_json(file->rules(), file->bounds());
    const auto again = rh::read_policy(text, rh::nlohmann_json{});
    require(again && again->rules() == file->rules() && again->bounds() == file->bounds());
    for (const rh::file_finding& f : lint(*file, {.boot_time = std::chrono::minutes{5},
                                                  .period = std::chrono::minutes{1},
                                                  .poll = std::chrono::seconds{10},
                                                  .vantages = 1,
                                                  .targets = 3})) {
        require(f.number >= 0 && f.text.starts_with(f.path) && f.text.size() > f.path.size() + 10);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size != 0 && *data == '{') {
        const auto parsed = rh::nlohmann_json{}.read({reinterpret_cast<const char*>(data), size});
        if (parsed) check(rh::read_policy(*parsed));
        return 0;
    }
    static const rh::node good = [] {
        rh::policy p = rh::three_levels.lowered();
        p.fencing.methods = {"ipmi", "pdu"};
        return rh::to_node(p, {});
    }();
    rh::node file = good;
    byte_source bytes{data, size};
    for (int changes = 0; changes < 4 && !bytes.empty(); ++changes) {
        std::size_t n = bytes.number();
        if (rh::node* const place = nth(file, n); place != nullptr) *place = value_from(bytes);
    }
    check(rh::read_policy(file));
    return 0;
}
