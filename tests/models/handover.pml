/* SPDX-License-Identifier: MIT */
/* Two controllers hand over the lead: a lease, an epoch in each call and in each record, a journal that both can read.

   A controller is a loop of steps; between any two of them it may pause for any time, lose the lead, or crash. The last
   two are the same here: it starts anew on the replayed journal (pipeline::leads, pipeline::lost_lead). For each
   failure of an instance it must be re-created once. Each step names what it stands for in include/reheat.

   Two ways to be safe, each checked by itself:

   EPOCHS (the default)  The cloud refuses a request whose epoch is smaller than one that it has seen, as
       docs/reference/driver.md asks of a driver. Then pauses of any length between the decision and the call, and
       calls that are under way for any time, do no harm, and neither do clocks.
   LEASES (-DLEASES)     The cloud knows nothing of epochs. Then no call starts unless the lease outlives its deadline
       with a margin for the clocks' drift. Assumed, with a switch that takes it away and must make the model fail:
       B1  The driver makes the call at once when it is told to: no pause between the look at the lease and
           the call.                                                                               PAUSED_BEFORE_CALL
       B2  A call is carried out before its deadline or not at all.                                LATE_FOR_EVER

   Both assume that a controller which asks the cloud itself after a deadline waits until nothing more comes of the call
   (A1 of recreate.pml).

   Mistakes, each a switch that must make the model fail: see `run`. */

#if !defined(LEASES) && !defined(EPOCHS)
#define EPOCHS 1
#endif
#ifndef TERMS
#define TERMS 3    /* how often the lead is taken */
#endif
#ifndef FAILURES
#define FAILURES 2 /* of the instance, one after the other */
#endif
#define BUDGET 3   /* attempts */
#define CALLS 2    /* under way at the same time */
#define LEASE 3    /* ticks; the deadline of a call is one */
#define DRIFT 1    /* ticks that a clock may be behind within a lease */
#ifdef NO_MARGIN
#define MARGIN 0
#else
#define MARGIN DRIFT
#endif
#define NOBODY 2

/* ---- The store of leases ---- */

byte holder = NOBODY;
byte terms; /* the newest epoch */
byte lease_left;  /* ticks of the lease */

/* ---- The journal, which both can read. It takes nothing from an epoch before the newest that has claimed it ---- */

byte log_epoch;
byte log_spent;      /* attempts */
byte log_closed;     /* incidents that came out well */
bool log_open;       /* the newest intent has no outcome */

/* ---- The world: the instance failed so often, and was made anew so often; `carried` is its cloud_id as well ---- */

byte failed = 1;
byte carried;
byte newest_carried; /* epoch of the last call that was carried out */
byte cloud_epoch;    /* the largest that the cloud has seen */

/* ---- Calls under way ---- */

bool under_way[CALLS];
byte epoch_of[CALLS];
byte sender_of[CALLS];

/* ---- Controllers ---- */

mtype = { following, asking, claiming, replaying, reading, concluding, leading, written, calling, waiting };
mtype at[2] = following;
byte epoch[2];  /* engine_options::reign */
byte mine[2];   /* ticks of the lease as the own clock counts them, from before it was asked for */
byte lag[2];    /* ticks that this clock is behind */
byte spent[2];  /* attempts, as replayed and since */
byte closed[2]; /* incidents */
bool found[2];  /* what the read-back saw */
bool calls[2];  /* the intent at hand was called: ghost */

/* ---- Properties: docs/explanation/models.md. `ONLY` leaves the others out, to see that each can fail ---- */

#define OLD 1   /* no call of an old epoch is carried out after one of a newer */
#define ONCE 2  /* no two calls for the same incident are carried out */
#define SPENT 3 /* the budget is spent once, whoever leads */
#define LEAD 4  /* LEASES: a call is carried out only while its sender has the lease */
#define REACHED 10 /* false on purpose: every failure was recovered, and more than one controller has led */
#ifndef ONLY
#define ONLY 0
#endif
#define holds(which, what) assert((ONLY != 0 && ONLY != which) || (what))

