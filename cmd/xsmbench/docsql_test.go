package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

// sqlBlocks finds a page's blocks of SQL, each with the block of text that
// follows it, if one does.
var sqlBlocks = regexp.MustCompile("(?s)```sql\n(.*?)```\n(?:\n```text\n(.*?)```\n)?")

// TestQueries runs the queries that docs/history.md shows on the history that
// it makes of its nights: they print what is shown. And the tables are those
// that it shows.
func TestQueries(t *testing.T) {
	page, err := os.ReadFile("../../docs/history.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := docDir(t)
	makeNights(t, dir)
	if out, code := shell(t, dir, "xsmbench history add nightly/* --store runs.db && xsmbench history add nightly/01 nightly/02 nightly/03 --store runs.db --label v1.1"); code != 0 {
		t.Fatal(out)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "runs.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	queries, shown := 0, ""
	for _, b := range sqlBlocks.FindAllStringSubmatch(string(page), -1) {
		if b[2] == "" {
			shown += b[1]
			continue
		}
		queries++
		out := ask(t, db, b[1])
		if err := match(strings.Split(b[2], "\n"), out); err != nil {
			t.Errorf("%s%v\noutput:\n%s", b[1], err, out)
		}
	}
	if queries != 3 {
		t.Errorf("%d queries, want 3", queries)
	}
	sameSchema(t, shown)
}

// sameSchema checks that the tables shown are all that there are.
func sameSchema(t *testing.T, shown string) {
	t.Helper()
	schema := ""
	for _, name := range []string{"schema.sql", "sheets.sql"} {
		text, err := os.ReadFile(filepath.Join("../../results/history", name))
		if err != nil {
			t.Fatal(err)
		}
		schema += string(text)
	}
	if shown != schema {
		t.Error("the tables are not those of results/history/schema.sql and sheets.sql")
	}
}

// ask prints a query's rows as sqlite3 does.
func ask(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatalf("%s%v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(string)
	}
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			t.Fatalf("%s%v", query, err)
		}
		for i, v := range values {
			if i > 0 {
				b.WriteString("|")
			}
			b.WriteString(*v.(*string))
		}
		fmt.Fprintln(&b)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s%v", query, err)
	}
	return b.String()
}
