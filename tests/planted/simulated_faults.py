# SPDX-License-Identifier: MIT
"""Bugs that are planted into the engine, the runner, the journal or the simulated world itself: what is broken, where, the
text before and after. `tests/planted/simulate` expects that simulated schedules find each of them."""

ENGINE, RECOVERY, RUNNER, SIM = "reheat/engine/", "reheat/recovery/", "reheat/runner/", "reheat/sim/"

FAULTS = [
    # Proofs and fences
    ("the proof of death is not asked for", ENGINE + "fencing.hpp",
     "if (needs_proof(r.what)) each_machine(subject, [&](target_id machine) { i.deaths.push_back({machine}); });",
     "static_cast<void>(r), static_cast<void>(subject);"),
    ("a failed fence is a proof", ENGINE + "fencing.hpp",
     "if (code == outcome_code::done && !d.proved) mint(", "if (!d.proved) mint("),
    ("the fence is not awaited", ENGINE + "fencing.hpp",
     "    if (waiting) return;\n    if (in_vain) {",
     "    for (death_wanted& d : i.deaths) {\n        if (!d.proved) mint(i, d, proof_kind::fenced, reason::proof_minted, out);\n    }\n    in_vain = false;\n    if (in_vain) {"),
    ("a description that says off is a proof", ENGINE + "operate.hpp",
     "if (!exists && now.vouched)", "if (!now.running.value_or(true))"),
    ("a grave is forgotten", ENGINE + "fencing.hpp",
     "graves_.push_back({p.target(),", "if (false) graves_.push_back({p.target(),", "--lying-proofs"),
    ("broken trust is ignored", ENGINE + "inputs.hpp",
     "if (std::exchange(trust_broken_, true)) return;", "if (trust_broken_) return;", "--lying-proofs"),

    # Journal and calls
    ("the intent is safe before it is written", ENGINE + "operate.hpp",
     "if (!lost_ && (op.intent > durable_ || !journal_ok_)) return;", "if (!lost_ && !journal_ok_) return;"),
    ("a journal that fails counts as written", RUNNER + "pipeline.hpp",
     "        engine_.durable(journal_.durable());\n    }", "        engine_.durable(static_cast<sequence>(UINT64_MAX));\n    }"),
    ("no second look at a breaker before the call", ENGINE + "operate.hpp",
     "if (breaker != reason::none) return breaker;", ""),
    ("an unknown outcome is repeated blindly", ENGINE + "inputs.hpp",
     "if (c.result.code >= outcome_code::unknown) return doubt_outcome(*op, reason::outcome_unknown, out);",
     "if (c.result.code >= outcome_code::unknown) return finish(*op, outcome_code::failed, reason::outcome_failed, {}, out);"),
    ("a late outcome is applied", ENGINE + "inputs.hpp",
     "if (op == nullptr || op->at != pending_operation::stage::called) {", "if (op == nullptr) {"),
    ("a completion is handled twice", ENGINE + "inputs.hpp",
     "    finish(*op, c.result.code, whys[static_cast<std::size_t>(c.result.code)], c.result.retry_after, out);",
     "    const pending_operation again = {.id = op->id, .what = op->what, .subject = op->subject, .for_incident = op->for_incident};\n    finish(*op, c.result.code, whys[static_cast<std::size_t>(c.result.code)], c.result.retry_after, out);\n    if (c.result.code == outcome_code::failed) tell(event_kind::call, decision::finish, reason::outcome_failed, again, out);"),

    # Budgets, limits, guards
    ("budgets are reset by a restart", ENGINE + "resume.hpp",
     "    spend(*i, op);\n", "    if (false) spend(*i, op);\n"),
    ("a budget allows one more", RECOVERY + "ledger.hpp",
     "return in_burst < burst.count && in_sustained", "return in_burst <= burst.count && in_sustained"),
    ("a shared budget allows one more", RECOVERY + "spending.hpp",
     "if (at_.size() < b.count) return now;", "if (at_.size() <= b.count) return now;"),
    ("what is in flight is not counted", ENGINE + "guards.hpp",
     ">= bound.of(static_cast<std::uint32_t>(all)))", "> bound.of(static_cast<std::uint32_t>(all)))"),
    ("the breaker is ignored", ENGINE + "inputs.hpp", "        s.open = true;\n", "        s.open = false;\n"),
    ("no distance between two actions", ENGINE + "decide.hpp",
     "if (targets_[subject].of != level::service) last_machine_action_ = now_;", ""),
    ("the hold after a start is ignored", ENGINE + "resume.hpp",
     "held_until_ = after(now_, options_.bounds.start_hold);", "held_until_ = now_;"),
    ("an approval is remembered too long", ENGINE + "decide.hpp",
     "    i.approved_until = i.not_before = (time_point::min)();\n", "    i.not_before = (time_point::min)();\n"),
    ("one action at a time is not asked", ENGINE + "guards.hpp",
     "if (targets_.busy(subject)) answers.set(guard::busy, {reason::busy, never});", "if (false) {}"),

    # Incidents
    ("verification is skipped", ENGINE + "decide.hpp",
     "if (all_cured || (cured && now_ >= i.verify_by)) return close(i, reason::verified, out);",
     "if (all_cured || now_ < i.verify_by) return close(i, reason::verified, out);"),
    ("an absorbed incident acts", ENGINE + "decide.hpp",
     "if (by == nullptr || by->at == phase::parked || by->at == phase::closed) let_go(i, out);",
     "if (by == nullptr || by->at != phase::acting) decide(i, out);"),
    ("what an action causes is a failure of its own", ENGINE + "decide.hpp",
     "const target_id above = targets_.busy_above(target);", "const target_id above = no_target;"),
    ("a page is not sent", ENGINE + "decide.hpp",
     "tell(event_kind::page, decision::page, reason::ladder_exhausted, i, out).next = i.wake;", ""),
    ("a long wait is not paged", ENGINE + "decide.hpp",
     "return i.paged || !waits ? never : after(i.waiting_since, options_.page_after);", "return waits ? never : never;"),
    ("an alarm is lost", ENGINE + "inputs.hpp",
     "else open(target, why, out);", "else if (static_cast<unsigned>(target) % 7 != 3) open(target, why, out);"),

    # Copies that return, and controllers that do not lead any more
    ("a copy that returned is not fenced", ENGINE + "fencing.hpp", "if (!stays) stop(old);", ""),
    ("the lead is not asked for", ENGINE + "engine.hpp", "return !leased_ || after(", "return true || after("),

    # The simulated world: bugs of a driver, of a cloud, of a journal
    ("the driver attaches the volumes before the old copy is off", SIM + "carry_out.hpp",
     "if (c.fate.false_proof) return outcome::done();", "if (c.fate.false_proof || m.now.has_power()) return outcome::done();"),
    ("the journal loses its newest records and says that they are safe", SIM + "sim_journal.hpp",
     "entries_.resize(safe_);", "entries_.resize(safe_ < 8 ? 0 : safe_ - 8), safe_ = entries_.size();"),
    ("the cloud does not compare epochs", SIM + "world_calls.hpp",
     "if (fate.arrives && r.reign < reign_) {", "if (false) {"),
]
