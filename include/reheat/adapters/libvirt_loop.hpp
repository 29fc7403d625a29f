// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/adapters/libvirt_handles.hpp>
#include <reheat/config.hpp>

#include <atomic>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <mutex>
#include <signal.h>
#include <thread>

namespace reheat::inline REHEAT_ABI::detail {

/// Keeps this thread from being the one that a signal of the program is handled in, or that a daemon which went away
/// ends by SIGPIPE.
inline void leave_signals_to_others() {
    sigset_t all;
    sigfillset(&all);
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) sigdelset(&all, own);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

/// The thread that runs libvirt's default event loop, of which a process has one: without it there are no events, and a
/// connection that broke is not noticed. It runs as long as somebody has joined. Any thread.
class libvirt_loop {
public:
    /// Never destroyed: a driver may be a static object that ends later than this would.
    [[nodiscard]] static libvirt_loop& of_process() {
        static libvirt_loop* const one = new libvirt_loop;
        return *one;
    }

    bool join() {
        const std::lock_guard<std::mutex> lock{mutex_};
        if (users_ == 0) {
            virSetErrorFunc(nullptr, ignore_libvirt_error); // it would print every error
            if (timer_ < 0) {
                if (virEventRegisterDefaultImpl() != 0) return false;
                timer_ = virEventAddTimeout(1000, [](int, void*) {}, nullptr, nullptr);
                if (timer_ < 0) return false;
            }
            stop_.store(false);
            thread_ = std::thread{[this] {
                leave_signals_to_others();
                while (!stop_.load()) {
                    if (virEventRunDefaultImpl() != 0) std::this_thread::yield();
                }
            }};
        }
        ++users_;
        return true;
    }
    /// Not from the loop's own thread.
    void leave() {
        const std::lock_guard<std::mutex> lock{mutex_};
        if (--users_ != 0) return;
        stop_.store(true);
        virEventUpdateTimeout(timer_, 0); // it ends the wait
        thread_.join();
        virEventUpdateTimeout(timer_, 1000);
    }

private:
    libvirt_loop() = default;

    std::mutex mutex_;
    unsigned users_ = 0;
    int timer_ = -1;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

} // namespace reheat::inline REHEAT_ABI::detail
