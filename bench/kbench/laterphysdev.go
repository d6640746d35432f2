package kbench

import "xsmbench/abi"

// A device that every PC of QEMU's has, the bridge to ISA, and one that none has.
const (
	isaBridge = 1 << 3
	nobody    = 30 << 3
)

// registerLaterPhysdev registers what dom0 tells Xen of devices and interrupts.
func registerLaterPhysdev() {
	const source = "arch/x86/physdev.c:do_physdev_op"
	device := func(structure string, devfn uint64) *abi.Block {
		return abi.Struct(structure, abi.Member("devfn", abi.Number(devfn)))
	}
	for _, l := range []later{
		{
			op: "physdev_setup_gsi", doc: "set an interrupt's trigger and polarity, which are set", source: source, hook: "resource_setup_gsi",
			args: abi.Command("PHYSDEVOP_setup_gsi", abi.Struct("physdev_setup_gsi",
				abi.Member("gsi", abi.Number(unusedGSI)), abi.Member("triggering", abi.Number(1)), abi.Member("polarity", abi.Number(1)))),
			or: []int64{exists},
		},
		{
			op: "physdev_mmcfg_reserved", doc: "report a window of PCI configuration that the machine has not", source: source, hook: "resource_setup_misc",
			args:   abi.Command("PHYSDEVOP_pci_mmcfg_reserved", abi.Struct("physdev_pci_mmcfg_reserved", abi.Member("segment", abi.Number(0xffff)))),
			result: noDevice,
		},
		{
			op: "physdev_restore_msi", doc: "restore the message interrupts of a PCI device that has none", source: source, hook: "resource_setup_pci",
			args: abi.Command("PHYSDEVOP_restore_msi_ext", device("physdev_pci_device", isaBridge)),
		},
		{
			op: "physdev_pci_add", doc: "report a PCI device that Xen knows", source: "drivers/passthrough/pci.c:pci_add_device", hook: "resource_plug_pci",
			args: abi.Command("PHYSDEVOP_pci_device_add", device("physdev_pci_device_add", isaBridge)),
		},
		{
			op: "physdev_pci_remove", doc: "report the removal of a PCI device that is not there", source: "drivers/passthrough/pci.c:pci_remove_device", hook: "resource_unplug_pci",
			args:   abi.Command("PHYSDEVOP_pci_device_remove", device("physdev_pci_device", nobody)),
			result: noDevice,
		},
		{
			op: "physdev_map_pirq", doc: "get an interrupt that dom0 has", source: "arch/x86/physdev.c:physdev_map_pirq", hook: "map_domain_pirq", more: []string{"map_domain_irq"},
			args: abi.Command("PHYSDEVOP_map_pirq", abi.Struct("physdev_map_pirq", abi.Member("domid", abi.Number(uint64(abi.DomSelf))), abi.Member("type", abi.Constant("MAP_PIRQ_TYPE_GSI")),
				abi.Member("index", abi.Number(unusedGSI)), abi.Member("pirq", abi.Number(unusedGSI)))),
		},
	} {
		l.call = abi.PhysdevOp
		l.register()
	}
}

// unusedGSI is an interrupt of no device of a PC's that has no PCI slots in use.
const unusedGSI = 21
