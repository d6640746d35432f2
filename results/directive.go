package results

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// directive handles a line that starts with "#". Lines that are none of ours
// are comments.
func (p *parser) directive(line int, text []byte) {
	word, rest, _ := bytes.Cut(bytes.TrimPrefix(text, []byte("# ")), []byte(" "))
	switch string(word) {
	case "boot:":
		p.flush()
		p.beginBoot(line, string(rest))
	case "end:":
		p.flush()
		p.endBoot(line, string(rest))
	case "windows:":
		p.addWindows(line, rest)
	case "warning:":
		if p.pending && p.current != nil {
			p.sample.Warnings = append(p.sample.Warnings, string(rest))
		}
	case "missing:":
		name, reason, _ := strings.Cut(string(rest), " ")
		p.notMeasured(line, name, strings.TrimPrefix(reason, "measure "+name+": "))
	case "failed:":
		p.note(line, "boot failed: %s", rest)
	case "torn:":
		p.note(line, "line was cut off: %s", quote(rest))
	}
}

func (p *parser) beginBoot(line int, rest string) {
	p.own()
	p.leaveOrphans()
	p.current = nil
	b := p.known(line)
	if b == nil {
		var err error
		if b, err = parseBoot(rest); err != nil {
			p.problem(line, "boot line is damaged: %v", err)
			return
		}
		b.line = line
	}
	b.samples = 0
	p.boots = append(p.boots, b)
	p.current = b
}

// known is the boot that the first reading found in a line, nil if this is the
// first or the file was changed since.
func (p *parser) known(line int) *bootBlock {
	if n := len(p.boots); n < len(p.file.boots) && p.file.boots[n].line == line {
		return p.file.boots[n]
	}
	return nil
}

func parseBoot(text string) (*bootBlock, error) {
	kv, err := fields(text)
	b := &bootBlock{}
	get := func(key string, to *int) {
		if err == nil {
			*to, err = kv.integer(key)
		}
	}
	get("boot", &b.Boot.Boot)
	get("round", &b.Round)
	get("order", &b.Order)
	get("layout", &b.Layout)
	if err == nil {
		b.Image = strings.Clone(kv.get("image")) // the line is not kept
		b.Seed, err = strconv.ParseInt(kv.get("seed"), 10, 64)
	}
	if err == nil && (b.Boot.Boot < 1 || b.Round < 1) {
		err = fmt.Errorf("boots and rounds count from 1")
	}
	return b, err
}

func (p *parser) endBoot(line int, rest string) {
	b := p.current
	p.current = nil
	kv, err := fields(rest)
	var boot, samples, total int
	for _, g := range []struct {
		key string
		to  *int
	}{{"boot", &boot}, {"samples", &samples}, {"total", &total}} {
		if err == nil {
			*g.to, err = kv.integer(g.key)
		}
	}
	switch {
	case err != nil:
		p.problem(line, "end line is damaged: %v", err)
		return
	case b == nil || b.Boot.Boot != boot:
		p.problem(line, "end of boot %d, which did not begin above", boot)
		return
	case b.samples != samples:
		p.problem(line, "boot %d ended with %d samples, %d can be read", boot, samples, b.samples)
	}
	b.ended, b.claimed, b.total = true, samples, total
}

// quote shows the start of a damaged text.
func quote(b []byte) string {
	const most = 60
	if len(b) > most {
		return strconv.Quote(string(b[:most])) + "…"
	}
	return strconv.Quote(string(b))
}

// keyValues are the words key=value of a line, a few.
type keyValues []struct{ key, value string }

func fields(s string) (keyValues, error) {
	kv := make(keyValues, 0, 8)
	for word := range strings.FieldsSeq(s) {
		k, v, ok := strings.Cut(word, "=")
		if !ok {
			return nil, fmt.Errorf("%s is not key=value", quote([]byte(word)))
		}
		kv = append(kv, struct{ key, value string }{k, v})
	}
	return kv, nil
}

// get is the value of a key, of the last if several words have it.
func (kv keyValues) get(key string) string {
	for _, pair := range slices.Backward(kv) {
		if pair.key == key {
			return pair.value
		}
	}
	return ""
}

func (kv keyValues) integer(key string) (int, error) {
	v := kv.get(key)
	if v == "" {
		return 0, fmt.Errorf("it has no %s", key)
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0, fmt.Errorf("%s=%s is not a whole number", key, quote([]byte(v)))
	}
	return n, nil
}
