// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <signal.h>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace libvirt_tests {

/// A folder of its own below the system's one for temporary files, gone at the end.
class scratch_folder {
public:
    scratch_folder() {
        char name[] = "/tmp/reheat-libvirt-XXXXXX";
        if (const char* const made = mkdtemp(name)) path_ = made;
    }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;
    ~scratch_folder() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
};

/// A libvirtd of an unprivileged user, with sockets and state in a folder of its own: it touches nothing of the
/// system's. Its `test:///default` is a hypervisor that lives as long as it does.
class private_daemon {
public:
    /// Empty: it can be had here.
    [[nodiscard]] static std::string why_not() {
        return program().empty() ? "there is no libvirtd (package libvirt-daemon)" : "";
    }

    private_daemon() {
        if (geteuid() == 0) chown(folder_.path().c_str(), nobody, nobody) != 0 ? std::abort() : void();
        start();
    }
    private_daemon(const private_daemon&) = delete;
    private_daemon& operator=(const private_daemon&) = delete;
    ~private_daemon() { stop(SIGTERM); }

    void start() {
        const std::string program_path = program();
        pid_ = fork();
        if (pid_ == 0) {
            const std::string& home = folder_.path();
            for (const char* const name :
                 {"HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"})
                setenv(name, home.c_str(), 1);
            const int quiet = open("/dev/null", O_RDWR);
            for (int fd = 0; fd < 3; ++fd) dup2(quiet, fd);
            for (int fd = 3; fd < 1024; ++fd) ::close(fd);
            if (geteuid() == 0 && (setgid(nobody) != 0 || setuid(nobody) != 0)) _exit(126);
            prctl(PR_SET_PDEATHSIG, SIGKILL); // a test that crashes leaves none behind
            execl(program_path.c_str(), "libvirtd", static_cast<char*>(nullptr));
            _exit(127);
        }
        for (int n = 0; n < 600 && !answers(); ++n) std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
    void stop(int signal) {
        if (pid_ <= 0) return;
        kill(pid_, SIGCONT);
        kill(pid_, signal);
        waitpid(pid_, nullptr, 0);
        pid_ = -1;
        unlink(socket_path().c_str()); // of one that was killed
    }
    void freeze(bool on) const { kill(pid_, on ? SIGSTOP : SIGCONT); }

    [[nodiscard]] std::string socket_path() const { return folder_.path() + "/libvirt/libvirt-sock"; }
    [[nodiscard]] std::string uri() const { return uri_through(socket_path()); }
    [[nodiscard]] static std::string uri_through(const std::string& socket) {
        return "test+unix:///default?socket=" + socket;
    }
    [[nodiscard]] bool answers() const {
        const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        socket_path().copy(to.sun_path, sizeof to.sun_path - 1);
        const bool up = connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
        ::close(fd);
        return up;
    }

private:
    static constexpr unsigned nobody = 65534;

    [[nodiscard]] static std::string program() {
        for (const char* const at : {"/usr/sbin/libvirtd", "/usr/local/sbin/libvirtd", "/usr/bin/libvirtd"}) {
            if (access(at, X_OK) == 0) return at;
        }
        return {};
    }

    scratch_folder folder_;
    pid_t pid_ = -1;
};

} // namespace libvirt_tests
