package history

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// putSeries stores what a run measured.
func putSeries(tx *sql.Tx, run string, all []Series) error {
	boots, err := tx.Prepare("INSERT INTO boots VALUES (?, ?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer boots.Close()
	for _, s := range all {
		id, err := putSeriesRow(tx, run, s)
		if err != nil {
			return err
		}
		for i, b := range s.Boots {
			if _, err := boots.Exec(id, i, b.Boot, b.Round, b.Layout, b.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

func putSeriesRow(tx *sql.Tx, run string, s Series) (id int64, err error) {
	remarks, err := json.Marshal(s.Remarks)
	if err != nil {
		return 0, err
	}
	r, err := insert(tx, "series", nil, run, s.Target, s.Arch, s.Accel, s.Workload, s.DomU, s.Idle, s.Domain, s.Build,
		s.Boots[0].Image, s.Benchmark, s.Unit, string(remarks))
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

// readSeries reads a run's series, and checks that they are those that were
// written.
func readSeries(tx *sql.Tx, run string) ([]Series, error) {
	rows, err := readSeriesRows(tx, run)
	if err != nil {
		return nil, err
	}
	if err := rows.readBoots(tx, run); err != nil {
		return nil, err
	}
	got, err := sumOf(rows.all)
	if err != nil {
		return nil, err
	}
	var want []byte
	if err := tx.QueryRow("SELECT digest FROM runs WHERE id = ?", run).Scan(&want); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	if !bytes.Equal(got, want) {
		return nil, errContent
	}
	return rows.all, nil
}

// seriesRows are a run's series, the image of each, and where each row's
// identifier stands.
type seriesRows struct {
	all    []Series
	images []string
	index  map[int64]int
}

func readSeriesRows(tx *sql.Tx, run string) (*seriesRows, error) {
	rows := &seriesRows{index: map[int64]int{}}
	err := each(tx, `SELECT id, image, target, arch, accel, workload, domu, idle, domain, build, benchmark, unit, remarks
		FROM series WHERE run = ? ORDER BY id`, []any{run}, func(r row) error {
		var id int64
		var s Series
		var image, remarks string
		if err := r.scan(&id, &image, &s.Target, &s.Arch, &s.Accel, &s.Workload, &s.DomU, &s.Idle, &s.Domain, &s.Build, &s.Benchmark, &s.Unit, &remarks); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(remarks), &s.Remarks); err != nil {
			return fmt.Errorf("remarks %q: %w", remarks, errContent)
		}
		rows.index[id] = len(rows.all)
		rows.all, rows.images = append(rows.all, s), append(rows.images, image)
		return nil
	})
	return rows, err
}

func (s *seriesRows) readBoots(tx *sql.Tx, run string) error {
	return each(tx, `SELECT series, boot, round, layout, value
		FROM boots WHERE series IN (SELECT id FROM series WHERE run = ?) ORDER BY series, place`, []any{run}, func(r row) error {
		var id int64
		var b Boot
		if err := r.scan(&id, &b.Boot, &b.Round, &b.Layout, &b.Value); err != nil {
			return err
		}
		i, ok := s.index[id]
		if !ok {
			return fmt.Errorf("a boot of series %d: %w", id, errContent)
		}
		b.Image = s.images[i]
		s.all[i].Boots = append(s.all[i].Boots, b)
		return nil
	})
}

func sumOf(all []Series) ([]byte, error) {
	text, err := json.Marshal(all)
	sum := sha256.Sum256(text)
	return sum[:], err
}
