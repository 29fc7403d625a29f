// SPDX-License-Identifier: MIT
// The journal in a file: what was safe comes back whole, or is refused by name; never anything else.
#if __has_include(<sys/file.h>) // POSIX
#include <reheat/adapters/file_journal.hpp>
#include <reheat/core/hash.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rh = reheat;
namespace fs = std::filesystem;

namespace {

/// A directory of a test's own.
class scratch {
public:
    scratch() {
        std::string name = (fs::temp_directory_path() / "reheat-journal-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        directory_ = name;
    }
    ~scratch() {
        std::error_code ignored;
        fs::remove_all(directory_, ignored);
    }
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;
    [[nodiscard]] std::string file() const { return (directory_ / "journal").string(); }

private:
    fs::path directory_;
};

std::string bytes_of(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}
void put_bytes(const std::string& path, std::string_view bytes) {
    std::ofstream{path, std::ios::binary | std::ios::trunc} << bytes;
}

rh::record numbered(std::uint64_t n) {
    rh::record r;
    r.seq = static_cast<rh::sequence>(n);
    r.kind = rh::record_kind::intent;
    r.at = rh::time_point{std::chrono::seconds{1'767'225'600 + n}};
    r.target = static_cast<rh::target_id>(n % 7);
    r.op = static_cast<rh::op_id>(n);
    r.key = rh::mix(n);
    r.what = rh::operation::reboot_instance;
    r.cloud_id = "vm-" + std::to_string(n);
    return r;
}
std::vector<rh::record> numbered(std::uint64_t from, std::uint64_t to) {
    std::vector<rh::record> all;
    for (std::uint64_t n = from; n <= to; ++n) all.push_back(numbered(n));
    return all;
}

std::string text_of(const rh::record& r) {
    std::string bytes;
    rh::encode(r, bytes);
    return bytes;
}

/// All records of a journal, as bytes.
template <class Journal>
std::vector<std::string> read_all(Journal& j) {
    std::vector<std::string> all;
    const auto read = j.replay([&](rh::record&& r) -> rh::result<void> {
        all.push_back(text_of(r));
        return {};
    });
    REQUIRE(read);
    return all;
}
std::vector<std::string> texts(const std::vector<rh::record>& records) {
    std::vector<std::string> all;
    for (const rh::record& r : records) all.push_back(text_of(r));
    return all;
}

/// The system, until the call with that number; from then on nothing works any more, or that one call alone fails.
struct plan {
    int call = 0;
    int fails_at = -1;
    bool for_good = false;
    bool half = false; ///< a failing write has written half
    int code = EIO;
};
struct faulty_files : rh::posix_files {
    std::shared_ptr<plan> p = std::make_shared<plan>();

    [[nodiscard]] bool fails() const {
        const int n = p->call++;
        const bool now = p->fails_at >= 0 && (n == p->fails_at || (p->for_good && n > p->fails_at));
        if (now) errno = p->code;
        return now;
    }
    [[nodiscard]] ssize_t write(int fd, const void* from, std::size_t size, off_t at) const {
        if (!fails()) return posix_files::write(fd, from, size, at);
        if (p->half && size > 1) {
            const ssize_t done = posix_files::write(fd, from, size / 2, at);
            p->half = false;
            p->fails_at = p->call; // and the next call is the one that fails
            return done;
        }
        return -1;
    }
    [[nodiscard]] ssize_t read(int fd, void* to, std::size_t size, off_t at) const {
        return fails() ? -1 : posix_files::read(fd, to, size, at);
    }
    [[nodiscard]] int sync(int fd) const { return fails() ? -1 : posix_files::sync(fd); }
    [[nodiscard]] int sync_directory(int fd) const { return fails() ? -1 : posix_files::sync_directory(fd); }
    [[nodiscard]] int truncate(int fd, off_t size) const { return fails() ? -1 : posix_files::truncate(fd, size); }
    [[nodiscard]] int rename(const char* from, const char* to) const {
        return fails() ? -1 : posix_files::rename(from, to);
    }
    [[nodiscard]] int open(const char* path, int flags) const { return fails() ? -1 : posix_files::open(path, flags); }
    int remove(const char* path) const { return fails() ? -1 : posix_files::remove(path); }
};
using faulty_journal = rh::basic_file_journal<faulty_files>;

} // namespace

TEST_SUITE("file journal") {
    TEST_CASE("what was appended is there after the next open") {
        const scratch s;
        {
            rh::file_journal j{s.file()};
            REQUIRE(j.open());
            CHECK(j.durable() == rh::no_sequence);
            REQUIRE(j.append(numbered(1, 3)));
            REQUIRE(j.append(numbered(4, 4)));
            REQUIRE(j.append({}));
            CHECK(j.durable() == rh::sequence{4});
        }
        rh::file_journal j{s.file()};
        REQUIRE(j.open());
        CHECK(j.durable() == rh::sequence{4});
        CHECK(read_all(j) == texts(numbered(1, 4)));
        REQUIRE(j.append(numbered(2, 6))); // what it has is skipped
        CHECK(read_all(j) == texts(numbered(1, 6)));
    }

    TEST_CASE("there is one writer") {
        const scratch s;
        rh::file_journal first{s.file()};
        REQUIRE(first.open());
        {
            rh::file_journal second{s.file()};
            const auto opened = second.open();
            REQUIRE_FALSE(opened);
            CHECK(opened.error().code == rh::errc::denied);
            CHECK_FALSE(second.append(numbered(1, 1)));
        }
        rh::file_journal moved{std::move(first)};
        CHECK(moved.append(numbered(1, 1)));
    }

    TEST_CASE("what was being written when the power went is cut off, at whatever byte") {
        const scratch s;
        {
            rh::file_journal j{s.file()};
            REQUIRE(j.open());
            REQUIRE(j.append(numbered(1, 5)));
        }
        const std::string safe = bytes_of(s.file());
        std::string longer;
        {
            rh::file_journal j{s.file()};
            REQUIRE(j.open());
            REQUIRE(j.append(numbered(6, 7)));
            longer = bytes_of(s.file());
        }
        // The note of what is safe is the older one; the new records are there in part.
        for (std::size_t size = safe.size(); size < longer.size(); ++size) {
            CAPTURE(size);
            for (const bool zeros : {false, true}) {
                std::string torn = safe + longer.substr(safe.size(), size - safe.size());
                if (zeros) torn.resize(longer.size(), '\0');
                put_bytes(s.file(), torn);
                rh::file_journal j{s.file()};
                REQUIRE(j.open());
                const auto got = read_all(j);
                REQUIRE(got.size() >= 5);
                CHECK(got == texts(numbered(1, got.size())));
                REQUIRE(j.append(numbered(got.size() + 1, 9)));
                CHECK(read_all(j) == texts(numbered(1, 9)));
            }
        }
    }

    TEST_CASE("a safe record that is damaged or gone is refused, with its place, and nothing is changed") {
        const scratch s;
        {
            rh::file_journal j{s.file()};
            REQUIRE(j.open());
            REQUIRE(j.append(numbered(1, 4)));
        }
        const std::string whole = bytes_of(s.file());
        std::size_t variants = 0;
        std::size_t refused = 0;
        const auto look = [&](const std::string& damaged) {
            ++variants;
            put_bytes(s.file(), damaged);
            rh::file_journal j{s.file()};
            if (const auto opened = j.open(); !opened) {
                ++refused;
                const bool named =
                    opened.error().code == rh::errc::syntax || opened.error().code == rh::errc::unsupported;
                CHECK(named);
                CHECK(opened.error().where.find("byte ") != std::string::npos);
                CHECK(bytes_of(s.file()) == damaged);
                return;
            }
            CHECK(read_all(j) == texts(numbered(1, 4)));
        };
        for (std::size_t size = 0; size < whole.size(); ++size) look(whole.substr(0, size));
        CHECK(refused == whole.size());
        for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
            std::string flipped = whole;
            flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
            look(flipped);
        }
        MESSAGE(variants, " variants, ", refused, " refused, the others whole");
        CHECK(refused == variants - 16 * 8); // in the note of what is safe a flip does no harm
    }

    TEST_CASE("an append that fails is over, and the next open says what there is") {
        for (const int code : {ENOSPC, EIO}) {
            for (const bool half : {false, true}) {
                for (int call = 0; call < 3; ++call) { // of the records, the sync, of the note
                    CAPTURE(code);
                    CAPTURE(half);
                    CAPTURE(call);
                    const scratch s;
                    faulty_files files;
                    faulty_journal j{s.file(), {}, files};
                    REQUIRE(j.open());
                    REQUIRE(j.append(numbered(1, 2)));
                    *files.p = {.fails_at = call, .half = half, .code = code};
                    const auto written = j.append(numbered(3, 4));
                    REQUIRE_FALSE(written);
                    CHECK(written.error().code == rh::errc::io);
                    CHECK(j.durable() == rh::sequence{2});
                    CHECK_FALSE(j.append(numbered(3, 4)));
                    *files.p = {};
                    REQUIRE(j.open());
                    REQUIRE(j.append(numbered(3, 4)));
                    CHECK(j.durable() == rh::sequence{4});
                    CHECK(read_all(j) == texts(numbered(1, 4)));
                }
            }
        }
    }

    TEST_CASE("compaction leaves the old file or the new one, whenever the program dies") {
        bool came_through = false;
        for (int call = 0; !came_through && call < 100; ++call) {
            CAPTURE(call);
            const scratch s;
            const std::vector<rh::record> state = numbered(7, 9);
            {
                faulty_files files;
                faulty_journal j{s.file(), {}, files};
                REQUIRE(j.open());
                REQUIRE(j.append(numbered(1, 9)));
                CHECK_FALSE(j.compact(numbered(1, 8)));
                *files.p = {.fails_at = call, .for_good = true};
                came_through = j.compact(state).has_value();
            }
            rh::file_journal j{s.file()};
            REQUIRE(j.open());
            CHECK(j.durable() == rh::sequence{9});
            const auto got = read_all(j);
            const bool is_new = got == texts(state);
            const bool is_old = got == texts(numbered(1, 9));
            CHECK((is_new || is_old));
            if (came_through) CHECK(is_new);
            REQUIRE(j.append(numbered(10, 11)));
            CHECK(j.durable() == rh::sequence{11});
        }
        CHECK(came_through);
    }

    TEST_CASE("an open that fails has changed nothing that was safe") {
        bool came_through = false;
        for (int call = 0; !came_through && call < 100; ++call) {
            CAPTURE(call);
            const scratch s;
            {
                rh::file_journal j{s.file()};
                REQUIRE(j.open());
                REQUIRE(j.append(numbered(1, 3)));
            }
            std::ofstream{s.file(), std::ios::binary | std::ios::app} << "torn";
            {
                faulty_files files;
                *files.p = {.fails_at = call, .for_good = true};
                faulty_journal j{s.file(), {}, files};
                came_through = j.open().has_value();
            }
            rh::file_journal j{s.file()};
            REQUIRE(j.open());
            CHECK(read_all(j) == texts(numbered(1, 3)));
        }
        CHECK(came_through);
    }

    TEST_CASE("a record's bytes give the record back, and no other bytes do") {
        std::uint64_t dice = 1;
        const auto below = [&](std::uint64_t n) { return (dice = rh::mix(dice)) % n; };
        for (int round = 0; round < 2'000; ++round) {
            CAPTURE(round);
            rh::record r = numbered(below(1'000'000));
            r.kind = static_cast<rh::record_kind>(below(12));
            r.incident = static_cast<rh::incident_id>(below(UINT32_MAX));
            r.why = static_cast<rh::reason>(below(rh::reason_count));
            r.text = std::string(below(300), 'x');
            r.host = below(2) == 0 ? "" : "host-\xff\n";
            const std::string bytes = text_of(r);
            const auto read = rh::decode_record(bytes);
            REQUIRE(read);
            CHECK(text_of(*read) == bytes);
            for (std::size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(rh::decode_record(bytes.substr(0, n)));
            CHECK_FALSE(rh::decode_record(bytes + '\0'));
            std::string noise = bytes;
            for (std::size_t n = 0; n < 3; ++n) noise[below(noise.size())] = static_cast<char>(below(256));
            if (const auto other = rh::decode_record(noise)) CHECK(text_of(*other).size() <= noise.size());
        }
    }

    TEST_CASE("the checksum is the one of RFC 3720") {
        CHECK(rh::crc32c("123456789") == 0xe306'9283U);
        CHECK(rh::crc32c(std::string(32, '\0')) == 0x8a91'36aaU);
        CHECK(rh::crc32c(std::string(32, '\xff')) == 0x62a8'ab43U);
        CHECK(rh::crc32c("456789", rh::crc32c("123")) == rh::crc32c("123456789"));
    }

    TEST_CASE("the checksum is the same by the tables and by the processor, for every length") {
        static constexpr auto bytes = [] {
            std::array<char, 100> b{};
            for (std::size_t n = 0; n < b.size(); ++n) b[n] = static_cast<char>(n * 151 % 256);
            return b;
        }();
        static constexpr auto by_tables = [] {
            std::array<std::uint32_t, 100> sums{};
            for (std::size_t n = 0; n < sums.size(); ++n) sums[n] = rh::crc32c({bytes.data(), n});
            return sums;
        }();
        for (std::size_t n = 0; n < by_tables.size(); ++n) CHECK(rh::crc32c({bytes.data(), n}) == by_tables[n]);
    }

    TEST_CASE("a record is read over another one, and nothing of that is left") {
        rh::record full = numbered(1);
        full.name = full.text = full.host = full.boot_id = std::string(100, 'x');
        rh::record r = full;
        rh::record small;
        small.seq = rh::sequence{7};
        REQUIRE(rh::decode_record(text_of(small), r));
        CHECK(text_of(r) == text_of(small));
        REQUIRE(rh::decode_record(text_of(full), r));
        CHECK(text_of(r) == text_of(full));
    }

    TEST_CASE("a number has at most 64 bits") {
        const auto read = [](std::string_view bytes) -> std::int64_t {
            rh::detail::byte_reader in{bytes};
            std::uint64_t n = 0;
            return in.number(n, UINT64_MAX) && in.at_end() ? static_cast<std::int64_t>(n) : -77;
        };
        using namespace std::string_view_literals;
        CHECK(read("\x7f"sv) == 127);
        CHECK(read("\x80\x01"sv) == 128);
        CHECK(read("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv) == -1);
        CHECK(read("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv) == -77);
        CHECK(read("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00"sv) == -77);
        CHECK(read("\x80"sv) == -77);
        CHECK(read(""sv) == -77);
    }
}
#endif
