package history

import (
	"crypto/sha256"
	"database/sql"
	"encoding/json"
)

// rowsAhead is how many rows of runs and builds are read before they are hashed, and
// records of runs before they are decoded.
const rowsAhead = 64

// digest hashes all rows of runs and builds, and calls take with the runs' records
// meanwhile.
func digest(tx *sql.Tx, take func(record string) error) (sum []byte, err error) {
	rows, sums := make(chan []any, rowsAhead), make(chan []byte)
	go func() {
		h := sha256.New()
		lines := json.NewEncoder(h)
		for values := range rows {
			_ = lines.Encode(values) // numbers, texts and bytes: what SQLite has can be written
		}
		sums <- h.Sum(nil)
	}()
	err = eachSealed(tx, rows, take)
	close(rows)
	return <-sums, err
}

// eachSealed passes on the rows that are sealed, in their order.
func eachSealed(tx *sql.Tx, to chan<- []any, take func(record string) error) error {
	err := each(tx, "SELECT * FROM runs ORDER BY id", nil, func(r row) error {
		values, err := r.all()
		if err != nil {
			return err
		}
		to <- values
		record, err := r.text("record", values)
		if err != nil {
			return err
		}
		return take(record)
	})
	if err != nil {
		return err
	}
	return each(tx, "SELECT * FROM builds ORDER BY rowid", nil, func(r row) error {
		values, err := r.all()
		to <- values
		return err
	})
}

// seal notes what the rows of runs and builds hash to.
func seal(tx *sql.Tx) error {
	sum, err := digest(tx, func(string) error { return nil })
	if err != nil {
		return err
	}
	if _, err := tx.Exec("DELETE FROM seal"); err != nil {
		return err
	}
	_, err = insert(tx, "seal", sum)
	return err
}
