// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/error.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace reheat::inline REHEAT_ABI {

/// A value or an error; nothing is thrown. Reading the value of an error, or the error of a value, is undefined.
///
///     if (auto r = parse_duration("60s"); r) wait(*r); else report(r.error());
template <class T>
class [[nodiscard]] result {
public:
    using value_type = T;

    template <class U = T>
        requires std::is_constructible_v<T, U> && (!std::is_same_v<std::remove_cvref_t<U>, result>) &&
                 (!std::is_same_v<std::remove_cvref_t<U>, reheat::error>)
    result(U&& value) : value_{std::in_place, std::forward<U>(value)} {} // NOLINT(google-explicit-constructor)
    result(reheat::error e) : error_{std::move(e)} {}                    // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
    [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] T& operator*() & noexcept { return *value_; }
    [[nodiscard]] const T& operator*() const& noexcept { return *value_; }
    [[nodiscard]] T&& operator*() && noexcept { return std::move(*value_); }
    [[nodiscard]] T* operator->() noexcept { return &*value_; }
    [[nodiscard]] const T* operator->() const noexcept { return &*value_; }

    [[nodiscard]] reheat::error& error() & noexcept { return error_; }
    [[nodiscard]] const reheat::error& error() const& noexcept { return error_; }
    [[nodiscard]] reheat::error&& error() && noexcept { return std::move(error_); }

    template <class U>
    [[nodiscard]] T value_or(U&& other) const& {
        return has_value() ? **this : static_cast<T>(std::forward<U>(other));
    }

private:
    std::optional<T> value_;
    reheat::error error_{};
};

/// Success, or an error.
template <>
class [[nodiscard]] result<void> {
public:
    using value_type = void;

    result() noexcept = default;
    result(reheat::error e) : error_{std::move(e)} {} // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool has_value() const noexcept { return !error_.has_value(); }
    [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] reheat::error& error() & noexcept { return *error_; }
    [[nodiscard]] const reheat::error& error() const& noexcept { return *error_; }
    [[nodiscard]] reheat::error&& error() && noexcept { return std::move(*error_); }

private:
    std::optional<reheat::error> error_;
};

} // namespace reheat::inline REHEAT_ABI
