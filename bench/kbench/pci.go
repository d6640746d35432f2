package kbench

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// hostBridge is the configuration space of the first device on the PCI bus.
const hostBridge = "/sys/bus/pci/devices/0000:00:00.0/config"

// registerPCI registers what the kernel of dom0 does for a process that reads a
// device's configuration: it accesses the bus, which Xen emulates.
func registerPCI() {
	bench.Register(bench.Benchmark{
		Suite: suite, Name: "pci/op=config_read",
		Doc:    "open the configuration space of the PCI host bridge, read a word, and close it",
		Source: "arch/x86/pv/emul-priv-op.c:pci_cfg_ok", Unit: "ns/op",
		Hooks: crosses("pci_config_permission"), Dom0Only: true, Full: true, Later: true,
		Setup: func(d bench.Domain) (bench.Loop, func(), error) {
			os, word := d.OS(), make([]byte, 4)
			loop := func(n int64) error {
				for ; n > 0; n-- {
					if err := readWord(os, hostBridge, word); err != nil {
						return err
					}
				}
				return nil
			}
			return loop, func() {}, loop(1)
		},
	})
}

func readWord(os bench.OS, path string, word []byte) error {
	fd, err := os.Open(path, bench.O_RDONLY)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer os.Close(fd)
	n, err := os.Read(fd, word)
	if err == nil && n != len(word) {
		err = abi.EIO
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}
