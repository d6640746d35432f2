package guest_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/hv/model/guest"
)

// check is a test of system calls, run as a process of its own.
type check struct {
	name string
	run  func(t *testing.T, os bench.OS)
}

// runChecks boots one machine for all checks and gives each a process.
func runChecks(t *testing.T, checks []check) {
	t.Helper()
	inDom0(t, func(c *guest.Control) {
		for _, ch := range checks {
			t.Run(ch.name, func(t *testing.T) {
				before := c.FreeFrames()
				pid, err := c.OS().Fork(func(os bench.OS) int {
					ch.run(t, os)
					return 0
				})
				if err != nil {
					t.Error(err)
					return
				}
				if status, err := c.OS().Wait(pid); status != 0 || err != nil {
					t.Errorf("process ended with status %d, %v", status, err)
				}
				if after := c.FreeFrames(); after != before && after+settled < before {
					t.Errorf("%d frames free before, %d after", before, after)
				}
			})
		}
	})
}

// settled is how many frames a check may leave used: the first copy of each
// writable page that it made init take, and what files it left in the cache.
const settled = 40

func wantErr(t *testing.T, what string, err error, want abi.Errno) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func ok(t *testing.T, what string, err error) bool {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	return err == nil
}

func TestFiles(t *testing.T) {
	runChecks(t, []check{
		{"write and read back", func(t *testing.T, os bench.OS) {
			fd, err := os.Open("/tmp/file", bench.O_RDWR|bench.O_CREAT)
			if !ok(t, "create", err) {
				return
			}
			data := bytes.Repeat([]byte("0123456789"), 1000)
			n, err := os.Write(fd, data)
			if n != len(data) || err != nil {
				t.Errorf("write: %d, %v", n, err)
			}
			os.Close(fd)
			fd, _ = os.Open("/tmp/file", bench.O_RDONLY)
			got := make([]byte, len(data)+10)
			n, err = os.Read(fd, got)
			if n != len(data) || err != nil || !bytes.Equal(got[:n], data) {
				t.Errorf("read: %d, %v", n, err)
			}
			if n, err = os.Read(fd, got); n != 0 || err != nil {
				t.Errorf("read at the end: %d, %v", n, err)
			}
			var st bench.Stat
			if err := os.Fstat(fd, &st); err != nil || st.Size != int64(len(data)) {
				t.Errorf("fstat: %+v, %v", st, err)
			}
			var same bench.Stat
			if err := os.Stat("/tmp/../tmp/file", &same); err == nil {
				t.Error("stat through a parent directory that is not in the tree succeeds")
			}
			if err := os.Stat("//tmp/./file", &same); err != nil || same != st {
				t.Errorf("stat: %+v, %v", same, err)
			}
			ok(t, "unlink", os.Unlink("/tmp/file"))
			wantErr(t, "stat after unlink", os.Stat("/tmp/file", &st), abi.ENOENT)
			if _, err := os.Read(fd, got); err != nil {
				t.Errorf("read of an unlinked open file: %v", err)
			}
		}},
		{"errors", func(t *testing.T, os bench.OS) {
			_, err := os.Open("/no/such", bench.O_RDONLY)
			wantErr(t, "open", err, abi.ENOENT)
			_, err = os.Open("/dev/null/x", bench.O_RDONLY)
			wantErr(t, "open below a device", err, abi.ENOTDIR)
			_, err = os.Open("/tmp", bench.O_RDWR)
			wantErr(t, "open a directory for writing", err, abi.EISDIR)
			_, err = os.Read(77, nil)
			wantErr(t, "read", err, abi.EBADF)
			_, err = os.Write(-1, nil)
			wantErr(t, "write", err, abi.EBADF)
			wantErr(t, "close", os.Close(77), abi.EBADF)
			wantErr(t, "fstat", os.Fstat(77, &bench.Stat{}), abi.EBADF)
			wantErr(t, "unlink", os.Unlink("/tmp/none"), abi.ENOENT)
			wantErr(t, "unlink a directory", os.Unlink("/tmp"), abi.EISDIR)
			wantErr(t, "rename", os.Rename("/tmp/none", "/tmp/x"), abi.ENOENT)
			fd, _ := os.Open("/dev/zero", bench.O_WRONLY)
			_, err = os.Read(fd, make([]byte, 1))
			wantErr(t, "read of a file open for writing", err, abi.EBADF)
			wantErr(t, "ftruncate of a device", os.Ftruncate(fd, 1), abi.EINVAL)
			for err = nil; err == nil; {
				_, err = os.Open("/dev/null", bench.O_RDONLY)
			}
			wantErr(t, "open without end", err, abi.EMFILE)
		}},
		{"devices", func(t *testing.T, os bench.OS) {
			zero, _ := os.Open("/dev/zero", bench.O_RDWR)
			null, _ := os.Open("/dev/null", bench.O_RDWR)
			b := []byte{1, 2, 3}
			if n, err := os.Read(zero, b); n != 3 || err != nil || b[0]|b[1]|b[2] != 0 {
				t.Errorf("read /dev/zero: %d, %v, % x", n, err, b)
			}
			if n, err := os.Read(null, b); n != 0 || err != nil {
				t.Errorf("read /dev/null: %d, %v", n, err)
			}
			if n, err := os.Write(null, b); n != 3 || err != nil {
				t.Errorf("write /dev/null: %d, %v", n, err)
			}
		}},
		{"descriptors are the lowest free", func(t *testing.T, os bench.OS) {
			a, _ := os.Open("/dev/null", bench.O_RDONLY)
			b, _ := os.Open("/dev/null", bench.O_RDONLY)
			os.Close(a)
			c, _ := os.Open("/dev/null", bench.O_RDONLY)
			if a != 3 || b != 4 || c != a {
				t.Errorf("descriptors %d, %d, %d", a, b, c)
			}
		}},
		{"rename and truncate", func(t *testing.T, os bench.OS) {
			a, _ := os.Open("/tmp/a", bench.O_RDWR|bench.O_CREAT)
			b, _ := os.Open("/tmp/b", bench.O_RDWR|bench.O_CREAT)
			os.Write(a, []byte("hello"))
			os.Write(b, make([]byte, 5000))
			ok(t, "ftruncate", os.Ftruncate(b, 10))
			ok(t, "ftruncate", os.Ftruncate(b, 20))
			ok(t, "rename", os.Rename("/tmp/a", "/tmp/b"))
			var st bench.Stat
			ok(t, "stat", os.Stat("/tmp/b", &st))
			if st.Size != 5 {
				t.Errorf("renamed file has %d bytes", st.Size)
			}
			wantErr(t, "stat of the old name", os.Stat("/tmp/a", &st), abi.ENOENT)
			os.Fstat(b, &st)
			if st.Size != 20 {
				t.Errorf("replaced file has %d bytes", st.Size)
			}
			c, _ := os.Open("/tmp/b", bench.O_RDWR|bench.O_TRUNC)
			os.Fstat(c, &st)
			if st.Size != 0 {
				t.Errorf("O_TRUNC leaves %d bytes", st.Size)
			}
			wantErr(t, "rename below itself", os.Rename("/usr", "/usr/lib/x"), abi.EINVAL)
			os.Unlink("/tmp/b")
		}},
	})
}

