// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/adapters/libvirt_xml.hpp>
#include <reheat/core/result.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::detail {

/// What is kept of a domain.
struct libvirt_description {
    std::string xml{};
    std::string uuid{}; ///< empty if it has never been defined
    std::string home{}; ///< the host that it runs on, or ran on; empty if it has never been made
    bool given = false; ///< by `keep`, and not used yet: what is defined now does not take its place

    friend bool operator==(const libvirt_description&, const libvirt_description&) = default;
};

/// Letters, digits, `.` and `_`; everything else as `%` and two digits.
[[nodiscard]] inline std::string file_name_of(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        const auto u = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                           (c == '.' && !out.empty());
        if (plain) out += c;
        else (out += '%').append(1, digits[u >> 4U]).append(1, digits[u & 15U]);
    }
    return out;
}
[[nodiscard]] inline std::string text_of_file_name(std::string_view name) {
    const auto digit = [](char c) {
        return static_cast<unsigned>(c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= '0' && c <= '9' ? c - '0' : 0);
    };
    std::string out;
    for (std::size_t n = 0; n < name.size(); ++n) {
        if (name[n] == '%' && n + 2 < name.size()) {
            out += static_cast<char>(digit(name[n + 1]) << 4U | digit(name[n + 2]));
            n += 2;
        } else {
            out += name[n];
        }
    }
    return out;
}

/// The descriptions of our domains, in memory and, if it has a folder, in a file each: the XML with a comment before
/// it, which `virsh define` takes. A file is replaced whole or not at all. Any thread.
class libvirt_store {
public:
    explicit libvirt_store(std::string folder) : folder_{std::move(folder)} {}

    /// Reads what an earlier run kept. A file that can not be read is an error that names it; the others are read.
    result<void> open() {
        if (folder_.empty()) return {};
        if (mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) return failed(folder_, "cannot make it");
        DIR* const dir = opendir(folder_.c_str());
        if (dir == nullptr) return failed(folder_, "cannot read it");
        std::vector<std::string> names;
        while (const dirent* const entry = readdir(dir)) names.emplace_back(entry->d_name);
        closedir(dir);
        result<void> worst;
        const std::lock_guard<std::mutex> lock{mutex_};
        for (const std::string& name : names) {
            if (!name.ends_with(".xml")) continue;
            std::optional<libvirt_description> d = read(folder_ + '/' + name);
            if (d) all_[text_of_file_name(std::string_view{name}.substr(0, name.size() - 4))] = std::move(*d);
            else worst = error{errc::syntax, folder_ + '/' + name, "this is no kept description"};
        }
        return worst;
    }

    [[nodiscard]] std::optional<libvirt_description> find(std::string_view name) const {
        const std::lock_guard<std::mutex> lock{mutex_};
        const auto at = all_.find(name);
        return at == all_.end() ? std::nullopt : std::optional{at->second};
    }
    [[nodiscard]] std::vector<std::string> names() const {
        const std::lock_guard<std::mutex> lock{mutex_};
        std::vector<std::string> out;
        for (const auto& [name, kept] : all_) out.push_back(name);
        return out;
    }
    /// What the file could not take is in memory all the same.
    result<void> put(const std::string& name, libvirt_description d) {
        const std::lock_guard<std::mutex> lock{mutex_};
        libvirt_description& place = all_[name];
        if (place == d) return {};
        place = std::move(d);
        return write(name, place);
    }
    result<void> erase(std::string_view name) {
        const std::lock_guard<std::mutex> lock{mutex_};
        const auto at = all_.find(name);
        if (at == all_.end()) return {};
        const std::string file = path(at->first);
        all_.erase(at);
        if (!folder_.empty() && unlink(file.c_str()) != 0 && errno != ENOENT) return failed(file, "cannot remove it");
        return {};
    }

private:
    static constexpr std::string_view head = "<!-- reheat 1 uuid=";

    [[nodiscard]] std::string path(std::string_view name) const { return folder_ + '/' + file_name_of(name) + ".xml"; }
    [[nodiscard]] static error failed(const std::string& where, std::string_view what) {
        return {errc::io, where, std::string{what} + ": " + std::strerror(errno)};
    }

    result<void> write(std::string_view name, const libvirt_description& d) const {
        if (folder_.empty()) return {};
        const std::string to = path(name);
        const std::string fresh = to + ".new";
        // No `--` may stand in a comment, and none does in these names.
        const std::string text = std::string{head} + file_name_of(d.uuid) + " home=" + file_name_of(d.home) +
                                 (d.given ? " given -->\n" : " -->\n") + d.xml;
        const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0) return failed(fresh, "cannot open it");
        std::string_view left = text;
        bool whole = true;
        while (whole && !left.empty()) {
            const ssize_t n = ::write(fd, left.data(), left.size());
            if (n < 0 && errno == EINTR) continue;
            whole = n > 0;
            if (whole) left.remove_prefix(static_cast<std::size_t>(n));
        }
        whole = whole && fsync(fd) == 0;
        const int why = errno;
        ::close(fd);
        errno = why;
        if (!whole || std::rename(fresh.c_str(), to.c_str()) != 0) {
            error e = failed(fresh, "cannot write it");
            unlink(fresh.c_str());
            return e;
        }
        const int dir = ::open(folder_.c_str(), O_RDONLY | O_CLOEXEC);
        const bool safe = dir >= 0 && fsync(dir) == 0;
        if (dir >= 0) ::close(dir);
        if (!safe) return error{errc::io, folder_, "cannot sync it"};
        return {};
    }

    [[nodiscard]] static std::optional<libvirt_description> read(const std::string& file) {
        constexpr std::size_t most = 16U << 20U;
        const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0) return std::nullopt;
        std::string text;
        char piece[16384];
        ssize_t n = 0;
        while ((n = ::read(fd, piece, sizeof piece)) > 0 && text.size() < most)
            text.append(piece, static_cast<std::size_t>(n));
        ::close(fd);
        const std::size_t end = text.find(" -->\n");
        if (n != 0 || !text.starts_with(head) || end == std::string::npos) return std::nullopt;
        std::string_view words = std::string_view{text}.substr(head.size(), end - head.size());
        const bool given = words.ends_with(" given");
        if (given) words.remove_suffix(6);
        const std::size_t home = words.find(" home=");
        if (home == std::string_view::npos) return std::nullopt;
        return libvirt_description{text.substr(end + 5), text_of_file_name(words.substr(0, home)),
                                   text_of_file_name(words.substr(home + 6)), given};
    }

    std::string folder_;
    mutable std::mutex mutex_;
    std::map<std::string, libvirt_description, std::less<>> all_;
};

} // namespace reheat::inline REHEAT_ABI::detail
