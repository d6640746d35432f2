/*
 * A TCG plug-in that counts the instructions of marked windows.
 *
 * A guest marks a window by executing one-byte returns at agreed addresses:
 * slot k of a table begins window k, the table's last slot ends it. Between
 * the two the plug-in accumulates instructions by who executed them (user,
 * guest kernel, hypervisor) and, within the hypervisor, by cell of its code
 * and by what it is charged to: the handler it was entered by, and the hook
 * that is being called. It reads no registers and changes nothing that the
 * guest can see.
 *
 * Instructions are counted by the cheapest means there is, one addition to
 * the counter of their cell. Where what they are charged to changes, the
 * difference since the last such place is moved to its account, if a window
 * is open. Those places are rare: entries, handlers, calls of hooks.
 *
 * QEMU ships no header for its plug-ins; what is declared below is the part of
 * the interface that is used here. Up to QEMU 8, which has version 1 of it, an
 * inline counter is a variable of the plug-in. From QEMU 9 on (version 2) each
 * virtual processor has counters of its own, on a scoreboard. Which of the two
 * there is, is found out when the plug-in is loaded. QEMU 11.1 (version 7) gives
 * other arguments to callbacks, under the same names, and loads nothing older:
 * for it the plug-in is compiled with INTERFACE=7.
 *
 * With several physical processors, cpus=N, what they execute is told apart: a
 * window counts what the processor executes that opened it. They take turns, in
 * one thread, and a callback at each block of code sees whose turn it is. That
 * costs time, so that a machine of one processor has none.
 *
 * Arguments: code=FILE (see Map.WriteMap in the Go package code), out=FILE,
 * table=NAME:BASE:SLOTS for each domain, cpus=N if there are several,
 * threads=i386 if an i386 program in user mode is what executes.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef struct qemu_info_t qemu_info_t;

struct qemu_plugin_scoreboard;
struct on_board { struct qemu_plugin_scoreboard *board; size_t offset; }; /* qemu_plugin_u64 */

enum { INLINE_ADD_U64 = 0 };
enum { CB_NO_REGS = 0 };

#ifndef INTERFACE
#define INTERFACE 1 /* or 2 */
#endif

typedef void (*vcpu_udata_cb)(unsigned int vcpu, void *userdata);
#if INTERFACE < 7
typedef void (*tb_trans_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*udata_cb)(qemu_plugin_id_t id, void *userdata);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_trans_cb cb);
#else
typedef void (*tb_trans_cb)(struct qemu_plugin_tb *tb, void *userdata);
typedef void (*udata_cb)(void *userdata);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_trans_cb cb, void *userdata);
#endif

void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, vcpu_udata_cb cb, int flags, void *userdata);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, vcpu_udata_cb cb, int flags, void *userdata);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, udata_cb cb, void *userdata);

#define WEAK __attribute__((weak)) /* NULL where QEMU does not have it */
WEAK void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *ptr, uint64_t imm);
WEAK void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(struct qemu_plugin_insn *insn, int op, struct on_board entry, uint64_t imm);
WEAK struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t element_size);
WEAK void *qemu_plugin_scoreboard_find(struct qemu_plugin_scoreboard *board, unsigned int vcpu);
WEAK int qemu_plugin_num_vcpus(void);
#if INTERFACE < 7
typedef void (*syscall_cb)(qemu_plugin_id_t id, unsigned int vcpu, int64_t number, uint64_t, uint64_t, uint64_t, uint64_t,
                           uint64_t, uint64_t, uint64_t, uint64_t);
WEAK void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t id, syscall_cb cb);
#endif

EXPORT int qemu_plugin_version = INTERFACE;

/* QEMU reads the version after this and before anything else. */
__attribute__((constructor)) static void choose_version(void)
{
    if (INTERFACE < 2 && qemu_plugin_scoreboard_new)
        qemu_plugin_version = 2;
}

/*
 * Who executed an instruction, told by its address: the map says which area is
 * the hypervisor's (all of it, not its text alone: Xen's entry stubs lie
 * outside of that), the rest of the upper half is the guest kernel's.
 */
enum { USER, KERNEL, OWNERS };

struct range { uint64_t lo, hi; unsigned cell; };
struct entry { uint64_t at; unsigned cell; };
struct event { uint64_t at; char kind; unsigned id; };
struct table { char name[16]; uint64_t base; unsigned slots; };

