package kbuild

import (
	"path/filepath"
	"testing"

	"xsmbench/hv/store"
)

// TestLeavesOutEFI has the two ways in which Xen's Makefiles ask for xen.efi: as a
// prerequisite only (4.17 and later), and as what decides the compiler's flags, too.
func TestLeavesOutEFI(t *testing.T) {
	const asks = "efi-y := $(shell echo '$(TARGET).efi')\n"
	for name, tt := range map[string]struct {
		text string
		want bool
	}{
		"prerequisite":     {asks + "\n$(TARGET): $(TARGET)-syms $(efi-y) $(obj)/boot/mkelf32\n\t$(obj)/boot/mkelf32\n", true},
		"flags, too":       {asks + "\n$(TARGET): $(TARGET)-syms $(efi-y) boot/mkelf32\n\nifneq ($(efi-y),)\nCFLAGS-y += -DXEN_BUILD_EFI\nendif\n", false},
		"flags only":       {asks + "\nifneq ($(efi-y),)\nCFLAGS-y += -DXEN_BUILD_EFI\nendif\n", false},
		"another variable": {"\n$(TARGET): $(TARGET)-syms $(TARGET).efi\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			b := &builder{space: &store.Workspace{Dir: t.TempDir()}}
			if b.leavesOutEFI() {
				t.Error("a tree without the file leaves xen.efi out")
			}
			files(t, b.tree(), map[string]string{filepath.Join("xen", "arch", "x86", "Makefile"): tt.text})
			if got := b.leavesOutEFI(); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
