//go:build realxen

package realtest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xsmbench/reports/ci"
)

// fake is a directory with programs in place of gh and curl. They answer what
// asks for a list from a file, and keep how they were called and the body that
// was sent.
type fake struct{ dir string }

const fakeProgram = `#!/bin/sh
for word; do
	case "$word" in
	body=[@\<]*) cat "${word#body=?}" >"$FAKE/body" ;;
	*page=* | --jq) list=y ;;
	esac
	[ "$before" != --body-file ] || cat "$word" >"$FAKE/body"
	before=$word
done
if [ -n "$list" ]; then
	printf '%s\n' "$*" >>"$FAKE/lists"
	cat "$FAKE/list"
else
	printf '%s\n' "$*" >>"$FAKE/calls"
fi
`

func newFake(t *testing.T) *fake {
	f := &fake{t.TempDir()}
	for _, name := range []string{"gh", "curl"} {
		write(t, filepath.Join(f.dir, name), fakeProgram)
		if err := os.Chmod(filepath.Join(f.dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f.answer(t, "")
	return f
}

// answer is given to who asks for earlier comments.
func (f *fake) answer(t *testing.T, list string) { write(t, filepath.Join(f.dir, "list"), list) }

// check compares the calls since the last check: a list was asked for, then
// one call was made, with a body. What is "" must not be.
func (f *fake) check(t *testing.T, list, call, body string) {
	t.Helper()
	for name, want := range map[string]string{"lists": list, "calls": call, "body": body} {
		file := filepath.Join(f.dir, name)
		text, err := os.ReadFile(file)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		os.Remove(file)
		got := string(text)
		switch {
		case want == "" || name == "body":
			if got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		case strings.Count(got, "\n") != 1 || !strings.Contains(got, want):
			t.Errorf("%s: %q, want one line with %q", name, got, want)
		}
	}
}

// notesJSON is two pages of a merge request's notes as GitLab lists them: some that
// only look like ours, and ours with the given numbers.
func notesJSON(t *testing.T, escaped bool, ours ...int) string {
	t.Helper()
	type author struct {
		ID       int    `json:"id"`
		Username string `json:"username"`
	}
	type note struct {
		ID     int     `json:"id"`
		Type   *string `json:"type"`
		Body   string  `json:"body"`
		Author author  `json:"author"`
	}
	pages := [][]note{{
		{11, nil, "assigned to @developer", author{2, "developer"}},
		{12, nil, "> " + ci.CommentMark + "\n\nwhat is this?", author{2, "developer"}},
		{13, nil, `{"id":99,"type":null,"body":"` + ci.CommentMark + `"}`, author{2, "developer"}},
	}, {}}
	for _, id := range ours {
		pages[1] = append(pages[1], note{id, nil, ci.CommentMark + "\n**xsmbench: 2 rows are slower**.\n", author{4, "project_3_bot"}})
	}
	pages[1] = append(pages[1], note{20, nil, "mentioned in commit 01140da4", author{2, "developer"}})
	var text bytes.Buffer
	for _, page := range pages {
		var line bytes.Buffer
		e := json.NewEncoder(&line)
		e.SetEscapeHTML(escaped)
		if err := e.Encode(page); err != nil {
			t.Fatal(err)
		}
		text.WriteString(strings.TrimSuffix(line.String(), "\n"))
	}
	return text.String()
}
