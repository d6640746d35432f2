// Package protocol is what the host and the agent inside the domains of the real
// Xen agree on: where the agent finds its orders, how it reports, where the
// programs that mark windows are linked. Both sides import it; it does
// nothing itself.
//
// The agent, cmd/xsmguest, is the first program of dom0 and of domU. Dom0's
// starts the toolstack and a domU, and then reads its order from QEMU's
// firmware device. Under instruction counting the first order is to ask for a
// snapshot; in a machine that resumes from that snapshot the same read finds
// the order to measure.
package protocol

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"xsmbench/bench"
)

// Order is what the agents are to do.
type Order struct {
	// Snapshot asks dom0 to stop the machine when both domains are ready,
	// and to read its order again when it goes on.
	Snapshot bool `json:"snapshot,omitempty"`
	// Enforce has dom0 make its security module enforce when xenstored has started.
	Enforce bool `json:"enforce,omitempty"`
	// Plan is what to measure; the agents of its domains do so in turn.
	Plan bench.Plan `json:"plan"`
	// Delay is slept before measuring starts, so that timer ticks fall
	// elsewhere.
	Delay time.Duration `json:"delay,omitempty"`
	// Build is passed on in the hello records.
	Build string `json:"build,omitempty"`
	// Neighbour is what to do while the other domain measures, "" to measure.
	Neighbour NeighbourTask `json:"neighbour,omitempty"`
}

// Firmware file with the order (the part after "opt/xsmbench/").
const OrderFile = "order"

// Ports of the devices that QEMU gives dom0.
const (
	SnapshotPort = 0x505 // pvpanic: stops the machine
	ResultsPort  = 0xe9  // debug console: receives the stream of records
	ExitPort     = 0xf4  // debug exit: ends QEMU
)

// What dom0 writes to ExitPort, and the exit status that QEMU makes of it.
const (
	ExitDone     = 0x10
	ExitFailed   = 0x11
	StatusDone   = ExitDone<<1 | 1
	StatusFailed = ExitFailed<<1 | 1
)

// Paths in the domains' file systems.
const (
	DomainFile  = "/etc/xsmbench/domain"  // the domain's name in results
	ModulesFile = "/etc/xsmbench/modules" // kernel modules to load, a path with arguments a line
	// InterfaceFile is what the public headers of this Xen say of its control
	// hypercalls (hypercall.Interface).
	InterfaceFile = "/etc/xsmbench/interface"
	NativePath    = "/usr/lib/xsmbench/native"
	IPCPath       = "/usr/lib/xsmbench/ipc"
	HelloPath     = "/bin/hello"
	ShellPath     = "/bin/sh"
	// CompilerPath is where a domain has a C compiler, if it has one.
	CompilerPath = "/usr/bin/tcc"
	// DynamicPath and LibraryShellPath are programs that are linked with the C
	// library, if a domain has it: the native loops, and the distribution's shell.
	// The small one keeps its path: another one would be another benchmark.
	DynamicPath      = "/usr/lib/xsmbench/dynamic"
	LibraryShellPath = "/bin/dash"
	// ToolstackDir is where dom0's toolstack has its programs, whatever it was
	// taken from.
	ToolstackDir = "/usr/lib/xsmbench/toolstack"
	DomUConfig   = "/etc/xen/domU.cfg"
	IdleConfig   = "/etc/xen/idle%d.cfg"
	IdleFile     = "/etc/xsmbench/idle" // how many idle domUs dom0 starts
	ConsoleDir   = "/var/log/xen/console"
	// DeviceModulesFile lists modules as ModulesFile does: those of devices that some
	// plans ask for. LacksFile says which facilities there are not, each with a tab and
	// the reason.
	DeviceModulesFile = "/etc/xsmbench/devices"
	LacksFile         = "/etc/xsmbench/lacks"
	// Scratch is the name of the domain that dom0 makes and ends.
	Scratch       = "scratch"
	ScratchMemory = 96 // MiB
	ScratchConfig = "/etc/xen/scratch.cfg"
	SaveHelper    = ToolstackDir + "/libxl-save-helper"
	// DiskScript and NetworkScript are what the toolstack runs to connect a device in
	// dom0, ServerPath is the server in each domain. The agent is all of them.
	DiskScript    = "/etc/xen/scripts/block"
	NetworkScript = "/etc/xen/scripts/vif-xsmbench"
	ServerPath    = "/usr/lib/xsmbench/server"
	// DeviceModel is what the toolstack starts in dom0 for an HVM domU: the agent, again.
	// FirmwareFile is that domain's kernel with all that it needs, BIOSFile one that the
	// toolstack loads and nothing reads.
	DeviceModel  = "/usr/lib/xsmbench/device-model"
	FirmwareFile = "/boot/firmware"
	BIOSFile     = "/boot/bios"
	// DeviceModelLog is where the toolstack has what it says.
	DeviceModelLog = "/var/log/xen/qemu-dm-domU.log"
	// RAMDisk is dom0's block device, Disk what the domU sees of it.
	RAMDisk     = "/dev/ram0"
	Disk        = "/dev/xvda"
	DomUConsole = ConsoleDir + "/guest-domU.log"
)

