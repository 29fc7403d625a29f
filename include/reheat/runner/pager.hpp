// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/inbox.hpp>
#include <reheat/driver/completion.hpp>
#include <reheat/runner/mailbox.hpp>
#include <reheat/runner/page_queue.hpp>

#include <atomic>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// Brings a notification to a human or to a service that pages one. The answer is a driver's `completion`: `done` once
/// it has arrived and somebody or something vouches for it, anything else to have it tried again (`retry_after` is kept
/// to). Inline or later, from any thread; destroyed uncalled it counts as not arrived. The notification lives for the
/// call only: what is needed later is copied.
///
///     struct mailer {
///         void notify(const notification& n, completion done) { done(send(to_text(n)) ? outcome::done() :
///         outcome::failed("smtp")); }
///     };
template <class N>
concept notifier = requires(N& n, const notification& what, completion done) {
    { n.notify(what, std::move(done)) } -> std::same_as<void>;
};

/// Knows targets by their names, as an engine does.
template <class T>
concept knows_names = requires(const T& of, target_id target) {
    { of.name(target) } -> std::convertible_to<std::string_view>;
};

namespace detail {

struct page_answer {
    op_id delivery{};
    outcome_code code{};
    duration retry_after{};
};

/// Where the answers of a notifier arrive. It outlives its pager as long as a completion refers to it.
class page_answers final : public completion_sink {
public:
    explicit page_answers(mailbox* wakes) : inbox_{1024}, wakes_{wakes} {
        if (wakes_ != nullptr) wakes_->retain();
    }
    void deliver(op_id delivery, outcome&& result, bool repeated) noexcept override {
        if (repeated || closed_.load(std::memory_order_acquire)) return;
        inbox_.put({delivery, result.code, result.retry_after});
        if (wakes_ != nullptr) wakes_->wake();
    }
    void close() noexcept { closed_.store(true, std::memory_order_release); }
    bool take(page_answer& into) noexcept { return inbox_.take(into); }
    std::uint64_t take_losses() noexcept { return inbox_.take_losses(); }

private:
    ~page_answers() override {
        if (wakes_ != nullptr) wakes_->release();
    }

    inbox<page_answer> inbox_;
    mailbox* wakes_;
    std::atomic<bool> closed_{false};
};

} // namespace detail

/// Tells a human what the engine pages, until it has arrived: pages of a pipeline go in as events, notifications come
/// out at a notifier, are tried again with backoff, and end with `recovered`. The last notification that arrives about
/// a target is its final state, whatever failed or was late before; see `page_queue`.
///
/// It is a sink of `pipeline::poll` and `pipeline::run`, which call its `poll` too. It refers to the notifier and the
/// engine, which must outlive it. Completions may be called from any thread, everything else is used by the pipeline's.
/// Not movable.
///
///     mailer out;
///     pager pages{out, ha};
///     auto come_back_at = ha.poll(pages);
template <notifier Notifier, knows_names Names>
class pager {
public:
    /// Beside a pipeline: an answer from another thread wakes it.
    template <class Pipeline>
        requires requires(Pipeline& ha) {
            { ha.state() } -> std::same_as<Names&>;
            { ha.mail() } -> std::same_as<mailbox&>;
        }
    pager(Notifier& to, Pipeline& ha, pager_options options = {}) : pager{to, ha.state(), options, &ha.mail()} {}
    /// Beside an engine in a loop of one's own.
    pager(Notifier& to, const Names& of, pager_options options = {}) : pager{to, of, options, nullptr} {}
    pager(const pager&) = delete;
    pager& operator=(const pager&) = delete;
    /// Completions that are still out there do nothing from now on.
    ~pager() {
        answers_->close();
        answers_->release();
    }

    /// Any event of the engine. It is recorded; `poll` delivers.
    void operator()(const event& e) {
        sequence record = no_sequence;
        if constexpr (requires { names_->written(); }) record = names_->written();
        if constexpr (requires { names_->sets()[e.set].name; }) {
            if (e.kind == event_kind::page && e.set != no_set) {
                const auto& set = names_->sets()[e.set];
                return queue_.take(e, std::string{to_string(set.of)} + ' ' + set.name, record);
            }
        }
        std::string said;
        if constexpr (requires { names_->incident_of(e.target)->said; }) {
            if (const auto* const i = names_->incident_of(e.target); i != nullptr) said = joined(i->said);
        }
        queue_.take(e, names_->name(e.target), record, said);
    }

    /// Takes answers, makes the deliveries that are due, and says when to come back; `never` if only a page or an
    /// answer can change anything. If the notifier throws, the exception comes out here, and that delivery is tried
    /// again.
    time_point poll(time_point now) {
        if constexpr (requires { names_->deposed(); }) {
            if (names_->deposed()) return never; // whoever leads now tells it
        }
        if constexpr (requires { names_->settled(); }) queue_.durable(names_->settled());
        for (;;) {
            take_answers(now);
            op_id delivery = no_op;
            const notification* const due = queue_.deliver(now, delivery);
            if (due == nullptr) return queue_.next();
            const notification told = *due;
            notifier_->notify(told, completion{delivery, *answers_});
        }
    }

    /// A human has seen it, as heard by another way than the notifier's answer; false if that is no news.
    bool acknowledge(notification_id id, time_point now) { return queue_.acknowledge(id, now); }

    [[nodiscard]] const page_queue& state() const noexcept { return queue_; }
    [[nodiscard]] const pager_figures& figures() const noexcept { return queue_.figures(); }

private:
    pager(Notifier& to, const Names& of, const pager_options& options, mailbox* wakes)
        : notifier_{&to}, names_{&of}, queue_{options}, answers_{new detail::page_answers{wakes}} {}

    void take_answers(time_point now) {
        detail::page_answer a;
        while (answers_->take(a)) queue_.answer(a.delivery, now, a.code, a.retry_after);
        queue_.lose(answers_->take_losses());
    }

    Notifier* notifier_;
    const Names* names_;
    page_queue queue_;
    detail::page_answers* answers_;
};

template <class Notifier, class Pipeline, class... Options>
    requires requires(Pipeline& ha) { ha.mail(); }
pager(Notifier&, Pipeline&, Options...)
    -> pager<Notifier, std::remove_cvref_t<decltype(std::declval<Pipeline&>().state())>>;

} // namespace reheat::inline REHEAT_ABI
