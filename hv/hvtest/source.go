package hvtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/git"
)

// SourceFile is the file of a tree or revision that Counting builds. Its lines say
// what differs from a build of no source:
//
//	KIND count OP N       operations OP (as in op=OP) take N instructions more
//	KIND build REASON     the build fails
//	KIND boot REASON      the image does not boot
//
// An image's hash is that of the lines of its kind.
const SourceFile = "source.txt"

// sourceError is a build that failed for what the source says.
type sourceError struct{ reason string }

func (e *sourceError) Error() string { return e.reason }

// OfSource is true.
func (*sourceError) OfSource() bool { return true }

// Build makes an image of a source, if there is one. Each revision of what is no
// repository gives another image.
func (c *Counting) Build(ctx context.Context, b hv.Build, progress func(string)) (*hv.Image, error) {
	img, err := c.Target.Build(ctx, b, progress)
	if err != nil || b.Source == "" && b.Rev == "" {
		return img, err
	}
	if b.Rev != "" && !isRepository(ctx, b.Source) {
		img.Hash = hashOf(img.Hash + b.Rev)
		return img, nil
	}
	text, name, err := sourceOf(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", b.Name, err)
	}
	var lines []string
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), b.KindOf()+" ")
		if reason, fails := strings.CutPrefix(rest, "build "); ok && fails {
			return nil, fmt.Errorf("build %s: %w", b.Name, &sourceError{reason})
		}
		if ok {
			lines = append(lines, rest)
		}
	}
	img.Config, img.Revision = strings.Join(lines, "\n"), name
	img.Hash = hashOf(img.Hash + "\n" + img.Config)
	return img, nil
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func isRepository(ctx context.Context, dir string) bool {
	_, err := git.Output(ctx, dir, "rev-parse", "--git-dir")
	return dir != "" && err == nil
}

// sourceOf reads the source of a build, and names it.
func sourceOf(ctx context.Context, b hv.Build) (text, name string, err error) {
	if b.Rev == "" {
		read, err := os.ReadFile(filepath.Join(b.Source, SourceFile))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return string(read), filepath.Base(b.Source), err
	}
	commit, err := git.Commit(ctx, b.Source, b.Rev)
	if err != nil {
		return "", "", err
	}
	if name, err = git.Describe(ctx, b.Source, commit); err != nil {
		return "", "", err
	}
	text, err = git.Output(ctx, b.Source, "show", commit+":"+SourceFile)
	return text, name, err
}

// more is what the source of an image adds to a benchmark.
func more(img *hv.Image, b bench.Benchmark) float64 {
	sum := 0.
	for line := range strings.Lines(img.Config) {
		if w := strings.Fields(line); len(w) == 3 && w[0] == "count" && strings.HasSuffix(b.FullName(), "op="+w[1]) {
			n, _ := strconv.ParseFloat(w[2], 64)
			sum += n
		}
	}
	return sum
}

// unbootable is why an image does not boot, nil if it does.
func unbootable(img *hv.Image) error {
	for line := range strings.Lines(img.Config) {
		if reason, ok := strings.CutPrefix(strings.TrimSpace(line), "boot "); ok {
			return &hv.BootError{Kind: hv.BootFailed, Image: img, Err: errors.New(reason)}
		}
	}
	return nil
}
