// Package headers reads what the public headers of a tree of Xen say of its
// control hypercalls: which versions they have, and how their structures are laid
// out. The compiler is asked, not a parser.
package headers

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"xsmbench/hv/child"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/domain/hypercall"
	"xsmbench/hv/xen/source"
)

// question is a constant expression, and what to do with its value.
type question struct {
	expression string
	set        func(value uint32)
}

// Read asks for all that the agent wants. What the headers do not have is left
// out.
func Read(ctx context.Context, s *store.Store, tree *source.Tree) (*hypercall.Interface, error) {
	dir, release, err := s.Scratch("the interface of " + tree.Version)
	if err != nil {
		return nil, fmt.Errorf("read Xen's public headers: %w", err)
	}
	defer release()
	i := &hypercall.Interface{Constants: map[string]uint32{}, Structs: map[string]hypercall.Structure{}}
	questions := ask(i)
	object := filepath.Join(dir, "interface.o")
	for len(questions) > 0 {
		bad, err := compile(ctx, filepath.Join(tree.Dir, "xen", "include"), object, questions)
		if err != nil {
			return nil, fmt.Errorf("read Xen's public headers: %w", err)
		}
		if bad == nil {
			return i, answer(object, questions)
		}
		for _, n := range slices.Backward(bad) {
			questions = slices.Delete(questions, n, n+1)
		}
	}
	return nil, errors.New("read Xen's public headers: they have nothing of what is looked for")
}

// ask makes the questions; their answers fill the interface.
func ask(i *hypercall.Interface) []question {
	var all []question
	wanted := hypercall.Wanted()
	for _, name := range slices.Sorted(maps.Keys(wanted.Constants)) {
		all = append(all, question{name, func(v uint32) { i.Constants[name] = v }})
	}
	for _, name := range slices.Sorted(maps.Keys(wanted.Structs)) {
		fields := map[string]hypercall.Field{}
		all = append(all, question{"sizeof(struct " + name + ")", func(v uint32) {
			i.Structs[name] = hypercall.Structure{Size: int(v), Fields: fields}
		}})
		for _, f := range slices.Sorted(maps.Keys(wanted.Structs[name].Fields)) {
			var at uint32
			all = append(all,
				question{fmt.Sprintf("__builtin_offsetof(struct %s, %s)", name, f), func(v uint32) { at = v }},
				question{fmt.Sprintf("sizeof(((struct %s *)0)->%s)", name, f), func(v uint32) { fields[f] = hypercall.Field{At: int(at), Size: int(v)} }})
		}
	}
	return all
}

// section is that of the answers in the object.
const section = "xsmbench"

// included are the public headers that every Xen has, and optional those that some
// have.
var (
	included = []string{"xen.h", "domctl.h", "sysctl.h", "xsm/flask_op.h"}
	optional = []string{
		"memory.h", "sched.h", "physdev.h", "platform.h", "kexec.h", "xenoprof.h", "hypfs.h",
		"hvm/hvm_op.h", "hvm/params.h", "hvm/dm_op.h", "arch-x86/xen-mca.h",
	}
)

// compile compiles the questions. It returns those that the compiler refused.
func compile(ctx context.Context, include, object string, questions []question) (bad []int, err error) {
	var text strings.Builder
	text.WriteString("#define __XEN_TOOLS__ 1\n#include <stdint.h>\n")
	for _, h := range included {
		fmt.Fprintf(&text, "#include \"public/%s\"\n", h)
	}
	for _, h := range optional {
		fmt.Fprintf(&text, "#if __has_include(\"public/%[1]s\")\n#include \"public/%[1]s\"\n#endif\n", h)
	}
	fmt.Fprintf(&text, "const uint32_t answers[] __attribute__((section(%q), used)) = {\n", section)
	for n, q := range questions {
		fmt.Fprintf(&text, "#line %d \"question\"\n%s,\n", n+1, q.expression)
	}
	text.WriteString("};\n")
	cmd := exec.CommandContext(ctx, "gcc", "-pipe", "-m64", "-w", "-I", include, "-c", "-xc", "-o", object, "-")
	cmd.Stdin, cmd.Env = strings.NewReader(text.String()), append(os.Environ(), "LC_ALL=C")
	var said bytes.Buffer
	cmd.Stderr = &said
	if err = child.Run(cmd); err == nil {
		return nil, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	bad = refused(said.String(), len(questions))
	other := child.FirstLine(said.String(), func(line string) bool {
		return strings.Contains(line, "error: ") && !strings.HasPrefix(line, "question:")
	})
	if bad == nil || other != "" {
		return nil, fmt.Errorf("gcc: %w: %s", err, other)
	}
	return bad, nil
}

var refusedLine = regexp.MustCompile(`(?m)^question:(\d+):.*\berror: `)

// refused finds the questions, of so many, that the compiler complains of, sorted.
func refused(said string, questions int) (bad []int) {
	for _, m := range refusedLine.FindAllStringSubmatch(said, -1) {
		if n, err := strconv.Atoi(m[1]); err == nil && n >= 1 && n <= questions {
			bad = append(bad, n-1)
		}
	}
	slices.Sort(bad)
	return slices.Compact(bad)
}

// answer reads the values from the object.
func answer(object string, questions []question) error {
	f, err := elf.Open(object)
	if err != nil {
		return fmt.Errorf("read Xen's public headers: %w", err)
	}
	defer f.Close()
	s := f.Section(section)
	if s == nil {
		return errors.New("read Xen's public headers: the compiler left no answers")
	}
	data, err := s.Data()
	if err != nil || len(data) != 4*len(questions) {
		return fmt.Errorf("read Xen's public headers: %d bytes for %d answers: %w", len(data), len(questions), err)
	}
	for n, q := range questions {
		q.set(binary.LittleEndian.Uint32(data[4*n:]))
	}
	return nil
}
