package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"debug/buildinfo"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// contents are the files of a release.
type contents struct {
	version string // without the v
	arch    string // a GOARCH
	time    time.Time
	files   []entry // in the order of their names
}

// entry is a file of a release.
type entry struct {
	name string // below the prefix, such as /usr
	from string // where it is on this machine
	mode fs.FileMode
}

// name is the tarball's folder.
func (c *contents) name() string { return fmt.Sprintf("xsmbench-%s-linux-%s", c.version, c.arch) }

// Names below the prefix.
const (
	manDir = "share/man/man1"
	docDir = "share/doc/xsmbench"
	bash   = "share/bash-completion/completions/xsmbench"
	zsh    = "share/zsh/site-functions/_xsmbench"
	fish   = "share/fish/vendor_completions.d/xsmbench.fish"
)

// stage builds the program and makes what goes with it in a folder.
func stage(ctx context.Context, root, arch, work string) (*contents, error) {
	s := stager{ctx, root, work, &contents{arch: arch}}
	program, err := s.build(arch)
	if err != nil {
		return nil, err
	}
	if err := s.describe(program); err != nil {
		return nil, err
	}
	s.add("bin/xsmbench", program, 0o755)
	native := program // that runs here
	if arch != runtime.GOARCH {
		if native, err = s.build(runtime.GOARCH); err != nil {
			return nil, err
		}
	}
	for _, step := range []func() error{
		func() error { return s.manual(native) },
		func() error { return s.completions(native) },
		s.documents,
		s.licences,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(s.files, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	return s.contents, nil
}

type stager struct {
	ctx        context.Context
	root, work string
	*contents
}

func (s stager) add(name, from string, mode fs.FileMode) {
	s.files = append(s.files, entry{name, from, mode})
}

// output runs a program in the root.
func (s stager) output(env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(s.ctx, name, args...)
	cmd.Dir = s.root
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}

// goEnv has the settings of the user's machine change nothing.
func goEnv(arch string) []string {
	return []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + arch, "GOFLAGS=", "GOAMD64=v1", "GO386=sse2", "GOARM64=v8.0", "GOEXPERIMENT=", "GOWORK=off"}
}

// build builds the program without paths of this machine, and without the
// tables of a debugger, which make up a third of it.
func (s stager) build(arch string) (string, error) {
	to, err := filepath.Abs(filepath.Join(s.work, "xsmbench-"+arch))
	if err != nil {
		return "", err
	}
	_, err = s.output(goEnv(arch), "go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w", "-o", to, "./cmd/xsmbench")
	return to, err
}

// describe reads what the program says of itself.
func (s stager) describe(program string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	s.version = packageVersion(info.Main.Version)
	for _, setting := range info.Settings {
		if setting.Key == "vcs.time" {
			if s.time, err = time.Parse(time.RFC3339, setting.Value); err != nil {
				return err
			}
		}
	}
	if s.time.IsZero() {
		return fmt.Errorf("%s: the program does not know its commit: a release is made in a git clone", s.root)
	}
	return nil
}

// packageVersion turns a version of Go's into one whose order dpkg sees as Go
// does: what comes before a release sorts before it.
func packageVersion(v string) string {
	v = strings.TrimPrefix(v, "v")
	core, build, changed := strings.Cut(v, "+")
	release, before, ok := strings.Cut(core, "-")
	if ok {
		release += "~" + strings.ReplaceAll(before, "-", ".")
	}
	if changed {
		release += "+" + strings.ReplaceAll(build, "-", ".")
	}
	return release
}

// manual has the program write its manual pages.
func (s stager) manual(program string) error {
	dir, err := filepath.Abs(filepath.Join(s.work, "man"))
	if err != nil {
		return err
	}
	if _, err := s.output(nil, program, "man", dir); err != nil {
		return err
	}
	pages, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, p := range pages {
		if err := s.zipped(filepath.Join(dir, p.Name()), path.Join(manDir, p.Name()+".gz")); err != nil {
			return err
		}
	}
	return nil
}

// zipped adds a file in compressed form, without its name and time.
func (s stager) zipped(from, name string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(text); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return s.write(name, b.Bytes())
}

// write adds a file that is made here.
func (s stager) write(name string, text []byte) error {
	to := filepath.Join(s.work, "made", filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	s.add(name, to, 0o644)
	return os.WriteFile(to, text, 0o666)
}

// completions has the program write what shells complete with.
func (s stager) completions(program string) error {
	for shell, name := range map[string]string{"bash": bash, "zsh": zsh, "fish": fish} {
		text, err := s.output(nil, program, "completion", shell)
		if err != nil {
			return err
		}
		if err := s.write(name, text); err != nil {
			return err
		}
	}
	return nil
}

// documents are the texts that the repository has for users.
func (s stager) documents() error {
	for from, name := range map[string]string{"LICENSE": "copyright", "README.md": "README.md"} {
		s.add(path.Join(docDir, name), filepath.Join(s.root, from), 0o644)
	}
	if err := s.zipped(filepath.Join(s.root, "CHANGELOG.md"), path.Join(docDir, "changelog.gz")); err != nil {
		return err
	}
	pages, err := filepath.Glob(filepath.Join(s.root, "docs", "*.md"))
	for _, p := range pages {
		s.add(path.Join(docDir, "docs", filepath.Base(p)), p, 0o644)
	}
	return err
}

// licences are those of the modules that are linked into the program, and Go's:
// they ask for their notices to go along.
func (s stager) licences() error {
	list, err := s.output(goEnv(s.arch), "go", "list", "-deps", "-f", "{{with .Module}}{{if .Version}}{{.Path}}\t{{.Dir}}{{end}}{{end}}", "./cmd/xsmbench")
	if err != nil {
		return err
	}
	goRoot, err := s.output(nil, "go", "env", "GOROOT")
	if err != nil {
		return err
	}
	lines := append(strings.Fields("go\t"+strings.TrimSpace(string(goRoot))), strings.Fields(string(list))...)
	seen := map[string]bool{}
	for pair := range slices.Chunk(lines, 2) {
		if module := pair[0]; !seen[module] {
			seen[module] = true
			if err := s.licence(module, pair[1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// licence adds the notices of a module.
func (s stager) licence(module, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := false
	for _, e := range entries {
		name := strings.ToUpper(e.Name())
		for _, word := range []string{"LICENSE", "LICENCE", "UNLICENSE", "COPYING", "NOTICE"} {
			if e.Type().IsRegular() && strings.HasPrefix(name, word) {
				s.add(path.Join(docDir, "licenses", module, e.Name()), filepath.Join(dir, e.Name()), 0o644)
				found = true
				break
			}
		}
	}
	if !found && module != "go" { // a distribution's Go may keep its elsewhere
		return fmt.Errorf("%s: no licence in %s", module, dir)
	}
	return nil
}