static struct range *ranges;
static struct entry *entries;
static struct event *events;
static size_t n_ranges, n_entries, n_events, n_cells;
static uint64_t area_lo, area_hi;
static int shared; /* the hypervisor and its guests are one program */

static struct table tables[16]; /* four programs of each domain, with room for more */
static size_t n_tables;
static FILE *out;

/*
 * The counters of a virtual processor: of the owners, then the instructions of
 * each cell, then the entries of each cell. They only ever grow.
 */
static size_t n_counters;
static uint64_t *counters; /* of all processors, up to QEMU 8 */
static struct qemu_plugin_scoreboard *board;

#define INSNS(c) ((c) + OWNERS)
#define ENTERED(c) ((c) + OWNERS + n_cells)

/* What the counters were at the last look, by processor. */
static struct vcpu { uint64_t *then; } *vcpus;
static unsigned n_vcpus;

/* The open window, and the processor that opened it. */
static struct table *window;
static unsigned window_slot, window_cpu;
static uint64_t window_xen;

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "window plug-in: %s%s\n", what, detail);
    exit(1);
}

static void *array(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p)
        die("out of memory", "");
    return p;
}

static void *grow(void *p, size_t n, size_t size)
{
    if (!(p = realloc(p, n * size)))
        die("out of memory", "");
    return p;
}

static uint64_t *counters_of(unsigned v) { return board ? qemu_plugin_scoreboard_find(board, v) : counters; }

/* A program under user-mode emulation has a processor for each thread. */
static void find_vcpus(void)
{
    unsigned n = board ? (unsigned)qemu_plugin_num_vcpus() : 1;

    for (; n_vcpus < n; n_vcpus++) {
        vcpus = grow(vcpus, n_vcpus + 1, sizeof *vcpus);
        vcpus[n_vcpus].then = array(n_counters, sizeof *counters);
    }
}

/* From now on only what follows is new. */
static void look(void)
{
    find_vcpus();
    for (unsigned v = 0; v < n_vcpus; v++)
        memcpy(vcpus[v].then, counters_of(v), n_counters * sizeof *counters);
}

/*
 * Accounts: one for each pair of a handler and a hook that something was
 * charged to (0 for none of them), with the counts of the open window.
 */
struct account { unsigned handler, hook; uint64_t *insns, *entered; };

static struct account *accounts;
static unsigned n_accounts;

/* Cells of accounts that are not 0. */
static struct touched { unsigned account, cell; } *touched;
static size_t n_touched, max_touched;

static unsigned account_of(unsigned handler, unsigned hook)
{
    static unsigned last;
    struct account *a;

    if (last < n_accounts && accounts[last].handler == handler && accounts[last].hook == hook)
        return last;
    for (last = 0; last < n_accounts; last++)
        if (accounts[last].handler == handler && accounts[last].hook == hook)
            return last;
    accounts = grow(accounts, n_accounts + 1, sizeof *accounts);
    a = &accounts[n_accounts];
    a->handler = handler;
    a->hook = hook;
    a->insns = array(n_cells, sizeof *a->insns);
    a->entered = array(n_cells, sizeof *a->entered);
    fprintf(out, "a %u %u %u\n", n_accounts, handler, hook);
    return last = n_accounts++;
}

static void touch(unsigned account, unsigned cell)
{
    if (n_touched == max_touched) {
        max_touched = 2 * max_touched + 64;
        touched = grow(touched, max_touched, sizeof *touched);
    }
    touched[n_touched++] = (struct touched){ account, cell };
}

/*
 * What is going on in the hypervisor: a stack of the visit by a guest, of the
 * calls of hooks in it, and of the interrupts and faults that the hypervisor
 * itself met. The top is what is charged. Each processor has one: Xen is not
 * preempted, so that what was interrupted there goes on before anything else does.
 *
 * Where the hypervisor shares its program with the guests, the stack begins
 * with a guest: visits come on top of it and end, and so do calls of a guest's
 * handlers out of a visit.
 */
struct frame { enum kind { VISIT, GUEST, CALL, INTERRUPT } kind; unsigned handler, hook; uint64_t back; };
enum { MOST_FRAMES = 64 };

/* A physical processor. A program's threads share the first. */
struct cpu {
    struct frame frames[MOST_FRAMES];
    unsigned top; /* frames[0] is the visit */
    uint64_t guest_then; /* what guests had executed there at the last entry */
    uint64_t guests; /* what they had executed there when its turn began */
};
enum { MOST_CPUS = 8 };

