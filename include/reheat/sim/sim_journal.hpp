// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/engine/effects.hpp>
#include <reheat/runner/journal.hpp>
#include <reheat/sim/pause_gate.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace reheat::inline REHEAT_ABI::sim {

/// A disk with a journal on it, in memory: it outlives the controller. What is appended is safe at once or after a
/// while, an append is refused on demand, and a crash loses what was not safe. It belongs to the newest epoch that
/// claimed it: who has an older one is refused, and learns nothing more of what is safe. One thread at a time.
class journal_disk {
public:
    /// How long a record takes to become safe.
    void set_delay(duration d) noexcept { delay_ = d; }
    /// Appends are refused until it is lifted.
    void set_full(bool on) noexcept { full_ = on; }
    [[nodiscard]] bool full() const noexcept { return full_; }
    /// Whether an append was refused since the journal was last opened.
    [[nodiscard]] bool refused() const noexcept { return refused_; }

    /// The world's time goes on.
    void advance(time_point now) noexcept {
        now_ = now;
        while (safe_ < entries_.size() && entries_[safe_].safe_at <= now_) make_safe();
    }
    /// When the next record becomes safe.
    [[nodiscard]] time_point next() const noexcept { return safe_ < entries_.size() ? entries_[safe_].safe_at : never; }
    /// The machine that it is on ends: what is not safe is gone.
    void crash() {
        entries_.resize(safe_);
        refused_ = false;
    }
    /// A controller of that epoch begins to write. What an older one appended and is not safe is gone. `denied` if a
    /// newer one has it.
    result<void> claim(epoch reign) {
        if (reign < claimed_) return error{errc::denied, {}, "another controller writes this journal"};
        if (reign == claimed_) return {};
        ended_.push_back({claimed_, durable()});
        claimed_ = reign;
        crash();
        return {};
    }
    [[nodiscard]] epoch claimed() const noexcept { return claimed_; }
    /// What is safe, in order.
    [[nodiscard]] std::size_t safe() const noexcept { return safe_; }
    [[nodiscard]] const record& at(std::size_t n) const noexcept { return entries_[n].what; }
    [[nodiscard]] std::size_t appended() const noexcept { return entries_.size(); }
    /// Whether the intent of an operation is safe, and nothing took it back.
    [[nodiscard]] bool intended(op_id op) const noexcept {
        const auto n = static_cast<std::size_t>(op);
        return n < intents_.size() && intents_[n];
    }

    result<void> open() noexcept {
        if (full_) return error{errc::unavailable, {}, "the disk is full"};
        refused_ = false;
        return {};
    }
    result<void> append(std::span<const record> records) {
        if (full_) {
            refused_ = true;
            return error{errc::unavailable, {}, "the disk is full"};
        }
        for (const record& r : records) {
            if (r.seq <= last()) continue;
            entries_.push_back({r, after(now_, delay_)});
        }
        advance(now_);
        return {};
    }
    [[nodiscard]] sequence durable() const noexcept { return safe_ == 0 ? no_sequence : entries_[safe_ - 1].what.seq; }
    /// What an epoch knows to be safe: of an older one, what was when a newer one claimed the journal.
    [[nodiscard]] sequence durable_for(epoch reign) const noexcept {
        if (reign >= claimed_) return durable();
        for (const auto& [of, upto] : ended_) {
            if (of == reign) return upto;
        }
        return no_sequence;
    }

private:
    struct entry {
        record what;
        time_point safe_at;
    };

    [[nodiscard]] sequence last() const noexcept { return entries_.empty() ? no_sequence : entries_.back().what.seq; }
    void make_safe() {
        const record& r = entries_[safe_++].what;
        if (r.kind != record_kind::intent && r.kind != record_kind::dropped) return;
        const auto n = static_cast<std::size_t>(r.op);
        if (n >= intents_.size()) intents_.resize(n + 64);
        intents_[n] = r.kind == record_kind::intent;
    }

    std::vector<entry> entries_;
    std::vector<bool> intents_;                     ///< by operation
    std::vector<std::pair<epoch, sequence>> ended_; ///< who had it before, and what was safe then
    epoch claimed_{};
    std::size_t safe_ = 0;
    time_point now_{};
    duration delay_{};
    bool full_ = false;
    bool refused_ = false;
};

/// A controller's way to a disk that is elsewhere.
struct journal_way {
    enum class condition : std::uint8_t {
        up,
        cut,          ///< nothing gets there
        answers_lost, ///< it gets there, and nobody hears of it
    };
    condition is = condition::up;
    bool refused = false;         ///< an append failed on its way since the journal was last opened
    sequence known = no_sequence; ///< safe, as far as it was heard
    pause_gate gate{};
};

/// A controller's hold on such a disk: what a pipeline is given. A later epoch ends the earlier: whoever has been
/// superseded is refused, as a replicated journal refuses an old leader.
class sim_journal {
public:
    explicit sim_journal(journal_disk& on, epoch reign = {}, journal_way* by = nullptr) noexcept
        : disk_{&on}, way_{by}, reign_{reign} {}

    result<void> open() {
        if (is_cut()) return unheard();
        if (auto claimed = disk_->claim(reign_); !claimed) return claimed;
        if (auto opened = disk_->open(); !opened) return opened;
        if (way_ != nullptr) {
            way_->refused = false;
            way_->known = disk_->durable_for(reign_);
        }
        return {};
    }
    result<void> append(std::span<const record> records) {
        if (way_ == nullptr) return disk_->append(records);
        if (!records.empty()) way_->gate.pass(pause_point::before_append);
        if (way_->is == journal_way::condition::cut) return unheard();
        if (reign_ < disk_->claimed()) return error{errc::denied, {}, "another controller writes this journal"};
        auto written = disk_->append(records);
        return is_cut() ? unheard() : std::move(written);
    }
    [[nodiscard]] sequence durable() const {
        if (way_ == nullptr) return disk_->durable_for(reign_);
        way_->gate.pass(pause_point::before_calls);
        if (!is_cut()) way_->known = disk_->durable_for(reign_);
        return way_->known;
    }
    /// Every safe record, in order; `visit(record&&)` answers a `result<void>`.
    template <class Visit>
    result<void> replay(Visit&& visit) {
        for (std::size_t n = 0; n < disk_->safe(); ++n) {
            record copy = disk_->at(n);
            if (result<void> done = visit(std::move(copy)); !done) return done;
        }
        return {};
    }

private:
    [[nodiscard]] bool is_cut() const noexcept { return way_ != nullptr && way_->is != journal_way::condition::up; }
    error unheard() noexcept {
        way_->refused = true;
        return error{errc::unavailable, {}, "the journal does not answer"};
    }

    journal_disk* disk_;
    journal_way* way_;
    epoch reign_;
};

static_assert(journal<sim_journal>);

} // namespace reheat::inline REHEAT_ABI::sim
