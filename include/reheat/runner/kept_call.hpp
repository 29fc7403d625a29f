// SPDX-License-Identifier: MIT
#pragma once

#include <reheat/driver/forwarding.hpp>
#include <reheat/engine/effects.hpp>

#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace reheat::inline REHEAT_ABI::detail {

inline void keep_proofs(call&) noexcept {}
inline void keep_proofs(call& c, proof_of_death&& proof) {
    c.incident = proof.incident();
    c.proofs.push_back(std::move(proof));
}
inline void keep_proofs(call& c, std::span<proof_of_death> proofs) {
    for (proof_of_death& p : proofs) keep_proofs(c, std::move(p));
}

/// A call that can be made later, by `dispatch`, which then asks again whether its proofs hold and its deadline is not
/// over. The proofs are moved into it.
template <class Function, class... Proofs>
[[nodiscard]] call keep_call(Function f, const request& r, Proofs&&... proofs) {
    call c;
    c.what = r;
    c.what.what = operation_of(f);
    c.start_by = r.deadline;
    // Reserved first, because the views must not move.
    c.text.reserve(r.name.size() + r.cloud_id.size() + r.service.size() + r.instance.size() + r.stack.size() +
                   r.method.size());
    for (std::string_view* view :
         {&c.what.name, &c.what.cloud_id, &c.what.service, &c.what.instance, &c.what.stack, &c.what.method}) {
        const std::size_t at = c.text.size();
        c.text.insert(c.text.end(), view->begin(), view->end());
        *view = {c.text.data() + at, view->size()};
    }
    keep_proofs(c, std::forward<Proofs>(proofs)...);
    return c;
}

/// The earliest time at which one of them is worth nothing any more.
[[nodiscard]] inline time_point proofs_end(const call& c) noexcept {
    time_point end = never;
    for (const proof_of_death& p : c.proofs) end = earlier(end, p.expires());
    return end;
}

} // namespace reheat::inline REHEAT_ABI::detail