static struct cpu cpus[MOST_CPUS];
static unsigned n_cpus = 1, running; /* whose turn it is */
static uint64_t turn_then; /* what all guests had executed when the turn began */
static uint64_t owned[OWNERS]; /* of the open window */

#define frames (cpus[running].frames)
#define top (cpus[running].top)
#define guest_then (cpus[running].guest_then)

/* Whether what executes now is in the open window. */
static bool counts(void) { return window && running == window_cpu; }

/* Gives what was counted since the last look to the owners; what the program's own cells counted, to the kernel. */
static void give_to_guest(void)
{
    find_vcpus();
    for (unsigned v = 0; v < n_vcpus; v++) {
        uint64_t *now = counters_of(v), *then = vcpus[v].then;

        for (size_t i = 0; i < n_cells; i++)
            owned[KERNEL] += INSNS(now)[i] - INSNS(then)[i];
        memcpy(INSNS(then), INSNS(now), 2 * n_cells * sizeof *now);
    }
}

/* Moves what one cell of a processor counted since the last look to an account. */
static void move(unsigned id, size_t cell, const uint64_t *now, uint64_t *then)
{
    struct account *a = &accounts[id];
    uint64_t d = INSNS(now)[cell] - INSNS(then)[cell];

    if (!d)
        return;
    if (!a->insns[cell])
        touch(id, cell);
    a->insns[cell] += d;
    a->entered[cell] += ENTERED(now)[cell] - ENTERED(then)[cell];
    INSNS(then)[cell] = INSNS(now)[cell];
    ENTERED(then)[cell] = ENTERED(now)[cell];
    window_xen += d;
}

/*
 * Moves what was counted since the last look to the account of the top. Few of
 * some thousand cells have changed: they are compared by the BLOCK.
 */
static void settle(void)
{
    enum { BLOCK = 64 };
    unsigned id;

    if (!counts())
        return;
    if (frames[top].kind == GUEST) {
        give_to_guest();
        return;
    }
    id = account_of(frames[top].handler, frames[top].hook);
    find_vcpus();
    for (unsigned v = 0; v < n_vcpus; v++) {
        uint64_t *now = counters_of(v), *then = vcpus[v].then;

        for (size_t i = 0; i < n_cells; i += BLOCK) {
            size_t n = n_cells - i < BLOCK ? n_cells - i : BLOCK;

            if (memcmp(INSNS(now) + i, INSNS(then) + i, n * sizeof *now))
                for (size_t cell = i; cell < i + n; cell++)
                    move(id, cell, now, then);
        }
    }
}

static void reset(void)
{
    top = 0;
    frames[0] = (struct frame){ shared ? GUEST : VISIT, 0, 0, 0 };
}

static void push(struct frame f)
{
    if (top + 1 < MOST_FRAMES)
        frames[++top] = f;
}

/* What guests have executed, on all processors. */
static uint64_t by_all_guests(void)
{
    uint64_t sum = 0;

    find_vcpus();
    for (unsigned v = 0; v < n_vcpus; v++)
        sum += counters_of(v)[USER] + counters_of(v)[KERNEL];
    return sum;
}

/* What they have executed on the processor whose turn it is. */
static uint64_t by_guests(void) { return cpus[running].guests + by_all_guests() - turn_then; }

static void enter(unsigned int vcpu, void *event)
{
    uint64_t now = by_guests();

    (void)vcpu;
    (void)event;
    settle();
    if (shared)
        push((struct frame){ VISIT, 0, 0, 0 });
    else if (now != guest_then)
        reset();
    else
        push((struct frame){ INTERRUPT, 0, 0, 0 });
    guest_then = now;
}

/*
 * A guest has executed since the last known entry, and yet the hypervisor
 * executes: it was entered by a way that the map does not know. What it executed
 * since is of that visit. It is kept, for people to find the way.
 */
static uint64_t *strange; /* instructions by cell, of the open window */
static uint64_t n_strange;

static void look_for_entry(void)
{
    uint64_t now;

    if (shared || !counts() || (now = by_guests()) == guest_then)
        return;
    for (unsigned v = 0; v < n_vcpus; v++)
        for (size_t i = 0; i < n_cells; i++)
            strange[i] += INSNS(counters_of(v))[i] - INSNS(vcpus[v].then)[i];
    n_strange++;
    guest_then = now;
    reset();
    settle();
}

