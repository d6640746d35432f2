package history

import (
	"database/sql"
	"encoding/json"
)

// putSeries stores what a run measured as rows, for the queries of others.
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
