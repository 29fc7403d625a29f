// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/checksum.hpp>
#include <reheat/core/result.hpp>
#include <reheat/engine/record_codec.hpp>
#include <reheat/engine/resume.hpp>
#include <reheat/runner/journal.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <span>
#include <string>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

// A journal in a file, for POSIX systems. docs/reference/journal.md describes the format.

namespace reheat::inline REHEAT_ABI {

/// The system's own calls. A test gives the journal others, which fail when it says so.
struct posix_files {
    static int open(const char* path, int flags) noexcept { return ::open(path, flags | O_CLOEXEC, 0600); }
    static int close(int fd) noexcept { return ::close(fd); }
    static int lock(int fd) noexcept { return ::flock(fd, LOCK_EX | LOCK_NB); }
    static ssize_t read(int fd, void* to, std::size_t size, off_t at) noexcept { return ::pread(fd, to, size, at); }
    static ssize_t write(int fd, const void* from, std::size_t size, off_t at) noexcept {
        return ::pwrite(fd, from, size, at);
    }
#if defined(__APPLE__)
    static int sync(int fd) noexcept { return ::fcntl(fd, F_FULLFSYNC); }
#else
    static int sync(int fd) noexcept { return ::fdatasync(fd); }
#endif
    static int sync_directory(int fd) noexcept { return ::fsync(fd); }
    static int truncate(int fd, off_t size) noexcept { return ::ftruncate(fd, size); }
    static int rename(const char* from, const char* to) noexcept { return ::rename(from, to); }
    static int remove(const char* path) noexcept { return ::unlink(path); }
    static off_t size(int fd) noexcept {
        struct stat s{};
        return ::fstat(fd, &s) == 0 ? s.st_size : -1;
    }
};

struct file_journal_options {
    /// Whether `append` waits until the disk has it. Without, records outlive the program, not the machine.
    bool sync = true;
};

/// Records in one file, each with a checksum, appended and synced before `append` returns. A record that was being
/// written when the power went is cut off at the next `open`; one that had been safe and is damaged makes `open`
/// refuse, and say where. One writer: a second `open` of the same path is refused, by whatever process.
/// After any error of `append` or `compact` it takes nothing more until `open` has looked at what is on the disk.
/// Move-only. One thread at a time; `durable` too.
///
///     pipeline ha{cloud, system_time{}, three_levels.lowered(), file_journal{"/var/lib/ha/journal"}};
template <class Files = posix_files>
class basic_file_journal {
public:
    explicit basic_file_journal(std::string path, file_journal_options options = {}, Files files = {})
        : path_{std::move(path)}, options_{options}, files_{std::move(files)} {}
    basic_file_journal(basic_file_journal&& other) noexcept
        : path_{std::move(other.path_)}, options_{other.options_}, files_{std::move(other.files_)},
          lock_{std::exchange(other.lock_, -1)}, file_{std::exchange(other.file_, -1)}, end_{other.end_},
          last_{other.last_} {}
    basic_file_journal& operator=(basic_file_journal&&) = delete;
    basic_file_journal(const basic_file_journal&) = delete;
    basic_file_journal& operator=(const basic_file_journal&) = delete;
    ~basic_file_journal() {
        close(file_);
        close(lock_);
    }

    /// Opens or makes the file, checks every record, and cuts off what was being written when the last writer ended.
    /// Errors: `io`; `denied` if somebody else writes it; `unsupported` for another version; `syntax` for damage, with
    /// the byte of the file as its place: nothing is changed then.
    result<void> open() {
        close(file_);
        if (lock_ < 0) {
            lock_ = files_.open((path_ + ".lock").c_str(), O_RDWR | O_CREAT);
            if (lock_ < 0) return failed("cannot open the lock");
            if (files_.lock(lock_) != 0) {
                close(lock_);
                return error{errc::denied, path_, "another process writes this journal"};
            }
        }
        files_.remove(fresh().c_str()); // of a compaction that did not come to its end
        file_ = files_.open(path_.c_str(), O_RDWR);
        if (file_ < 0 && errno == ENOENT) {
            last_ = no_sequence;
            return replace_by({});
        }
        if (file_ < 0) return failed("cannot open it");
        auto opened = check();
        if (!opened) close(file_);
        return opened;
    }