static void write_strange(void)
{
    if (!n_strange)
        return;
    fprintf(out, "u %" PRIu64, n_strange);
    for (size_t i = 0; i < n_cells; i++)
        if (strange[i])
            fprintf(out, " %zu:%" PRIu64, i, strange[i]);
    fputc('\n', out);
    memset(strange, 0, n_cells * sizeof *strange);
    n_strange = 0;
}

static void resume(unsigned int vcpu, void *event)
{
    (void)vcpu;
    (void)event;
    for (unsigned t = top; t; t--)
        if (frames[t].kind == INTERRUPT) {
            settle();
            top = t - 1;
            return;
        }
}

static void leave(unsigned int vcpu, void *event)
{
    (void)vcpu;
    (void)event;
    look_for_entry();
    settle();
    if (!shared) {
        reset();
        return;
    }
    for (unsigned t = top; t; t--)
        if (frames[t].kind == VISIT) {
            top = t - 1;
            return;
        }
}

/* A handler that a hook's own code enters is none: there, the hook is charged. */
static void handle(unsigned int vcpu, void *event)
{
    unsigned handler = ((struct event *)event)->id + 1;

    (void)vcpu;
    look_for_entry();
    if (frames[top].kind == GUEST || frames[top].hook || frames[top].handler == handler)
        return;
    settle();
    frames[top].handler = handler;
}

struct call { unsigned hook; uint64_t back; };

static void call(unsigned int vcpu, void *userdata)
{
    struct call *c = userdata;

    (void)vcpu;
    look_for_entry();
    settle();
    push((struct frame){ CALL, frames[top].handler, c->hook + 1, c->back });
}

static void call_guest(unsigned int vcpu, void *userdata)
{
    struct call *c = userdata;

    (void)vcpu;
    settle();
    push((struct frame){ GUEST, 0, 0, c->back });
}

static void returned(unsigned int vcpu, void *event)
{
    (void)vcpu;
    if (!top || frames[top].back != ((struct event *)event)->at)
        return;
    settle();
    top--;
}

/* One end of a window: a table and a slot in it. */
static void *mark(size_t t, unsigned slot) { return (void *)(uintptr_t)(t << 16 | slot); }

static void begin(struct table *t, unsigned slot)
{
    window = t;
    window_cpu = running;
    window_slot = slot;
    window_xen = 0;
    if (shared)
        reset(); /* guests make marks: what the stack held is out of date */
    memset(owned, 0, sizeof owned);
    look();
}

/* Gives guests what they executed since the last look. */
static void own(void)
{
    for (unsigned v = 0; v < n_vcpus; v++)
        for (unsigned o = 0; o < OWNERS; o++)
            owned[o] += counters_of(v)[o] - vcpus[v].then[o];
}

/* Another processor's turn: what it executes is not in the window of this one. */
static void take_turn(unsigned int vcpu, void *userdata)
{
    (void)userdata;
    if (vcpu == running)
        return;
    if (vcpu >= n_cpus)
        die("more processors than cpus= says", "");
    if (counts()) {
        settle();
        own();
    }
    cpus[running].guests = by_guests();
    turn_then = by_all_guests();
    running = vcpu;
    if (counts())
        look();
}

/*
 * A line for each window: who, which, instructions of user space, of the
 * guest's kernel and of the hypervisor, then account:cell:instructions:entries.
 * Before it, if there are any, the entries by unknown ways: how many, and
 * cell:instructions of what was executed there before the next known event.
 */
static void end(struct table *t)
{
    if (window != t || !counts())
        return;
    settle();
    own();
    window = NULL;
    write_strange();
    fprintf(out, "w %s %u %" PRIu64 " %" PRIu64 " %" PRIu64, t->name, window_slot,
            owned[USER], owned[KERNEL], window_xen);
    for (size_t i = 0; i < n_touched; i++) {
        struct account *a = &accounts[touched[i].account];
        unsigned cell = touched[i].cell;
        fprintf(out, " %u:%u:%" PRIu64 ":%" PRIu64, touched[i].account, cell, a->insns[cell], a->entered[cell]);
        a->insns[cell] = a->entered[cell] = 0;
    }
    n_touched = 0;
    fputc('\n', out);
}

static void marked(unsigned int vcpu, void *userdata)
{
    uintptr_t m = (uintptr_t)userdata;
    struct table *t = &tables[m >> 16];
    unsigned slot = m & 0xffff;

    (void)vcpu;
    if (slot == t->slots - 1)
        end(t);
    else
        begin(t, slot);
}

