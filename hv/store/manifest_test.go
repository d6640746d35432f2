package store

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is read, written and read again is the same, and no text makes the
// comparison with a folder fail in another way than by saying so.
func FuzzManifest(f *testing.F) {
	var text bytes.Buffer
	head := header{Version: version, Kind: "things", Key: KeyOf("x"), What: "a thing", Files: 2, Size: 3}
	err := formatManifest(&text, head, []file{{Path: "a", Mode: 0o644, Size: 3, SHA256: "00"}, {Path: "l", Target: "a"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text.Bytes())
	f.Add([]byte(`{"files":-1}`))
	f.Add([]byte(`{"files":9000000000}{}`))
	f.Add([]byte(`{"files":1}{"path":"../../x"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		head, files, err := parseManifest(bytes.NewReader(text), true)
		if err != nil {
			return
		}
		if _, reason := compareLists(files, nil); (reason == "") != (len(files) == 0) {
			t.Errorf("%d files are in an empty folder: %q", len(files), reason)
		}
		var again bytes.Buffer
		if err := formatManifest(&again, head, files); err != nil {
			return // a year that JSON cannot write
		}
		head2, files2, err := parseManifest(&again, true)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(head, head2) + cmp.Diff(files, files2); diff != "" {
			t.Error(diff)
		}
	})
}