#ifdef JOURNAL_TAKES_OLD_EPOCHS
#define taken(c) true
#else
#define taken(c) (epoch[c] >= log_epoch)
#endif
#define mine_under_way(c) ((under_way[0] && epoch_of[0] == epoch[c]) || (under_way[1] && epoch_of[1] == epoch[c]))
#define free_slot (!under_way[0] || !under_way[1])
#ifdef NO_WAIT
#define settled(c) true
#else
#define settled(c) !mine_under_way(c)
#endif
#ifdef LEASES
#define may_lead (lease_left == 0)
#else
#define may_lead true /* whoever leads may be wrong about it: no clock is asked */
#endif
#if defined(LEASES) && !defined(NO_LEASE_CHECK)
#define leads_on(c) (mine[c] >= 1 + MARGIN)
#else
#define leads_on(c) true
#endif

inline start_anew(c) {
    at[c] = following;
    epoch[c] = 0; mine[c] = 0; lag[c] = 0; found[c] = false; calls[c] = false;
#ifndef KEEPS_STATE
    spent[c] = 0; closed[c] = 0
#endif
}
inline append_intent(c) {
    log_spent++;
    spent[c]++;
    log_open = true;
    holds(SPENT, log_spent <= BUDGET)
}
inline drop_call(s) { under_way[s] = false; epoch_of[s] = 0; sender_of[s] = 0 }
inline tick(c) {
    if
    :: mine[c] != 0 -> mine[c]--
    :: mine[c] != 0 && lag[c] < DRIFT -> lag[c]++
    :: mine[c] == 0
    fi
}
inline send(c) {
    holds(SPENT, !calls[c]);
    calls[c] = true;
    if
    :: !under_way[0] -> under_way[0] = true; epoch_of[0] = epoch[c]; sender_of[0] = c
    :: else -> under_way[1] = true; epoch_of[1] = epoch[c]; sender_of[1] = c
    fi
}

