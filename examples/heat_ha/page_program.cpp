// SPDX-License-Identifier: MIT
#include "page_program.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace heat_ha {

namespace {

constexpr auto longest_run = std::chrono::seconds{30};

/// A file in memory with that text, read from its begin; -1 if there is none to be had.
int file_of(std::string_view text) {
    const int file = ::memfd_create("notification", MFD_CLOEXEC);
    if (file < 0) return -1;
    while (!text.empty()) {
        const ssize_t n = ::write(file, text.data(), text.size());
        if (n <= 0) break;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    if (text.empty() && ::lseek(file, 0, SEEK_SET) == 0) return file;
    ::close(file);
    return -1;
}

/// Starts a program with that file as its standard input, in a process group of its own; 0 or an error number.
int start(const std::string& program, int input, pid_t& pid) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&files, input, 0);
    // Events are on stdout; and no socket of this program may outlive it in another.
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
    sigset_t usual;
    sigset_t none;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    std::string name = program;
    const std::array<char*, 2> arguments{name.data(), nullptr};
    const int failed = ::posix_spawn(&pid, program.c_str(), &files, &attributes, arguments.data(), ::environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

} // namespace

page_program::page_program(boost::asio::io_context& context, std::string program, std::function<void()> wake)
    : context_{&context}, ends_{context}, program_{std::move(program)}, wake_{std::move(wake)} {
    if (program_.empty()) return;
    ends_.add(SIGCHLD);
    wait_for_ends();
}

void page_program::notify(const reheat::notification& n, reheat::completion done) {
    if (program_.empty()) return done(reheat::outcome::done());
    const int input = file_of(to_json(n) + '\n');
    if (input < 0) return done(reheat::outcome::failed(std::strerror(errno)));
    pid_t pid = 0;
    const int failed = start(program_, input, pid);
    ::close(input);
    if (failed != 0) return done(reheat::outcome::failed(std::strerror(failed)));
    child& c = children_.emplace_back(child{pid, std::move(done), boost::asio::steady_timer{*context_, longest_run}});
    c.limit.async_wait([pid](boost::system::error_code cancelled) {
        if (!cancelled) ::kill(-pid, SIGKILL); // it has not been waited for, so the number is still its own
    });
}

void page_program::wait_for_ends() {
    ends_.async_wait([this](boost::system::error_code cancelled, int) {
        if (cancelled) return;
        reap();
        wait_for_ends();
    });
}

void page_program::reap() {
    bool any = false;
    for (auto c = children_.begin(); c != children_.end();) {
        int status = 0;
        if (::waitpid(c->pid, &status, WNOHANG) != c->pid) {
            ++c;
            continue;
        }
        if (WIFSIGNALED(status)) c->done(reheat::outcome::unknown("killed"));
        else if (WEXITSTATUS(status) == 0) c->done(reheat::outcome::done());
        else c->done(reheat::outcome::failed("exit code " + std::to_string(WEXITSTATUS(status))));
        c = children_.erase(c);
        any = true;
    }
    if (any) wake_();
}

void page_program::stop() {
    boost::system::error_code ignored;
    ends_.cancel(ignored);
    children_.clear();
}

} // namespace heat_ha
