//go:build linux

package devicemodel

import (
	"encoding/binary"
	"fmt"
	"syscall"
	"unsafe"

	"xsmbench/abi"
)

// Devices by which dom0's Linux lets a process be a device model, with the ioctls of
// include/uapi/xen. They have no direction.
const (
	privcmdPath = "/dev/xen/privcmd"
	evtchnPath  = "/dev/xen/evtchn"

	privcmdDMOp     = 16<<16 | 'P'<<8 | 5
	privcmdResource = 32<<16 | 'P'<<8 | 7
	evtchnBind      = 8<<16 | 'E'<<8 | 1
	evtchnNotify    = 4<<16 | 'E'<<8 | 4
)

// Commands of dm_op (public/hvm/dm_op.h), and ranges that it takes. Its interface is stable.
const (
	opCreate = 1
	opMap    = 3
	opEnable = 5

	rangePort   = 0
	rangeConfig = 2
)

// Server is a server of a domain's I/O requests (an ioreq server) that has the platform.
type Server struct {
	domain          abi.DomID
	privcmd, evtchn int
	id              uint16
	page            access
	local           uint32 // event channel
	platform        *platform
}

// NewServer makes Xen send requests for the platform here.
func NewServer(domain abi.DomID) (*Server, error) {
	s := &Server{domain: domain, platform: newPlatform()}
	for path, fd := range map[string]*int{privcmdPath: &s.privcmd, evtchnPath: &s.evtchn} {
		var err error
		if *fd, err = syscall.Open(path, syscall.O_RDWR|syscall.O_CLOEXEC, 0); err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
	}
	for _, step := range []func() error{s.create, s.mapPage, s.takeRanges, s.enable, s.bind} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("serve I/O requests of domain %d: %w", domain, err)
		}
	}
	return s, nil
}

// dmOp makes a dm_op of a command with its arguments, which it overwrites with results.
func (s *Server) dmOp(command uint32, args []byte) error {
	const mostArgs = 64
	op := make([]byte, 8+mostArgs)
	binary.LittleEndian.PutUint32(op, command)
	copy(op[8:], args)
	buffer := struct {
		at   unsafe.Pointer
		size uintptr
	}{unsafe.Pointer(&op[0]), uintptr(len(op))}
	request := struct {
		domain, count uint16
		buffers       unsafe.Pointer
	}{uint16(s.domain), 1, unsafe.Pointer(&buffer)}
	if _, err := control(s.privcmd, privcmdDMOp, unsafe.Pointer(&request)); err != nil {
		return fmt.Errorf("dm_op %d: %w", command, err)
	}
	copy(args, op[8:])
	return nil
}

// create makes the server, without a page for requests that need no answer.
func (s *Server) create() error {
	var args [6]byte // handle_bufioreq, padding, id
	err := s.dmOp(opCreate, args[:])
	s.id = binary.LittleEndian.Uint16(args[4:])
	return err
}

// mapPage maps the page of requests, frame 1 of the server's. Frame 0 is for those without
// answers.
func (s *Server) mapPage() error {
	page, err := syscall.Mmap(s.privcmd, 0, abi.PageSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map %s: %w", privcmdPath, err)
	}
	s.page = access{page}
	resource := struct {
		domain          uint16
		kind, id, frame uint32
		count           uint64
		at              unsafe.Pointer
	}{domain: uint16(s.domain), id: uint32(s.id), frame: 1, count: 1, at: unsafe.Pointer(&page[0])}
	if _, err := control(s.privcmd, privcmdResource, unsafe.Pointer(&resource)); err != nil {
		return fmt.Errorf("map the page of requests: %w", err)
	}
	return nil
}

// takeRanges says which accesses are the platform's.
func (s *Server) takeRanges() error {
	ranges := []struct{ kind, first, last uint64 }{
		{rangePort, addressPort, addressPort + addressPorts - 1},
		{rangePort, magicPort, magicPort + magicPorts - 1},
		{rangeConfig, bridgeAt, bridgeAt},
		{rangeConfig, platformAt, platformAt},
	}
	for _, r := range ranges {
		var args [24]byte // id, padding, type, start, end
		le := binary.LittleEndian
		le.PutUint16(args[:], s.id)
		le.PutUint32(args[4:], uint32(r.kind))
		le.PutUint64(args[8:], r.first)
		le.PutUint64(args[16:], r.last)
		if err := s.dmOp(opMap, args[:]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) enable() error {
	args := [4]byte{2: 1} // id, enabled, padding
	binary.LittleEndian.PutUint16(args[:], s.id)
	return s.dmOp(opEnable, args[:])
}

// bind binds to the event channel that Xen made for the first vCPU.
func (s *Server) bind() error {
	args := struct{ domain, port uint32 }{uint32(s.domain), s.page.port()}
	port, err := control(s.evtchn, evtchnBind, unsafe.Pointer(&args))
	if err != nil {
		return fmt.Errorf("bind to event channel %d: %w", args.port, err)
	}
	s.local = uint32(port)
	return nil
}

// Run answers requests until the domain ends, and the process with it. It complains of those
// that it does not know.
func (s *Server) Run(complain func(error)) error {
	for {
		if err := s.await(); err != nil {
			return fmt.Errorf("wait for an I/O request of domain %d: %w", s.domain, err)
		}
		served, err := s.page.serve(s.platform)
		if err != nil {
			complain(fmt.Errorf("answer an I/O request of domain %d: %w", s.domain, err))
		}
		if !served {
			continue
		}
		if _, err := control(s.evtchn, evtchnNotify, unsafe.Pointer(&s.local)); err != nil {
			return fmt.Errorf("answer an I/O request of domain %d: %w", s.domain, err)
		}
	}
}

// await waits for an event, and allows the next one.
func (s *Server) await() error {
	var port [4]byte
	for {
		_, err := syscall.Read(s.evtchn, port[:])
		if err == syscall.EINTR {
			continue
		}
		if err == nil {
			_, err = syscall.Write(s.evtchn, port[:])
		}
		return err
	}
}

// control makes an ioctl.
func control(fd int, number uint32, arg unsafe.Pointer) (uintptr, error) {
	n, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), uintptr(number), uintptr(arg))
	if e != 0 {
		return 0, e
	}
	return n, nil
}