// Addresses of the network between dom0 and the domU.
const (
	DomUMAC = "00:16:3e:00:00:01"
	// Dom0MAC is what every backend of a virtual interface has.
	Dom0MAC = "fe:ff:ff:ff:ff:ff"
	Prefix  = 30 // bits of the network
)

var (
	Dom0Address = bench.Host{10, 0, 0, 1}
	DomUAddress = bench.Host{10, 0, 0, 2}
)

// HostDomain is the domain's name in results where the agent is a process of a
// host, in no domain.
const HostDomain = "host"

// Paths in xenstore, below the domain's directory.
const (
	StoreOffer  = "data/offer"  // dom0's half of the channels
	StoreAnswer = "data/answer" // domU's half, and that it is ready
	StoreOrder  = "data/order"
	StoreDone   = "data/done"
	// StoreAsk has the domU's orders for dom0 as its neighbour. StoreNeighbour has the
	// answer of whichever domain is the neighbour.
	StoreAsk       = "data/ask"
	StoreNeighbour = "data/neighbour"
)

// Enforces is what dom0 writes to its console when it has FLASK enforce, which
// did not at the start.
const Enforces = "xsmbench: FLASK enforces from here on"

// Refused is what dom0 writes to its console, before a benchmark's name, when a
// security module has ended the benchmark.
const Refused = "xsmbench: the policy refused "

// Bases are where programs that mark windows are linked: apart from each
// other, so that an address tells the domain. Dynamic is of a program that is
// linked with the C library, and for x86_64 alone.
type Bases struct{ Agent, Native, IPC, Dynamic uint64 }

// BasesOf gives a domain's bases.
func BasesOf(domain string) Bases {
	if domain == "dom0" {
		return Bases{Agent: 0x10000000, Native: 0x20000000, IPC: 0x50000000, Dynamic: 0x70000000}
	}
	return Bases{Agent: 0x30000000, Native: 0x40000000, IPC: 0x60000000, Dynamic: 0x80000000}
}

// Encode packs an order into a string that xenstore and the firmware device
// can carry.
func (o Order) Encode() (string, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("encode order: %w", err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(text); err != nil {
		return "", fmt.Errorf("encode order: %w", err)
	}
	if err := z.Close(); err != nil {
		return "", fmt.Errorf("encode order: %w", err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// mostOrder bounds an order's size unpacked.
const mostOrder = 1 << 20

// Decode unpacks an order.
func Decode(s string) (Order, error) {
	var o Order
	packed, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return o, fmt.Errorf("decode order: %w", err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return o, fmt.Errorf("decode order: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(z, mostOrder))
	if err != nil {
		return o, fmt.Errorf("decode order: %w", err)
	}
	if err := json.Unmarshal(text, &o); err != nil {
		return o, fmt.Errorf("decode order: %w", err)
	}
	return o, nil
}
