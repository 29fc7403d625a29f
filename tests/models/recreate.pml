/* SPDX-License-Identifier: MIT */
/* Re-creation of one instance with its volume: fence, proof, new copy, verification, under crashes of the controller.

   The engine is a loop of steps, each one atomic as a call of engine::step is; everything else (the journal's disk, the
   cloud, the world, time) moves between any two of them. Each step names what it stands for in include/reheat.

   A call takes any time, is lost on the way, breaks off in the middle, is carried out and not answered, or is answered
   after the engine has given it up. A description of the cloud may lie, so what it says of a machine is never used: in
   the model "found" may come at any time.

   Assumed, each with a switch that takes it away and must make the model fail:
   A1  A re-creation is carried out before its deadline and its time to settle are over, or not at all. NO_SETTLE
   A2  Nobody starts a machine that was fenced before its proof has run out, nor while a re-creation is
       under way.                                                                                       RESTARTED_EARLY
   A3  A fence answers "done" only once the machine is off.                                             FENCE_LIES

   Left out: a fence's intent on the disk, because it changes nothing after a restart (no description is a proof, and
   fencing again is harmless); proofs that come without a fence; more than one machine.

   Mistakes of the engine or of a driver, each a switch that must make the model fail: see `run`. */

#ifndef CRASHES
#define CRASHES 1 /* of the controller */
#endif
#ifndef FAILURES
#define FAILURES 1 /* of a copy, beside the first */
#endif
#ifndef STRANGERS
#define STRANGERS 1 /* an operator or the cloud itself starts a machine again that is off */
#endif
#ifndef BUDGET
#define BUDGET 2 /* re-creations, for good */
#endif
#define COPIES 3 /* at a time: the old one, the new one, and one of a mistake */
#define NONE COPIES
#define FENCES 2
#define RECREATE FENCES /* the slot of the re-creation; those before are of fences */
#define SLOTS 3

mtype = { nothing, fence, recreate };               /* operations */
mtype = { lost, done, failed };                     /* what a call came to */
mtype = { starting, closed, deciding, fencing, acting, verifying, parked }; /* phases, and a controller that starts */
mtype = { journaled, called, unknown };             /* stages of an operation */
mtype = { silent, healthy, unhealthy };             /* what is heard */

/* ---- The world. No part of the engine reads it ---- */

bool running[COPIES + 1];   /* of NONE: never */
bool reachable[COPIES + 1]; /* its guest is heard; one that is cut off may run */
bool attached[COPIES + 1];  /* the volume is in its hands */
byte held_by = 0;           /* in whose hands the cloud has it */
bool deleted;               /* the volume is gone */
byte recreations;           /* that were called */
byte current = 0;           /* the copy that the cloud has under the name, or NONE */
bool left_off;              /* nobody else starts the machine that was fenced (A2) */
byte crashes, failures, strangers;

#define running_copies (running[0] + running[1] + running[2])
#define attached_copies (attached[0] + attached[1] + attached[2])

/* ---- Calls: a slot for each that the cloud may still carry out ---- */

mtype asked[SLOTS] = nothing; /* what the cloud was asked for */
mtype answer[SLOTS] = lost;
bool over[SLOTS];             /* the cloud will do nothing more for it */
bool awaited[SLOTS];          /* the engine waits for its answer: neither its deadline nor a crash came before */
byte meant[SLOTS];            /* the copy that was there when it was called */
bool late_done;               /* of a fence: an answer that came when nobody waited for it */

#define under_way(s) (asked[s] != nothing && !over[s])

/* ---- The journal: what is on the disk (engine/record_codec.hpp, adapters/file_journal.hpp) ---- */

mtype = { intent, outcome }; /* called perhaps; came to its end and has no verdict */
mtype disk = nothing;        /* the newest record of a re-creation that is not over */
byte disk_spent;             /* attempts */

/* ---- The engine: gone with a crash ---- */

mtype phase = starting;       /* recovery/incident.hpp: incident::at */
mtype op = nothing;           /* engine/pending_operation.hpp */
mtype stage = journaled;
bool unwritten;               /* a record that is not on the disk yet. Only calls wait for the journal; but no decision
                                 is seen outside before its call, so that records may follow on one by one here */
mtype last = nothing;         /* what that record says */
byte spent;                   /* recovery/ledger.hpp */
byte fences;                  /* death_wanted::in_flight */
bool proved;                  /* death_wanted::proved; then op.proofs */
bool valid;                   /* that proof's time is not over: proof_of_death::speaks_for */
mtype word = silent;          /* what all vantages together say: evidence/ */
#ifndef SAFETY_ONLY
bool waiting;                 /* incident::waiting_since */
bool paged;
#endif

/* ---- The properties: docs/explanation/models.md. `ONLY` leaves the others out, to see that each can fail ---- */

