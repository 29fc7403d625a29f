// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/core/result.hpp>
#include <reheat/guest/cloudformation.hpp>
#include <reheat/stack/creation_action.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heat_ha {

/// What the program has to know of a stack when it starts again, beside what the engine's journal says: by which id
/// its guests know it, their keys, and the signals that they send only once. A file that is replaced as a whole,
/// synced, open to its owner only; in memory alone if it has no path.
class stack_memory {
public:
    struct remembered_signal {
        std::string handle; ///< its ARN
        reheat::guest::wait_signal what;
    };

    /// Reads what an earlier run left, if there is anything. Errors: `io`, and `syntax` with the place.
    static reheat::result<stack_memory> read(std::string path, std::string_view stack);

    /// Nothing is written before this, because the path may be another process's until its journal is locked.
    reheat::result<void> begin();

    /// Empty if there was no earlier run.
    [[nodiscard]] const std::string& id() const noexcept { return id_; }
    void set_id(std::string id) { id_ = std::move(id); }
    /// The key pair of a resource: the one of the earlier run, or one that is made now.
    reheat::access_key key(std::string_view resource);
    [[nodiscard]] const std::vector<remembered_signal>& signals() const noexcept { return signals_; }
    /// It is safe once this returns; a later one of the same guest takes the place of the former.
    reheat::result<void> note(std::string_view handle, const reheat::guest::wait_signal& what);

private:
    struct remembered_key {
        std::string resource;
        reheat::access_key pair;
    };

    [[nodiscard]] std::string text() const;
    reheat::result<void> write();

    std::string path_;
    std::string stack_;
    std::string id_;
    bool begun_ = false;
    std::vector<remembered_key> keys_;
    std::vector<remembered_signal> signals_;
};

} // namespace heat_ha
