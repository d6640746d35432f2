package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// readAll reads everything that a store's file gives, as a text.
func readAll(path string) (string, error) {
	s, err := Open(path)
	if err != nil {
		return "", err
	}
	defer s.Close()
	runs, err := s.Runs()
	if err != nil {
		return "", err
	}
	// As JSON, which does not change when a record gets a field that is empty.
	records, err := json.Marshal(runs)
	if err != nil {
		return "", err
	}
	text := string(records) + "\n"
	for _, r := range runs {
		files, err := s.Files(r)
		if err != nil {
			return "", err
		}
		text += fmt.Sprintf("%s\n", files)
	}
	err = s.Each(func(_ Run, series []Series) error { text += fmt.Sprintln(series); return nil })
	return text, err
}

// storeFile is a store's file with two runs.
func storeFile(t testing.TB) []byte {
	t.Helper()
	s := create(t)
	add(t, s, makeRun(t, 1, "aaaa", 3), "v1")
	add(t, s, makeRun(t, 2, "aaaa", 3), "v2")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestDamaged(t *testing.T) {
	whole := storeFile(t)
	zeros := func(from, to int) []byte {
		text := append([]byte(nil), whole...)
		clear(text[from:min(to, len(text))])
		return text
	}
	for name, text := range map[string][]byte{
		"no store":      []byte(strings.Repeat("not a history\n", 2000)),
		"a few bytes":   []byte("x"),
		"no first page": zeros(0, 4096),
		"cut off":       whole[:5*4096],
		"one page left": zeros(4096, len(whole)),
	} {
		path := writeStore(t, text)
		var damaged *DamagedError
		if _, err := readAll(path); !errors.As(err, &damaged) || !strings.Contains(err.Error(), "add the run directories again") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Create(path); !errors.As(err, &damaged) {
			t.Errorf("%s, to write: %v", name, err)
		}
	}
}

// FuzzDamage turns bytes of a store's file, and cuts it: it is read as it was,
// or refused, and nothing of it is believed that was not written.
func FuzzDamage(f *testing.F) {
	whole := storeFile(f)
	want, err := readAll(writeStore(f, whole))
	if err != nil {
		f.Fatal(err)
	}
	for at := range uint32(len(whole) / 1009) {
		f.Add(1009*at, byte(0x21), uint32(0))
	}
	for _, at := range []uint32{0, 16, 64, 4096 + 20, 2 * 4096, 3*4096 + 8, 5 * 4096, 6*4096 + 100} {
		f.Add(at, byte(0xff), uint32(0))
		f.Add(at, byte(1), uint32(4096))
	}
	f.Fuzz(func(t *testing.T, at uint32, flip byte, cut uint32) {
		text := append([]byte(nil), whole...)
		text[int(at)%len(text)] ^= flip
		text = text[:len(text)-int(cut)%len(text)]
		path := writeStore(t, text)
		got, err := readAll(path)
		var damaged *DamagedError
		if err != nil && !errors.As(err, &damaged) && !strings.Contains(err.Error(), "schema") {
			t.Errorf("byte %d by %#x, %d cut: %v", at, flip, cut, err)
		}
		if err == nil && got != want {
			t.Errorf("byte %d by %#x, %d cut: what is read was never written", at, flip, cut)
		}
	})
}

// FuzzUnpack: what is unpacked is what was packed.
func FuzzUnpack(f *testing.F) {
	good, err := pack([]byte(`{"id":"1"}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-3])
	f.Add(append(good, good...))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, value []byte) {
		if len(value) > 1<<12 {
			return
		}
		text, err := unpack(value)
		if err != nil {
			return
		}
		again, err := pack(text)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := unpack(again); err != nil || string(back) != string(text) {
			t.Errorf("%q came back as %q, %v", text, back, err)
		}
	})
}