#define I1 1   /* at most one running copy */
#define I3 3   /* what a proof says is true when it is spent */
#define I4 4   /* the volume is never deleted, and never in the hands of two */
#define I5 5   /* the budget holds across crashes */
#define I7 7   /* no repeat while an earlier call may still be carried out */
#define WELL 8 /* nothing that is known to be well is fenced */
#define NEW 9  /* a fence that is waited for never hits the new copy */
#define REACHED 10 /* false on purpose: an instance that was made anew is found well */
#ifndef ONLY
#define ONLY 0
#endif
#define holds(which, what) assert((ONLY != 0 && ONLY != which) || (what))

#define right (phase == closed && running_copies == 1 && running[current] && reachable[current] && attached[current])
#ifndef SAFETY_ONLY
ltl recovered { <>[] (paged || right) }
#endif

/* engine::fence_ended */
inline fence_ended(s) {
    awaited[s] = false;
    fences--;
    if
    :: answer[s] == done && !proved -> proved = true; valid = true /* engine::mint */
    :: else
    fi
}
/* engine::watch_deadlines, doubt_outcome, ask_cloud, read_back: no description is a proof; it counts as failed */
inline fence_unknown(s) {
    awaited[s] = false;
    fences--;
#ifdef DESCRIPTION_IS_PROOF
    proved = true;
    valid = true
#endif
}
inline call_of(s, what) {
    asked[s] = what;
    awaited[s] = true;
    over[s] = false;
    answer[s] = lost;
    meant[s] = current
}

#ifdef ONE_FENCE
#define free_slot (asked[0] == nothing)
#else
#define free_slot (asked[0] == nothing || asked[1] == nothing)
#endif
#ifdef NO_SECOND_LOOK
#define may_fence free_slot
#else
#define may_fence (free_slot || word == healthy)
#endif
#ifdef NO_SETTLE
#define settled true
#else
#define settled !under_way(RECREATE)
#endif
#ifdef ACTS_DURING_FENCE
#define fences_over (fences == 0 || proved)
#else
#define fences_over (fences == 0)
#endif
#ifdef CALL_BEFORE_DURABLE
#define may_call true
#else
#define may_call !unwritten /* engine::durable has covered it */
#endif
#ifdef RESTARTED_EARLY
#define left_to_others true
#else
#define left_to_others (!left_off && !under_way(RECREATE))
#endif

#ifdef SAFETY_ONLY /* and what only matters for liveness is left out */
#define wait()
#define not_waiting()
#define page()
#define not_paged()
#else
#define wait() waiting = true
#define not_waiting() waiting = false
#define page() paged = true
#define not_paged() paged = false
#endif

inline write(what) { last = what; unwritten = true }
inline close() {
    holds(REACHED, ONLY != REACHED || recreations == 0);
    phase = closed;
    if :: disk != nothing -> write(nothing) :: else fi;
    not_waiting(); not_paged()
}
inline forget_op() { op = nothing; stage = journaled }
inline retry() { phase = deciding; forget_op(); proved = false; valid = false; wait() }
inline verify() { write(outcome); forget_op(); phase = verifying }