proctype controller(byte c) {
end:
    do
    /* -- The leadership's store grants a lease, with a new epoch -- */
    :: atomic { at[c] == following && may_lead && terms < TERMS ->
        terms++; holder = c; epoch[c] = terms; at[c] = asking;
#ifdef LEASES
        lease_left = LEASE; mine[c] = LEASE; lag[c] = 0
#endif
    }
    :: atomic { at[c] == asking -> at[c] = claiming;
#ifdef LEASE_FROM_ANSWER
        mine[c] = LEASE; lag[c] = 0
#endif
    }
#ifdef LEASES
    /* -- It is renewed; pipeline::leads(epoch, until) -- */
    :: atomic { at[c] != following && at[c] != asking && holder == c && lease_left != 0 && epoch[c] == terms ->
        lease_left = LEASE; mine[c] = LEASE; lag[c] = 0
    }
#endif

    /* -- The journal is claimed, and only then replayed: pipeline::open, engine/resume.hpp -- */
    :: atomic { at[c] == claiming ->
        if
#ifdef NO_CLAIM
        :: true -> at[c] = replaying
#else
#ifdef KEEPS_STATE
        :: taken(c) && spent[c] != 0 -> log_epoch = epoch[c]; at[c] = leading
#endif
        :: taken(c) -> log_epoch = epoch[c]; at[c] = replaying
#endif
        :: !taken(c) -> start_anew(c)
        fi
    }
    :: atomic { at[c] == replaying ->
        spent[c] = log_spent; closed[c] = log_closed;
        if
#ifndef NO_READ_BACK
        :: log_open -> at[c] = reading
#endif
        :: else -> at[c] = leading
        fi
    }

    /* -- An intent without an outcome is read back: engine::ask_cloud, read_back. The question has its epoch too -- */
    :: atomic { at[c] == reading ->
#ifdef EPOCHS
        if
        :: epoch[c] < cloud_epoch -> start_anew(c) /* outcome::refused */
        :: else ->
            at[c] = concluding; found[c] = carried > closed[c];
#ifndef READ_BACK_WITHOUT_EPOCH
            cloud_epoch = epoch[c]
#endif
        fi
#else
        at[c] = concluding; found[c] = carried > closed[c]
#endif
    }
    :: atomic { at[c] == concluding ->
        if
        :: taken(c) ->
            if :: found[c] -> closed[c]++; log_closed = closed[c] :: else fi;
            log_open = false; found[c] = false; at[c] = leading
        :: else -> start_anew(c)
        fi
    }

    /* -- engine::decide, spend, write_intent; journal.append -- */
    :: atomic { at[c] == leading && closed[c] < failed && spent[c] < BUDGET ->
        calls[c] = false;
        if
        :: taken(c) -> at[c] = written;
#ifndef CALL_BEFORE_DURABLE
            append_intent(c)
#endif
        :: !taken(c) -> start_anew(c)
        fi
    }

    /* -- engine::emit_call: no call starts unless the lease outlives its deadline with a margin -- */
    :: atomic { at[c] == written && free_slot ->
        if
        :: leads_on(c) -> at[c] = calling;
#if defined(LEASES) && !defined(PAUSED_BEFORE_CALL)
            send(c); at[c] = waiting
#endif
        :: !leads_on(c) -> start_anew(c) /* engine::lost_lead */
        fi
    }
    /* -- runner/dispatch.hpp, any time later -- */
    :: atomic { at[c] == calling && free_slot -> send(c); at[c] = waiting }
#ifdef CALL_BEFORE_DURABLE
    :: atomic { at[c] == waiting && !log_open -> if :: taken(c) -> append_intent(c) :: !taken(c) -> start_anew(c) fi }
#endif

    /* -- Its outcome: the driver's answer, or what is read back once nothing more can come of it -- */
    :: atomic { at[c] == waiting && settled(c) -> at[c] = reading }

    /* -- The lead is lost, or the controller dies: at any step -- */
    :: atomic { at[c] != following -> start_anew(c) }
    od
}

/* ---- The cloud ---- */

proctype cloud(byte s) {
end:
    do
    :: atomic { under_way[s] -> drop_call(s) } /* lost on the way */
    :: atomic { under_way[s] ->
#if defined(EPOCHS) && !defined(NO_EPOCH_CHECK)
        if
        :: epoch_of[s] < cloud_epoch -> goto refused
        :: else -> cloud_epoch = epoch_of[s]
        fi;
#endif
        holds(OLD, epoch_of[s] >= newest_carried);
        newest_carried = epoch_of[s];
        carried++;
        holds(ONCE, carried <= failed);
        holds(REACHED, ONLY != REACHED || carried < FAILURES || sender_of[s] == 0 || epoch_of[s] == 1);
#ifdef LEASES
        holds(LEAD, lease_left != 0 && holder == sender_of[s] && terms == epoch_of[s]);
#endif
refused:
        drop_call(s)
    }
    od
}

proctype world() {
end:
    do
    :: atomic { carried == failed && failed < FAILURES -> failed++ }
#ifdef LEASES
    /* A tick of the true time. A clock may be behind by so much in all; one that is ahead only gives up sooner */
    :: atomic { lease_left != 0 || under_way[0] || under_way[1] || mine[0] != 0 || mine[1] != 0 ->
        if :: lease_left > 1 -> lease_left-- :: else -> lease_left = 0; holder = NOBODY fi;
        tick(0); tick(1);
#ifndef LATE_FOR_EVER
        drop_call(0); drop_call(1) /* a call's deadline is over */
#endif
    }
#endif
    od
}

init {
    atomic { run controller(0); run controller(1); run cloud(0); run cloud(1); run world() }
}
