// SPDX-License-Identifier: MIT
// What it costs to keep records, and to have a million of them back: the journal's file beside SQLite, which is given
// the same bytes of the same records. Both are on the file system of the build folder.
#include <reheat/adapters/file_journal.hpp>

#include "support.hpp"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <span>
#include <sqlite3.h>
#include <string>
#include <unistd.h>

namespace {

using namespace bench;

/// A file of a benchmark's own, gone afterwards with all that was made beside it.
class scratch_file {
public:
    explicit scratch_file(const char* name) : path_{std::string{BENCH_SCRATCH} + "/" + name} { remove(); }
    ~scratch_file() { remove(); }
    scratch_file(const scratch_file&) = delete;
    scratch_file& operator=(const scratch_file&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    void remove() const {
        for (const char* beside : {"", ".lock", ".new", "-wal", "-shm", "-journal"})
            static_cast<void>(std::remove((path_ + beside).c_str()));
    }
    std::string path_;
};

/// Four records as they come: an intent with what was seen before, its outcome, and two short ones.
rh::record numbered(std::uint64_t n) {
    rh::record r;
    r.seq = static_cast<rh::sequence>(n);
    r.at = start + std::chrono::milliseconds{17 * n};
    r.target = static_cast<rh::target_id>(n % 10'000);
    r.incident = static_cast<rh::incident_id>(n / 4);
    r.kind = n % 4 == 0   ? rh::record_kind::opened
             : n % 4 == 1 ? rh::record_kind::intent
             : n % 4 == 2 ? rh::record_kind::outcome
                          : rh::record_kind::closed;
    if (n % 4 != 1 && n % 4 != 2) return r;
    r.op = static_cast<rh::op_id>(n);
    r.what = rh::operation::recreate_instance;
    r.cloud_id = "5f2b7a4c-91d3-4a67-b0c1-" + std::to_string(100'000'000'000 + n);
    r.boot_id = "0c9e4b1d-77aa-4d1f-8e25-" + std::to_string(200'000'000'000 + n);
    if (n % 4 == 2) return r;
    r.key = rh::mix(n);
    r.reign = rh::epoch{3};
    r.deadline = r.at + 15min;
    r.host = "compute-" + std::to_string(n % 500) + ".example.net";
    return r;
}

/// Records that follow on, in batches that can be had again and again with new numbers.
class stream {
public:
    explicit stream(std::size_t batch) {
        for (std::size_t n = 0; n < batch; ++n) records_.push_back(numbered(n));
    }
    std::span<const rh::record> next() {
        for (rh::record& r : records_) r.seq = static_cast<rh::sequence>(++last_);
        return records_;
    }

private:
    std::vector<rh::record> records_;
    std::uint64_t last_ = 0;
};

/// SQLite as one would set it up for this: a write-ahead log, one user, statements prepared once.
class sqlite_records {
public:
    sqlite_records(const std::string& path, bool sync) {
        check(sqlite3_open(path.c_str(), &db_));
        run("PRAGMA locking_mode=EXCLUSIVE");
        run("PRAGMA journal_mode=WAL");
        run(sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF");
        run("CREATE TABLE IF NOT EXISTS records(seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL)");
        prepare("BEGIN", begin_);
        prepare("COMMIT", commit_);
        prepare("INSERT INTO records VALUES(?, ?)", insert_);
        prepare("SELECT bytes FROM records ORDER BY seq", select_);
    }
    ~sqlite_records() {
        for (sqlite3_stmt* s : {begin_, commit_, insert_, select_}) sqlite3_finalize(s);
        sqlite3_close(db_);
    }
    sqlite_records(const sqlite_records&) = delete;
    sqlite_records& operator=(const sqlite_records&) = delete;

    void append(std::span<const rh::record> records) {
        if (records.size() > 1) step(begin_); // one statement is a transaction by itself
        for (const rh::record& r : records) {
            buffer_.clear();
            rh::encode(r, buffer_);
            check(sqlite3_bind_int64(insert_, 1, static_cast<sqlite3_int64>(r.seq)));
            check(sqlite3_bind_blob(insert_, 2, buffer_.data(), static_cast<int>(buffer_.size()), SQLITE_STATIC));
            step(insert_);
        }
        if (records.size() > 1) step(commit_);
    }
    template <class Visit>
    void replay(const Visit& visit) {
        rh::record read;
        while (sqlite3_step(select_) == SQLITE_ROW) {
            const auto* bytes = static_cast<const char*>(sqlite3_column_blob(select_, 0));
            const auto size = static_cast<std::size_t>(sqlite3_column_bytes(select_, 0));
            if (!rh::decode_record({bytes, size}, read)) std::abort();
            visit(std::move(read));
        }
        check(sqlite3_reset(select_));
    }

private:
    void check(int code) {
        if (code == SQLITE_OK) return;
        std::fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db_));
        std::abort();
    }
    void run(const char* sql) { check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }
    void prepare(const char* sql, sqlite3_stmt*& to) { check(sqlite3_prepare_v2(db_, sql, -1, &to, nullptr)); }
    void step(sqlite3_stmt* s) {
        if (sqlite3_step(s) != SQLITE_DONE) check(SQLITE_ERROR);
        check(sqlite3_reset(s));
    }

    sqlite3* db_ = nullptr;
    sqlite3_stmt* begin_ = nullptr;
    sqlite3_stmt* commit_ = nullptr;
    sqlite3_stmt* insert_ = nullptr;
    sqlite3_stmt* select_ = nullptr;
    std::string buffer_;
};

/// What any of them has to do: the bytes go to the end of a file, and that is synced.
class raw_file {
public:
    raw_file(const std::string& path, bool sync)
        : fd_{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)}, sync_{sync} {}
    ~raw_file() { ::close(fd_); }
    raw_file(const raw_file&) = delete;
    raw_file& operator=(const raw_file&) = delete;

    void append(std::span<const rh::record> records) {
        buffer_.clear();
        for (const rh::record& r : records) rh::encode(r, buffer_);
        const auto size = static_cast<ssize_t>(buffer_.size());
        if (::pwrite(fd_, buffer_.data(), buffer_.size(), end_) != size) std::abort();
        if (sync_ && ::fdatasync(fd_) != 0) std::abort();
        end_ += size;
    }

private:
    int fd_;
    bool sync_;
    off_t end_ = 0;
    std::string buffer_;
};

class our_journal {
public:
    our_journal(const std::string& path, bool sync) : journal_{path, {.sync = sync}} {
        if (!journal_.open()) std::abort();
    }
    void append(std::span<const rh::record> records) {
        if (!journal_.append(records)) std::abort();
    }

private:
    rh::file_journal journal_;
};

/// The time of one record, appended in batches.
template <class Store>
void append(benchmark::State& state, const char* name, bool sync) {
    const scratch_file file{name};
    const auto batch = static_cast<std::size_t>(state.range(0));
    stream records{batch};
    Store store{file.path(), sync};
    for (auto _ : state) store.append(records.next());
    per_operation(state, batch);
}
void journal_synced(benchmark::State& state) { append<our_journal>(state, "append.journal", true); }
void sqlite_synced(benchmark::State& state) { append<sqlite_records>(state, "append.sqlite", true); }
void control_synced(benchmark::State& state) { append<raw_file>(state, "append.raw", true); }
void journal_unsynced(benchmark::State& state) { append<our_journal>(state, "append.journal", false); }
void sqlite_unsynced(benchmark::State& state) { append<sqlite_records>(state, "append.sqlite", false); }
void control_unsynced(benchmark::State& state) { append<raw_file>(state, "append.raw", false); }
// Where the disk is waited for, that counts; elsewhere the processor's time does, which other programs disturb less.
BENCHMARK(journal_synced)->Arg(1)->Arg(16)->UseRealTime();
BENCHMARK(sqlite_synced)->Arg(1)->Arg(16)->UseRealTime();
BENCHMARK(control_synced)->Arg(1)->Arg(16)->UseRealTime();
BENCHMARK(journal_unsynced)->Arg(1)->Arg(16);
BENCHMARK(sqlite_unsynced)->Arg(1)->Arg(16);
BENCHMARK(control_unsynced)->Arg(1)->Arg(16);

/// A million records, made once.
template <class Store>
const std::string& million_of(const char* name) {
    static const scratch_file file{name};
    static const bool made = [] {
        Store store{file.path(), false};
        std::vector<rh::record> some;
        for (std::uint64_t n = 1; n <= million; ++n) {
            some.push_back(numbered(n));
            if (n % 1000 == 0) store.append(some), some.clear();
        }
        return true;
    }();
    static_cast<void>(made);
    return file.path();
}

/// Looks at each record, as somebody who goes on with them has to.
struct reader {
    std::uint64_t records = 0;
    std::uint64_t sum = 0;
    void operator()(rh::record&& r) {
        ++records;
        sum += r.key + r.cloud_id.size();
    }
    void end() const {
        if (records != million) std::abort();
        benchmark::DoNotOptimize(sum);
    }
};

void journal_recovery(benchmark::State& state) {
    const std::string& path = million_of<our_journal>("recovery.journal");
    for (auto _ : state) {
        rh::file_journal journal{path};
        reader read;
        const auto visit = [&](rh::record&& r) -> rh::result<void> {
            read(std::move(r));
            return {};
        };
        if (!journal.open() || !journal.replay(visit)) std::abort();
        read.end();
    }
    per_operation(state, million);
}
void sqlite_recovery(benchmark::State& state) {
    const std::string& path = million_of<sqlite_records>("recovery.sqlite");
    for (auto _ : state) {
        sqlite_records store{path, true};
        reader read;
        store.replay([&](rh::record&& r) { read(std::move(r)); });
        read.end();
    }
    per_operation(state, million);
}
BENCHMARK(journal_recovery);
BENCHMARK(sqlite_recovery);

} // namespace

BENCHMARK_MAIN();