proctype engine() {
end:
    do
    /* -- Start: pipeline::open replays the journal; an intent without an outcome is read back before anything else, and
       an action without a verdict is verified -- */
    :: atomic { phase == starting ->
#ifndef BUDGET_FORGOTTEN
        spent = disk_spent;
#endif
        if
#ifndef NO_READ_BACK_ON_START
        :: disk == intent -> phase = acting; op = recreate; stage = unknown
#endif
#ifndef NO_VERDICT_ON_START
        :: disk == outcome -> phase = verifying
#endif
        :: else -> phase = closed
        fi
    }

    /* -- engine::open: several vantages say that it is dead (evidence/corroboration.hpp) -- */
    :: atomic { phase == closed && op == nothing && word == unhealthy -> phase = deciding; wait() }

    /* -- engine::decide -- */
    :: atomic { phase == deciding && word == healthy -> close() }
    :: atomic { phase == deciding && word != healthy && spent >= BUDGET ->
        phase = parked; not_waiting();            /* engine::park */
#ifndef NO_PAGE
        page()
#endif
    }
    :: atomic { phase == deciding && word != healthy && spent < BUDGET ->
#ifdef NO_PROOF
        phase = acting; op = recreate; stage = journaled; spent++; write(intent); not_waiting()
#else
        phase = fencing; op = fence; stage = journaled /* engine::fence_next, engine::start */
#endif
    }
    :: atomic { phase == parked && word == healthy -> close() }

    /* -- pipeline::write_records: journal.append, engine::durable -- */
    :: atomic { unwritten -> disk = last; last = nothing; disk_spent = spent; unwritten = false }

    /* -- engine::emit_call of a fence, after the second look (engine::no_longer_wanted) -- */
    :: atomic { op == fence && stage == journaled && !unwritten && may_fence ->
        if
#ifndef NO_SECOND_LOOK
        :: word == healthy -> forget_op(); phase = deciding /* engine::drop */
        :: word != healthy && free_slot ->
#else
        :: free_slot ->
#endif
            holds(WELL, word != healthy);
            stage = called;
            /* fence_rules::parallel: all methods at once, as far as the policy has them */
            if
            :: asked[0] == nothing -> call_of(0, fence); fences++
#ifndef ONE_FENCE
            :: asked[1] == nothing -> call_of(1, fence); fences++
            :: asked[0] == nothing && asked[1] == nothing ->
                call_of(0, fence); call_of(1, fence); fences = 2
#endif
            fi
        fi
    }

    /* -- engine::take(completed): a fence's answer; engine::fence_ended -- */
    :: atomic { op == fence && stage == called && awaited[0] && over[0] && answer[0] != lost -> fence_ended(0) }
    :: atomic { op == fence && stage == called && awaited[1] && over[1] && answer[1] != lost -> fence_ended(1) }
    :: atomic { op == fence && stage == called && awaited[0] -> fence_unknown(0) }
    :: atomic { op == fence && stage == called && awaited[1] -> fence_unknown(1) }
#ifdef LATE_COMPLETION_COUNTS
    :: atomic { op == fence && stage == called && late_done -> late_done = false; proved = true; valid = true }
#endif
    /* -- engine::fence_next: any fence that worked is enough, and no other is under way; engine::go_on -- */
    :: atomic { op == fence && stage == called && fences_over ->
        if
        :: proved ->
            phase = acting; op = recreate; stage = journaled;
            spent++; write(intent); not_waiting() /* engine::spend, write_intent */
        :: else -> retry()
        fi
    }

    /* -- engine::emit_call of the re-creation, after the second look -- */
    :: atomic { op == recreate && stage == journaled && may_call ->
        if
#if !defined(NO_SECOND_LOOK) && !defined(NO_PROOF)
        :: !proved || !valid ->
            /* engine::drop, take_back: nothing was spent. A proof is good for no less than page_after, so a human hears
               of one that keeps expiring. */
            spent--; write(nothing);
            retry(); page()
        :: proved && valid ->
#else
        :: true ->
#endif
            holds(I3, running_copies == 0);
            holds(I7, !under_way(RECREATE));
            recreations++;
            holds(I5, recreations <= BUDGET);
            call_of(RECREATE, recreate);
            proved = false; valid = false; /* the proof moves into the call; engine::bury */
            word = silent;   /* engine::forget_past: what was heard before says nothing of whether it helps */
            stage = called
        fi
    }

    /* -- engine::take(completed), finish -- */
    :: atomic { op == recreate && stage == called && awaited[RECREATE] && over[RECREATE] && answer[RECREATE] != lost ->
        awaited[RECREATE] = false;
        if
        :: answer[RECREATE] == done -> verify()
        :: else -> write(nothing); retry() /* certainly nothing changed */
        fi
    }
    /* -- engine::watch_deadlines -- */
    :: atomic { op == recreate && stage == called && awaited[RECREATE] ->
        awaited[RECREATE] = false;
#ifdef NO_READ_BACK
        write(nothing); retry()
#else
        stage = unknown
#endif
    }
    /* -- engine::read_back: a new copy is described as running. What it does not find may still be under way -- */
    :: atomic { op == recreate && stage == unknown -> verify() }
    /* -- settle_by: the time to settle is over. Nothing more happens by A1; evidence decides -- */
    :: atomic { op == recreate && stage == unknown && settled -> verify() }

    /* -- engine::check_verdict: well since the call, or a deadline. It is as far off as the time to settle (both are the
       rung's verify: engine::go_on, finish), so after "found" that was a lie nothing is repeated too early either -- */
    :: atomic { phase == verifying && !unwritten && word == healthy -> close() }
    :: atomic { phase == verifying && !unwritten && word != healthy && settled -> write(nothing); retry() }

    /* -- The controller is killed, at any step; what was not on the disk is gone -- */
    :: atomic { crashes < CRASHES && phase != starting ->
        crashes++; phase = starting; forget_op();
        unwritten = false; last = nothing; spent = 0; fences = 0; proved = false; valid = false;
        word = silent; not_waiting(); not_paged();
        awaited[0] = false; awaited[1] = false; awaited[RECREATE] = false
    }
    od
}

/* ---- The cloud and its driver (driver/concepts.hpp): one process for each call that may be under way ---- */

/* Nobody waits for it any more: a late completion is only an event (engine::take(completed)) */
inline pass_away(s) {
#ifdef LATE_COMPLETION_COUNTS
    if :: asked[s] == fence && answer[s] == done -> late_done = true :: else fi;
#endif
    asked[s] = nothing;
    over[s] = false;
    answer[s] = lost
}
/* Lost on the way, or refused; certainly nothing changed, and the engine may hear of it or not */
inline come_to_nothing(s) {
    over[s] = true;
    if :: awaited[s] -> answer[s] = failed :: true fi
}

