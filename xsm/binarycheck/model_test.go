package binarycheck

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
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
	called := map[string]bool{}
	call := regexp.MustCompile(`\bxsm\.(\w+)\(`)
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(src), -1) {
			if name := byGo[m[1]]; name != "" {
				called[name] = true
			}
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
