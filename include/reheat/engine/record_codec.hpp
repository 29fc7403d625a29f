// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/engine/effects.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

// A record as bytes and back: what a journal keeps. docs/reference/journal.md describes the format.

namespace reheat::inline REHEAT_ABI {

/// The longest record that is read back. A longer text of an operator is cut when it is written.
inline constexpr std::size_t most_record_bytes = 64 * 1024;

namespace detail {

inline constexpr std::size_t most_record_text = 8 * 1024;

class byte_writer {
public:
    explicit byte_writer(std::string& to) noexcept : to_{&to} {}

    template <class T>
        requires std::is_enum_v<T> || std::is_unsigned_v<T>
    void number(T value) {
        for (auto left = static_cast<std::uint64_t>(value);; left >>= 7U) {
            const bool more = left > 0x7fU;
            to_->push_back(static_cast<char>((left & 0x7fU) | (more ? 0x80U : 0U)));
            if (!more) return;
        }
    }
    void time(time_point t) { number(static_cast<std::uint64_t>(t.time_since_epoch().count())); }
    void text(std::string_view s) {
        s = s.substr(0, most_record_text);
        number(s.size());
        to_->append(s);
    }

private:
    std::string* to_;
};

/// Every read says whether it was possible; past the end nothing is.
class byte_reader {
public:
    explicit byte_reader(std::string_view from) noexcept : from_{from} {}

    /// Refuses what does not fit into `T`, or is over `most`.
    template <class T>
    bool number(T& value, std::uint64_t most) noexcept {
        std::uint64_t read = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (at_ == from_.size()) return false;
            const auto byte = static_cast<unsigned char>(from_[at_++]);
            const std::uint64_t part = byte & 0x7fU;
            if (part << shift >> shift != part) return false;
            read |= part << shift;
            if ((byte & 0x80U) != 0) continue;
            value = static_cast<T>(read);
            return read <= most;
        }
        return false;
    }
    bool time(time_point& t) noexcept {
        std::uint64_t count = 0;
        if (!number(count, UINT64_MAX)) return false;
        t = time_point{duration{static_cast<std::int64_t>(count)}};
        return true;
    }
    bool text(std::string& s) {
        std::size_t size = 0;
        if (!number(size, most_record_text) || size > from_.size() - at_) return false;
        s.assign(from_.substr(at_, size));
        at_ += size;
        return true;
    }
    [[nodiscard]] bool at_end() const noexcept { return at_ == from_.size(); }
    [[nodiscard]] std::size_t at() const noexcept { return at_; }

private:
    std::string_view from_;
    std::size_t at_ = 0;
};

} // namespace detail

/// Appends a record's bytes.
inline void encode(const record& r, std::string& to) {
    detail::byte_writer w{to};
    w.number(r.seq);
    w.number(r.kind);
    w.time(r.at);
    w.number(r.target);
    w.number(r.incident);
    w.number(r.op);
    w.number(r.key);
    w.number(r.reign);
    w.number(r.what);
    w.number(r.result);
    w.number(r.why);
    w.number(r.of);
    w.number(r.verb);
    w.number(r.proof);
    w.number(r.by);
    w.number(r.rung);
    w.number(r.attempt);
    w.time(r.deadline);
    w.text(r.name);
    w.text(r.text);
    w.text(r.cloud_id);
    w.text(r.boot_id);
    w.text(r.host);
}

/// Reads what `encode` wrote, to the last byte. The error's place is the byte of the record at which it could not go
/// on.
[[nodiscard]] inline result<record> decode_record(std::string_view bytes) {
    record r;
    detail::byte_reader in{bytes};
    constexpr std::uint64_t any = UINT64_MAX;
    constexpr std::uint64_t any_32 = UINT32_MAX;
    const bool read = in.number(r.seq, any) && in.number(r.kind, record_kind_count - 1) && in.time(r.at) &&
                      in.number(r.target, any_32) && in.number(r.incident, any_32) && in.number(r.op, any) &&
                      in.number(r.key, any) && in.number(r.reign, any) && in.number(r.what, operation_count - 1) &&
                      in.number(r.result, static_cast<std::uint64_t>(outcome_code::unknown)) &&
                      in.number(r.why, reason_count - 1) && in.number(r.of, static_cast<std::uint64_t>(level::stack)) &&
                      in.number(r.verb, static_cast<std::uint64_t>(operator_verb::trust)) &&
                      in.number(r.proof, static_cast<std::uint64_t>(proof_kind::confirmed)) &&
                      in.number(r.by, static_cast<std::uint64_t>(all_vantages)) && in.number(r.rung, UINT8_MAX) &&
                      in.number(r.attempt, UINT16_MAX) && in.time(r.deadline) && in.text(r.name) && in.text(r.text) &&
                      in.text(r.cloud_id) && in.text(r.boot_id) && in.text(r.host);
    if (!read || !in.at_end())
        return error{errc::syntax, "byte " + std::to_string(in.at()),
                     read ? "expected the end of the record" : "expected a field of a record"};
    return r;
}

} // namespace reheat::inline REHEAT_ABI
