/*
 * A program that loads a plug-in as a QEMU does whose interface for plug-ins is
 * of one version (VERSION; OLDEST is the oldest that it loads), and executes a
 * few instructions that the plug-in sees: a window with three of a program and
 * one of a kernel in it. With a third argument there are two processors: while the
 * window is open on the first, the second takes a turn outside of the hypervisor
 * and one in the middle of the first's visit there.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct insn {
    uint64_t at;
    int n_calls, n_adds;
    struct { void (*cb)(unsigned, void *); void *userdata; } calls[4];
    uint64_t *adds[4];
};
struct tb {
    struct insn *insn;
    void (*cb)(unsigned, void *);
    void *userdata;
};

#if VERSION < 7
typedef void trans_cb(uint64_t id, struct tb *tb);
typedef void exit_cb(uint64_t id, void *userdata);
#else
typedef void trans_cb(struct tb *tb, void *userdata);
typedef void exit_cb(void *userdata);
#endif

static trans_cb *translated;
static exit_cb *at_exit;
static void *exit_data;

size_t qemu_plugin_tb_n_insns(const struct tb *tb) { (void)tb; return 1; }
struct insn *qemu_plugin_tb_get_insn(const struct tb *tb, size_t i) { (void)i; return tb->insn; }
uint64_t qemu_plugin_insn_vaddr(const struct insn *insn) { return insn->at; }
size_t qemu_plugin_insn_size(const struct insn *insn) { (void)insn; return 1; }

void qemu_plugin_register_vcpu_insn_exec_cb(struct insn *insn, void (*cb)(unsigned, void *), int flags, void *userdata)
{
    (void)flags;
    insn->calls[insn->n_calls].cb = cb;
    insn->calls[insn->n_calls++].userdata = userdata;
}

void qemu_plugin_register_vcpu_tb_exec_cb(struct tb *tb, void (*cb)(unsigned, void *), int flags, void *userdata)
{
    (void)flags;
    tb->cb = cb;
    tb->userdata = userdata;
}

void qemu_plugin_register_atexit_cb(uint64_t id, exit_cb *cb, void *userdata)
{
    (void)id;
    at_exit = cb;
    exit_data = userdata;
}

#if VERSION < 7
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, trans_cb *cb) { (void)id; translated = cb; }
#else
static void *trans_data;
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, trans_cb *cb, void *userdata)
{
    (void)id;
    translated = cb;
    trans_data = userdata;
}
#endif

#if VERSION < 2
void qemu_plugin_register_vcpu_insn_exec_inline(struct insn *insn, int op, void *ptr, uint64_t imm)
{
    (void)op, (void)imm;
    insn->adds[insn->n_adds++] = ptr;
}
#else
struct board { char *elements; size_t size; };
struct on_board { struct board *board; size_t offset; };

static int n_vcpus = 1, vcpu_now;

int qemu_plugin_num_vcpus(void) { return n_vcpus; }
void *qemu_plugin_scoreboard_find(struct board *board, unsigned vcpu) { return board->elements + vcpu * board->size; }

struct board *qemu_plugin_scoreboard_new(size_t size)
{
    struct board *board = malloc(sizeof *board);

    board->elements = calloc(2, size);
    board->size = size;
    return board;
}

void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(struct insn *insn, int op, struct on_board entry, uint64_t imm)
{
    (void)op, (void)imm;
    insn->adds[insn->n_adds++] = (void *)((char *)qemu_plugin_scoreboard_find(entry.board, vcpu_now) + entry.offset);
}
#endif

static void execute(unsigned vcpu, uint64_t at)
{
    struct insn insn = { .at = at };
    struct tb tb = { .insn = &insn };

#if VERSION >= 2
    vcpu_now = vcpu;
#endif

#if VERSION < 7
    translated(1, &tb);
#else
    translated(&tb, trans_data);
#endif
    if (tb.cb)
        tb.cb(vcpu, tb.userdata);
    for (int i = 0; i < insn.n_calls; i++)
        insn.calls[i].cb(vcpu, insn.calls[i].userdata);
    for (int i = 0; i < insn.n_adds; i++)
        ++*insn.adds[i];
}

/* load loads the plug-in of "PATH,KEY=VALUE,..." and installs it. */
static void load(char *option)
{
    char *args[16];
    int n = 0;
    char *path = strtok(option, ",");
    void *plugin = dlopen(path, RTLD_NOW);
    int *version, (*install)(uint64_t, void *, int, char **);

    if (!plugin) {
        fprintf(stderr, "emulator: could not load plugin %s: %s\n", path, dlerror());
        exit(1);
    }
    version = dlsym(plugin, "qemu_plugin_version");
    if (*version < OLDEST || *version > VERSION) {
        fprintf(stderr, "emulator: could not load plugin %s: it requires version %d\n", path, *version);
        exit(1);
    }
    while ((args[n] = strtok(NULL, ",")))
        n++;
    *(void **)&install = dlsym(plugin, "qemu_plugin_install");
    if (install(1, NULL, n, args))
        exit(1);
}

static const struct { unsigned vcpu; uint64_t at; } turns[] = {
    { 0, 0x1000 }, { 0, 0x5000 }, /* the window begins */
    { 1, 0x5000 }, { 1, 0xffffffff81000000 }, { 1, 0x500000 }, { 1, 0x500001 },
    { 0, 0x5000 }, { 0, 0x500000 }, { 0, 0x500001 }, /* a visit */
    { 1, 0x500020 }, { 1, 0x5000 }, { 1, 0x500000 }, { 1, 0x1001 },
    { 0, 0x500002 }, { 0, 0x500020 }, { 0, 0xffffffff81000000 }, { 0, 0x1001 },
};

int main(int argc, char **argv)
{
    static const uint64_t program[] = { 0x5000, 0x1000, 0x5000, 0xffffffff81000000, 0x5001, 0x1001, 0x5002 };

    if (argc == 2 && !strcmp(argv[1], "--version")) {
        printf("emulator version %d\n", VERSION);
        return 0;
    }
    load(argv[2]);
#if VERSION >= 2
    n_vcpus = argc > 3 ? 2 : 1;
#endif
    if (argc > 3)
        for (size_t i = 0; i < sizeof turns / sizeof *turns; i++)
            execute(turns[i].vcpu, turns[i].at);
    else
        for (size_t i = 0; i < sizeof program / sizeof *program; i++)
            execute(0, program[i]);
#if VERSION < 7
    at_exit(1, exit_data);
#else
    at_exit(exit_data);
#endif
    return 0;
}
