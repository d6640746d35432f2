package xen

import (
	"context"
	"errors"
	"os"
	"testing"

	"xsmbench/hv"
	"xsmbench/hv/xen/kbuild"
	"xsmbench/hv/xen/source"
)

// A build that is interrupted while another one reads its symbols is no damaged one. The
// product here is in no store: to reject it would be a crash.
func TestInterruptedBuildIsNotRejected(t *testing.T) {
	self, err := os.Executable() // some ELF file
	if err != nil {
		t.Fatal(err)
	}
	product := &kbuild.Product{Image: self, Syms: self}
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	var target Target
	name, err := symbolsName(self)
	if err != nil {
		t.Fatal(err)
	}
	<-target.symbols.maker(name).turn // somebody reads them
	cancel(stopped)
	_, err = target.describeImage(ctx, hv.Build{Name: "native"}, hv.Kind{}, product, &source.Tree{})
	if !errors.Is(err, stopped) {
		t.Errorf("error %v, want %v", err, stopped)
	}
}
