package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"xsmbench/reports/gate"
)

// waiveKey is the table of the experiment file that is no flag.
const waiveKey = "waive"

// waiverTOML is a [[waive]] table. A day may be TOML's own or a string.
type waiverTOML struct {
	Benchmark string `toml:"benchmark"`
	Domain    string `toml:"domain"`
	Build     string `toml:"build"`
	Until     any    `toml:"until"`
	Reason    string `toml:"reason"`
}

// readWaivers reads the [[waive]] tables of an experiment file. It is nil
// without the file, unless that was given.
func readWaivers(path string, given bool) ([]gate.Waiver, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !given {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read waivers: %w", err)
	}
	waivers, err := parseWaivers(path, string(text))
	if err != nil {
		return nil, fmt.Errorf("read waivers: %w", err)
	}
	return waivers, nil
}

func parseWaivers(path, text string) ([]gate.Waiver, error) {
	var file struct {
		Waive []waiverTOML `toml:"waive"`
	}
	md, err := toml.Decode(text, &file)
	var syntax toml.ParseError
	switch {
	case errors.As(err, &syntax):
		return nil, fmt.Errorf("%s:%d: %s", path, syntax.Position.Line, syntax.Message)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	lines := waiverLines(text)
	for _, key := range md.Undecoded() {
		if key[0] == waiveKey {
			known := []string{"benchmark", "domain", "build", "until", "reason"}
			return nil, fmt.Errorf("%s: unknown key %q of [[waive]]%s", path, key[len(key)-1], suggest(key[len(key)-1], known))
		}
	}
	var all []gate.Waiver
	for i, w := range file.Waive {
		place := path
		if i < len(lines) {
			place = fmt.Sprintf("%s:%d", path, lines[i])
		}
		waiver, err := w.waiver(place)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", place, err)
		}
		all = append(all, waiver)
	}
	return all, nil
}

func (w waiverTOML) waiver(place string) (gate.Waiver, error) {
	until, err := day(w.Until)
	if err != nil {
		return gate.Waiver{}, fmt.Errorf("waive %s: %w", w.Benchmark, err)
	}
	return gate.NewWaiver(gate.Waiver{
		Benchmark: w.Benchmark, Domain: w.Domain, Build: w.Build, Until: until, Reason: strings.TrimSpace(w.Reason), Place: place,
	})
}

// day reads a date of TOML or a string; the zero time if there is none.
func day(value any) (time.Time, error) {
	switch v := value.(type) {
	case nil:
		return time.Time{}, nil
	case time.Time:
		return v, nil
	case string:
		if t, err := time.Parse(gate.Day, v); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("until = %v is no day; write it as 2027-01-31", value)
}

var waiverHead = regexp.MustCompile(`^\s*\[\[\s*["']?` + waiveKey + `["']?\s*\]\]`)

// waiverLines are the lines on which [[waive]] stands.
func waiverLines(text string) []int {
	var all []int
	n := 0
	for line := range strings.Lines(text) {
		if n++; waiverHead.MatchString(line) {
			all = append(all, n)
		}
	}
	return all
}