    /// Visits every record, in order. Errors: of reading, or of `visit`, which returns `result<void>`.
    template <class Visit>
    result<void> replay(Visit&& visit) {
        if (file_ < 0) return error{errc::unavailable, path_, "it is not open"};
        reader in{*this, end_};
        for (std::string_view payload;;) {
            const found next = in.next(payload);
            if (next == found::end) return {};
            if (next != found::whole) return next == found::unread ? failed("cannot read it") : damaged(in.at());
            auto read = decode_record(payload);
            if (!read) return damaged(in.at());
            if (result<void> done = visit(std::move(*read)); !done) return done;
        }
    }

    /// Takes records whose numbers follow on; those that it has are skipped.
    result<void> append(std::span<const record> records) {
        if (file_ < 0) return error{errc::unavailable, path_, "it is not open"};
        buffer_.clear();
        sequence last = last_;
        for (const record& r : records) {
            if (r.seq <= last) continue;
            add_frame(r, buffer_);
            last = r.seq;
        }
        if (buffer_.empty()) return {};
        if (auto written = write_out(buffer_, end_); !written) return given_up(std::move(written));
        if (auto safe = make_safe(end_ + static_cast<off_t>(buffer_.size())); !safe) return given_up(std::move(safe));
        last_ = last;
        return {};
    }
    [[nodiscard]] sequence durable() const noexcept { return last_; }
    /// Bytes of the file: when to compact.
    [[nodiscard]] std::uint64_t size() const noexcept { return static_cast<std::uint64_t>(end_); }

    /// Puts these records, which say the same as all that were appended, in the place of them. The last one's number
    /// must be `durable()`. Whatever happens on the way, the file is the old one or the new one.
    result<void> compact(std::span<const record> state) {
        if (file_ < 0) return error{errc::unavailable, path_, "it is not open"};
        if (state.empty() || state.back().seq != last_)
            return error{errc::invalid_argument, path_, "expected records up to the last number that was appended"};
        return replace_by(state);
    }

private:
    // The head: magic, version, its checksum; then how much is safe, and the checksum of that. A record's frame: its
    // size, the checksum of its bytes, the checksum of these two; then the bytes.
    static constexpr std::string_view magic = "RHJRNL\r\n";
    static constexpr std::uint32_t version = 1;
    static constexpr std::size_t mark_at = 16;
    static constexpr std::size_t head_size = 32;
    static constexpr std::size_t frame_head = 12;

    enum class found : std::uint8_t { whole, end, short_of_it, broken, unread };

    /// Frames, read in large pieces.
    class reader {
    public:
        reader(basic_file_journal& from, off_t end) : from_{&from}, end_{end} {}
        found next(std::string_view& payload) {
            at_ = next_;
            if (at_ == end_) return found::end;
            if (!fill(frame_head)) return failed_ ? found::unread : found::short_of_it;
            const std::string_view head = piece_.substr(0, frame_head);
            const std::uint32_t size = number(head);
            if (crc32c(head.substr(0, 8)) != number(head.substr(8)) || size > most_record_bytes) return found::broken;
            if (!fill(frame_head + size)) return failed_ ? found::unread : found::short_of_it;
            payload = piece_.substr(frame_head, size);
            if (crc32c(payload) != number(piece_.substr(4))) return found::broken;
            next_ += static_cast<off_t>(frame_head + size);
            piece_.remove_prefix(frame_head + size);
            return found::whole;
        }
        [[nodiscard]] off_t at() const noexcept { return at_; } ///< where the last frame begins

