package binarycheck

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xsmbench/xsm/hook"
)

const modelSource = "../../hv/model"

// hookSites finds the calls of hooks in the source of the hypervisor model: by
// the hook's Go name, where each is, as in evtchn.go:evtchnSend. It also counts
// how often each function of the package is named, its declaration included.
func hookSites(t *testing.T) (sites map[string][]string, uses map[string]int) {
	t.Helper()
	known := map[string]bool{}
	for _, h := range hook.Table {
		known[h.Go] = true
	}
	files, err := filepath.Glob(filepath.Join(modelSource, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	sites, uses = map[string][]string{}, map[string]int{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			at := filepath.Base(name) + ":"
			if f, ok := d.(*ast.FuncDecl); ok {
				at += f.Name.Name
			}
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.Ident:
					uses[n.Name]++
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && x.Name == "xsm" && known[n.Sel.Name] {
						sites[n.Sel.Name] = append(sites[n.Sel.Name], at)
					}
				}
				return true
			})
		}
	}
	return sites, uses
}

// TestSites checks that the model calls each hook at as many places as Xen 3.2
// does, and that each of those places is in a function that something calls.
func TestSites(t *testing.T) {
	sites, uses := hookSites(t)
	for _, h := range hook.Table {
		have := sites[h.Go]
		if len(have) != len(h.Source) {
			t.Errorf("%s: %d places %v, Xen has %d: %v", h.Name, len(have), have, len(h.Source), h.Source)
		}
		for _, at := range have {
			_, function, _ := strings.Cut(at, ":")
			if function == "" {
				t.Errorf("%s is called outside functions, in %s", h.Name, at)
			} else if uses[function] < 2 {
				t.Errorf("%s: nothing calls %s", h.Name, at)
			}
		}
	}
}

// sourceHooks lists Xen's names of the hooks that the model's source calls.
func sourceHooks(t *testing.T) []string {
	t.Helper()
	sites, _ := hookSites(t)
	names := map[string]bool{}
	for _, h := range hook.Table {
		if len(sites[h.Go]) > 0 {
			names[h.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
