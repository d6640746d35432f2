package symbols

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv"
	"xsmbench/internal/require"
)

// program is a small hypervisor's worth of what code refers to: functions, data,
// strings, a switch, the number of a line, a part that is hardly ever executed.
const bodies = `
typedef unsigned long ulong;
struct ops { int (*first)(int); int (*second)(int); } ops;
static int table[9]; long counter; static const char *names[] = { "one", "two" };
__attribute__((noinline)) void say(const char *text, ...) { asm volatile("" :: "r"(text)); }
__attribute__((noinline, noreturn)) void fail(int line) { for (;;) asm volatile("" :: "r"(line)); }
__attribute__((noinline)) int helper(int a) { asm volatile(""); return a * 3; }
__attribute__((noinline)) int other(int a) { asm volatile(""); return a * 5; }
int caller(int a) { return helper(a) + 7; }
int through(int a) { return ops.second(a) + table[a & 7] + (int)counter; }
void strings(void) { say("a string"); say(names[1]); say(names[0]); }
static int known(void) { static int calls; return ++calls; }
int counts(void) { static int calls; return ++calls + known(); }
int choose(int a) {
	switch (a) { case 0: return helper(a); case 1: return other(3); case 2: return helper(9); case 3: return other(a);
	case 4: return 12 + helper(2); case 5: return other(77); case 6: counter = 9; return helper(8); } return other(1); }
int (*pointer(void))(int) { return helper; }
double number(double d) { return d * 2.5; }
int check(int a) { if (__builtin_expect(a > 7, 0)) { say("%d", a); fail(__LINE__); } return a; }
int rare(int a); /* as gcc splits functions */
asm(".globl rare\n.type rare,@function\nrare: cmp $7, %edi\njg rare.cold\nlea 2(%rdi), %eax\nret\n.size rare, .-rare\n"
    ".section .text.unlikely,\"ax\"\n.type rare.cold,@function\nrare.cold: mov $3, %edi\ncall fail\n.size rare.cold, .-rare.cold\n.text");
/* code that is copied over other code if the processor has a feature: struct alt_instr */
asm(".globl patched\n.type patched,@function\npatched: mov %edi, %eax\n.Lold: nop\nnop\nnop\nnop\nnop\nret\n.size patched, .-patched\n"
    ".section .altinstr_replacement,\"ax\"\n.Lnew: call helper\n.Lend: .section .altinstructions,\"a\"\n"
    ".globl __alt_instructions, __alt_instructions_end\n__alt_instructions: .long .Lold - ., .Lnew - .\n"
    ".short 9\n.byte 5, .Lend - .Lnew, 0, 0\n__alt_instructions_end: .text");
asm(".globl stub\nstub: nop\nret\n.balign 64, 0x90");
asm(".globl _start\n_start: ret");
`

// bodiesOf compiles a program and reads its functions.
func bodiesOf(t *testing.T, source string, args ...string) []hv.Body {
	t.Helper()
	all, err := Bodies(compileText(t, source, args...))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// compileText compiles a program.
func compileText(t *testing.T, source string, args ...string) string {
	t.Helper()
	require.Program(t, "gcc", "gcc")
	dir := t.TempDir()
	file, out := filepath.Join(dir, "b.c"), filepath.Join(dir, "b")
	if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	args = append([]string{"-g", "-O2", "-nostdlib", "-static", "-o", out}, append(args, file)...)
	if msg, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, msg)
	}
	return out
}

