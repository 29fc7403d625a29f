// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/adapters/file_journal.hpp>
#include <reheat/engine/resume.hpp>
#include <reheat/runner/journal.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace common {

/// The journal that `--journal` names: a file, or none. It knows why the last thing that failed did, and when the last
/// record of an earlier run was written.
class chosen_journal {
public:
    chosen_journal() = default;
    /// An empty path: what is noted is forgotten with the program.
    explicit chosen_journal(const std::string& path) {
        if (!path.empty()) file_.emplace(path);
    }

    reheat::result<void> open() { return file_ ? noted(file_->open()) : reheat::result<void>{}; }
    reheat::result<void> append(std::span<const reheat::record> records) {
        return file_ ? noted(file_->append(records)) : none_.append(records);
    }
    [[nodiscard]] reheat::sequence durable() const noexcept { return file_ ? file_->durable() : none_.durable(); }
    template <class Visit>
    reheat::result<void> replay(Visit&& visit) {
        if (!file_) return {};
        return file_->replay([&](reheat::record&& r) {
            last_ = reheat::later(last_, r.at);
            return visit(std::move(r));
        });
    }
    reheat::result<void> compact(std::span<const reheat::record> state) {
        return file_ ? noted(file_->compact(state)) : reheat::result<void>{};
    }

    [[nodiscard]] bool in_file() const noexcept { return file_.has_value(); }
    /// Of the newest record that an earlier run left; the smallest time if there is none.
    [[nodiscard]] reheat::time_point last() const noexcept { return last_; }
    /// What went wrong, until something goes well.
    [[nodiscard]] const std::optional<reheat::error>& trouble() const noexcept { return trouble_; }

private:
    reheat::result<void> noted(reheat::result<void> done) {
        if (done) trouble_.reset();
        else trouble_ = done.error();
        return done;
    }

    std::optional<reheat::file_journal> file_;
    reheat::volatile_journal none_;
    reheat::time_point last_ = (reheat::time_point::min)();
    std::optional<reheat::error> trouble_;
};

static_assert(reheat::journal<chosen_journal>);

} // namespace common
