package gate

import (
	"fmt"
	"os"
)

// RenameKey is the table of an experiment file that tells what builds and
// benchmarks of earlier runs are called now.
const RenameKey = "rename"

// ReadRenames reads the [rename] table of an experiment file: new names by the
// old ones. Whether a name is one of a build or of a benchmark is told by the
// earlier run.
func ReadRenames(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read renames: %w", err)
	}
	names, err := parseRenames(path, string(text))
	if err != nil {
		return nil, fmt.Errorf("read renames: %w", err)
	}
	return names, nil
}

func parseRenames(path, text string) (map[string]string, error) {
	var file struct {
		Rename any `toml:"rename"`
	}
	if _, err := decode(path, text, &file); err != nil || file.Rename == nil {
		return nil, err
	}
	table, ok := file.Rename.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: %s = %v: use a table of old and new names, such as flask = \"flask-new\"", path, RenameKey, file.Rename)
	}
	names := map[string]string{}
	for old, value := range table {
		name, ok := value.(string)
		if !ok || old == "" || name == "" || old == name {
			return nil, fmt.Errorf("%s: [%s] %q = %#v: give an old name and a new one", path, RenameKey, old, value)
		}
		names[old] = name
	}
	return names, nil
}
