package results

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Block is what a boot that ended wrote for one domain, with domUs of one kind.
type Block struct {
	Boot
	Build, Arch, Domain, DomU string
	Samples, Total            int    // in this domain, in all
	file                      string // in the run directory
	at, size                  int64  // of the lines between the boot line and the end line
}

// Blocks finds what a run's boots wrote, of those that ended: in all of their
// domains, with as many samples as they say. What others left behind is passed
// over. A boot that contradicts itself is an error: it was changed afterwards.
func Blocks(dir string) ([]Block, error) {
	t, err := openTree(dir)
	if err != nil {
		return nil, fmt.Errorf("read boots: %w", err)
	}
	defer t.Close()
	names, problems, err := t.list(samplesDir, ".txt")
	if err == nil && problems != nil {
		err = errors.New(problems[0].String())
	}
	if err != nil {
		return nil, fmt.Errorf("read boots: %w", err)
	}
	var all []Block
	for _, name := range names {
		if all, err = t.blocks(all, name); err != nil {
			return nil, fmt.Errorf("read boots: %s:%w", shown(t.place(name)), err)
		}
	}
	found := map[int]int{}
	for _, b := range all {
		found[b.Boot.Boot] += b.Samples
	}
	return slices.DeleteFunc(all, func(b Block) bool { return found[b.Boot.Boot] != b.Total }), nil
}

// blocks adds those of a file that ended.
func (t *tree) blocks(all []Block, name string) ([]Block, error) {
	f, err := t.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := newBlockReader(f)
	r.found, r.head.file = all, name
	err = r.run()
	return r.found, err
}

// blockReader goes through the lines of a file.
type blockReader struct {
	in      *bufio.Reader
	found   []Block
	head    Block // the file's configuration
	current *Block
	samples int
	line    int
	read    int64
}

func newBlockReader(from io.Reader) *blockReader {
	return &blockReader{in: bufio.NewReaderSize(from, longestLine+2)}
}

func (r *blockReader) run() error {
	for {
		line, err := r.in.ReadSlice('\n')
		r.line++
		begun := r.read
		r.read += int64(len(line))
		for errors.Is(err, bufio.ErrBufferFull) { // no line of ours
			line, err = r.in.ReadSlice('\n')
			r.read += int64(len(line))
			line = nil
		}
		if errors.Is(err, io.EOF) {
			return nil // a line that is cut off ends nothing
		}
		if err == nil && len(line) > 0 {
			err = r.take(bytes.TrimSuffix(line, []byte("\n")), begun)
		}
		if err != nil {
			return fmt.Errorf("%d: %w", r.line, err)
		}
	}
}

var endPrefix = []byte("# end:")

func (r *blockReader) take(line []byte, begun int64) error {
	switch {
	case bytes.HasPrefix(line, bootPrefix):
		b, err := parseBoot(string(line[len(bootPrefix):]))
		if err != nil {
			r.current = nil
			return nil // what follows is of no boot
		}
		r.samples, r.current = 0, new(Block)
		*r.current = r.head
		r.current.Boot, r.current.at = b.Boot, r.read
	case bytes.HasPrefix(line, endPrefix):
		return r.end(string(line[len(endPrefix):]), begun)
	case bytes.HasPrefix(line, benchmarkPrefix):
		r.samples++
	case r.current == nil:
		r.configure(string(line))
	}
	return nil
}

// configure takes a line above a boot.
func (r *blockReader) configure(line string) {
	key, value, _ := strings.Cut(line, ": ")
	switch key {
	case "build":
		r.head.Build = value
	case "arch":
		r.head.Arch = value
	case "domain":
		r.head.Domain = value
	case "domu":
		r.head.DomU = value
	}
}

func (r *blockReader) end(rest string, begun int64) error {
	b := r.current
	r.current = nil
	var numbers [3]int
	kv, err := fields(rest)
	for i, key := range []string{"boot", "samples", "total"} {
		if err == nil {
			numbers[i], err = kv.integer(key)
		}
	}
	switch boot := numbers[0]; {
	case err != nil:
		return fmt.Errorf("end line is damaged: %w", err)
	case b == nil || b.Boot.Boot != boot:
		return nil // its boot line is not there
	case r.samples != numbers[1]:
		return fmt.Errorf("boot %d ended with %d samples, and has %d: the file was changed; restore it, or leave its run out", boot, numbers[1], r.samples)
	}
	b.Samples, b.Total, b.size = numbers[1], numbers[2], begun-b.at
	r.found = append(r.found, *b)
	return nil
}
