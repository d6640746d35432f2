/*
 * A TCG plug-in that counts the instructions of marked windows.
 *
 * A guest marks a window by executing one-byte returns at agreed addresses:
 * slot k of a table begins window k, the table's last slot ends it. Between
 * the two the plug-in accumulates instructions by who executed them (user,
 * guest kernel, Xen) and, within Xen, by range of code, with the entries into
 * each range. It reads no registers and changes nothing that the guest can see.
 *
 * QEMU ships no header for its plug-ins; what is declared below is the part of
 * version 1 of the interface that is used here.
 *
 * Arguments: ranges=FILE (see Table.WriteMap in the Go package ranges),
 * out=FILE, table=NAME:BASE:SLOTS for each domain.
 */
#include <inttypes.h>
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

enum { INLINE_ADD_U64 = 0 };
enum { CB_NO_REGS = 0 };

typedef void (*vcpu_udata_cb)(unsigned int vcpu, void *userdata);
typedef void (*tb_trans_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*udata_cb)(qemu_plugin_id_t id, void *userdata);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_trans_cb cb);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *ptr, uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, vcpu_udata_cb cb, int flags, void *userdata);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, udata_cb cb, void *userdata);

EXPORT int qemu_plugin_version = 1;

/*
 * Who executed an instruction, told by its address: the map says which area is
 * Xen's (all of it, not its text alone: the entry stubs lie outside of that),
 * the rest of the upper half is the guest kernel's.
 */
enum { USER, KERNEL, XEN, OWNERS };

struct range { uint64_t lo, hi; unsigned id; };
struct entry { uint64_t at; unsigned id; };
struct table { char name[16]; uint64_t base; unsigned slots; bool open; unsigned slot; };

static struct range *ranges;
static struct entry *entries;
static size_t n_ranges, n_entries, n_names;
static uint64_t area_lo, area_hi;

static uint64_t owner[OWNERS], owner_then[OWNERS];
static uint64_t *insns, *insns_then, *entered, *entered_then;

static struct table tables[4];
static size_t n_tables;
static FILE *out;

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "window plug-in: %s%s\n", what, detail);
    exit(1);
}

/* One end of a window: a table and a slot in it. */
static void *mark(size_t t, unsigned slot) { return (void *)(uintptr_t)(t << 16 | slot); }

static void begin(struct table *t, unsigned slot)
{
    t->open = true;
    t->slot = slot;
    memcpy(owner_then, owner, sizeof owner);
    memcpy(insns_then, insns, n_names * sizeof *insns);
    memcpy(entered_then, entered, n_names * sizeof *entered);
}

/* A line for each window: who, which, instructions by owner, then id:insns:entries. */
static void end(struct table *t)
{
    if (!t->open)
        return;
    t->open = false;
    fprintf(out, "w %s %u", t->name, t->slot);
    for (int i = 0; i < OWNERS; i++)
        fprintf(out, " %" PRIu64, owner[i] - owner_then[i]);
    for (size_t i = 0; i < n_names; i++)
        if (insns[i] != insns_then[i] || entered[i] != entered_then[i])
            fprintf(out, " %zu:%" PRIu64 ":%" PRIu64, i, insns[i] - insns_then[i], entered[i] - entered_then[i]);
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

static int by_lo(const void *key, const void *elem)
{
    uint64_t at = *(const uint64_t *)key;
    const struct range *r = elem;
    return at < r->lo ? -1 : at >= r->hi;
}

static int by_at(const void *key, const void *elem)
{
    uint64_t at = *(const uint64_t *)key, e = ((const struct entry *)elem)->at;
    return at < e ? -1 : at > e;
}

static void add_one(struct qemu_plugin_insn *insn, uint64_t *counter)
{
    qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, counter, 1);
}

static void count_xen(struct qemu_plugin_insn *insn, uint64_t at)
{
    struct range *r = bsearch(&at, ranges, n_ranges, sizeof *r, by_lo);
    struct entry *e = bsearch(&at, entries, n_entries, sizeof *e, by_at);

    add_one(insn, &owner[XEN]);
    if (r)
        add_one(insn, &insns[r->id]);
    if (e)
        add_one(insn, &entered[e->id]);
}

static void count_user(struct qemu_plugin_insn *insn, uint64_t at)
{
    add_one(insn, &owner[USER]);
    for (size_t i = 0; i < n_tables; i++)
        if (at - tables[i].base < tables[i].slots)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, marked, CB_NO_REGS, mark(i, at - tables[i].base));
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    for (size_t i = 0, n = qemu_plugin_tb_n_insns(tb); i < n; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint64_t at = qemu_plugin_insn_vaddr(insn);

        if (at >= area_lo && at < area_hi)
            count_xen(insn, at);
        else if (at >> 63)
            add_one(insn, &owner[KERNEL]);
        else
            count_user(insn, at);
    }
}

/* The end record tells a complete file from one that was cut off. */
static void finished(qemu_plugin_id_t id, void *userdata)
{
    (void)id;
    (void)userdata;
    fprintf(out, "end\n");
    /* A write that failed earlier has left a gap; both are looked at. */
    if (ferror(out) | fclose(out))
        die("cannot write the windows", "");
}

static void *array(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p)
        die("out of memory", "");
    return p;
}

static void read_ranges(const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f)
        die("cannot read ", path);
    if (fscanf(f, "area %" SCNx64 " %" SCNx64 " names %zu ranges %zu entries %zu",
               &area_lo, &area_hi, &n_names, &n_ranges, &n_entries) != 5)
        die("not a map of ranges: ", path);
    ranges = array(n_ranges, sizeof *ranges);
    entries = array(n_entries, sizeof *entries);
    for (size_t i = 0; i < n_ranges; i++)
        if (fscanf(f, " r %" SCNx64 " %" SCNx64 " %u", &ranges[i].lo, &ranges[i].hi, &ranges[i].id) != 3 || ranges[i].id >= n_names)
            die("damaged range in ", path);
    for (size_t i = 0; i < n_entries; i++)
        if (fscanf(f, " e %" SCNx64 " %u", &entries[i].at, &entries[i].id) != 2 || entries[i].id >= n_names)
            die("damaged entry in ", path);
    fclose(f);
    insns = array(n_names, sizeof *insns);
    insns_then = array(n_names, sizeof *insns);
    entered = array(n_names, sizeof *entered);
    entered_then = array(n_names, sizeof *entered);
}

static void add_table(const char *arg)
{
    struct table *t = &tables[n_tables++];
    if (n_tables > sizeof tables / sizeof *tables ||
        sscanf(arg, "%15[^:]:%" SCNx64 ":%u", t->name, &t->base, &t->slots) != 3 || t->slots < 2)
        die("table=NAME:BASE:SLOTS expected, got ", arg);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    const char *map = NULL, *to = NULL;

    (void)info;
    for (int i = 0; i < argc; i++) {
        if (!strncmp(argv[i], "ranges=", 7))
            map = argv[i] + 7;
        else if (!strncmp(argv[i], "out=", 4))
            to = argv[i] + 4;
        else if (!strncmp(argv[i], "table=", 6))
            add_table(argv[i] + 6);
        else
            die("unknown argument ", argv[i]);
    }
    if (!map || !to || !n_tables)
        die("ranges=, out= and at least one table= are needed", "");
    read_ranges(map);
    if (!(out = fopen(to, "w")))
        die("cannot write ", to);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, finished, NULL);
    return 0;
}