/* The first of an ascending array's elements, which begin with an address, that is not below at. */
static size_t lower(const void *base, size_t n, size_t size, uint64_t at)
{
    size_t lo = 0;

    while (lo < n) {
        size_t mid = (lo + n) / 2;
        if (*(const uint64_t *)((const char *)base + mid * size) < at)
            lo = mid + 1;
        else
            n = mid;
    }
    return lo;
}

/* The cell of an address; code that no range has is cell 0. */
static unsigned cell_of(uint64_t at)
{
    size_t i = lower(ranges, n_ranges, sizeof *ranges, at + 1);

    return i && at < ranges[i - 1].hi ? ranges[i - 1].cell : 0;
}

static void add_one(struct qemu_plugin_insn *insn, size_t counter)
{
    if (board)
        qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn, INLINE_ADD_U64, (struct on_board){ board, counter * sizeof *counters }, 1);
    else
        qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &counters[counter], 1);
}

static void on(struct qemu_plugin_insn *insn, vcpu_udata_cb cb, void *userdata)
{
    qemu_plugin_register_vcpu_insn_exec_cb(insn, cb, CB_NO_REGS, userdata);
}

static void count_call(struct qemu_plugin_insn *insn, struct event *e, vcpu_udata_cb cb)
{
    struct call *c = array(1, sizeof *c);

    /* Where it returns to depends on how Xen has patched it. */
    *c = (struct call){ e->id, e->at + qemu_plugin_insn_size(insn) };
    on(insn, cb, c);
}

/* Callbacks run before the instruction is counted: it is charged to what they make of it. */
static void count_xen(struct qemu_plugin_insn *insn, uint64_t at)
{
    size_t i = lower(entries, n_entries, sizeof *entries, at);

    for (size_t v = lower(events, n_events, sizeof *events, at); v < n_events && events[v].at == at; v++)
        switch (events[v].kind) {
        case 'i': on(insn, enter, &events[v]); break;
        case 'p': on(insn, resume, &events[v]); break;
        case 'x': on(insn, leave, &events[v]); break;
        case 'h': on(insn, handle, &events[v]); break;
        case 'r': on(insn, returned, &events[v]); break;
        case 'c': count_call(insn, &events[v], call); break;
        case 'g': count_call(insn, &events[v], call_guest); break;
        }
    add_one(insn, OWNERS + cell_of(at));
    if (i < n_entries && entries[i].at == at)
        add_one(insn, OWNERS + n_cells + entries[i].cell);
}

static void find_mark(struct qemu_plugin_insn *insn, uint64_t at)
{
    for (size_t i = 0; i < n_tables; i++)
        if (at - tables[i].base < tables[i].slots)
            on(insn, marked, mark(i, at - tables[i].base));
}

static void instrument(struct qemu_plugin_tb *tb)
{
    if (n_cpus > 1)
        qemu_plugin_register_vcpu_tb_exec_cb(tb, take_turn, CB_NO_REGS, NULL);
    for (size_t i = 0, n = qemu_plugin_tb_n_insns(tb); i < n; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint64_t at = qemu_plugin_insn_vaddr(insn);

        if (at >= area_lo && at < area_hi)
            count_xen(insn, at);
        else
            add_one(insn, at >> 63 ? KERNEL : USER);
        find_mark(insn, at);
    }
}

/*
 * QEMU's user mode before 8.0 has one descriptor table for all threads of an i386
 * program (its issue 1405). A thread writes the descriptor of its storage by
 * set_thread_area and then loads the segment register: it gets another thread's
 * storage if that one has written its own in between, and the program dies or
 * stands still. So threads begin one after the other here: from that system call
 * of a thread to its next one, others that make it wait.
 */
#if INTERFACE < 7
enum { SET_THREAD_AREA_I386 = 243 };

static pthread_mutex_t beginning = PTHREAD_MUTEX_INITIALIZER;
static __thread bool begins; /* this thread has the lock */

static void at_syscall(qemu_plugin_id_t id, unsigned int vcpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                       uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8)
{
    (void)id, (void)vcpu, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    if (begins)
        pthread_mutex_unlock(&beginning);
    if ((begins = number == SET_THREAD_AREA_I386))
        pthread_mutex_lock(&beginning);
}

