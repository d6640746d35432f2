package table

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"xsmbench/hv"
	"xsmbench/reports/about"
	"xsmbench/reports/account"
	"xsmbench/reports/change"
	"xsmbench/reports/compare"
	"xsmbench/reports/profile"
	"xsmbench/reports/synthetic"
	"xsmbench/results"
)

const schemaFile = "../../docs/compare.schema.json"

// TestSchema: what JSON writes is what docs/compare.schema.json says, and nothing
// that the schema does not name.
func TestSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	lacks := []account.Difference{
		{Cell: compare.Cell{Environment: compare.Environment{Arch: "amd64", Domain: "dom0"}, Build: "flask", Benchmark: "B/x"}, Kind: account.NoSample},
		{Cell: compare.Cell{Build: "flask", Benchmark: "B/y"}, Kind: account.Unmeasured, Reason: "the policy forbids it"},
	}
	timed, _ := synthetic.Compare(t, "run")
	counted, _ := synthetic.Compare(t, "counted")
	for name, c := range map[string]*compare.Comparison{
		"times": timed, "counts": counted, "names": evilComparison(t), "foreign": foreign(t, false), "one build": foreign(t, true),
	} {
		var b bytes.Buffer
		if err := JSON(&b, c, about.About{Lacks: lacks, Changes: someChanges(t)}); err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(&b)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		// The schema refuses what it should: a key that it does not name, and
		// a row without one that it asks for.
		object := value.(map[string]any)
		if n := len(object["missing"].([]any)); n != len(lacks) {
			t.Errorf("%s: %d missing, want %d", name, n, len(lacks))
		}
		if n := len(object["changes"].([]any)); n != 3 {
			t.Errorf("%s: %d changes, want 3", name, n)
		}
		object["surprise"] = 1
		if schema.Validate(object) == nil {
			t.Errorf("%s: a key that is not named is accepted", name)
		}
		delete(object, "surprise")
		if rows := object["rows"].([]any); len(rows) > 0 {
			for _, key := range []string{"target", "arch", "accel", "exact", "verdict"} {
				row := rows[0].(map[string]any)
				kept := row[key]
				delete(row, key)
				if schema.Validate(object) == nil {
					t.Errorf("%s: a row without %s is accepted", name, key)
				}
				row[key] = kept
			}
		}
	}
}

// someChanges are of a run, and with what is not known.
func someChanges(t *testing.T) []change.Change {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if err := synthetic.WriteChange(dir); err != nil {
		t.Fatal(err)
	}
	r, err := profile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	run, err := results.ReadRun(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := change.Of(&run, dir, "before", r)
	if len(all) != 1 {
		t.Fatalf("%d changes", len(all))
	}
	unknown, uncounted := all[0], all[0]
	unknown.Functions = change.Functions{Unknown: "no record"}
	unknown.Source = &hv.SourceChange{Unknown: "it was edited"}
	uncounted.Functions.Counted, uncounted.Source = false, nil
	return append(all, unknown, uncounted)
}

// foreign compares files of other programs, or describes one.
func foreign(t *testing.T, single bool) *compare.Comparison {
	t.Helper()
	sources := []results.Source{
		{Path: "old", In: strings.NewReader("goos: linux\ncpu: X\npkg: a\nBenchmarkQ-8 1 10 ns/op 24 B/op 0 allocs/op\nBenchmarkQ-8 1 11 ns/op 24 B/op 0 allocs/op\n")},
		{Path: "new", In: strings.NewReader("goos: linux\ncpu: X\npkg: a\nBenchmarkQ-8 1 10 ns/op 48 B/op 1 allocs/op\nBenchmarkQ-8 1 12 ns/op 48 B/op 1 allocs/op\n")},
	}
	if single {
		sources = sources[:1]
	}
	in, err := compare.ReadSources(sources)
	if err != nil {
		t.Fatal(err)
	}
	c, err := in.Compare(compare.Options{Single: single})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSchemaIsDocumented: every key of the schema's rows stands in docs/json.md.
func TestSchemaIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	value, err := jsonschema.UnmarshalJSON(io.Reader(f))
	if err != nil {
		t.Fatal(err)
	}
	root := value.(map[string]any)
	for _, of := range []any{root, root["$defs"].(map[string]any)["row"]} {
		for key := range of.(map[string]any)["properties"].(map[string]any) {
			if !strings.Contains(string(text), "`"+key+"`") {
				t.Errorf("docs/json.md does not describe %s", key)
			}
		}
	}
}
