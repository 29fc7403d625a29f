// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/core/text.hpp>
#include <reheat/core/time.hpp>
#include <reheat/sim/cloud_protocol.hpp>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mock_cloud {

/// A file that only grows, a JSON object on each line, on the disk before anybody hears of what it says. One writer.
class call_log {
public:
    using object_text = reheat::cloud_protocol::object_text;

    call_log() = default;
    call_log(const call_log&) = delete;
    call_log& operator=(const call_log&) = delete;
    ~call_log() {
        if (file_ >= 0) ::close(file_);
    }

    reheat::result<void> open(const std::string& path) {
        path_ = path;
        file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (file_ < 0) return failed("cannot be opened");
        struct stat found{};
        if (::fstat(file_, &found) != 0 || !S_ISREG(found.st_mode))
            return reheat::error{reheat::errc::io, path_, "expected a file"};
        if (::flock(file_, LOCK_EX | LOCK_NB) != 0)
            return reheat::error{reheat::errc::denied, path_, "another process writes this log"};
        return {};
    }

    /// One entry: its number, its time, its kind, and what it says. Nothing comes after an error.
    void write(reheat::time_point at, std::string_view entry, const object_text& what) {
        if (!good_) return;
        const std::string rest = what.done();
        std::string line = object_text{}
                               .number("n", ++count_)
                               .text("time", reheat::format_time(at))
                               .text("entry", entry)
                               .members(rest.size() == 2 ? std::string{} : ',' + rest.substr(1, rest.size() - 2))
                               .done() +
                           '\n';
        std::string_view left = line;
        while (good_ && !left.empty()) {
            const ssize_t n = ::write(file_, left.data(), left.size());
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) why_ = failed("cannot be written");
            else left.remove_prefix(static_cast<std::size_t>(n));
            good_ = n > 0;
        }
        if (good_ && ::fdatasync(file_) != 0) {
            why_ = failed("cannot be synced");
            good_ = false;
        }
        if (good_ && count_ == most_entries) {
            why_ = {reheat::errc::limit_exceeded, path_, "it is full"};
            good_ = false;
        }
    }

    [[nodiscard]] bool good() const noexcept { return good_; }
    [[nodiscard]] const reheat::error& why() const noexcept { return why_; }

private:
    static constexpr std::uint64_t most_entries = 10'000'000;

    [[nodiscard]] reheat::error failed(std::string_view what) const {
        const int code = errno;
        return {reheat::errc::io, path_, std::string{what} + ": " + std::strerror(code)};
    }

    std::string path_;
    int file_ = -1;
    std::uint64_t count_ = 0;
    bool good_ = true;
    reheat::error why_{};
};

} // namespace mock_cloud
