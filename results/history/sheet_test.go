package history

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/results"
)

// anySeries are invented figures of some images: of several builds and lists of boots,
// with remarks or without.
func anySeries(random *rand.Rand) map[string][]Series {
	all := map[string][]Series{}
	for i := range 1 + random.IntN(3) {
		image := fmt.Sprintf("%064x", i)
		for k := range 1 + random.IntN(5) {
			s := Series{Target: "model", Arch: "amd64", Domain: fmt.Sprint("dom", k%2), Build: fmt.Sprint("build", i%2), Benchmark: fmt.Sprint("A/", k), Unit: "ns/op", Idle: k}
			for boot := range 1 + random.IntN(4) {
				v := []float64{0, 1, math.Trunc(1e6 * random.Float64()), random.NormFloat64(), math.MaxFloat64, 5e-324}[random.IntN(6)]
				s.Boots = append(s.Boots, Boot{10*boot + i, boot + 1, i * random.IntN(3), image, v})
			}
			for n := range random.IntN(3) {
				s.Remarks = append(s.Remarks, fmt.Sprintf("remark %d: „ü\n", n))
			}
			all[image] = append(all[image], s)
		}
	}
	return all
}

// Sheets have what the rows have, whatever a run measured.
func TestSheets(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	s := create(t)
	var want [][]Series
	err := s.update(func(tx *sql.Tx, _ []Run) error {
		for day := range 40 {
			r := &record{files: map[string][]byte{}, images: anySeries(random)}
			r.run = Run{ID: fmt.Sprintf("%016x", day), Run: results.Run{Started: time.Date(2008, 1, 1, day, 0, 0, 0, time.UTC)}}
			for image := range r.images {
				r.run.Images = append(r.run.Images, image)
			}
			slices.Sort(r.run.Images)
			want = append(want, r.series())
			if err := r.put(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var got, rows [][]Series
	if err := s.Each(func(_ Run, all []Series) error { got = append(got, all); return nil }); err != nil {
		t.Fatal(err)
	}
	err = s.view(func(tx *sql.Tx) error {
		reader, err := newSeriesReader(tx)
		if err != nil {
			return err
		}
		for day := range want {
			stored, err := reader.read(fmt.Sprintf("%016x", day))
			if err != nil {
				return err
			}
			rows = append(rows, stored.(storedSeries).all)
		}
		return reader.close()
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, have := range map[string][][]Series{"sheets": got, "rows": rows} {
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if n := count(t, s, "SELECT count(*) FROM outlines"); n < 2 || n >= count(t, s, "SELECT count(*) FROM sheets") {
		t.Errorf("%d outlines: they are not shared", n)
	}
}

// What no run has any more goes with the last one that had it.
func TestOutlinesGo(t *testing.T) {
	s := create(t)
	a := add(t, s, makeRun(t, 1, "aaaa", 2), "")
	b := add(t, s, makeRun(t, 2, "bbbb", 2), "")
	for i, run := range []Run{a.Run, b.Run} {
		if n := count(t, s, "SELECT count(*) FROM outlines"); n != 1 {
			t.Errorf("before %d are removed there are %d outlines", i, n)
		}
		if err := s.Remove(run); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, s, "SELECT (SELECT count(*) FROM outlines) + (SELECT count(*) FROM sheets)"); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

// rowStore is a store that the last program before sheets made: makeRun's runs of the
// days 2, 1 and 3. testdata/rows.txt is what that program read in it.
func rowStore(t testing.TB) (path, want string) {
	t.Helper()
	f, err := os.Open("testdata/rows.db.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	packed, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(packed)
	if err != nil {
		t.Fatal(err)
	}
	read, err := os.ReadFile("testdata/rows.txt")
	if err != nil {
		t.Fatal(err)
	}
	return writeStore(t, text), string(read)
}

// A store of before sheets is read as it is, and given sheets by the first who writes.
func TestAddSheets(t *testing.T) {
	path, want := rowStore(t)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"before", "after"} {
		got, err := readAll(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", when, diff)
		}
		if text, err := os.ReadFile(path); err != nil || (when == "before") != bytes.Equal(text, before) {
			t.Errorf("%s: the file was changed, or not, %v", when, err)
		}
		s, err := Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := count(t, s, "PRAGMA user_version"); n != Schema {
			t.Errorf("version %d", n)
		}
		if a := add(t, s, makeRun(t, 3, "aaaa", 3), ""); a.Outcome != Same {
			t.Errorf("a run that it had: %s", a.Outcome)
		}
		if got, fresh := tables(t, s), tables(t, create(t)); !cmp.Equal(got, fresh) {
			t.Errorf("its tables are others than those of a new store: %s", cmp.Diff(fresh, got))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// tables are the names of all tables, indexes and views.
func tables(t *testing.T, s *Store) []string {
	t.Helper()
	var all []string
	err := s.view(func(tx *sql.Tx) error {
		return each(tx, "SELECT type || ' ' || name FROM sqlite_schema ORDER BY 1", nil, func(r row) error {
			var name string
			err := r.scan(&name)
			all = append(all, name)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A store whose rows are not those that were written gets no sheets of them, and stays
// as it is.
func TestAddSheetsDamaged(t *testing.T) {
	path, _ := rowStore(t)
	s, err := open(path, "rw")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Exec("UPDATE boots SET value = value + 1 WHERE place = 1"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var damaged *DamagedError
	if _, err := Create(path); !errors.As(err, &damaged) {
		t.Errorf("to write: %v", err)
	}
	if _, err := readAll(path); !errors.As(err, &damaged) {
		t.Errorf("to read: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed, %v", err)
	}
}

// FuzzSheet: any bytes are refused or are figures, of which a sheet can be made again.
func FuzzSheet(f *testing.F) {
	figures := []Series{{Benchmark: "A/b", Unit: "ns/op"}, {Benchmark: "A/c", Unit: "ns/op"}}
	good := slices.Clone(figures)
	for i := range good {
		good[i].Boots = []Boot{{1, 1, 0, "aaaa", 1.5}, {2, 2, 1, "aaaa", 2}}
	}
	good[1].Remarks = []string{"not exact"}
	data := dataOf(good)
	f.Add(data)
	f.Add(data[:len(data)-1])
	f.Add(append(slices.Clone(data), 0))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := unpackSheet(figures, "aaaa", data)
		if err != nil {
			return
		}
		for _, s := range all {
			for _, b := range s.Boots {
				if math.IsNaN(b.Value) {
					return // which is not equal to itself
				}
			}
		}
		again, err := unpackSheet(figures, "aaaa", dataOf(all))
		if err != nil || !cmp.Equal(all, again) {
			t.Errorf("%v came back as %v, %v", all, again, err)
		}
	})
}
