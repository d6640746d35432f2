package faketools

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Apt is a package archive, with the programs that fetch from it. apt-get
// writes each of its calls into the file "calls"; if there is a file
// "complaint", its update fails with that.
type Apt struct {
	*Tools
	Etc     string // apt's configuration
	offered map[string]string
}

// aptGet keeps an index, as the real one does: what an index does not have is
// not found, even if the archive has it by now.
const aptGet = `
while [ "$1" = -o ]; do
	case $2 in Dir::State::lists=*) lists=${2#*=} ;; esac
	shift 2
done
echo "apt-get $*" >>"$control/calls"
if [ -e "$control/during-$1" ]; then . "$control/during-$1"; fi
command=$1
shift
if [ $command = update ]; then
	if [ -e "$control/complaint" ]; then cat "$control/complaint" >&2; exit 100; fi
	cp "$control/index" "$lists/index"
	exit
fi
print= fetched=
while :; do
	case $1 in
	--print-uris) print=yes ;;
	-*) ;;
	*) break ;;
	esac
	shift
done
for name; do
	found=
	while read -r kind package file digest depends; do
		if [ "$kind $package" != "$command $name" ]; then continue; fi
		found=yes
		if [ "$print" ]; then
			echo "'http://archive.example/pool/$file' $file 1000 SHA256:$digest"
		elif [ ! -e "$control/pool/$file" ]; then
			echo "W: not the cause" >&2
			echo "E: Failed to fetch http://archive.example/pool/$file  404  Not Found" >&2
			exit 100
		elif [ $command = source ]; then
			tar -xf "$control/pool/$file"
		else
			fetched="$fetched $control/pool/$file"
		fi
	done <"$lists/index"
	if [ ! "$found" ]; then echo "E: Unable to locate package $name" >&2; exit 100; fi
done
if [ "$fetched" ]; then cp $fetched .; fi
`

const aptCache = `
while [ "$1" = -o ]; do
	case $2 in Dir::State::lists=*) lists=${2#*=} ;; esac
	shift 2
done
shift 2
found=
for name; do
	while read -r kind package file digest depends; do
		if [ "$kind $package" != "download $name" ]; then continue; fi
		found=yes
		echo "$name"
		for d in $depends; do echo "  Depends: $d"; done
	done <"$lists/index"
done
if [ ! "$found" ]; then echo "E: No packages found" >&2; exit 100; fi
`

// NewApt makes an archive that offers nothing.
func NewApt(t testing.TB) *Apt {
	t.Helper()
	a := &Apt{offered: map[string]string{}}
	a.Tools = New(t, map[string]string{
		"apt-get": aptGet, "apt-cache": aptCache, "dpkg-source": "exit 0\n",
		"dpkg-deb": `[ -d "$3" ] || mkdir -p "$3"
exec tar -xf "$2" -C "$3"
`,
	})
	a.Etc = a.path("etc")
	a.mkdir("etc")
	sources := "deb http://archive.example/debian stable main\n"
	if err := os.WriteFile(filepath.Join(a.Etc, "sources.list"), []byte(sources), 0o644); err != nil {
		t.Fatal(err)
	}
	a.Write("index", "")
	a.Write("pool/.keep", "")
	return a
}

// Offer offers a binary package instead of its earlier version.
func (a *Apt) Offer(name, version string, depends []string, files map[string][]byte) {
	a.t.Helper()
	a.offer("download", name, fmt.Sprintf("%s_%s_amd64.deb", name, version), depends, files)
}

// OfferSource offers a source package instead of its earlier version.
func (a *Apt) OfferSource(name, version string, files map[string][]byte) {
	a.t.Helper()
	a.offer("source", name, fmt.Sprintf("%s_%s.tar", name, version), nil, files)
}

func (a *Apt) offer(kind, name, file string, depends []string, files map[string][]byte) {
	a.t.Helper()
	text := pack(a.t, files)
	a.Write("pool/"+file, string(text))
	sum := sha256.Sum256(text)
	a.offered[kind+" "+name] = strings.Join(append([]string{kind, name, file, hex.EncodeToString(sum[:])}, depends...), " ")
	var index strings.Builder
	for _, line := range a.offered {
		fmt.Fprintln(&index, line)
	}
	a.Write("index", index.String())
}

// Calls counts the calls of apt-get that begin so.
func (a *Apt) Calls(start string) int {
	a.t.Helper()
	return a.Count("calls", "apt-get "+start)
}

func pack(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(files[name])), Mode: 0o755}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