func TestPipesAndSockets(t *testing.T) {
	runChecks(t, []check{
		{"pipe", func(t *testing.T, os bench.OS) {
			r, w, err := os.Pipe()
			ok(t, "pipe", err)
			os.Write(w, []byte("abc"))
			os.Write(w, []byte("def"))
			b := make([]byte, 4)
			n, _ := os.Read(r, b)
			m, _ := os.Read(r, b[n:])
			if n != 4 || m != 0 || string(b) != "abcd" {
				t.Errorf("read %d and %d bytes: %q", n, m, b)
			}
			n, _ = os.Read(r, b)
			os.Close(w)
			m, err = os.Read(r, b)
			if n != 2 || m != 0 || err != nil {
				t.Errorf("read %d, then %d, %v", n, m, err)
			}
		}},
		{"no reader", func(t *testing.T, os bench.OS) {
			r, w, _ := os.Pipe()
			os.Close(r)
			_, err := os.Write(w, []byte{1})
			wantErr(t, "write", err, abi.EPIPE)
			_, err = os.Read(w, make([]byte, 1))
			wantErr(t, "read of the writing end", err, abi.EBADF)
		}},
		{"pipe larger than its buffer", func(t *testing.T, os bench.OS) {
			r, w, _ := os.Pipe()
			data := make([]byte, 200_000)
			for i := range data {
				data[i] = byte(i * 7)
			}
			pid, _ := os.Fork(func(os bench.OS) int {
				os.Close(r)
				if n, err := os.Write(w, data); n != len(data) || err != nil {
					return 1
				}
				return 0
			})
			os.Close(w)
			var got []byte
			b := make([]byte, 12345)
			for {
				n, err := os.Read(r, b)
				if n == 0 || err != nil {
					break
				}
				got = append(got, b[:n]...)
			}
			status, _ := os.Wait(pid)
			if status != 0 || !bytes.Equal(got, data) {
				t.Errorf("status %d, %d bytes", status, len(got))
			}
		}},
		{"socket pair", func(t *testing.T, os bench.OS) {
			a, b, err := os.Socketpair()
			ok(t, "socketpair", err)
			pid, _ := os.Fork(func(os bench.OS) int {
				os.Close(a)
				buf := make([]byte, 1)
				for {
					if n, _ := os.Read(b, buf); n == 0 {
						return 0
					}
					buf[0]++
					os.Write(b, buf)
				}
			})
			os.Close(b)
			buf := []byte{1}
			for range 100 {
				os.Write(a, buf)
				os.Read(a, buf)
			}
			os.Close(a)
			status, err := os.Wait(pid)
			if buf[0] != 101 || status != 0 || err != nil {
				t.Errorf("byte is %d, status %d, %v", buf[0], status, err)
			}
		}},
		{"select", func(t *testing.T, os bench.OS) {
			r1, w1, _ := os.Pipe()
			r2, _, _ := os.Pipe()
			os.Write(w1, []byte{1})
			var set bench.FDSet
			set.Set(r1)
			set.Set(r2)
			n, err := os.Select(int(r2)+1, &set)
			if n != 1 || err != nil || !set.Has(r1) || set.Has(r2) {
				t.Errorf("select: %d, %v, %v", n, err, set[0])
			}
			set.Set(900)
			_, err = os.Select(1000, &set)
			wantErr(t, "select", err, abi.EBADF)
		}},
	})
}

