package results

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"

	"xsmbench/hv"
)

const (
	functionsDir = "functions" // what the functions of each image consist of
	functionsExt = ".tsv.gz"
)

// functionsName is the name of a build's file, without the folder.
func functionsName(build hv.Build) string {
	return join(build.Name, build.Arch) + functionsExt
}

// HasFunctions reports whether those of a build are recorded.
func (d *Dir) HasFunctions(build hv.Build) bool {
	_, err := os.Lstat(filepath.Join(d.path, functionsDir, functionsName(build)))
	return err == nil
}

// RecordFunctions writes what the functions of a build's image consist of, so that
// they can be compared with another's when the images are gone. It may be called
// while boots are recorded.
func (d *Dir) RecordFunctions(img *hv.Image, bodies []hv.Body) error {
	text, err := encodeFunctions(img.Hash, bodies)
	if err != nil {
		return fmt.Errorf("record functions: %w", err)
	}
	dir, err := Subfolder(d.path, functionsDir)
	if err == nil {
		err = os.MkdirAll(dir, 0o777)
	}
	if err == nil {
		err = renameio.WriteFile(filepath.Join(dir, functionsName(img.Build)), text, 0o666)
	}
	if err != nil {
		return fmt.Errorf("record functions: %w", err)
	}
	return nil
}

// imageHead begins the first line of a file, which names the image.
const imageHead = "# image: "

// encodeFunctions writes a line for each body: the name, "part" or nothing, the bytes,
// and what stands for the code; what stands for shifted lines only if it differs.
func encodeFunctions(image string, bodies []hv.Body) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	fmt.Fprintf(z, "%s%s\n", imageHead, image)
	for _, x := range bodies {
		if strings.ContainsAny(x.Name, "\t\n\r") {
			return nil, fmt.Errorf("name of function %q: has a tab or a line feed", x.Name)
		}
		part, shifted := "", x.Shifted
		if x.Part {
			part = partWord
		}
		if shifted == x.Code {
			shifted = ""
		}
		fmt.Fprintf(z, "%s\t%s\t%d\t%s\t%s\n", x.Name, part, x.Size, x.Code, shifted)
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

const partWord = "part"

// mostFunctions bounds a file of functions, in bytes, once it is unpacked. That of a
// Xen has some 200 KiB.
const mostFunctions = 16 << 20

// ErrNoFunctions is the cause when a run does not tell what its functions consist of.
var ErrNoFunctions = errors.New("the run does not tell what the functions of the image consist of")

// ReadFunctions reads what the functions of a build's image consist of. The cause is
// ErrNoFunctions if the run does not tell.
func ReadFunctions(dir string, img *hv.Image) ([]hv.Body, error) {
	list, err := readFunctions(dir, img)
	if err != nil {
		return nil, fmt.Errorf("read functions of %s: %w", img.Build.Name, err)
	}
	return list, nil
}

func readFunctions(dir string, img *hv.Image) ([]hv.Body, error) {
	if !plainName.MatchString(img.Build.Name) {
		return nil, ErrNoFunctions // a name of no build, which may lead elsewhere
	}
	t, err := openTree(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrNoFunctions // it was taken out of a history, to be read once
	}
	if err != nil {
		return nil, err
	}
	defer t.Close()
	name := path.Join(functionsDir, functionsName(img.Build))
	if _, err := t.root.Lstat(name); errors.Is(err, os.ErrNotExist) {
		return nil, ErrNoFunctions
	}
	text, err := t.read(name, mostFunctions)
	if err == nil {
		text, err = unpack(text, mostFunctions)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", shown(t.place(name)), err)
	}
	image, list, err := decodeFunctions(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s:%w", shown(t.place(name)), err)
	case image != img.Hash:
		return nil, fmt.Errorf("%s: it is of another image", shown(t.place(name)))
	}
	return list, nil
}

// decodeFunctions is encodeFunctions's inverse. An error begins with the line's number.
func decodeFunctions(text []byte) (image string, list []hv.Body, err error) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		if n == 1 {
			var ok bool
			if image, ok = strings.CutPrefix(lines.Text(), imageHead); !ok {
				return "", nil, fmt.Errorf("1: it does not begin with %q", imageHead)
			}
			continue
		}
		b, err := decodeBody(lines.Text())
		if err != nil {
			return "", nil, fmt.Errorf("%d: %w", n, err)
		}
		list = append(list, b)
	}
	if err := lines.Err(); err != nil {
		return "", nil, fmt.Errorf("%d: %w", len(list)+2, err)
	}
	if image == "" {
		return "", nil, errors.New("1: it names no image")
	}
	return image, list, nil
}

func decodeBody(line string) (b hv.Body, err error) {
	f := strings.Split(line, "\t")
	if len(f) != 5 || strings.Contains(line, "\r") || f[0] == "" || f[1] != "" && f[1] != partWord || f[3] == "" {
		return b, errors.New("not name, part, size, code and shifted code, with tabs between them")
	}
	b = hv.Body{Name: f[0], Part: f[1] == partWord, Code: f[3], Shifted: f[4]}
	if b.Shifted == "" {
		b.Shifted = b.Code
	}
	if b.Size, err = strconv.ParseInt(f[2], 10, 64); err != nil || b.Size <= 0 {
		return b, fmt.Errorf("%q is not a number of bytes", f[2])
	}
	return b, nil
}
