package history

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// rowSchema is the version of stores that have no sheets.
const rowSchema = 2

// addSheets gives a store of rowSchema what it lacks. Its runs are read, and so
// checked, one after the other.
func addSheets(tx *sql.Tx) error {
	runs, err := readRuns(tx)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(sheetsSchema); err != nil {
		return err
	}
	reader, err := newSeriesReader(tx)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if err = addSheetsOf(tx, reader, run.ID); err != nil {
			err = fmt.Errorf("samples of run %s: %w", run.ID, err)
			break
		}
	}
	if err := errors.Join(err, reader.close()); err != nil {
		return err
	}
	if _, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", Schema)); err != nil {
		return err
	}
	return seal(tx)
}

func addSheetsOf(tx *sql.Tx, reader *seriesReader, run string) error {
	s, err := reader.read(run)
	if err != nil {
		return err
	}
	all, err := s.series()
	if err != nil {
		return err
	}
	sheets, outlines, sum, err := sheetsOf(all)
	if err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE runs SET digest = ? WHERE id = ?", sum, run); err != nil {
		return err
	}
	return putSheets(tx, run, sheets, outlines)
}

// seriesReader reads the series of runs from their rows, as stores before sheets have
// them, with statements that are made once.
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
func (r *seriesReader) read(run string) (stored, error) {
	rows, err := r.rows(run)
	if err != nil {
		return nil, err
	}
	if err := rows.readBoots(r.boots, run); err != nil {
		return nil, err
	}
	s := storedSeries{all: rows.all}
	if err := r.digest.QueryRow(run).Scan(&s.want); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	return s, nil
}

// series checks that they are those that were written.
func (s storedSeries) series() ([]Series, error) {
	text, err := json.Marshal(s.all)
	if sum := sha256.Sum256(text); err == nil && !bytes.Equal(sum[:], s.want) {
		err = errContent
	}
	return s.all, err
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
