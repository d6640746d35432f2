package gate

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// WaiveKey is the table of an experiment file that holds a waiver.
const WaiveKey = "waive"

// UnknownKeyError is a key that a waiver does not have.
type UnknownKeyError struct {
	Path, Key string
	Known     []string
}

// Error names the file and the key.
func (e *UnknownKeyError) Error() string {
	return fmt.Sprintf("%s: unknown key %q of [[%s]]", e.Path, e.Key, WaiveKey)
}

// waiverTOML is a [[waive]] table. A day may be TOML's own or a string.
type waiverTOML struct {
	Benchmark string `toml:"benchmark"`
	Domain    string `toml:"domain"`
	Build     string `toml:"build"`
	Until     any    `toml:"until"`
	Reason    string `toml:"reason"`
}

// ReadWaivers reads the [[waive]] tables of an experiment file.
func ReadWaivers(path string) ([]Waiver, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read waivers: %w", err)
	}
	waivers, err := parseWaivers(path, string(text))
	if err != nil {
		return nil, fmt.Errorf("read waivers: %w", err)
	}
	return waivers, nil
}

// decode reads what an experiment file has of into; an error names the line.
func decode(path, text string, into any) (toml.MetaData, error) {
	md, err := toml.Decode(text, into)
	var syntax toml.ParseError
	switch {
	case errors.As(err, &syntax):
		return md, fmt.Errorf("%s:%d: %s", path, syntax.Position.Line, syntax.Message)
	case err != nil:
		return md, fmt.Errorf("%s: %w", path, err)
	}
	return md, nil
}

func parseWaivers(path, text string) ([]Waiver, error) {
	var file struct {
		Waive []waiverTOML `toml:"waive"`
	}
	md, err := decode(path, text, &file)
	if err != nil {
		return nil, err
	}
	lines := waiverLines(text)
	for _, key := range md.Undecoded() {
		if key[0] == WaiveKey {
			return nil, &UnknownKeyError{path, key[len(key)-1], []string{"benchmark", "domain", "build", "until", "reason"}}
		}
	}
	var all []Waiver
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

func (w waiverTOML) waiver(place string) (Waiver, error) {
	until, err := dayOf(w.Until)
	if err != nil {
		return Waiver{}, fmt.Errorf("waive %s: %w", w.Benchmark, err)
	}
	return NewWaiver(Waiver{
		Benchmark: w.Benchmark, Domain: w.Domain, Build: w.Build, Until: until, Reason: strings.TrimSpace(w.Reason), Place: place,
	})
}

// dayOf reads a date of TOML or a string; the zero time if there is none.
func dayOf(value any) (time.Time, error) {
	switch v := value.(type) {
	case nil:
		return time.Time{}, nil
	case time.Time:
		return v, nil
	case string:
		if t, err := time.Parse(Day, v); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("until = %v is not a date; write it as 2027-01-31", value)
}

var waiverHead = regexp.MustCompile(`^\s*\[\[\s*["']?` + WaiveKey + `["']?\s*\]\]`)

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
