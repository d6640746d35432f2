package host

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"xsmbench/hv/gotool"
)

// inputsKey says whose inputs: the same tree has others under other tags.
type inputsKey struct{ dir, arch, tags string }

// inputs is what goes into a program, besides the toolchain and its flags:
// the files of the packages that are in source trees. Packages of modules
// that have a version are fixed by go.mod and go.sum.
type inputs struct {
	settings map[string]string // of the go command
	packages []inputPackage
	modules  []string // go.mod, go.sum and go.work
	digest   string   // of all of these when they were listed
}

type inputPackage struct {
	path   string // import path
	dir    string
	embeds []string // files that the package embeds, relative to dir
}

// listInputs asks the go command what the program is made of, or takes the
// last answer if none of those files changed since.
func (t *Target) listInputs(ctx context.Context, g gotool.Tool, tags string) (*inputs, error) {
	key := inputsKey{g.Dir, g.Arch, tags}
	t.mu.Lock()
	known := t.inputs[key]
	t.mu.Unlock()
	if known != nil {
		if d, err := known.sum(); err == nil && d == known.digest {
			return known, nil
		}
	}
	in, err := queryInputs(ctx, g, tags)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.inputs[key] = in
	t.mu.Unlock()
	return in, nil
}

func queryInputs(ctx context.Context, g gotool.Tool, tags string) (*inputs, error) {
	env, err := g.Env(ctx)
	if err != nil {
		return nil, err
	}
	out, err := g.Output(ctx, "list", "-deps", "-tags", tags,
		"-json=ImportPath,Dir,Standard,Module,EmbedFiles", "./"+program)
	if err != nil {
		return nil, err
	}
	in := &inputs{settings: env}
	if in.packages, err = sourcePackages(out); err != nil {
		return nil, err
	}
	for _, name := range []string{"go.mod", "go.sum", "go.work"} {
		in.modules = append(in.modules, filepath.Join(g.Dir, name))
	}
	in.digest, err = in.sum()
	return in, err
}

// sourcePackages picks the packages without a version from go list's output.
func sourcePackages(list []byte) ([]inputPackage, error) {
	var packages []inputPackage
	dec := json.NewDecoder(bytes.NewReader(list))
	for {
		var p struct {
			ImportPath, Dir string
			Standard        bool
			Module          *struct {
				Version string
				Replace *struct{ Version string }
			}
			EmbedFiles []string
		}
		err := dec.Decode(&p)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if p.Standard {
			continue
		}
		if m := p.Module; m != nil && m.Version != "" && (m.Replace == nil || m.Replace.Version != "") {
			continue
		}
		packages = append(packages, inputPackage{p.ImportPath, p.Dir, p.EmbedFiles})
	}
	if len(packages) == 0 {
		return nil, errors.New("go list: no package of the source tree")
	}
	return packages, nil
}

// sum hashes the settings and the files. It lists the packages' directories
// anew, so a file that was added counts.
func (in *inputs) sum() (string, error) {
	h := sha256.New()
	for _, k := range gotool.Settings {
		fmt.Fprintf(h, "%s=%s\n", k, in.settings[k])
	}
	for _, path := range in.modules {
		text, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		fmt.Fprintf(h, "file %s %d\n%s", filepath.Base(path), len(text), text)
	}
	for _, p := range in.packages {
		files, err := p.files()
		if err != nil {
			return "", err
		}
		for _, name := range files {
			text, err := os.ReadFile(filepath.Join(p.dir, name))
			if err != nil {
				return "", err
			}
			fmt.Fprintf(h, "file %s/%s %d\n", p.path, name, len(text))
			h.Write(text)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// files are those of the directory that the go command compiles, under any
// tags, and what the package embeds.
func (p inputPackage) files() ([]string, error) {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, e := range p.embeds {
		names[e] = true
	}
	for _, e := range entries {
		n := e.Name()
		switch filepath.Ext(n) {
		case ".go", ".s", ".h":
			if !e.IsDir() && !strings.HasSuffix(n, "_test.go") {
				names[n] = true
			}
		}
	}
	var list []string
	for n := range names {
		list = append(list, n)
	}
	sort.Strings(list)
	return list, nil
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