func TestBodies(t *testing.T) {
	for _, mode := range [][]string{{"-fpic", "-static-pie"}, {"-fno-pic", "-no-pie"}} {
		t.Run(strings.Join(mode, " "), func(t *testing.T) {
			before := bodiesOf(t, bodies, mode...)
			if len(before) < 16 {
				t.Fatalf("only %d functions: %v", len(before), before)
			}
			for _, tt := range edits {
				t.Run(tt.name, func(t *testing.T) {
					after := bodies
					for i := 0; i+1 < len(tt.edit); i += 2 {
						if !strings.Contains(after, tt.edit[i]) {
							t.Fatalf("the program has no %q", tt.edit[i])
						}
						after = strings.Replace(after, tt.edit[i], tt.edit[i+1], 1)
					}
					var got []string
					for _, d := range hv.Compare(before, bodiesOf(t, after, mode...)) {
						got = append(got, word(d))
					}
					if d := cmp.Diff(tt.want, strings.Join(got, " ")); d != "" {
						t.Error(d)
					}
				})
			}
		})
	}
}

// word is what became of a function: +f is new, -f is gone, f.part is a part.
func word(d hv.Difference) string {
	name := d.Name
	if d.Part {
		name += ".part"
	}
	switch {
	case d.Before == 0:
		return "+" + name
	case d.After == 0:
		return "-" + name
	}
	return name
}

var edits = []struct {
	name string
	edit []string // what is replaced by what
	want string
}{
	{"nothing", nil, ""},
	{"another address", []string{"int caller(", "__attribute__((noinline)) int before(int a) { asm volatile(\"\"); return a ^ 0x1234567; }\nint caller("}, "+before"},
	{"data at another address", []string{"long counter;", "long counter; long pad[99] = { 1, 2 };"}, ""},
	{"strings at another address", []string{"void strings(void) {", "void more(void) { say(\"A very long string\"); say(\"and one more\"); }\nvoid strings(void) {"}, "+more"},
	{"only lines moved", []string{"int check(", "/* a comment\n\n\n\n\n\n\n\n\n\n\n\n*/\nint check("}, ""},
	{"lines moved from the top", []string{"typedef", strings.Repeat("\n", 300) + "typedef"}, ""},
	{"a static variable more", []string{"static int known(void) {", "int before(void) { static int calls; return --calls; }\nstatic int known(void) {"}, "+before"},
	{"an immediate", []string{"helper(a) + 7", "helper(a) + 8"}, "caller"},
	{"a callee", []string{"return helper(a) + 7", "return other(a) + 7"}, "caller"},
	{"another member", []string{"ops.second(a)", "ops.first(a)"}, "through"},
	{"another variable", []string{"+ (int)counter", "+ (int)(ulong)&counter"}, "through"},
	{"another pointer", []string{"{ return helper; }", "{ return other; }"}, "pointer"},
	{"a string", []string{"a string", "b string"}, "strings"},
	{"a constant", []string{"d * 2.5", "d * 3.5"}, "number"},
	{"a case", []string{"case 2: return helper(9)", "case 2: return helper(a)"}, "choose"},
	{"cases that change places", []string{"case 0: return helper(a)", "case 8: return helper(a)"}, "choose"},
	{"a function is gone", []string{"static int known(void) { static int calls; return ++calls; }", "", "+ known()", ""}, "counts"},
	{"a function is renamed", []string{"double number(", "double figure("}, "+figure -number"},
	{"the part out of the way", []string{"mov $3", "mov $4"}, "rare.part"},
	{"more in the part", []string{"call fail", "push %rdi\\ncall fail"}, "rare.part"},
	{"the part at another address", []string{"rare.cold: mov", ".skip 77\\nrare.cold: mov"}, ""},
	{"the function of a part", []string{"lea 2", "lea 3"}, "rare"},
	{"a jump that becomes longer", []string{"void strings(void) {", "asm(\".skip 200\");\nvoid strings(void) {"}, ""},
	{"code that replaces", []string{".Lnew: call helper", ".Lnew: call other"}, "patched"},
	{"no code that replaces", []string{".Lend - .Lnew", "0"}, "patched"},
	{"another table of alternatives", []string{".Lend - .Lnew, 0, 0", ".Lend - .Lnew, 0, 0, 0"}, "patched"},
	{"assembler", []string{"stub: nop", "stub: cld"}, "stub"},
}