    private:
        bool fill(std::size_t size) {
            if (piece_.size() >= size) return true;
            if (end_ - next_ < static_cast<off_t>(size)) return false;
            constexpr off_t piece = 1 << 20;
            bytes_.resize(static_cast<std::size_t>(end_ - next_ < piece ? end_ - next_ : piece));
            failed_ = !from_->read_in(bytes_, next_);
            piece_ = bytes_;
            return !failed_;
        }

        basic_file_journal* from_;
        off_t end_;
        off_t next_ = static_cast<off_t>(head_size);
        off_t at_ = next_;
        std::string bytes_;
        std::string_view piece_;
        bool failed_ = false;
    };

    static std::uint32_t number(std::string_view bytes) noexcept {
        std::uint32_t n = 0;
        for (std::size_t k = 4; k-- > 0;) n = n << 8U | static_cast<unsigned char>(bytes[k]);
        return n;
    }
    static void put(std::string& to, std::uint64_t n, std::size_t bytes) {
        for (std::size_t k = 0; k < bytes; ++k) to.push_back(static_cast<char>(n >> 8 * k & 0xffU));
    }
    static void add_frame(const record& r, std::string& to) {
        const std::size_t at = to.size();
        to.append(frame_head, '\0');
        encode(r, to);
        std::string head;
        const std::string_view payload = std::string_view{to}.substr(at + frame_head);
        put(head, payload.size(), 4);
        put(head, crc32c(payload), 4);
        put(head, crc32c(head), 4);
        to.replace(at, frame_head, head);
    }
    static std::string mark_of(off_t safe) {
        std::string mark;
        put(mark, static_cast<std::uint64_t>(safe), 8);
        put(mark, crc32c(mark), 4);
        put(mark, 0, 4);
        return mark;
    }

    /// Reads the whole file, decides where it ends, and makes that safe.
    result<void> check() {
        const off_t size = files_.size(file_);
        if (size < 0) return failed("cannot tell its size");
        std::string head(static_cast<std::size_t>(size < off_t{head_size} ? size : off_t{head_size}), '\0');
        if (!read_in(head, 0)) return failed("cannot read it");
        if (head.size() < head_size || head.substr(0, magic.size()) != magic ||
            crc32c(head.substr(0, 12)) != number(head.substr(12)))
            return error{errc::syntax, path_ + ": byte 0", "this is no journal, or its head is damaged"};
        if (number(head.substr(8)) != version)
            return error{errc::unsupported, path_ + ": byte 8",
                         "version " + std::to_string(number(head.substr(8))) + "; this program knows version 1"};
        const std::string_view mark = std::string_view{head}.substr(mark_at);
        const bool marked = crc32c(mark.substr(0, 8)) == number(mark.substr(8));
        const std::uint64_t safe = number(mark) | std::uint64_t{number(mark.substr(4))} << 32U;
        if (marked && safe > static_cast<std::uint64_t>(size))
            return error{errc::syntax, path_ + ": byte " + std::to_string(size),
                         "the file ends, and " + std::to_string(safe) + " bytes had been safe"};

        last_ = no_sequence;
        reader in{*this, size};
        for (std::string_view payload;;) {
            const found next = in.next(payload);
            if (next == found::end) break;
            if (next == found::whole) {
                const auto read = decode_record(payload);
                if (!read || read->seq <= last_) return damaged(in.at());
                last_ = read->seq;
                continue;
            }
            if (next == found::unread) return failed("cannot read it");
            // What had been safe is damaged; or nobody can say whether it had been.
            if (!marked || static_cast<std::uint64_t>(in.at()) < safe) return damaged(in.at());
            if (files_.truncate(file_, in.at()) != 0) return failed("cannot cut off its torn end");
            break;
        }
        // What comes after the mark may be in memory alone: a sync that failed may have been told to somebody else.
        const off_t end = in.at();
        const off_t from = marked ? static_cast<off_t>(safe) : off_t{head_size};
        std::string tail(static_cast<std::size_t>(end - from), '\0');
        if (!read_in(tail, from)) return failed("cannot read it");
        if (auto written = write_out(tail, from); !written) return written;
        return make_safe(end, true);
    }

