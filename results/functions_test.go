package results

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv"
)

var someBodies = []hv.Body{
	{Name: "do_domctl", Size: 4711, Code: "a1b2", Shifted: "c3d4"},
	{Name: "do_domctl", Part: true, Size: 99, Code: "e5", Shifted: "e5"},
	{Name: "init", Size: 3, Code: "00", Shifted: "00"},
	{Name: "init", Size: 4, Code: "01", Shifted: "01"},
}

func TestFunctions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	d, err := Create(dir, Run{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	img := &hv.Image{Build: hv.Build{Name: "flask", Arch: "amd64"}, Hash: "abc"}
	if _, err := ReadFunctions(dir, img); !errors.Is(err, ErrNoFunctions) || d.HasFunctions(img.Build) {
		t.Errorf("before they are recorded: %v", err)
	}
	if err := d.RecordFunctions(img, someBodies); err != nil {
		t.Fatal(err)
	}
	got, err := ReadFunctions(dir, img)
	if err != nil || !d.HasFunctions(img.Build) {
		t.Error(err)
	}
	if d := cmp.Diff(someBodies, got); d != "" {
		t.Error(d)
	}
	other := *img
	other.Hash = "abd"
	if _, err := ReadFunctions(dir, &other); err == nil || !strings.HasSuffix(err.Error(), "functions/flask-amd64.tsv.gz: it is of another image") {
		t.Errorf("another image: %v", err)
	}
	other.Build.Name = "../flask"
	if _, err := ReadFunctions(dir, &other); !errors.Is(err, ErrNoFunctions) {
		t.Errorf("a name that leads elsewhere: %v", err)
	}
	if err := d.RecordFunctions(img, []hv.Body{{Name: "a\tb"}}); err == nil {
		t.Error("a name with a tab is recorded")
	}
}

func TestReadFunctionsErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "1: it names no image",
		"f\t\t1\ta\t":                         "1: it does not begin with",
		"# image: x\nf\t\t1\ta":               "2: not name",
		"# image: x\nf\t\t1\ta\t\n\t\t1\ta\t": "3: not name",
		"# image: x\nf\thalf\t1\ta\t":         "2: not name",
		"# image: x\nf\t\t-1\ta\t":            `2: "-1" is not a number of bytes`,
	} {
		if _, _, err := decodeFunctions([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

// FuzzFunctions reads anything; what can be read is written and read again.
func FuzzFunctions(f *testing.F) {
	packed, err := encodeFunctions("abc", someBodies)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Add([]byte("# image: x\nf\tpart\t1\ta\tb\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		text, err := unpack(data, 1<<20)
		if err != nil {
			return
		}
		image, list, err := decodeFunctions(text)
		if err != nil {
			return
		}
		again, err := encodeFunctions(image, list)
		if err != nil {
			t.Fatalf("cannot write what was read: %v", err)
		}
		if text, err = unpack(again, 1<<20); err != nil {
			t.Fatal(err)
		}
		image2, list2, err := decodeFunctions(text)
		if err != nil || image != image2 || !cmp.Equal(list, list2) {
			t.Errorf("%q %v, read again %q %v: %v", image, list, image2, list2, err)
		}
	})
}

// What others put into a run directory does not lead functions elsewhere.
func TestFunctionsLink(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	d, err := Create(dir, Run{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, functionsDir)); err != nil {
		t.Fatal(err)
	}
	img := &hv.Image{Build: hv.Build{Name: "flask", Arch: "amd64"}, Hash: "abc"}
	if err := d.RecordFunctions(img, someBodies); err == nil {
		t.Error("functions are written through a link")
	}
	if _, err := ReadFunctions(dir, img); err == nil {
		t.Error("functions are read through a link")
	}
}
