package history

import (
	"crypto/sha256"
	"database/sql"
	"encoding/json"
)

// digest hashes all rows of runs and builds, and returns the runs' records.
func digest(tx *sql.Tx) (sum []byte, records []string, err error) {
	h := sha256.New()
	lines := json.NewEncoder(h)
	for _, query := range []string{"SELECT record, * FROM runs ORDER BY id", "SELECT NULL, * FROM builds ORDER BY rowid"} {
		err := each(tx, query, nil, func(r row) error {
			values, err := r.all()
			if err != nil {
				return err
			}
			if record, ok := values[0].(string); ok {
				records = append(records, record)
			}
			return lines.Encode(values[1:])
		})
		if err != nil {
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
