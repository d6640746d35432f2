package history

import (
	"database/sql"
	"fmt"
	"slices"
)

// row is one of a query's.
type row struct{ *sql.Rows }

// scan reads the row's columns. What cannot be scanned is not what was written.
func (r row) scan(to ...any) error {
	if err := r.Scan(to...); err != nil {
		return fmt.Errorf("%v: %w", err, errContent)
	}
	return nil
}

// all are the row's columns as they are stored.
func (r row) all() ([]any, error) {
	columns, err := r.Columns()
	if err != nil {
		return nil, err
	}
	values, to := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		to[i] = &values[i]
	}
	return values, r.scan(to...)
}

// text is the value of a column that has texts.
func (r row) text(column string, values []any) (string, error) {
	columns, err := r.Columns()
	if err != nil {
		return "", err
	}
	if i := slices.Index(columns, column); i >= 0 {
		if text, ok := values[i].(string); ok {
			return text, nil
		}
	}
	return "", fmt.Errorf("no text in column %s: %w", column, errContent)
}

// each calls take with each row of a query.
func each(tx *sql.Tx, query string, args []any, take func(row) error) error {
	rows, err := tx.Query(query, args...)
	return eachRow(rows, err, take)
}

// eachOf is each of a statement that is made already.
func eachOf(s *sql.Stmt, args []any, take func(row) error) error {
	rows, err := s.Query(args...)
	return eachRow(rows, err, take)
}

func eachRow(rows *sql.Rows, err error, take func(row) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := take(row{rows}); err != nil {
			return err
		}
	}
	return rows.Err()
}
