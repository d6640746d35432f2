package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/reports/about"
	"xsmbench/reports/answer"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/golden"
	"xsmbench/reports/synthetic"
	"xsmbench/results"
	"xsmbench/results/history"
)

var update = flag.Bool("update", false, "write golden files")

// nights is the history of the invented nights.
func nights(t testing.TB) *history.Store {
	t.Helper()
	s, err := synthetic.NightlyStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// answered compares a stored run as the command does.
func answered(t testing.TB) func(history.Run, []history.File) (*answer.Answer, error) {
	return func(_ history.Run, files []history.File) (*answer.Answer, error) {
		dir := t.TempDir()
		if err := history.Restore(dir, files); err != nil {
			return nil, err
		}
		in, err := compare.ReadInput(dir)
		if err != nil {
			return nil, err
		}
		c, err := in.Compare(compare.Options{Single: true})
		if err != nil {
			return nil, err
		}
		return answer.Of(c, about.OfInput(in), nil), nil
	}
}

func write(t testing.TB, dir string, s *history.Store, o Options) Written {
	t.Helper()
	w, err := Write(dir, s, o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// sums are the files of a folder with their hashes.
func sums(t testing.TB, dir string) map[string][32]byte {
	t.Helper()
	all := map[string][32]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		all[filepath.ToSlash(name)] = sha256.Sum256(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// spaces are those between the lines of templates.
var spaces = regexp.MustCompile(`\s+`)

// raw are the elements whose text is not markup.
var raw = regexp.MustCompile(`(?s)(<(?:style|script)>).*?(</(?:style|script)>)`)

// tokens are the elements, texts and comments of a page, in order.
func tokens(t testing.TB, page string) []xml.Token {
	t.Helper()
	page = strings.TrimPrefix(raw.ReplaceAllString(page, "$1$2"), "<!DOCTYPE html>")
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.Entity, d.AutoClose = false, xml.HTMLEntity, append(slices.Clone(xml.HTMLAutoClose), "wbr")
	var all []xml.Token
	for {
		token, err := d.Token()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, xml.CopyToken(token))
	}
}

// words are what a reader of a page without its style sees, a line for each
// element that stands on its own.
func words(t testing.TB, page string) string {
	t.Helper()
	var b strings.Builder
	within := true // the head
	for _, token := range tokens(t, page) {
		switch x := token.(type) {
		case xml.StartElement:
			switch x.Name.Local {
			case "main", "h1":
				within = false
			case "h2", "h3", "p", "tr", "li", "div", "caption", "section", "ol":
				b.WriteString("\n")
			case "td", "th", "dd", "span", "dt":
				b.WriteString(" ")
			}
		case xml.CharData:
			if !within {
				b.WriteString(spaces.ReplaceAllString(string(x), " "))
			}
		}
	}
	var lines []string
	for line := range strings.Lines(b.String()) {
		if line = strings.TrimSpace(spaces.ReplaceAllString(line, " ")); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestPages: what the pages of the invented nights say.
func TestPages(t *testing.T) {
	s, dir := nights(t), t.TempDir()
	w := write(t, dir, s, Options{Answer: answered(t)})
	if w.Runs != synthetic.Nights || w.Index != filepath.Join(dir, "index.html") || w.Files != w.Changed || w.Removed != 0 {
		t.Errorf("written: %+v", w)
	}
	trends, err := filepath.Glob(filepath.Join(dir, "trends", "synthetic-*", "evtchn_send-*.html"))
	if err != nil || len(trends) != 1 {
		t.Fatalf("pages of evtchn_send: %q, %v", trends, err)
	}
	for name, path := range map[string]string{"index.txt": w.Index, "line.txt": filepath.Join(filepath.Dir(trends[0]), "index.html"), "benchmark.txt": trends[0]} {
		golden.Matches(t, *update, name, func(to io.Writer) error {
			_, err := io.WriteString(to, words(t, read(t, path)))
			return err
		})
	}
	golden.Matches(t, *update, "run.json", func(to io.Writer) error {
		last, err := s.Find("last")
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := json.Indent(&b, []byte(read(t, filepath.Join(dir, dataName(last.ID)))), "", "  "); err != nil {
			return err
		}
		_, err = b.WriteTo(to)
		return err
	})
}

// TestAgain: the same history gives the same bytes, in the same folder and in
// another one, and what has not changed is not written.
func TestAgain(t *testing.T) {
	s, one, two := nights(t), t.TempDir(), t.TempDir()
	o := Options{Answer: answered(t)}
	write(t, one, s, o)
	first := sums(t, one)
	old := time.Date(2008, 1, 1, 0, 0, 0, 0, time.UTC)
	for name := range first {
		if err := os.Chtimes(filepath.Join(one, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if w := write(t, one, s, o); w.Changed != 0 || w.Removed != 0 || w.Files != len(first)-1 { // the lock is none of them
		t.Errorf("again: %+v of %d files", w, len(first))
	}
	for name := range first {
		if info, err := os.Stat(filepath.Join(one, name)); err != nil || name != lockFile && !info.ModTime().Equal(old) {
			t.Errorf("%s was written again: %v", name, err)
		}
	}
	write(t, two, s, o)
	if !maps.Equal(first, sums(t, two)) {
		t.Error("another folder has other bytes")
	}
}

// TestLess: what a run that was removed had is removed, and nothing of others.
func TestLess(t *testing.T) {
	s, dir := nights(t), t.TempDir()
	write(t, dir, s, Options{})
	for name, text := range map[string]string{"data/notes.txt": "mine", "trends/mine/me.txt": "mine", "CNAME": "example.org"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	last, err := s.Find("last")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(last); err != nil {
		t.Fatal(err)
	}
	w := write(t, dir, s, Options{})
	if w.Removed != 2 || w.Runs != synthetic.Nights-1 {
		t.Errorf("with a run less: %+v", w)
	}
	all := sums(t, dir)
	for _, name := range []string{"data/" + last.ID + ".json", "data/" + last.ID + ".js"} {
		if _, ok := all[name]; ok {
			t.Errorf("%s is still there", name)
		}
	}
	for _, name := range []string{"data/notes.txt", "trends/mine/me.txt", "CNAME"} {
		if _, ok := all[name]; !ok {
			t.Errorf("%s, which is somebody's, is gone", name)
		}
	}
}

// TestRefused: folders that are not a site's, and histories without a run.
func TestRefused(t *testing.T) {
	s := nights(t)
	for _, name := range []string{"index.html", "data", "trends"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Write(dir, s, Options{}); err == nil || !strings.Contains(err.Error(), "has "+name+", which is not of a site of xsmbench: name another folder with -o") {
			t.Errorf("into a folder with %s: %v", name, err)
		}
		if all := sums(t, dir); len(all) != 1 {
			t.Errorf("a folder that was refused has %v", all)
		}
	}
	empty, err := history.Create(filepath.Join(t.TempDir(), "h.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	if _, err := Write(t.TempDir(), empty, Options{}); !errors.Is(err, ErrEmpty) {
		t.Errorf("an empty history: %v", err)
	}
	dir := t.TempDir()
	f, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	if _, err := Write(dir, s, Options{}); err == nil || !strings.Contains(err.Error(), "another process writes a site") {
		t.Errorf("while another one writes: %v", err)
	}
}

// stored adds runs to a new history, each made by a function of its place.
func stored(t testing.TB, n int, change func(i int, run *results.Run) (label string, values func(b hv.Build) []bench.Measurement)) *history.Store {
	t.Helper()
	dir := t.TempDir()
	s, err := history.Create(filepath.Join(dir, "h.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for i := range n {
		run := synthetic.Run(2)
		run.Started = time.Date(2008, 2, 1+i, 2, 0, 0, 0, time.UTC)
		label, values := change(i, &run)
		path := filepath.Join(dir, fmt.Sprint(i))
		d, err := results.Create(path, run)
		if err != nil {
			t.Fatal(err)
		}
		for boot := range 2 * len(run.Spec.Builds) {
			b := run.Spec.Builds[boot%len(run.Spec.Builds)]
			image := ""
			for _, img := range run.Images {
				if img.Build.Name == b.Name {
					image = img.Hash
				}
			}
			w, err := d.Begin(results.Boot{Boot: boot + 1, Round: boot/len(run.Spec.Builds) + 1, Order: 1, Image: image}, b)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range values(b) {
				if err := w.Add(m); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.End(); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Add(path, label); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// one is a run with one build, whose image has a name.
func one(run *results.Run, name, image string) {
	b := hv.Build{Name: name, Arch: "amd64", Rev: image}
	run.Spec.Builds, run.Spec.Domains, run.Spec.Dom0Only = []hv.Build{b}, []string{"dom0"}, nil
	run.Images = []hv.Image{{Build: b, Hash: fmt.Sprintf("%x", sha256.Sum256([]byte(image)))}}
}

func count(name string, v float64) []bench.Measurement {
	return []bench.Measurement{{Domain: "dom0", Benchmark: name, Iterations: 1, Values: []bench.Value{{Value: v, Unit: "xen-instr/op"}}}}
}

// TestLines: which runs are a line.
func TestLines(t *testing.T) {
	const name = "Kbench/hypercall/op=xen_version"
	for _, tt := range []struct {
		name string
		runs []string // label, image, target
		want []string // lines with their runs, the newest line first
	}{
		{"no labels", []string{" a model", " b model"}, []string{"all runs, model: 0 1"}},
		{"labels of revisions", []string{"v1 a model", "v1 a model", "v2 b model"}, []string{"all runs, model: 0 1 2"}},
		{"branches", []string{"main a model", "next b model", "main c model", "next d model"}, []string{"next, model: 1 3", "main, model: 0 2"}},
		{"a branch and others", []string{"main a model", " b model", "main c model", "v1 d model"}, []string{"other runs, model: 1 3", "main, model: 0 2"}},
		{"targets", []string{"main a model", "main b xen", "main c model"}, []string{"main, model: 0 2", "all runs, xen: 1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := stored(t, len(tt.runs), func(i int, run *results.Run) (string, func(hv.Build) []bench.Measurement) {
				words := strings.Split(tt.runs[i], " ")
				one(run, "native", words[1])
				run.Spec.Target = words[2]
				return words[0], func(hv.Build) []bench.Measurement { return count(name, 7) }
			})
			all, err := s.Runs()
			if err != nil {
				t.Fatal(err)
			}
			runs, lines := arrange(all)
			var got []string
			for _, l := range lines {
				text := l.Name() + ":"
				for i, r := range runs {
					if r.line == l {
						text += fmt.Sprintf(" %d", i)
					}
				}
				got = append(got, text)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("lines %q, want %q", got, tt.want)
			}
		})
	}
}

// hostile are names that somebody may give, in the hope that a page takes them for
// what they are not.
var hostile = []string{
	`</script><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `"onmouseover="alert(1)`, `'-alert(1)-'`, `{{.Title}}`,
	`../../../etc/passwd`, `javascript:alert(1)`, "a\u2028b", `x=&lt;b&gt;`, strings.Repeat("long/", 60), `--><!--`, `]]>`, "CON", `\u003cscript\u003e`,
}

// hostileStore has all hostile names as labels, revisions, benchmarks and builds.
func hostileStore(t testing.TB) *history.Store {
	return stored(t, len(hostile), func(i int, run *results.Run) (string, func(hv.Build) []bench.Measurement) {
		one(run, fmt.Sprintf("b%d", i%2), hostile[i])
		run.Host.CPU, run.Host.Kernel, run.Tool = hostile[(i+1)%len(hostile)], hostile[(i+2)%len(hostile)], hostile[(i+3)%len(hostile)]
		return hostile[i], func(hv.Build) []bench.Measurement {
			var all []bench.Measurement
			for j, name := range hostile {
				if strings.ContainsAny(name, " \u2028") {
					continue // which the format of samples does not take
				}
				all = append(all, count("Kbench/"+name, float64(100*j+i))...)
			}
			return all
		}
	})
}

// TestHostile: names are text. The pages have the elements and attributes that
// harmless names would have, and lie where they should.
func TestHostile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, hostileStore(t), Options{Answer: answered(t), Title: hostile[0]})
	all := sums(t, dir)
	fileNames := regexp.MustCompile(`^(site\.json|\.lock|(index|runs|compare)\.html|data/(index|[0-9a-f]{16})\.(json|js)|trends/[a-z0-9_-]{1,60}/[a-z0-9_-]{1,60}\.html)$`)
	pages := 0
	for name := range all {
		if !fileNames.MatchString(name) {
			t.Errorf("a file %q", name)
		}
		text := read(t, filepath.Join(dir, filepath.FromSlash(name)))
		switch filepath.Ext(name) {
		case ".html":
			pages++
			harmless(t, name, text)
		case ".js":
			if strings.ContainsAny(text, "<>\u2028") {
				t.Errorf("%s has letters that end a script or a line", name)
			}
		case ".json":
			var v any
			if err := json.Unmarshal([]byte(text), &v); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if pages < 12 {
		t.Errorf("only %d pages", pages)
	}
}

// places are the addresses that pages lead to.
var places = regexp.MustCompile(`^((\.\./\.\./)?[a-z0-9_./-]+(#[a-z0-9=&_-]*)?|#[a-z]+)$`)

// harmless checks the elements, attributes and addresses of a page.
func harmless(t *testing.T, name, text string) {
	t.Helper()
	scripts := 0
	for _, token := range tokens(t, text) {
		if c, ok := token.(xml.Comment); ok {
			t.Errorf("%s: a comment %q", name, c)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch e.Name.Local {
		case "script":
			scripts++
		case "img", "iframe", "object", "link", "base", "b1":
			t.Errorf("%s: <%s>", name, e.Name.Local)
		}
		for _, a := range e.Attr {
			if strings.HasPrefix(a.Name.Local, "on") {
				t.Errorf("%s: <%s %s>", name, e.Name.Local, a.Name.Local)
			}
			if a.Name.Local == "href" && !places.MatchString(a.Value) {
				t.Errorf("%s: href %q", name, a.Value)
			}
		}
	}
	if want := strings.Count(name, "compare.html"); scripts != want {
		t.Errorf("%s: %d scripts, want %d", name, scripts, want)
	}
}

// TestExactly: figures of the data.
func TestExactly(t *testing.T) {
	for _, tt := range []struct {
		v    float64
		want string
	}{{0, "0"}, {935, "935"}, {-3, "-3"}, {121.66633333, "121.6663"}, {123456789.25, "1.234568e+08"}, {589956123, "589956123"}, {1e300, "1e+300"}} {
		if got := exactly(tt.v); got != tt.want {
			t.Errorf("%v is %s, want %s", tt.v, got, tt.want)
		}
	}
}

// TestSlug: what files are called.
func TestSlug(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"evtchn_send", "evtchn_send"}, {"Main, Xen 4.17", "main-xen-4-17"}, {"../../x", "x"}, {"", ""}, {"äöü", ""}, {strings.Repeat("a/", 99), strings.Trim(strings.Repeat("a-", 20), "-")},
	} {
		if got := slug(tt.text); got != tt.want {
			t.Errorf("%q is %q, want %q", tt.text, got, tt.want)
		}
	}
	if fileName("a", "x", "y") == fileName("a", "xy") || fileName("A", "A") == fileName("a", "a") {
		t.Error("two things have one name")
	}
}
