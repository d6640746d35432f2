package results

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/pprof/profile"

	"xsmbench/hv"
)

// assemblyDir is where a run is put together, in the directory that it is for.
const assemblyDir = ".merging"

// Assembly is a run that is put together from what others measured, boot by boot.
// It is written as BootWriter writes the boots of one machine, and stands in its
// directory once Finish has ended: before that there is no run.
type Assembly struct {
	claim *Claim
	path  string // of the folder that it is put together in
	spec  Spec
	at    string // the file that is open, of samples
	out   *os.File
	into  *bufio.Writer
}

// Assemble begins a run in a claimed directory. What an earlier process left of one
// there is removed.
func (c *Claim) Assemble(spec Spec) (*Assembly, error) {
	a := &Assembly{claim: c, path: filepath.Join(c.path, assemblyDir), spec: spec}
	if err := a.tidy(); err != nil {
		return nil, fmt.Errorf("create run %s: %w", c.path, err)
	}
	old, err := filepath.Glob(filepath.Join(c.path, samplesDir, "*.txt"))
	if _, none := os.Lstat(filepath.Join(c.path, runFile)); err == nil && none != nil && len(old) > 0 {
		err = ErrExists // samples that somebody copied here
	}
	for _, sub := range []string{samplesDir, consoleDir} {
		if err == nil {
			err = os.MkdirAll(filepath.Join(a.path, sub), 0o777)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("create run %s: %w", c.path, err)
	}
	return a, nil
}

// tidy removes what is left of an assembly that did not finish: its folder goes
// last, so that what it had moved is known for its own.
func (a *Assembly) tidy() error {
	if _, err := os.Lstat(a.path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := os.Lstat(filepath.Join(a.claim.path, runFile)); errors.Is(err, fs.ErrNotExist) {
		for _, name := range moved {
			if err := os.RemoveAll(filepath.Join(a.claim.path, name)); err != nil {
				return err
			}
		}
	}
	return os.RemoveAll(a.path)
}

// moved is what an assembly moves to its place.
var moved = []string{samplesDir, consoleDir, profileDir, functionsDir, timesFile}

// Samples appends what a boot of a run wrote for a domain, under the number that the
// boot gets. Blocks of one build and domain are best given one after the other.
func (a *Assembly) Samples(dir string, b Block, build hv.Build, number int) error {
	if err := a.samples(dir, b, build, number); err != nil {
		return fmt.Errorf("copy samples of %s: boot %d: %w", dir, b.Boot.Boot, err)
	}
	return nil
}

func (a *Assembly) samples(dir string, b Block, build hv.Build, number int) error {
	if !plainName.MatchString(b.Domain) || !plainName.MatchString(build.Name) {
		return fmt.Errorf("%q and %q: use letters, digits, and . _ + - between them in the names of builds and domains", build.Name, b.Domain)
	}
	if !slices.Contains(a.spec.SampleDomUs(), b.DomU) {
		return fmt.Errorf("domUs of kind %q, which the plan does not have", b.DomU)
	}
	name := fileName(build.Name, build.Arch, b.Domain, a.spec.apart(b.DomU))
	if err := a.open(name, header(a.spec, build, sampled{b.Domain, b.DomU})); err != nil {
		return err
	}
	t, err := openTree(dir)
	if err != nil {
		return err
	}
	defer t.Close()
	from, err := t.open(b.file)
	if err != nil {
		return err
	}
	defer from.Close()
	as := b.Boot
	as.Boot = number
	_, _ = a.into.WriteString(as.line()) // an error stays, and Finish or the next file meets it
	if _, err := io.Copy(a.into, io.NewSectionReader(from, b.at, b.size)); err != nil {
		return err
	}
	_, err = a.into.WriteString(endLine(number, b.Samples, b.Total))
	return err
}

// open turns to a file of samples, which gets a header if it is new.
func (a *Assembly) open(name, header string) error {
	if a.at == name {
		return nil
	}
	if err := a.shut(); err != nil {
		return err
	}
	out, err := os.OpenFile(filepath.Join(a.path, samplesDir, name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	a.at, a.out, a.into = name, out, bufio.NewWriterSize(out, 256<<10)
	info, err := out.Stat()
	if err == nil && info.Size() == 0 {
		_, err = a.into.WriteString(header)
	}
	return err
}

// shut brings the open file to the disk.
func (a *Assembly) shut() error {
	if a.out == nil {
		return nil
	}
	err := a.into.Flush()
	if err == nil {
		err = a.out.Sync()
	}
	err = errors.Join(err, a.out.Close())
	a.at, a.out, a.into = "", nil, nil
	return err
}

// Beside copies a boot's console and its profiles, which bear its number. A run may
// have neither.
func (a *Assembly) Beside(dir string, boot int, build hv.Build, blocks []Block, number int) error {
	if err := a.beside(dir, boot, build, blocks, number); err != nil {
		return fmt.Errorf("copy boot %d of %s: %w", boot, dir, err)
	}
	return nil
}

func (a *Assembly) beside(dir string, boot int, build hv.Build, blocks []Block, number int) error {
	t, err := openTree(dir)
	if err != nil {
		return err
	}
	defer t.Close()
	if err := a.copy(t, path.Join(consoleDir, consoleName(boot, build.Name)), path.Join(consoleDir, consoleName(number, build.Name)), nil); err != nil {
		return err
	}
	for _, b := range blocks {
		var change func([]byte) ([]byte, error)
		if boot != number {
			change = func(text []byte) ([]byte, error) { return numbered(text, number) }
		}
		beside := a.spec.apart(b.DomU)
		if err := a.copy(t, path.Join(profileDir, profileName(boot, build.Name, b.Domain, beside)), path.Join(profileDir, profileName(number, build.Name, b.Domain, beside)), change); err != nil {
			return err
		}
	}
	return nil
}

// mostCopied bounds a file that is copied as it is, in bytes.
const mostCopied = 256 << 20

// copy copies a file, if it is there, and changes it on the way.
func (a *Assembly) copy(t *tree, from, to string, change func([]byte) ([]byte, error)) error {
	if _, err := t.root.Lstat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	text, err := t.read(from, mostCopied)
	if err == nil && change != nil {
		text, err = change(text)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", shown(t.place(from)), err)
	}
	path := filepath.Join(a.path, filepath.FromSlash(to))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o666)
}

// numbered is a profile of a boot that gets another number.
func numbered(text []byte, number int) ([]byte, error) {
	text, err := unpack(text, mostProfile)
	if err != nil {
		return nil, err
	}
	p, err := profile.ParseUncompressed(text)
	if err != nil {
		return nil, err
	}
	for i, c := range p.Comments {
		if strings.HasPrefix(c, bootComment) {
			p.Comments[i] = fmt.Sprintf("%s%d", bootComment, number)
		}
	}
	var b bytes.Buffer
	err = p.Write(&b)
	return b.Bytes(), err
}

const bootComment = "boot="

// Functions copies what the functions of a build's image consist of, if the run tells
// and nothing was copied yet. Two runs that tell of one image tell the same.
func (a *Assembly) Functions(dir string, build hv.Build) error {
	name := path.Join(functionsDir, functionsName(build))
	if _, err := os.Lstat(filepath.Join(a.path, filepath.FromSlash(name))); err == nil {
		return nil
	}
	t, err := openTree(dir)
	if err == nil {
		defer t.Close()
		err = a.copy(t, name, name, nil)
	}
	if err != nil {
		return fmt.Errorf("copy functions of %s: %w", dir, err)
	}
	return nil
}

// Times appends what a run's builds and boots took, as those of a shard.
func (a *Assembly) Times(dir, shard string) error {
	d := &Dir{path: a.path}
	var some []Took
	flush := func() error {
		err := d.RecordTime(some...)
		some = some[:0]
		return err
	}
	err := ReadTimes(dir, func(t Took) error {
		if t.Shard == "" {
			t.Shard = shard
		}
		if some = append(some, t); len(some) < 1000 {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return fmt.Errorf("copy times of %s: %w", dir, err)
	}
	return nil
}

// Finish puts the run into its place. Only then is one that was there removed, and
// run.json comes last.
func (a *Assembly) Finish(run Run) error {
	err := a.shut()
	if err == nil {
		err = a.claim.Clear()
	}
	for _, name := range moved {
		if err == nil {
			err = os.Rename(filepath.Join(a.path, name), filepath.Join(a.claim.path, name))
			if errors.Is(err, fs.ErrNotExist) && !slices.Contains([]string{samplesDir, consoleDir}, name) {
				err = nil
			}
		}
	}
	if err == nil {
		err = (&Dir{path: a.claim.path}).UpdateRun(run)
	}
	if err == nil {
		err = os.RemoveAll(a.path)
	}
	if err != nil {
		return fmt.Errorf("create run %s: %w", a.claim.path, err)
	}
	return nil
}

// Abandon removes what was put together so far, unless Finish has ended.
func (a *Assembly) Abandon() error {
	return errors.Join(a.shut(), a.tidy())
}
