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

const (
	modelProgram = "../../cmd/xsmmodel"
	modelSource  = "../../hv/model"
)

// hooksInSource lists the hooks that the model's source calls, by Xen's name.
// A function that nothing names is not linked, so that its hooks do not count.
func hooksInSource(t *testing.T) map[string]bool {
	t.Helper()
	byGo := map[string]string{}
	for _, h := range hook.Table {
		byGo[h.Go] = h.Name
	}
	files, err := filepath.Glob(filepath.Join(modelSource, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	uses := map[string]int{}       // of identifiers, their declaration included
	calls := map[string][]string{} // hooks by the function that calls them
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			function := ""
			if f, ok := d.(*ast.FuncDecl); ok {
				function = f.Name.Name
			}
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.Ident:
					uses[n.Name]++
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && x.Name == "xsm" && byGo[n.Sel.Name] != "" {
						calls[function] = append(calls[function], byGo[n.Sel.Name])
					}
				}
				return true
			})
		}
	}
	called := map[string]bool{}
	for function, hooks := range calls {
		if !ast.IsExported(function) && uses[function] < 2 {
			t.Logf("%s has no caller: %v is not linked", function, hooks)
			continue
		}
		for _, h := range hooks {
			called[h] = true
		}
	}
	return called
}

// The binaries that are measured are what their build's name says: every hook
// in the model's source is an indirect call in dummy's and FLASK's code, and
// nothing at all in native's.
func TestModel(t *testing.T) {
	source := slices.Sorted(maps.Keys(hooksInSource(t)))
	if len(source) == 0 {
		t.Fatalf("no hook is called in %s", modelSource)
	}
	for _, arch := range []string{"amd64", "386"} {
		t.Run(arch+" native", func(t *testing.T) {
			r, err := Native(build(t, arch, "", modelProgram))
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Err(); err != nil {
				t.Error(err)
			}
		})
		for _, tags := range []string{"xsm", "xsm,flask"} {
			t.Run(arch+" "+tags, func(t *testing.T) {
				r, err := Table(build(t, arch, tags, modelProgram), "xsmbench/hv/model")
				if err != nil {
					t.Fatal(err)
				}
				if err := r.Err(); err != nil {
					t.Error(err)
				}
				compiled := map[string]bool{}
				for _, s := range r.Sites {
					compiled[s.Hook.String()] = true
				}
				if have := slices.Sorted(maps.Keys(compiled)); !slices.Equal(have, source) {
					t.Errorf("hooks called in the binary:\n%v\nin the source:\n%v", have, source)
				}
			})
		}
	}
}