func TestProcesses(t *testing.T) {
	runChecks(t, []check{
		{"identity", func(t *testing.T, os bench.OS) {
			me := os.Getpid()
			pid, _ := os.Fork(func(os bench.OS) int {
				if os.Getppid() != me || os.Getpid() == me {
					return 1
				}
				return 0
			})
			if status, _ := os.Wait(pid); status != 0 {
				t.Error("a child's identity is wrong")
			}
		}},
		{"wait", func(t *testing.T, os bench.OS) {
			_, err := os.Wait(-1)
			wantErr(t, "wait without children", err, abi.ECHILD)
			sum := 0
			for i := range 5 {
				os.Fork(func(bench.OS) int { return 1 << i })
			}
			for range 5 {
				status, err := os.Wait(-1)
				ok(t, "wait", err)
				sum += status
			}
			if sum != 31 {
				t.Errorf("statuses sum up to %d", sum)
			}
			_, err = os.Wait(os.Getpid())
			wantErr(t, "wait for another's child", err, abi.ECHILD)
		}},
		{"orphans", func(t *testing.T, os bench.OS) {
			r, w, _ := os.Pipe()
			pid, _ := os.Fork(func(os bench.OS) int {
				os.Fork(func(os bench.OS) int {
					os.Yield()
					os.Yield()
					os.Write(w, []byte{byte(os.Getppid())})
					return 0
				})
				return 0
			})
			os.Wait(pid)
			os.Close(w)
			b := make([]byte, 1)
			if n, _ := os.Read(r, b); n != 1 || b[0] != 1 {
				t.Errorf("an orphan's parent is %d", b[0])
			}
		}},
		{"exec", func(t *testing.T, os bench.OS) {
			for _, c := range []struct {
				args []string
				want int
			}{
				{[]string{"/bin/hello"}, 0},
				{[]string{"/no/program"}, 127},
				{[]string{"/dev/null"}, 127},
				{[]string{"/bin/sh", "-c", "/bin/hello"}, 0},
				{[]string{"/bin/sh", "-c", "/no/program"}, 127},
			} {
				pid, err := os.Fork(func(os bench.OS) int { return os.Exec(c.args[0], c.args...) })
				ok(t, "fork", err)
				if status, err := os.Wait(pid); status != c.want || err != nil {
					t.Errorf("%v: status %d, %v", c.args, status, err)
				}
			}
		}},
		{"many", func(t *testing.T, os bench.OS) {
			const n = 60
			r, w, _ := os.Pipe()
			for range n {
				if _, err := os.Fork(func(os bench.OS) int {
					b := make([]byte, 1)
					os.Close(w)
					os.Read(r, b)
					return 0
				}); err != nil {
					t.Error(err)
				}
			}
			os.Close(w)
			for range n {
				_, err := os.Wait(-1)
				ok(t, "wait", err)
			}
		}},
		{"usage", func(t *testing.T, os bench.OS) {
			before := os.Rusage()
			pid, _ := os.Fork(func(os bench.OS) int { return os.Exec("/bin/hello") })
			os.Wait(pid)
			u := os.Rusage().Sub(before)
			if u.MinorFaults < 20 || u.System <= 0 {
				t.Errorf("usage of an exec: %+v", u)
			}
		}},
		{"kill", func(t *testing.T, os bench.OS) {
			r, _, _ := os.Pipe()
			pid, _ := os.Fork(func(os bench.OS) int {
				os.Read(r, make([]byte, 1))
				return 0
			})
			os.Yield()
			ok(t, "kill", os.Kill(pid, 0))
			ok(t, "kill", os.Kill(pid, 9))
			if status, err := os.Wait(pid); status != 128+9 || err != nil {
				t.Errorf("status %d, %v", status, err)
			}
			wantErr(t, "kill the dead", os.Kill(pid, 0), abi.ESRCH)
			wantErr(t, "kill with no signal", os.Kill(os.Getpid(), 99), abi.EINVAL)
		}},
	})
}

