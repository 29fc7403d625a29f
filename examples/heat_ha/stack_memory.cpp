// SPDX-License-Identifier: MIT
#include "stack_memory.hpp"

#include <reheat/adapters/nlohmann_json.hpp>
#include <reheat/core/escape.hpp>
#include <reheat/core/json_path.hpp>

#include "../common/read_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <initializer_list>
#include <random>
#include <sys/stat.h>
#include <unistd.h>

namespace heat_ha {

namespace {

using reheat::errc;
using reheat::error;
using reheat::json_path;
using reheat::node;

constexpr reheat::read_limits bounds{.bytes = std::size_t{64} << 20U, .depth = 4, .nodes = 1'000'000};

/// So many random bytes in hexadecimal: a key must not be guessed.
std::string random_hex(std::size_t bytes) {
    std::random_device source;
    std::string out;
    for (std::size_t i = 0; i < 2 * bytes; ++i) out += "0123456789abcdef"[source() & 0xFU];
    return out;
}

/// The texts of those members, in their order; an error if one is missing or no text.
reheat::result<std::vector<std::string>> texts(const node& from, const json_path& at,
                                               std::initializer_list<std::string_view> names) {
    std::vector<std::string> out;
    for (const std::string_view name : names) {
        const node* const value = from.find(name);
        if (value == nullptr || !value->is_string()) return at.member(name).error(errc::syntax, "expected text");
        out.push_back(value->text());
    }
    return out;
}

error failed(const std::string& path, const char* what) {
    const int code = errno;
    return {errc::io, path, std::string{what} + ": " + std::strerror(code)};
}

/// A file that is closed.
class owned_file {
public:
    owned_file(const std::string& path, int flags) : fd_{::open(path.c_str(), flags | O_CLOEXEC, 0600)} {}
    owned_file(const owned_file&) = delete;
    owned_file& operator=(const owned_file&) = delete;
    ~owned_file() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] bool good() const noexcept { return fd_ >= 0; }
    bool sync() const noexcept { return ::fsync(fd_) == 0; }
    bool write(std::string_view text) const noexcept {
        while (!text.empty()) {
            const ssize_t n = ::write(fd_, text.data(), text.size());
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return false;
            text.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }

private:
    int fd_;
};

} // namespace

reheat::result<stack_memory> stack_memory::read(std::string path, std::string_view stack) {
    stack_memory out;
    out.path_ = std::move(path);
    out.stack_ = stack;
    struct stat found{};
    if (out.path_.empty() || (::stat(out.path_.c_str(), &found) != 0 && errno == ENOENT)) return out;
    const auto file = common::read_file(out.path_, bounds.bytes);
    if (!file) return common::located(out.path_, file.error());
    const auto json = reheat::nlohmann_json{}.read(*file, bounds);
    if (!json) return common::located(out.path_, json.error());
    const json_path root;
    const auto head = texts(*json, root, {"stack", "id"});
    if (!head) return common::located(out.path_, head.error());
    if ((*head)[0] != stack)
        return common::located(
            out.path_,
            root.member("stack").error(errc::denied, "it is of the stack " + reheat::detail::in_quotes((*head)[0])));
    out.id_ = (*head)[1];
    std::size_t n = 0;
    if (const node* const keys = json->find("keys"); keys != nullptr) {
        const json_path at = root.member("keys");
        for (const node& k : keys->items()) {
            auto read = texts(k, at.item(n++), {"resource", "id", "secret"});
            if (!read) return common::located(out.path_, read.error());
            out.keys_.push_back({(*read)[0], {(*read)[1], (*read)[2]}});
        }
    }
    if (const node* const signals = json->find("signals"); signals != nullptr) {
        const json_path at = root.member("signals");
        n = 0;
        for (const node& s : signals->items()) {
            auto read = texts(s, at.item(n++), {"handle", "status", "reason", "unique_id", "data"});
            if (!read) return common::located(out.path_, read.error());
            out.signals_.push_back({(*read)[0], {(*read)[1] == "SUCCESS", (*read)[2], (*read)[3], (*read)[4]}});
        }
    }
    return out;
}

reheat::result<void> stack_memory::begin() {
    begun_ = true;
    return write();
}

reheat::access_key stack_memory::key(std::string_view resource) {
    for (const remembered_key& k : keys_) {
        if (k.resource == resource) return k.pair;
    }
    keys_.push_back({std::string{resource}, {random_hex(10), random_hex(20)}});
    return keys_.back().pair;
}

reheat::result<void> stack_memory::note(std::string_view handle, const reheat::guest::wait_signal& what) {
    const auto same = [&](const remembered_signal& s) {
        return s.handle == handle && s.what.unique_id == what.unique_id;
    };
    const auto known = std::find_if(signals_.begin(), signals_.end(), same);
    if (known == signals_.end()) signals_.push_back({std::string{handle}, what});
    else if (known->what == what) return {};
    else known->what = what;
    return write();
}

std::string stack_memory::text() const {
    const auto all = [](std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
        std::string out;
        for (const auto& [name, value] : members) {
            out += out.empty() ? '{' : ',';
            reheat::append_json_string(out, name);
            out += ':';
            reheat::append_json_string(out, value);
        }
        return out + '}';
    };
    std::string out = R"({"stack":)";
    reheat::append_json_string(out, stack_);
    out += R"(,"id":)";
    reheat::append_json_string(out, id_);
    out += R"(,"keys":[)";
    const char* before = "\n";
    for (const remembered_key& k : keys_) {
        out += std::exchange(before, ",\n");
        out += all({{"resource", k.resource}, {"id", k.pair.id}, {"secret", k.pair.secret}});
    }
    out += R"(],"signals":[)";
    before = "\n";
    for (const remembered_signal& s : signals_) {
        out += std::exchange(before, ",\n");
        out += all({{"handle", s.handle},
                    {"status", s.what.success ? "SUCCESS" : "FAILURE"},
                    {"reason", s.what.reason},
                    {"unique_id", s.what.unique_id},
                    {"data", s.what.data}});
    }
    return out + "]}\n";
}

reheat::result<void> stack_memory::write() {
    if (path_.empty() || !begun_) return {};
    const std::string fresh = path_ + ".new";
    {
        const owned_file file{fresh, O_WRONLY | O_CREAT | O_TRUNC};
        if (!file.good()) return failed(fresh, "cannot be opened");
        if (!file.write(text()) || !file.sync()) return failed(fresh, "cannot be written");
    }
    if (::rename(fresh.c_str(), path_.c_str()) != 0) return failed(path_, "cannot be replaced");
    const std::size_t slash = path_.find_last_of('/');
    const owned_file folder{slash == std::string::npos ? "." : path_.substr(0, slash + 1), O_RDONLY | O_DIRECTORY};
    if (!folder.good() || !folder.sync()) return failed(path_, "its folder cannot be synced");
    return {};
}

} // namespace heat_ha
