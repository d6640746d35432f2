package history

import (
	"database/sql"
	"encoding/json"
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
	sheets, outlines, sum, err := sheetsOf(all)
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
	if err := putSeries(tx, r.run.ID, all); err != nil {
		return err
	}
	return putSheets(tx, r.run.ID, sheets, outlines)
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
