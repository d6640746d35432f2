// Package abi is the part of Xen's public interface that guests, the
// hypervisor model and security modules share: hypercall numbers, error
// numbers, domain identifiers and argument structures, as in the headers
// under xen/include/public of Xen 3.2.
//
// Structures keep Xen's field order and widths. Where Xen has a guest handle
// (a pointer into guest memory), the field is a Go pointer or slice.
package abi

import "strconv"

// Errno is an error number as hooks and hypercalls return it: zero for
// success, a negated constant for failure, as in "return -abi.EPERM".
type Errno int32

// Error numbers (xen/include/xen/errno.h, the same values as Linux's).
const (
	EPERM      Errno = 1
	ENOENT     Errno = 2
	ESRCH      Errno = 3
	EINTR      Errno = 4
	EIO        Errno = 5
	ENXIO      Errno = 6
	E2BIG      Errno = 7
	ENOEXEC    Errno = 8
	EBADF      Errno = 9
	ECHILD     Errno = 10
	EAGAIN     Errno = 11
	ENOMEM     Errno = 12
	EACCES     Errno = 13
	EFAULT     Errno = 14
	EBUSY      Errno = 16
	EEXIST     Errno = 17
	ENODEV     Errno = 19
	ENOTDIR    Errno = 20
	EISDIR     Errno = 21
	EINVAL     Errno = 22
	EMFILE     Errno = 24
	EFBIG      Errno = 27
	ENOSPC     Errno = 28
	ESPIPE     Errno = 29
	EROFS      Errno = 30
	EPIPE      Errno = 32
	ERANGE     Errno = 34
	ENOSYS     Errno = 38
	ENODATA    Errno = 61
	ETIME      Errno = 62
	EOPNOTSUPP Errno = 95
	EISCONN    Errno = 106
	ENOTCONN   Errno = 107
)

var errnoNames = map[Errno]string{
	EPERM: "EPERM", ENOENT: "ENOENT", ESRCH: "ESRCH", EINTR: "EINTR", EIO: "EIO",
	ENXIO: "ENXIO", E2BIG: "E2BIG", ENOEXEC: "ENOEXEC", EBADF: "EBADF",
	ECHILD: "ECHILD", EAGAIN: "EAGAIN", ENOMEM: "ENOMEM", EACCES: "EACCES",
	EFAULT: "EFAULT", EBUSY: "EBUSY", EEXIST: "EEXIST", ENODEV: "ENODEV",
	ENOTDIR: "ENOTDIR", EISDIR: "EISDIR", EINVAL: "EINVAL", EMFILE: "EMFILE",
	EFBIG: "EFBIG", ENOSPC: "ENOSPC", ESPIPE: "ESPIPE", EROFS: "EROFS",
	EPIPE: "EPIPE", ERANGE: "ERANGE", ENOSYS: "ENOSYS", ENODATA: "ENODATA", ETIME: "ETIME",
	EOPNOTSUPP: "EOPNOTSUPP", EISCONN: "EISCONN", ENOTCONN: "ENOTCONN",
}

// String names the error with its sign, as Xen's documentation writes it.
func (e Errno) String() string {
	switch {
	case e == 0:
		return "0"
	case e < 0 && errnoNames[-e] != "":
		return "-" + errnoNames[-e]
	case e > 0 && errnoNames[e] != "":
		return errnoNames[e]
	}
	return "errno " + strconv.Itoa(int(e))
}

// Error makes an Errno usable as a Go error; callers return nil, not a zero
// Errno, for success.
func (e Errno) Error() string { return e.String() }
