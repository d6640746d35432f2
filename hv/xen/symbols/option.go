package symbols

import (
	"bytes"
	"debug/elf"
	"fmt"
	"slices"
	"strings"
)

// optionName is how symbols begin that name an option of the command line
// (__setup_str of xen/include/xen/param.h).
const optionName = "__setup_str_"

// Options are the names of all options that a Xen reads from its command line.
func Options(path string) ([]string, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read options of %s: %w", path, err)
	}
	defer f.Close()
	list, err := f.Symbols()
	if err != nil {
		return nil, fmt.Errorf("read options of %s: %w", path, err)
	}
	var names []string
	for _, s := range list {
		if !strings.HasPrefix(s.Name, optionName) {
			continue
		}
		name, err := text(f, s)
		if err != nil {
			return nil, fmt.Errorf("read options of %s: %s: %w", path, s.Name, err)
		}
		names = append(names, name)
	}
	if names == nil {
		return nil, fmt.Errorf("read options of %s: it has no symbols %s…: which options it knows cannot be told", path, optionName)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// text is what a symbol holds, up to the first zero.
func text(f *elf.File, s elf.Symbol) (string, error) {
	if int(s.Section) >= len(f.Sections) {
		return "", fmt.Errorf("it is in no section")
	}
	in := f.Sections[s.Section]
	if in.Type == elf.SHT_NOBITS || s.Value < in.Addr || s.Size > in.Size || s.Value-in.Addr > in.Size-s.Size {
		return "", fmt.Errorf("%d bytes at %#x are not in section %s", s.Size, s.Value, in.Name)
	}
	data := make([]byte, s.Size)
	if _, err := in.ReadAt(data, int64(s.Value-in.Addr)); err != nil {
		return "", err
	}
	name, _, _ := bytes.Cut(data, []byte{0})
	return string(name), nil
}
