package flask

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"testing"

	"xsmbench/internal/require"
	"xsmbench/xsm/flask/policy/checkpolicy"
)

// variant compiles the project's policy with changes: pairs of what is replaced
// by what, and what more stands behind the rules.
func variant(t testing.TB, more string, replaced ...string) []byte {
	t.Helper()
	const dir = "policy/source"
	src, err := checkpolicy.Source(dir)
	if err != nil {
		t.Fatal(err)
	}
	users, err := os.ReadFile(dir + "/users")
	if err != nil {
		t.Fatal(err)
	}
	src = bytes.Replace(src, users, append([]byte(more+"\n"), users...), 1)
	for i := 0; i < len(replaced); i += 2 {
		old, now := []byte(replaced[i]), []byte(replaced[i+1])
		if !bytes.Contains(src, old) {
			t.Fatalf("the policy's source has no %q", old)
		}
		src = bytes.ReplaceAll(src, old, now)
	}
	return compile(t, src, 24)
}

// compile compiles a policy. Programs of 386 that QEMU's user mode runs, with -short,
// cannot start others.
func compile(t testing.TB, src []byte, version int) []byte {
	t.Helper()
	if runtime.GOARCH == "386" && testing.Short() {
		t.Skip("starts checkpolicy")
	}
	bin, err := checkpolicy.Compile(src, "Xen", version, false)
	if errors.Is(err, checkpolicy.ErrMissing) {
		require.Missing(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	return bin
}
