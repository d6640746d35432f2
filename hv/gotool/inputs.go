package gotool

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"xsmbench/hv/store/content"
)

// ErrChanged is the cause when a program's source changed while it was
// compiled.
var ErrChanged = errors.New("the source changed while it was compiled")

// mostChanges is how often a source may change while it is compiled before the
// build is given up.
const mostChanges = 5

// Settle has a program built, and built again, under the key of what is there
// then, if its source changed meanwhile.
func Settle(progress func(string), build func() error) error {
	for range mostChanges {
		err := build()
		if !errors.Is(err, ErrChanged) {
			return err
		}
		progress(ErrChanged.Error() + "; it is built as it is now")
	}
	return fmt.Errorf("%w repeatedly: wait until it is stable, or build a copy of it", ErrChanged)
}

// Inputs is what a program is made of, besides its flags: the go command's
// settings, and the files of the packages that are in source trees. Packages of
// modules that have a version are fixed by go.mod and go.sum.
type Inputs struct {
	Settings map[string]string // by the names in Settings
	Digest   string            // of all that counts, when it was listed

	linked   string // import path of what Link adds
	packages []inputPackage
	modules  []string // go.mod, go.sum and go.work of all modules in source trees
}

type inputPackage struct {
	path   string // import path
	dir    string
	embeds []string // patterns of files that the package embeds, relative to dir
}

// Inputs asks the go command what a program is made of. The program is a path
// below the tree's root.
func (g Tool) Inputs(ctx context.Context, program, tags string) (*Inputs, error) {
	env, err := g.env(ctx, append([]string{"GOWORK"}, Settings...)...)
	if err != nil {
		return nil, err
	}
	out, err := g.Output(ctx, "list", "-deps", "-tags", tags,
		"-json=ImportPath,Dir,Standard,Module,EmbedPatterns", "./"+program)
	if err != nil {
		return nil, err
	}
	in := &Inputs{Settings: env}
	if err := in.parse(out, g.Dir); err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	in.addModule(filepath.Join(g.Dir, "go.mod"))
	switch work := env["GOWORK"]; {
	case g.added != nil:
		in.linked = g.added.Import
		if of := g.added.of.file; of != "" {
			in.addModule(of) // of which the go command's own workspace is made
		}
	case work != "" && work != "off":
		in.addModule(work)
	}
	delete(env, "GOWORK")
	in.Digest, err = in.sum()
	if errors.Is(err, fs.ErrNotExist) { // it was there when it was listed
		return nil, ErrChanged
	}
	return in, err
}

// listed is a package in the output of go list.
type listed struct {
	ImportPath, Dir string
	Standard        bool
	Module          *struct {
		Version, GoMod string
		Replace        *struct{ Version string }
	}
	EmbedPatterns []string
}

// fixed says that the package's files are known by its module's version. What
// is vendored has a version, but its files are the tree's.
func (p listed) fixed(tree string) bool {
	m := p.Module
	switch {
	case p.Standard:
		return true
	case m == nil || m.Version == "" || m.Replace != nil && m.Replace.Version == "":
		return false
	}
	return !strings.HasPrefix(p.Dir, filepath.Join(tree, "vendor")+string(filepath.Separator))
}

// parse picks the packages that are in source trees.
func (in *Inputs) parse(list []byte, tree string) error {
	dec := json.NewDecoder(bytes.NewReader(list))
	for {
		var p listed
		err := dec.Decode(&p)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if p.fixed(tree) {
			continue
		}
		in.packages = append(in.packages, inputPackage{p.ImportPath, p.Dir, p.EmbedPatterns})
		if m := p.Module; m != nil && m.GoMod != "" {
			in.addModule(m.GoMod)
		}
	}
	if len(in.packages) == 0 {
		return errors.New("no package of the source tree")
	}
	return nil
}

// addModule adds a go.mod or go.work with its sums.
func (in *Inputs) addModule(path string) {
	if !slices.Contains(in.modules, path) {
		in.modules = append(in.modules, path, strings.TrimSuffix(path, filepath.Ext(path))+sumsOf[filepath.Base(path)])
	}
}

var sumsOf = map[string]string{"go.mod": ".sum", "go.work": ".work.sum"}

// Current says whether what was listed is still what is there.
func (in *Inputs) Current() bool {
	digest, err := in.sum()
	return err == nil && digest == in.Digest
}

// sum hashes the settings and the files. It lists the packages' folders anew,
// so a file that was added counts. Where the tree lies does not.
func (in *Inputs) sum() (string, error) {
	h := sha256.New()
	for _, k := range Settings {
		fmt.Fprintf(h, "%s=%s\n", k, in.Settings[k])
	}
	fmt.Fprintf(h, "linked %q\n", in.linked)
	for _, path := range in.modules {
		hash, err := content.HashFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		fmt.Fprintf(h, "module %s %s\n", filepath.Base(path), hash)
	}
	for _, p := range in.packages {
		files, err := p.files()
		if err != nil {
			return "", err
		}
		for _, name := range files {
			hash, err := content.HashFile(filepath.Join(p.dir, name))
			if err != nil {
				return "", err
			}
			fmt.Fprintf(h, "file %q %q %s\n", p.path, name, hash)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// files are those that the go command compiles and links, under any tags, and
// what the package embeds.
func (p inputPackage) files() ([]string, error) {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && compiled(e.Name()) {
			names = append(names, e.Name())
		}
	}
	for _, pattern := range p.embeds {
		embedded, err := p.embedded(pattern)
		if err != nil {
			return nil, err
		}
		names = append(names, embedded...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func compiled(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return false
	}
	switch filepath.Ext(name) {
	case ".go":
		return !strings.HasSuffix(name, "_test.go")
	case ".s", ".h", ".syso", ".pgo":
		return true
	}
	return false
}

// embedded are the files that a pattern matches, with some more: the go command
// leaves out those whose name begins with a dot or an underscore.
func (p inputPackage) embedded(pattern string) ([]string, error) {
	matches, err := filepath.Glob(filepath.Join(globbed(p.dir), filepath.FromSlash(strings.TrimPrefix(pattern, "all:"))))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, m := range matches {
		err := filepath.WalkDir(m, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			rel, err := filepath.Rel(p.dir, path)
			names = append(names, rel)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

// globbed quotes a path for Glob.
func globbed(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
