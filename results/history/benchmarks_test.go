package history

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv"
)

// TestBenchmarkList: records are decoded as json does it, whatever the one before them
// was.
func TestBenchmarkList(t *testing.T) {
	lists := [][]string{{"a", "b"}, {"a", "b"}, {"a", "b", "c"}, {"a"}, nil, {}, {"a", "b"}, {`"benchmarks":["a"]`, "<&>"}, {`"benchmarks":["a"]`, "<&>"}}
	var l benchmarkList
	for i, names := range lists {
		want := Run{ID: fmt.Sprint(i), Label: `"benchmarks":["a","b"],\`}
		want.Run.Spec.Benchmarks = names
		want.Run.Spec.Builds = []hv.Build{{Name: `benchmarks`, Rev: `"benchmarks":["a","b"]`}}
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var plain, got Run
		if err := json.Unmarshal(text, &plain); err != nil {
			t.Fatal(err)
		}
		if err := l.decode(string(text), &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(plain, got); d != "" {
			t.Errorf("record %d (-json +list):\n%s", i, d)
		}
		// What is damaged elsewhere is not taken for whole.
		if err := l.decode(string(text)[:len(text)-1], &Run{}); err == nil {
			t.Errorf("record %d is decoded without its end", i)
		}
		if err := l.decode(string(text), &Run{}); err != nil {
			t.Errorf("record %d after damage: %v", i, err)
		}
	}
}
