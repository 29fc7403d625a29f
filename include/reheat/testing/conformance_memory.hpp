// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/action/request.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

namespace reheat::inline REHEAT_ABI::testing::detail {

/// A request and its texts in memory of their own, which is worth nothing once the driver's function has returned.
class request_memory {
public:
    explicit request_memory(const request& r) : what_{std::make_unique<request>(r)} {
        std::size_t size = 0;
        for (const auto member : texts) size += (r.*member).size();
        text_ = std::make_unique<char[]>(size);
        char* place = text_.get();
        for (const auto member : texts) {
            const std::string_view from = r.*member;
            std::copy(from.begin(), from.end(), place);
            *what_.*member = {place, from.size()};
            place += from.size();
        }
    }

    [[nodiscard]] const request& get() const noexcept { return *what_; }

    /// Who still reads it reads of `other`, as far as that fits: acting on what was kept acts on the wrong target.
    void spoil(const request& other) noexcept {
        for (const auto member : texts) {
            const std::string_view mine = *what_.*member;
            const std::string_view with = other.*member;
            char* const to = text_.get() + (mine.data() - text_.get());
            for (std::size_t i = 0; i < mine.size(); ++i) to[i] = i < with.size() ? with[i] : '#';
        }
        what_->op = no_op;
        what_->key = ~what_->key;
        what_->target = no_target;
        what_->what = operation::none;
    }
    /// Who still reads it is found by a sanitizer.
    void free() noexcept {
        what_.reset();
        text_.reset();
    }

private:
    static constexpr std::array texts{&request::name,     &request::cloud_id, &request::service,
                                      &request::instance, &request::stack,    &request::method};

    std::unique_ptr<request> what_;
    std::unique_ptr<char[]> text_;
};

} // namespace reheat::inline REHEAT_ABI::testing::detail