func TestSignals(t *testing.T) {
	runChecks(t, []check{
		{"catch", func(t *testing.T, os bench.OS) {
			caught := 0
			ok(t, "sigaction", os.Sigaction(bench.SIGUSR1, func(bench.Signal) { caught++ }))
			for range 10 {
				ok(t, "kill", os.Kill(os.Getpid(), bench.SIGUSR1))
			}
			if caught != 10 {
				t.Errorf("caught %d of 10", caught)
			}
			wantErr(t, "sigaction of SIGKILL", os.Sigaction(9, nil), abi.EINVAL)
		}},
		{"held back in its handler", func(t *testing.T, os bench.OS) {
			depth, most, caught := 0, 0, 0
			os.Sigaction(bench.SIGUSR1, func(s bench.Signal) {
				depth++
				caught++
				most = max(most, depth)
				if caught < 3 {
					os.Kill(os.Getpid(), s)
				}
				depth--
			})
			os.Kill(os.Getpid(), bench.SIGUSR1)
			if most != 1 || caught != 3 {
				t.Errorf("depth %d, caught %d", most, caught)
			}
		}},
		{"default ends", func(t *testing.T, os bench.OS) {
			pid, _ := os.Fork(func(os bench.OS) int {
				defer os.Getpid() // a system call while the process is torn down
				os.Kill(os.Getpid(), bench.SIGUSR1)
				return 0
			})
			if status, _ := os.Wait(pid); status != 128+10 {
				t.Errorf("status %d", status)
			}
		}},
		{"interrupts a read, which goes on", func(t *testing.T, os bench.OS) {
			r, w, _ := os.Pipe()
			done := 0
			os.Sigaction(bench.SIGCHLD, func(bench.Signal) {
				done++
				os.Write(w, []byte{7})
			})
			os.Fork(func(bench.OS) int { return 0 })
			b := make([]byte, 1)
			if n, err := os.Read(r, b); n != 1 || err != nil || b[0] != 7 || done != 1 {
				t.Errorf("read %d, %v, %d, %d handlers ran", n, err, b[0], done)
			}
			os.Wait(-1)
		}},
		{"protection fault", func(t *testing.T, os bench.OS) {
			a, err := os.Mmap(4096, bench.PROT_READ, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
			ok(t, "mmap", err)
			os.Load(a)
			faults := 0
			os.Sigaction(bench.SIGSEGV, func(bench.Signal) {
				if faults++; faults == 3 {
					ok(t, "mprotect", os.Mprotect(a, 4096, bench.PROT_READ|bench.PROT_WRITE))
				}
			})
			os.Store(a, 5)
			if faults != 3 || os.Load(a) != 5 {
				t.Errorf("%d faults, byte %d", faults, os.Load(a))
			}
		}},
		{"segmentation fault ends", func(t *testing.T, os bench.OS) {
			for _, a := range []bench.Addr{0, 0x1000, bench.Addr(abi.VirtBase), bench.Addr(abi.UserEnd)} {
				pid, _ := os.Fork(func(os bench.OS) int {
					os.Store(a, 1)
					return 0
				})
				if status, _ := os.Wait(pid); status != 128+11 {
					t.Errorf("store at %#x: status %d", uint64(a), status)
				}
			}
		}},
	})
}

func TestMemory(t *testing.T) {
	const page = abi.PageSize
	file := func(t *testing.T, os bench.OS, name string, pages int) bench.FD {
		fd, err := os.Open(name, bench.O_RDWR|bench.O_CREAT)
		ok(t, "create", err)
		b := make([]byte, page)
		for i := range pages {
			b[0] = byte(i + 1)
			os.Write(fd, b)
		}
		return fd
	}
	const rw = bench.PROT_READ | bench.PROT_WRITE
	runChecks(t, []check{
		{"anonymous memory is zero and private", func(t *testing.T, os bench.OS) {
			a, err := os.Mmap(10*page, rw, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
			ok(t, "mmap", err)
			for i := range bench.Addr(10) {
				if os.Load(a+i*page) != 0 {
					t.Error("a new page is not zero")
				}
				os.Store(a+i*page, byte(i))
			}
			pid, _ := os.Fork(func(os bench.OS) int {
				for i := range bench.Addr(10) {
					if os.Load(a+i*page) != byte(i) {
						return 1
					}
					os.Store(a+i*page, 99)
				}
				return 0
			})
			if status, _ := os.Wait(pid); status != 0 {
				t.Error("the child does not see its parent's memory")
			}
			for i := range bench.Addr(10) {
				if os.Load(a+i*page) != byte(i) {
					t.Error("the parent sees the child's write")
				}
			}
			ok(t, "munmap", os.Munmap(a, 10*page))
		}},
		{"both write after fork", func(t *testing.T, os bench.OS) {
			a, _ := os.Mmap(page, rw, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
			os.Store(a, 1)
			r, w, _ := os.Pipe()
			pid, _ := os.Fork(func(os bench.OS) int {
				os.Read(r, make([]byte, 1)) // until the parent has written
				if os.Load(a) != 1 {
					return 1
				}
				os.Store(a, 3)
				return int(os.Load(a))
			})
			os.Store(a, 2)
			os.Write(w, []byte{0})
			if status, _ := os.Wait(pid); status != 3 || os.Load(a) != 2 {
				t.Errorf("child %d, parent %d", status, os.Load(a))
			}
		}},
		{"shared anonymous memory", func(t *testing.T, os bench.OS) {
			a, _ := os.Mmap(2*page, rw, bench.MAP_SHARED|bench.MAP_ANONYMOUS, -1, 0)
			os.Store(a, 1)
			pid, _ := os.Fork(func(os bench.OS) int {
				os.Store(a+page, os.Load(a)+1)
				return 0
			})
			os.Wait(pid)
			if os.Load(a+page) != 2 {
				t.Error("a shared page is not shared")
			}
		}},
		{"shared file", func(t *testing.T, os bench.OS) {
			fd := file(t, os, "/tmp/shared", 4)
			a, err := os.Mmap(4*page, rw, bench.MAP_SHARED, fd, 0)
			ok(t, "mmap", err)
			if os.Load(a+2*page) != 3 {
				t.Errorf("third page holds %d", os.Load(a+2*page))
			}
			os.Store(a+page, 42)
			ok(t, "msync", os.Msync(a, 4*page))
			other, _ := os.Open("/tmp/shared", bench.O_RDONLY)
			b := make([]byte, page+1)
			os.Read(other, b)
			if b[page] != 42 {
				t.Errorf("the file holds %d", b[page])
			}
			os.Munmap(a, 4*page)
			wantErr(t, "msync of nothing", os.Msync(a, page), abi.ENOMEM)
			os.Unlink("/tmp/shared")
		}},
		{"private file", func(t *testing.T, os bench.OS) {
			fd := file(t, os, "/tmp/private", 2)
			a, _ := os.Mmap(2*page, rw, bench.MAP_PRIVATE, fd, 0)
			b, _ := os.Mmap(2*page, bench.PROT_READ, bench.MAP_SHARED, fd, 0)
			os.Load(a)
			os.Store(a, 9)      // after a read
			os.Store(a+page, 9) // at once
			if os.Load(b) != 1 || os.Load(b+page) != 2 || os.Load(a) != 9 {
				t.Errorf("file %d %d, copy %d", os.Load(b), os.Load(b+page), os.Load(a))
			}
			os.Unlink("/tmp/private")
		}},
		{"end of file", func(t *testing.T, os bench.OS) {
			fd := file(t, os, "/tmp/short", 3)
			a, _ := os.Mmap(3*page, bench.PROT_READ, bench.MAP_SHARED, fd, 0)
			os.Load(a + 2*page)
			os.Ftruncate(fd, page)
			pid, _ := os.Fork(func(os bench.OS) int { return int(os.Load(a + 2*page)) })
			if status, _ := os.Wait(pid); status != 128+7 {
				t.Errorf("access beyond the end of the file: status %d", status)
			}
			if os.Load(a) != 1 {
				t.Error("the first page is gone")
			}
			os.Unlink("/tmp/short")
		}},
		{"unmap a part", func(t *testing.T, os bench.OS) {
			a, _ := os.Mmap(9*page, rw, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
			for i := range bench.Addr(9) {
				os.Store(a+i*page, byte(i+1))
			}
			ok(t, "munmap", os.Munmap(a+3*page, 3*page))
			if os.Load(a+2*page) != 3 || os.Load(a+6*page) != 7 {
				t.Error("memory beside the hole has changed")
			}
			pid, _ := os.Fork(func(os bench.OS) int { return int(os.Load(a + 4*page)) })
			if status, _ := os.Wait(pid); status != 128+11 {
				t.Errorf("access to the hole: status %d", status)
			}
			b, _ := os.Mmap(3*page, rw, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
			if b != a+3*page || os.Load(b) != 0 {
				t.Errorf("the hole at %#x is not used again: %#x", uint64(a+3*page), uint64(b))
			}
			ok(t, "munmap of nothing", os.Munmap(a+100*page, page))
			wantErr(t, "munmap of half a page", os.Munmap(a+1, page), abi.EINVAL)
			wantErr(t, "munmap of no page", os.Munmap(a, 0), abi.EINVAL)
		}},
		{"mprotect", func(t *testing.T, os bench.OS) {
			a, _ := os.Mmap(4*page, rw, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
			for i := range bench.Addr(4) {
				os.Store(a+i*page, 5)
			}
			ok(t, "mprotect", os.Mprotect(a+page, 2*page, 0))
			ok(t, "mprotect", os.Mprotect(a+2*page, page, bench.PROT_READ))
			faults := 0
			os.Sigaction(bench.SIGSEGV, func(bench.Signal) {
				faults++
				os.Mprotect(a, 4*page, rw)
			})
			if os.Load(a) != 5 || os.Load(a+2*page) != 5 || faults != 0 {
				t.Errorf("%d faults where none is due", faults)
			}
			if os.Load(a+page) != 5 || faults != 1 {
				t.Errorf("%d faults, byte %d", faults, os.Load(a+page))
			}
			os.Store(a+2*page, 6)
			if faults != 1 || os.Load(a+2*page) != 6 {
				t.Error("the right to write has not come back")
			}
			wantErr(t, "mprotect of nothing", os.Mprotect(a, 100*page, rw), abi.ENOMEM)
		}},
		{"mmap errors", func(t *testing.T, os bench.OS) {
			ro, _ := os.Open("/bin/hello", bench.O_RDONLY)
			dir, _ := os.Open("/tmp", bench.O_RDONLY)
			null, _ := os.Open("/dev/null", bench.O_RDWR)
			for _, c := range []struct {
				length, prot, flags int
				fd                  bench.FD
				offset              int64
				want                abi.Errno
			}{
				{0, rw, bench.MAP_PRIVATE | bench.MAP_ANONYMOUS, -1, 0, abi.EINVAL},
				{page, rw, bench.MAP_ANONYMOUS, -1, 0, abi.EINVAL},
				{page, rw, bench.MAP_SHARED | bench.MAP_PRIVATE, ro, 0, abi.EINVAL},
				{page, rw, bench.MAP_SHARED, ro, 0, abi.EACCES},
				{page, rw, bench.MAP_PRIVATE, 99, 0, abi.EBADF},
				{page, rw, bench.MAP_PRIVATE, ro, 1, abi.EINVAL},
				{page, bench.PROT_READ, bench.MAP_PRIVATE, dir, 0, abi.EACCES},
				{page, rw, bench.MAP_PRIVATE, null, 0, abi.ENODEV},
			} {
				_, err := os.Mmap(c.length, c.prot, c.flags, c.fd, c.offset)
				wantErr(t, fmt.Sprintf("mmap %+v", c), err, c.want)
			}
			zero, _ := os.Open("/dev/zero", bench.O_RDWR)
			a, err := os.Mmap(page, rw, bench.MAP_PRIVATE, zero, 0)
			if err != nil || os.Load(a) != 0 {
				t.Errorf("mmap /dev/zero: %v", err)
			}
		}},
		{"a page is the memory that loads see", func(t *testing.T, os bench.OS) {
			a, _ := os.Mmap(2*page, rw, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
			p := os.Page(a+100, true)
			if len(p) != page-100 {
				t.Errorf("page of %d bytes", len(p))
			}
			p[5] = 77
			if os.Load(a+105) != 77 {
				t.Error("a write through Page is lost")
			}
		}},
		{"memory runs out", func(t *testing.T, os bench.OS) {
			pid, _ := os.Fork(func(os bench.OS) int {
				a, err := os.Mmap(64<<20, rw, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
				if err != nil {
					return 1
				}
				for i := bench.Addr(0); i < 64<<20; i += page {
					os.Store(a+i, 1)
				}
				return 0
			})
			if status, _ := os.Wait(pid); status != 128+9 {
				t.Errorf("status %d", status)
			}
		}},
	})
}

// TestFacilities: the kernel has what hv/model/host says of it, and no more.
func TestFacilities(t *testing.T) {
	var os bench.OS = (*guest.Process)(nil)
	for _, f := range []bench.Facility{bench.Seeking, bench.FIFOs, bench.Locking, bench.Semaphores, bench.Sleeping, bench.Networking, bench.Disks} {
		if got, want := bench.Has(os, f), f == bench.Seeking; got != want {
			t.Errorf("%s: %v, want %v", f, got, want)
		}
	}
}
