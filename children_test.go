package xsmbench_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ownStarts are files that start programs without package child, with the reason.
var ownStarts = map[string]string{
	"dist/stage.go":                               "it is a tool of make's",
	"internal/embedgen/main.go":                   "go generate alone runs it, for a moment",
	"cmd/xsmguest/dom0.go":                        "it runs inside a domain, as its first process",
	"cmd/xsmguest/devices.go":                     "the same",
	"xsm/flask/policy/checkpolicy/checkpolicy.go": "go generate and tests alone run it, for a moment",
}

// TestChildren: what xsmbench starts ends with it, so that all starts go through
// package child.
func TestChildren(t *testing.T) {
	found := map[string][]string{}
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir(), !strings.HasSuffix(name, ".go"), strings.HasSuffix(name, "_test.go"),
			strings.HasPrefix(name, "hv/child/"), strings.HasPrefix(name, "hv/xen/faketools/"):
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		starts, err := startsIn(name, text)
		if starts != nil {
			found[name] = starts
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, starts := range found {
		if ownStarts[name] == "" {
			t.Errorf("%s: %s without package child: the program would outlive xsmbench", name, strings.Join(starts, ", "))
		}
	}
	for name := range ownStarts {
		if found[name] == nil {
			t.Errorf("%s starts nothing: take it out", name)
		}
	}
}

// startsIn lists the calls by which a file starts programs: os.StartProcess and
// methods of what exec.Command makes, called at once or by the name that it was
// given.
func startsIn(name string, text []byte) ([]string, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, 0)
	if err != nil {
		return nil, err
	}
	var starts []string
	commands := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, value := range n.Rhs {
				if isCommand(value) {
					commands[lastName(n.Lhs[i])] = true
				}
			}
		case *ast.KeyValueExpr:
			if isCommand(n.Value) {
				commands[lastName(n.Key)] = true
			}
		}
		return true
	})
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		switch {
		case !ok:
		case calls(call, "os", "StartProcess"):
			starts = append(starts, "os.StartProcess")
		case slices.Contains([]string{"Run", "Start", "Output", "CombinedOutput"}, method.Sel.Name) &&
			(isCommand(method.X) || commands[lastName(method.X)]):
			starts = append(starts, method.Sel.Name)
		}
		return true
	})
	return starts, nil
}

// isCommand tells a call of exec.Command or of exec.CommandContext.
func isCommand(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	return ok && (calls(call, "exec", "Command") || calls(call, "exec", "CommandContext"))
}

func calls(call *ast.CallExpr, pkg, function string) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	return ok && f.Sel.Name == function && lastName(f.X) == pkg
}

// lastName is the name of a variable or of a field, "" for another expression.
func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// TestStartsIn: what TestChildren would find.
func TestStartsIn(t *testing.T) {
	for body, want := range map[string][]string{
		`child.Run(exec.Command("a"))`:                         nil,
		`c := exec.Command("a"); child.Start(c); c.Wait()`:     nil,
		`exec.Command("a").Output()`:                           {"Output"},
		`c := exec.CommandContext(x, "a"); c.CombinedOutput()`: {"CombinedOutput"},
		`m.cmd = exec.Command("a"); m.cmd.Start()`:             {"Start"},
		`p := P{cmd: exec.Command("a")}; p.cmd.Run()`:          {"Run"},
		`os.StartProcess("a", nil, nil)`:                       {"os.StartProcess"},
		`server.Start(); tool.Output()`:                        nil,
	} {
		got, err := startsIn("f.go", []byte("package p\nfunc f() {"+body+"}\n"))
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", body, err, d)
		}
	}
}