proctype carry_out_fence(byte me) {
end:
    do
    :: atomic { asked[me] != nothing && over[me] && !awaited[me] -> pass_away(me) }
    :: atomic { under_way(me) -> come_to_nothing(me) }
    /* Whatever runs under the name is off, whenever that comes to be */
    :: atomic { under_way(me) ->
#ifdef FENCE_LIES
        if :: running[current] = false; reachable[current] = false :: true fi;
#else
        holds(NEW, !awaited[me] || current == meant[me]);
        running[current] = false; reachable[current] = false; left_off = true;
#endif
        over[me] = true;
#ifdef LATE_COMPLETION_COUNTS
        answer[me] = done
#else
        if :: awaited[me] -> answer[me] = done :: true fi
#endif
    }
    od
}

/* Only the volume's own record: a host that is cut off goes on using what it has */
inline detach_volume() {
    atomic { held_by = NONE; attached[current] = attached[current] && running[current] }
}
/* With a machine goes what is still attached to it, in the cloud's record */
inline delete_old() {
    atomic {
        deleted = deleted || (held_by == current && current != NONE);
        holds(I4, !deleted);
        current = NONE
    }
}
inline attach_to_new() {
    atomic {
        if
        :: current != 0 && !running[0] && !attached[0] -> copy = 0
        :: else ->
            if
            :: current != 1 && !running[1] && !attached[1] -> copy = 1
            :: else -> copy = 2
            fi
        fi;
        current = copy;
        held_by = copy; attached[copy] = true;
        holds(I4, attached_copies == 1)
    }
}
inline may_break_off() { if :: true :: over[RECREATE] = true; goto again fi }

proctype carry_out_recreation() {
    byte copy = NONE;
end:
again:
    do
    :: atomic { asked[RECREATE] != nothing && over[RECREATE] && !awaited[RECREATE] -> pass_away(RECREATE) }
    :: atomic { under_way(RECREATE) -> come_to_nothing(RECREATE) }
    /* Between its steps time passes, and it may break off */
    :: under_way(RECREATE) ->
#ifdef DELETES_BEFORE_DETACH
        delete_old(); may_break_off(); detach_volume(); may_break_off();
        attach_to_new(); may_break_off();
#else
#ifdef ATTACHES_BEFORE_DETACH
        attach_to_new(); may_break_off();
#else
        detach_volume(); may_break_off(); delete_old(); may_break_off();
        attach_to_new(); may_break_off();
#endif
#endif
        atomic {
            running[copy] = true; reachable[copy] = true; copy = NONE; over[RECREATE] = true;
            holds(I1, running_copies == 1);
            if :: awaited[RECREATE] -> answer[RECREATE] = done :: true fi
        }
    od
}

/* ---- The world goes on ---- */

#define to_be_proved(s) (awaited[s] && over[s] && answer[s] == done)

proctype world() {
end:
    do
    /* The time of a proof is over; and then that for which others leave the machine alone */
    :: valid -> valid = false
    :: atomic { left_off && !valid && !to_be_proved(0) && !to_be_proved(1) -> left_off = false }
    /* A copy dies, or is cut off and may be heard again */
    :: atomic { failures < FAILURES && running[current] ->
        failures++; running[current] = false; reachable[current] = false
    }
    :: atomic { failures < FAILURES && running[current] -> failures++; reachable[current] = false }
    :: atomic { running[current] && !reachable[current] -> reachable[current] = true }
    /* Somebody else starts a machine that is off and has its volume */
    :: atomic { strangers < STRANGERS && current != NONE && held_by == current && !running[current] && left_to_others ->
        strangers++; running[current] = true;
        holds(I1, running_copies == 1);
        if :: reachable[current] = true :: true fi
    }
    od
}

/* What is heard, and how long something waits (engine::page_at) */
proctype senses() {
end:
    do
    :: atomic { word != healthy && running[current] && reachable[current] -> word = healthy }
    :: atomic { word != unhealthy && !(running[current] && reachable[current]) -> word = unhealthy }
#if !defined(NO_PAGE) && !defined(SAFETY_ONLY)
    :: atomic { !paged && waiting && (phase == deciding || phase == fencing) -> page() }
#endif
    od
}

init {
    atomic {
        attached[0] = true;
        if
        :: running[0] = true; reachable[0] = true
        :: running[0] = true /* cut off */
        :: true              /* dead */
        fi;
        run engine(); run carry_out_fence(0); run carry_out_recreation(); run world(); run senses();
#ifndef ONE_FENCE
        run carry_out_fence(1)
#endif
    }
}
