package xen

import (
	"fmt"
	"os"

	"xsmbench/hv/xen/image"
	"xsmbench/hv/xen/protocol"
)

// hvmKind is the kind of a domU that Xen gives a whole machine.
const hvmKind = "hvm"

// hvmConfig is what xl's description of an HVM domU has in the place of kernel, initial
// file system and command line, which the toolstack would leave to the device model.
const hvmConfig = "firmware_override=\"" + protocol.FirmwareFile + "\"\n" +
	"bios=\"seabios\"\nbios_path_override=\"" + protocol.BIOSFile + "\"\n" +
	"device_model_version=\"qemu-xen\"\ndevice_model_override=\"" + protocol.DeviceModel + "\"\n" +
	"vga=\"none\"\nvnc=0\nusb=0\nvkb_device=0\n"

// hvmKernelArgs are kernelArgs for an HVM domU. It has no ACPI tables; and its kernel would look for
// old graphics chips at each address of the PCI bus, twice, which was a fifth of all instructions until
// both domains are ready: Xen emulates each access.
const hvmKernelArgs = kernelArgs + " acpi=off pci=noearly"

// addHVM adds what an HVM domU of some MiB boots from to dom0's file system, and its
// device model.
func addHVM(fs *image.Initramfs, k *kernel, ramdisk []byte, memory int) error {
	vmlinux, err := os.ReadFile(k.vmlinux)
	if err != nil {
		return err
	}
	firmware, err := image.Firmware(vmlinux, ramdisk, hvmKernelArgs, int64(memory)<<20)
	if err != nil {
		return fmt.Errorf("compose domU: %w", err)
	}
	fs.File(protocol.FirmwareFile, firmware, 0o644)
	fs.File(protocol.BIOSFile, []byte("Nothing reads this. The toolstack wants a file.\n"), 0o644)
	fs.Symlink(protocol.DeviceModel, "/init")
	return nil
}