    /// Writes a file beside the old one, and gives it the old one's name once it is safe.
    result<void> replace_by(std::span<const record> state) {
        int old = std::exchange(file_, files_.open(fresh().c_str(), O_RDWR | O_CREAT | O_TRUNC));
        if (file_ < 0) {
            file_ = old;
            return failed("cannot open its successor");
        }
        buffer_ = magic;
        put(buffer_, version, 4);
        put(buffer_, crc32c(buffer_), 4);
        buffer_ += mark_of(off_t{head_size});
        for (const record& r : state) add_frame(r, buffer_);
        const off_t old_end = end_;
        auto done = write_out(buffer_, 0);
        if (done) done = make_safe(static_cast<off_t>(buffer_.size()), true);
        if (done && files_.rename(fresh().c_str(), path_.c_str()) != 0)
            done = failed("cannot put its successor in place");
        if (!done) {
            close(file_);
            files_.remove(fresh().c_str());
            file_ = old;
            end_ = old_end;
            return done;
        }
        close(old);
        if (auto safe = sync_directory(); !safe) return given_up(std::move(safe));
        return {};
    }
    /// Syncs, and then notes how much is safe. The note itself need not be: an older one only promises less.
    result<void> make_safe(off_t end, bool always = false) {
        if (options_.sync || always) {
            if (files_.sync(file_) != 0) return failed("cannot sync it");
            if (auto marked = write_out(mark_of(end), off_t{mark_at}); !marked) return marked;
        }
        end_ = end;
        return {};
    }
    result<void> sync_directory() {
        const std::size_t slash = path_.find_last_of('/');
        const std::string directory = slash == std::string::npos ? "." : slash == 0 ? "/" : path_.substr(0, slash);
        int fd = files_.open(directory.c_str(), O_RDONLY);
        if (fd < 0) return failed("cannot open its directory");
        const int done = files_.sync_directory(fd);
        const int why = errno;
        close(fd);
        errno = why;
        if (done != 0) return failed("cannot sync its directory");
        return {};
    }
    result<void> write_out(std::string_view bytes, off_t at) {
        while (!bytes.empty()) {
            const ssize_t done = files_.write(file_, bytes.data(), bytes.size(), at);
            if (done < 0 && errno == EINTR) continue;
            if (done == 0) errno = EIO;
            if (done <= 0) return failed("cannot write at byte " + std::to_string(at));
            bytes.remove_prefix(static_cast<std::size_t>(done));
            at += done;
        }
        return {};
    }
    bool read_in(std::string& to, off_t at) {
        for (std::size_t have = 0; have < to.size();) {
            const ssize_t done = files_.read(file_, to.data() + have, to.size() - have, at + static_cast<off_t>(have));
            if (done < 0 && errno == EINTR) continue;
            if (done == 0) errno = EIO; // it has become shorter
            if (done <= 0) return false;
            have += static_cast<std::size_t>(done);
        }
        return true;
    }
    /// Nobody knows what is on the disk now: `open` has to look.
    result<void> given_up(result<void> why) {
        close(file_);
        return why;
    }
    [[nodiscard]] std::string fresh() const { return path_ + ".new"; }
    [[nodiscard]] error failed(std::string_view what) const {
        const int code = errno;
        return {errc::io, path_, std::string{what} + ": " + std::strerror(code)};
    }
    [[nodiscard]] error damaged(off_t at) const {
        return {errc::syntax, path_ + ": byte " + std::to_string(at), "a record is damaged; nothing was changed"};
    }
    void close(int& fd) noexcept {
        if (fd >= 0) files_.close(fd);
        fd = -1;
    }

    std::string path_;
    file_journal_options options_;
    Files files_;
    int lock_ = -1;
    int file_ = -1;
    off_t end_ = 0;
    sequence last_ = no_sequence;
    std::string buffer_;
};

using file_journal = basic_file_journal<>;
static_assert(journal<file_journal>);

} // namespace reheat::inline REHEAT_ABI
