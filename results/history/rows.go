package history

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"xsmbench/hv"
)

// insert adds a row to a table.
func insert(tx *sql.Tx, table string, values ...any) (sql.Result, error) {
	return tx.Exec("INSERT INTO "+table+" VALUES (?"+strings.Repeat(", ?", len(values)-1)+")", values...)
}

// put stores a record, of which there must be nothing yet.
func (r *record) put(tx *sql.Tx) error {
	all := r.series()
	sum, err := sumOf(all)
	if err != nil {
		return err
	}
	if err := putRun(tx, r.run, sum); err != nil {
		return err
	}
	for _, name := range r.run.Files {
		text, err := pack(r.files[name])
		if err != nil {
			return err
		}
		if _, err := insert(tx, "files", r.run.ID, name, text); err != nil {
			return err
		}
	}
	for _, b := range imagesOf(r.run) {
		if _, err := insert(tx, "builds", r.run.ID, b.Build.Name, b.Build.KindOf(), b.Build.Arch, b.Build.Rev, b.Build.ControlOf,
			b.Build.Layout, b.Hash, b.Dispatch, b.Toolchain, b.Size); err != nil {
			return err
		}
	}
	return putSeries(tx, r.run.ID, all)
}

func putRun(tx *sql.Tx, run Run, sum []byte) error {
	text, err := json.Marshal(run)
	if err != nil {
		return err
	}
	spec, host := run.Run.Spec, run.Run.Host
	_, err = insert(tx, "runs", run.ID, run.Label, moment(run.Run.Started), moment(run.Added), run.Run.Tool, run.Host, host.CPU, host.Kernel,
		spec.Target, spec.Accel, spec.Workload, spec.Rounds, run.Boots, run.Content, string(text), sum)
	return err
}

// moment is a time as SQLite's functions read it.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// imagesOf are a run's images, and its builds that have none.
func imagesOf(run Run) []hv.Image {
	all := run.Run.Images
	for _, b := range run.Run.Spec.Builds {
		made := false
		for _, image := range run.Run.Images {
			made = made || image.Build.Name == b.Name && image.Build.Arch == b.Arch
		}
		if !made {
			all = append(all[:len(all):len(all)], hv.Image{Build: b})
		}
	}
	return all
}

// series are those of all images, in the order of their hashes.
func (r *record) series() []Series {
	var all []Series
	for _, image := range r.run.Images {
		all = append(all, r.images[image]...)
	}
	return all
}

func putSeries(tx *sql.Tx, run string, all []Series) error {
	add, err := tx.Prepare("INSERT INTO boots VALUES (?, ?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer add.Close()
	for _, s := range all {
		remarks, err := json.Marshal(s.Remarks)
		if err != nil {
			return err
		}
		row, err := insert(tx, "series", nil, run, s.Target, s.Arch, s.Accel, s.Workload, s.DomU, s.Idle, s.Domain, s.Build,
			s.Boots[0].Image, s.Benchmark, s.Unit, string(remarks))
		if err != nil {
			return err
		}
		id, err := row.LastInsertId()
		if err != nil {
			return err
		}
		for i, b := range s.Boots {
			if _, err := add.Exec(id, i, b.Boot, b.Round, b.Layout, b.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

// readSeries reads a run's series, and checks that they are those that were
// written.
func readSeries(tx *sql.Tx, run string) ([]Series, error) {
	all, images, index, err := seriesRows(tx, run)
	if err != nil {
		return nil, err
	}
	err = each(tx, "SELECT series, boot, round, layout, value FROM boots WHERE series IN (SELECT id FROM series WHERE run = ?) ORDER BY series, place", run,
		func(scan func(...any) error) error {
			var id int64
			var b Boot
			err := scan(&id, &b.Boot, &b.Round, &b.Layout, &b.Value)
			if i, ok := index[id]; ok {
				b.Image = images[i]
				all[i].Boots = append(all[i].Boots, b)
			}
			return err
		})
	if err != nil {
		return nil, err
	}
	got, err := sumOf(all)
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
	return all, nil
}

// seriesRows reads a run's series without their boots, the image of each, and
// where the row of each identifier stands.
func seriesRows(tx *sql.Tx, run string) (all []Series, images []string, index map[int64]int, err error) {
	index = map[int64]int{}
	err = each(tx, `SELECT id, image, target, arch, accel, workload, domu, idle, domain, build, benchmark, unit, remarks
		FROM series WHERE run = ? ORDER BY id`, run, func(scan func(...any) error) error {
		var id int64
		var s Series
		var image, remarks string
		if err := scan(&id, &image, &s.Target, &s.Arch, &s.Accel, &s.Workload, &s.DomU, &s.Idle, &s.Domain, &s.Build, &s.Benchmark, &s.Unit, &remarks); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(remarks), &s.Remarks); err != nil {
			return fmt.Errorf("remarks %q: %w", remarks, errContent)
		}
		index[id] = len(all)
		all, images = append(all, s), append(images, image)
		return nil
	})
	return all, images, index, err
}

// each calls take for each row of a query about a run. What cannot be scanned
// is not what was written.
func each(tx *sql.Tx, query, run string, take func(scan func(...any) error) error) error {
	rows, err := tx.Query(query, run)
	if err != nil {
		return err
	}
	defer rows.Close()
	scan := func(to ...any) error {
		if err := rows.Scan(to...); err != nil {
			return fmt.Errorf("%v: %w", err, errContent)
		}
		return nil
	}
	for rows.Next() {
		if err := take(scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func sumOf(all []Series) ([]byte, error) {
	text, err := json.Marshal(all)
	sum := sha256.Sum256(text)
	return sum[:], err
}

// digest hashes all rows of runs and builds, and returns the runs' records.
func digest(tx *sql.Tx) (sum []byte, records []string, err error) {
	h := sha256.New()
	lines := json.NewEncoder(h)
	for _, query := range []string{"SELECT record, * FROM runs ORDER BY id", "SELECT NULL, * FROM builds ORDER BY rowid"} {
		rows, err := tx.Query(query)
		if err != nil {
			return nil, nil, err
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			return nil, nil, err
		}
		values, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			to[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(to...); err != nil {
				return nil, nil, fmt.Errorf("%v: %w", err, errContent)
			}
			if record, ok := values[0].(string); ok {
				records = append(records, record)
			}
			if err := lines.Encode(values[1:]); err != nil {
				return nil, nil, err
			}
		}
		if err := rows.Err(); err != nil {
			return nil, nil, err
		}
	}
	return h.Sum(nil), records, nil
}

// seal notes what the rows of runs and builds hash to.
func seal(tx *sql.Tx) error {
	sum, _, err := digest(tx)
	if err != nil {
		return err
	}
	if _, err := tx.Exec("DELETE FROM seal"); err != nil {
		return err
	}
	_, err = insert(tx, "seal", sum)
	return err
}
