package experiment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// A second timed run says whom it waits for, and goes on when that has ended.
func TestHoldMachine(t *testing.T) {
	t.Setenv("XSMBENCH_MACHINE_LOCK", filepath.Join(t.TempDir(), "lock"))
	release, err := holdMachine(context.Background(), "runs/first", func(s string) { t.Errorf("said %q", s) })
	if err != nil {
		t.Fatal(err)
	}
	said, got := make(chan string, 1), make(chan error, 1)
	go func() {
		release, err := holdMachine(context.Background(), "runs/second", func(s string) { said <- s })
		if err == nil {
			release()
		}
		got <- err
	}()
	want := fmt.Sprintf("waiting for process %d, which measures runs/first: two timed runs at once would disturb each other (--beside measures anyway)", os.Getpid())
	if s := <-said; s != want {
		t.Errorf("said %q, want %q", s, want)
	}
	select {
	case err := <-got:
		t.Fatalf("two at once: %v", err)
	default:
	}
	release()
	if err := <-got; err != nil {
		t.Error(err)
	}
}

func TestHoldMachineCancelled(t *testing.T) {
	t.Setenv("XSMBENCH_MACHINE_LOCK", filepath.Join(t.TempDir(), "lock"))
	release, err := holdMachine(context.Background(), "runs/first", func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	_, err = holdMachine(ctx, "runs/second", func(string) { cancel(enough) })
	if !errors.Is(err, enough) {
		t.Errorf("error %v, want %v", err, enough)
	}
}

// A lock that cannot be had costs a word.
func TestHoldMachineWithoutLock(t *testing.T) {
	t.Setenv("XSMBENCH_MACHINE_LOCK", filepath.Join(t.TempDir(), "absent", "lock"))
	said := ""
	release, err := holdMachine(context.Background(), "runs/first", func(s string) { said = s })
	if err != nil || said == "" {
		t.Errorf("said %q, error %v", said, err)
	}
	if release != nil {
		release()
	}
}
