package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"xsmbench/reports/gate"
)

// configFile is the experiment that is read if it is there.
const configFile = "xsmbench.toml"

// notInConfig are flags that make no sense in an experiment.
var notInConfig = []string{"config", "help", "resume", "output", "format", "json", "against", "against-store", "label", "junit", "summary", "gitlab", "comment"}

// readConfig sets flags from an experiment file. Its keys are the names of
// flags; a key that another command has is left to that command, a key that
// no command has is an error.
func readConfig(path string, given bool, c *cobra.Command) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !given {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read experiment: %w", err)
	}
	values := map[string]any{}
	if _, err := toml.Decode(string(text), &values); err != nil {
		var syntax toml.ParseError
		if errors.As(err, &syntax) {
			return fmt.Errorf("read experiment: %s:%d: %s", path, syntax.Position.Line, syntax.Message)
		}
		return fmt.Errorf("read experiment: %s: %w", path, err)
	}
	var keys []string
	for k := range values {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, key := range keys {
		if err := setFromConfig(c, key, values[key]); err != nil {
			return fmt.Errorf("read experiment: %s:%d: %w", path, lineOf(string(text), key), err)
		}
	}
	return nil
}

func setFromConfig(c *cobra.Command, key string, value any) error {
	if key == gate.WaiveKey || key == gate.RenameKey {
		return nil // which the gate reads
	}
	known := configKeys(c.Root())
	if !slices.Contains(known, key) {
		return fmt.Errorf("unknown key %q%s", key, suggest(key, known))
	}
	flag := c.Flags().Lookup(key)
	if flag == nil || flag.Changed || flag.Annotations[ofThisCommand] != nil {
		return nil
	}
	words, err := flagWords(value)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if list, ok := flag.Value.(pflag.SliceValue); ok {
		err = list.Replace(words)
		flag.Changed = true
	} else if len(words) != 1 {
		err = errors.New("one value is needed, not a list")
	} else {
		err = c.Flags().Set(key, words[0])
	}
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// configKeys are the flags of all commands that an experiment may set.
func configKeys(root *cobra.Command) []string {
	keys := []string{gate.WaiveKey}
	for _, sub := range root.Commands() {
		if sub.Flags().Lookup("config") == nil {
			continue
		}
		sub.Flags().VisitAll(func(f *pflag.Flag) {
			if !slices.Contains(keys, f.Name) && !slices.Contains(notInConfig, f.Name) && f.Annotations[ofThisCommand] == nil {
				keys = append(keys, f.Name)
			}
		})
	}
	sort.Strings(keys)
	return keys
}

// flagWords writes a TOML value as a flag has it. A table is a list of
// KEY=VALUE.
func flagWords(value any) ([]string, error) {
	switch v := value.(type) {
	case string, int64, float64, bool:
		return []string{fmt.Sprint(v)}, nil
	case []any:
		words := []string{}
		for _, e := range v {
			w, err := flagWords(e)
			if err != nil || len(w) != 1 {
				return nil, errors.New("a list of plain values is needed")
			}
			words = append(words, w[0])
		}
		return words, nil
	case map[string]any:
		words := []string{}
		for k, e := range v {
			w, err := flagWords(e)
			if err != nil || len(w) != 1 {
				return nil, errors.New("a table of plain values is needed")
			}
			words = append(words, k+"="+w[0])
		}
		sort.Strings(words)
		return words, nil
	}
	return nil, fmt.Errorf("use a string, a number, a list or a table, not %T", value)
}

// lineOf finds the line that sets a key, or that opens its table.
func lineOf(text, key string) int {
	q := regexp.QuoteMeta(key)
	set := regexp.MustCompile(`^\s*(\[\s*)?["']?` + q + `["']?\s*([=.\]])`)
	n := 0
	for line := range strings.Lines(text) {
		n++
		if set.MatchString(line) {
			return n
		}
	}
	return 1
}
