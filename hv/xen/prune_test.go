package xen

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestPrune fills a cache with sparse files.
func TestPrune(t *testing.T) {
	now := time.Now()
	const gb = 1 << 30
	type entry struct {
		name string
		size int64
		age  time.Duration
	}
	tests := []struct {
		name    string
		entries []entry
		want    []string // that stay, in the order of their names
	}{
		{"nothing", nil, nil},
		{"within bounds", []entry{{"a", 4 * gb, 99 * time.Hour}, {"b", 4 * gb, 50 * time.Hour}}, []string{"a", "b"}},
		{"the longest unused goes", []entry{{"a", 4 * gb, 50 * time.Hour}, {"b", 4 * gb, 99 * time.Hour}, {"c", 4 * gb, 9 * time.Hour}}, []string{"a", "c"}},
		{"as many as it takes", []entry{{"a", 4 * gb, 9 * time.Hour}, {"b", 9 * gb, 8 * time.Hour}, {"c", 7 * gb, 7 * time.Hour}}, []string{"c"}},
		{"what was just used stays", []entry{{"a", 9 * gb, time.Hour}, {"b", 9 * gb, time.Minute}}, []string{"a", "b"}},
		{"used and unused", []entry{{"a", 9 * gb, 3 * time.Hour}, {"b", 9 * gb, time.Minute}}, []string{"b"}},
		{"in the making", []entry{{"a.tmp", 9 * gb, time.Hour}, {"b", 1 * gb, 8 * time.Hour}}, []string{"a.tmp", "b"}},
		{"left by a killed program", []entry{{"a.tmp", 1 * gb, 3 * time.Hour}, {"b", 1 * gb, 8 * time.Hour}}, []string{"b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, e := range tt.entries {
				d := filepath.Join(dir, e.name)
				file := filepath.Join(d, stateFile)
				used := now.Add(-e.age)
				for _, step := range []func() error{
					func() error { return os.Mkdir(d, 0o755) },
					func() error { return os.WriteFile(file, nil, 0o644) },
					func() error { return os.Truncate(file, e.size) },
					func() error { return os.Chtimes(d, used, used) },
				} {
					if err := step(); err != nil {
						t.Fatal(err)
					}
				}
			}
			pruneSnapshots(dir, now)
			list, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range list {
				got = append(got, e.Name())
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}
