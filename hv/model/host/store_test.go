package host

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/gotool"
	"xsmbench/hv/store"
)

// buildVariable has this program build, as another process of xsmbench would,
// what the variable describes, and tell of the image on its output.
const buildVariable = "XSMBENCH_TEST_BUILD"

// built is what such a process tells.
type built struct {
	Image  *hv.Image
	Cached bool
	Said   string
	Err    string
}

func TestMain(m *testing.M) {
	text := os.Getenv(buildVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	var b hv.Build
	err := json.Unmarshal([]byte(text), &b)
	if err == nil {
		err = buildHere(b)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// buildHere builds, tells, and ends with its input, so that what it uses stays
// in use until then.
func buildHere(b hv.Build) error {
	fmt.Println("started")
	in := bufio.NewReader(os.Stdin)
	if _, err := in.ReadString('\n'); err != nil {
		return err
	}
	var mu sync.Mutex
	var said strings.Builder
	img, err := New().Build(nil2ctx(), b, func(s string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(&said, s)
	})
	mu.Lock()
	defer mu.Unlock()
	r := built{Image: img, Said: said.String()}
	if err != nil {
		r.Err = err.Error()
	} else {
		r.Cached = img.Cached
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	return err
}