static void order_threads(qemu_plugin_id_t id)
{
    if (qemu_plugin_register_vcpu_syscall_cb)
        qemu_plugin_register_vcpu_syscall_cb(id, at_syscall);
}
#else
static void order_threads(qemu_plugin_id_t id) { (void)id; }
#endif

/* The end record tells a complete file from one that was cut off. */
static void finish(void)
{
    fprintf(out, "end\n");
    /* A write that failed earlier has left a gap; both are looked at. */
    if (ferror(out) | fclose(out))
        die("cannot write the windows", "");
}

static void read_code(const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f)
        die("cannot read ", path);
    if (fscanf(f, "area %" SCNx64 " %" SCNx64 " shared %d cells %zu ranges %zu entries %zu events %zu",
               &area_lo, &area_hi, &shared, &n_cells, &n_ranges, &n_entries, &n_events) != 7)
        die("not a map of code: ", path);
    n_cells += !n_cells; /* cell 0 is always there */
    ranges = array(n_ranges, sizeof *ranges);
    entries = array(n_entries, sizeof *entries);
    events = array(n_events, sizeof *events);
    for (size_t i = 0; i < n_ranges; i++)
        if (fscanf(f, " r %" SCNx64 " %" SCNx64 " %u", &ranges[i].lo, &ranges[i].hi, &ranges[i].cell) != 3 || ranges[i].cell >= n_cells)
            die("damaged range in ", path);
    for (size_t i = 0; i < n_entries; i++)
        if (fscanf(f, " e %" SCNx64 " %u", &entries[i].at, &entries[i].cell) != 2 || entries[i].cell >= n_cells)
            die("damaged entry in ", path);
    for (size_t i = 0; i < n_events; i++)
        if (fscanf(f, " v %" SCNx64 " %c %u", &events[i].at, &events[i].kind, &events[i].id) != 3)
            die("damaged event in ", path);
    fclose(f);
    n_counters = OWNERS + 2 * n_cells;
    strange = array(n_cells, sizeof *strange);
    for (running = MOST_CPUS; running--;)
        reset();
    running = 0;
}

static void add_table(const char *arg)
{
    if (n_tables == sizeof tables / sizeof *tables)
        die("no room for one more table, ", arg);
    struct table *t = &tables[n_tables++];
    if (sscanf(arg, "%15[^:]:%" SCNx64 ":%u", t->name, &t->base, &t->slots) != 3 || t->slots < 2)
        die("table=NAME:BASE:SLOTS expected, got ", arg);
}

static void count_cpus(const char *arg)
{
    n_cpus = atoi(arg + 5);
    if (n_cpus < 1 || n_cpus > MOST_CPUS)
        die("not a number of processors: ", arg);
}

#if INTERFACE < 7
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) { (void)id; instrument(tb); }
static void finished(qemu_plugin_id_t id, void *userdata) { (void)id; (void)userdata; finish(); }
static void on_translation(qemu_plugin_id_t id) { qemu_plugin_register_vcpu_tb_trans_cb(id, translated); }
#else
static void translated(struct qemu_plugin_tb *tb, void *userdata) { (void)userdata; instrument(tb); }
static void finished(void *userdata) { (void)userdata; finish(); }
static void on_translation(qemu_plugin_id_t id) { qemu_plugin_register_vcpu_tb_trans_cb(id, translated, NULL); }
#endif

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    const char *map = NULL, *to = NULL;

    (void)info;
    for (int i = 0; i < argc; i++) {
        if (!strncmp(argv[i], "code=", 5))
            map = argv[i] + 5;
        else if (!strncmp(argv[i], "out=", 4))
            to = argv[i] + 4;
        else if (!strncmp(argv[i], "table=", 6))
            add_table(argv[i] + 6);
        else if (!strncmp(argv[i], "cpus=", 5))
            count_cpus(argv[i]);
        else if (!strcmp(argv[i], "threads=i386"))
            order_threads(id);
        else
            die("unknown argument ", argv[i]);
    }
    if (!map || !to || !n_tables)
        die("code=, out= and at least one table= are needed", "");
    read_code(map);
    if (qemu_plugin_scoreboard_new)
        board = qemu_plugin_scoreboard_new(n_counters * sizeof *counters);
    else
        counters = array(n_counters, sizeof *counters);
    if (!(out = fopen(to, "w")))
        die("cannot write ", to);
    on_translation(id);
    qemu_plugin_register_atexit_cb(id, finished, NULL);
    return 0;
}
