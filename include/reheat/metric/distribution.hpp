// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/config.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace reheat::inline REHEAT_ABI {

/// The values of one period as they came, and how many there are of each: exact, for up to `Capacity` different ones.
/// With one more it is not usable: it never answers wrongly. 16 bytes a value; adding one costs a search and moves
/// those above.
template <std::size_t Capacity>
    requires(Capacity > 0 && Capacity <= 65'536)
class retained_values {
public:
    void add(double value, std::uint64_t weight) noexcept {
        if (!std::isfinite(value) || overflowed_) {
            overflowed_ = true;
            return;
        }
        std::size_t low = 0;
        std::size_t high = size_;
        while (low < high) {
            const std::size_t middle = low + (high - low) / 2;
            if (kept_[middle].value < value) low = middle + 1;
            else high = middle;
        }
        if (low < size_ && kept_[low].value == value) {
            kept_[low].weight += weight;
            return;
        }
        if (size_ == Capacity) {
            overflowed_ = true;
            return;
        }
        for (std::size_t n = size_; n > low; --n) kept_[n] = kept_[n - 1];
        kept_[low] = {value, weight};
        ++size_;
    }
    void merge(const retained_values& other) noexcept {
        overflowed_ = overflowed_ || other.overflowed_;
        other.visit([this](double value, std::uint64_t weight) { add(value, weight); });
    }
    [[nodiscard]] bool usable() const noexcept { return !overflowed_; }
    template <class Visit>
    void visit(const Visit& each) const {
        for (std::size_t n = 0; n < size_; ++n) each(kept_[n].value, kept_[n].weight);
    }

private:
    struct kept {
        double value;
        std::uint64_t weight;
    };
    std::array<kept, Capacity> kept_;
    std::uint32_t size_;
    bool overflowed_;
};

/// How many values fell into buckets whose borders grow by a tenth: bounded memory, and an error that `relative_error`
/// says, at most 4.9 % while the values span no more than 1.1^Bins. Where they span more, each two neighbouring buckets
/// become one, as often as it takes. Zero has a bucket of its own. A value is taken for the middle of its bucket, so
/// that a bound of values divides no bucket. (The SEH1 distribution of Amazon's CloudWatch agent; uniform collapse as
/// in UDDSketch, Epicoco et al. 2020.)
template <std::size_t Bins>
    requires(Bins >= 2 && Bins <= 16'384)
class sketch {
public:
    void add(double value, std::uint64_t weight) noexcept {
        if (!(value >= 0) || !std::isfinite(value)) {
            refused_ = true;
            return;
        }
        if (value == 0) {
            zeros_ += weight;
            return;
        }
        put(key_of(value) >> level_, weight);
    }
    void merge(const sketch& other) noexcept {
        refused_ = refused_ || other.refused_;
        zeros_ += other.zeros_;
        while (level_ < other.level_) collapse();
        for (std::size_t n = 0; n < Bins; ++n) {
            if (other.counts_[n] == 0) continue;
            // Its own level may grow on the way.
            put((other.first_ + static_cast<std::int32_t>(n)) >> (level_ - other.level_), other.counts_[n]);
        }
    }
    [[nodiscard]] bool usable() const noexcept { return !refused_; }
    /// How far a value may be from the middle of its bucket, as a share of it.
    [[nodiscard]] double relative_error() const noexcept { return std::exp(width() / 2) - 1; }
    template <class Visit>
    void visit(const Visit& each) const {
        if (zeros_ != 0) each(0.0, zeros_);
        for (std::size_t n = 0; n < Bins; ++n) {
            if (counts_[n] != 0) each(std::exp((first_ + static_cast<double>(n) + 0.5) * width()), counts_[n]);
        }
    }

    /// The bucket of a positive value, before any have become one.
    [[nodiscard]] static std::int32_t key_of(double value) noexcept {
        return static_cast<std::int32_t>(std::floor(std::log(value) / step));
    }

private:
    static constexpr double step = 0.09531017980432493; // ln 1.1

    /// Of a bucket, as a logarithm.
    [[nodiscard]] double width() const noexcept { return step * static_cast<double>(std::uint32_t{1} << level_); }

    void put(std::int32_t key, std::uint64_t weight) noexcept {
        std::size_t low = 0;
        while (low < Bins && counts_[low] == 0) ++low;
        if (low == Bins) {
            first_ = key;
            counts_[0] = weight;
            return;
        }
        constexpr auto bins = static_cast<std::int64_t>(Bins);
        for (;;) {
            std::int64_t lowest = std::int64_t{first_} + static_cast<std::int64_t>(low);
            std::size_t high = Bins - 1;
            while (counts_[high] == 0) --high;
            std::int64_t highest = std::int64_t{first_} + static_cast<std::int64_t>(high);
            if (key < lowest) lowest = key;
            if (key > highest) highest = key;
            if (highest - lowest < bins) {
                if (key < first_ || key - std::int64_t{first_} >= bins) move(static_cast<std::int32_t>(lowest));
                counts_[static_cast<std::size_t>(key - first_)] += weight;
                return;
            }
            collapse();
            key >>= 1;
            low = 0;
            while (counts_[low] == 0) ++low;
        }
    }
    /// Lets the buckets begin at a key that is not above the lowest one in use.
    void move(std::int32_t first) noexcept {
        std::array<std::uint64_t, Bins> moved{};
        for (std::size_t n = 0; n < Bins; ++n) {
            if (counts_[n] != 0)
                moved[static_cast<std::size_t>(first_ + static_cast<std::int32_t>(n) - first)] = counts_[n];
        }
        counts_ = moved;
        first_ = first;
    }
    void collapse() noexcept {
        std::array<std::uint64_t, Bins> joined{};
        const std::int32_t first = first_ >> 1;
        for (std::size_t n = 0; n < Bins; ++n)
            joined[static_cast<std::size_t>(((first_ + static_cast<std::int32_t>(n)) >> 1) - first)] += counts_[n];
        counts_ = joined;
        first_ = first;
        ++level_;
    }

    std::array<std::uint64_t, Bins> counts_;
    std::uint64_t zeros_;
    std::int32_t first_;
    std::uint8_t level_;
    bool refused_;
};

} // namespace reheat::inline REHEAT_ABI
