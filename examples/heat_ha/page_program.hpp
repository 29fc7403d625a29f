// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/runner/pager.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <list>
#include <string>
#include <sys/types.h>

namespace heat_ha {

/// A notifier that runs a program of the user's for each delivery: no shell, no arguments, the notification as one line
/// of JSON on its standard input. Exit code 0 acknowledges it. What has not ended after 30 s of real time is killed.
/// Without a program every notification counts as told: pages are events as well.
class page_program {
public:
    /// `wake` is called when an answer has come.
    page_program(boost::asio::io_context& context, std::string program, std::function<void()> wake);
    page_program(const page_program&) = delete;
    page_program& operator=(const page_program&) = delete;

    void notify(const reheat::notification& n, reheat::completion done);
    /// Waits for nothing any more; what runs is left to itself.
    void stop();

private:
    struct child {
        pid_t pid;
        reheat::completion done;
        boost::asio::steady_timer limit;
    };

    void wait_for_ends();
    void reap();

    boost::asio::io_context* context_;
    boost::asio::signal_set ends_;
    std::string program_;
    std::function<void()> wake_;
    std::list<child> children_;
};

static_assert(reheat::notifier<page_program>);

} // namespace heat_ha
