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

// seriesReader reads runs' series, with statements that are made once.
type seriesReader struct{ series, boots, digest *sql.Stmt }

func newSeriesReader(tx *sql.Tx) (r *seriesReader, err error) {
	r = &seriesReader{}
	for _, q := range []struct {
		to    **sql.Stmt
		query string
	}{
		{&r.series, `SELECT id, image, target, arch, accel, workload, domu, idle, domain, build, benchmark, unit, remarks
			FROM series WHERE run = ? ORDER BY id`},
		{&r.boots, `SELECT series, boot, round, layout, value
			FROM boots WHERE series IN (SELECT id FROM series WHERE run = ?) ORDER BY series, place`},
		{&r.digest, "SELECT digest FROM runs WHERE id = ?"},
	} {
		if *q.to, err = tx.Prepare(q.query); err != nil {
			return nil, errors.Join(err, r.close())
		}
	}
	return r, nil
}

func (r *seriesReader) close() (err error) {
	for _, s := range []*sql.Stmt{r.series, r.boots, r.digest} {
		if s != nil {
			err = errors.Join(err, s.Close())
		}
	}
	return err
}

// storedSeries are a run's series as they were read.
type storedSeries struct {
	all  []Series
	want []byte // their hash, as it was written
}

// read reads a run's series. They are to be checked.
func (r *seriesReader) read(run string) (s storedSeries, err error) {
	rows, err := r.rows(run)
	if err != nil {
		return s, err
	}
	if err := rows.readBoots(r.boots, run); err != nil {
		return s, err
	}
	s.all = rows.all
	if err := r.digest.QueryRow(run).Scan(&s.want); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return s, err
	}
	return s, nil
}

// check checks that the series are those that were written.
func (s storedSeries) check() error {
	got, err := sumOf(s.all)
	if err == nil && !bytes.Equal(got, s.want) {
		return errContent
	}
	return err
}

// seriesRows are a run's series, the image of each, and where each row's
// identifier stands.
type seriesRows struct {
	all    []Series
	images []string
	index  map[int64]int
}

func (r *seriesReader) rows(run string) (*seriesRows, error) {
	rows := &seriesRows{index: map[int64]int{}}
	err := eachOf(r.series, []any{run}, func(r row) error {
		var id int64
		var s Series
		var image, remarks string
		if err := r.scan(&id, &image, &s.Target, &s.Arch, &s.Accel, &s.Workload, &s.DomU, &s.Idle, &s.Domain, &s.Build, &s.Benchmark, &s.Unit, &remarks); err != nil {
			return err
		}
		if remarks != "null" { // most have none
			if err := json.Unmarshal([]byte(remarks), &s.Remarks); err != nil {
				return fmt.Errorf("remarks %q: %w", remarks, errContent)
			}
		}
		rows.index[id] = len(rows.all)
		rows.all, rows.images = append(rows.all, s), append(rows.images, image)
		return nil
	})
	return rows, err
}

func (s *seriesRows) readBoots(boots *sql.Stmt, run string) error {
	return eachOf(boots, []any{run}, func(r row) error {
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
