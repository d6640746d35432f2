package lmbench

import (
	"bytes"
	"fmt"

	"xsmbench/bench"
)

// page is what lat_http's server serves, pageSize its bytes: lmbench's list of
// pages has files from 1 to 40 KiB.
const (
	page     = "/tmp/lmbench-page.html"
	pageSize = 10 << 10
	// mapsBetter is the length from which on lmbench's server maps a file.
	mapsBetter = 4 << 10
)

// What client and server say.
var (
	httpRequest = []byte("GET /lmbench-page.html HTTP/1.0\r\n\r\n\n")
	httpHeader  = []byte("HTTP/1.0 200 OK\r\nServer: lmbench-compatible\r\nContent-Type: text/html\r\n\r\n")
)

// registerHTTP registers lat_http.
func registerHTTP() {
	register(bench.Benchmark{
		Name: "lat_http/size=10k", Source: "lat_http localhost, one page", Full: true,
		Doc:   "connect to another process, ask it for a page of 10 KiB by HTTP/1.0, read it to its end and close",
		Needs: []bench.Facility{bench.Networking},
		Hooks: sendEvent,
		Setup: func(d bench.Domain) (bench.Loop, func(), error) { return fetchPages(d.OS()) },
	})
}

func fetchPages(os bench.OS) (bench.Loop, func(), error) {
	s, err := socketsOf(os)
	if err != nil {
		return nil, nil, err
	}
	if err := makeFile(os, page, pageSize); err != nil {
		return nil, nil, err
	}
	server, at, err := listen(os, bench.TCP, "", asItIs)
	if err != nil {
		os.Unlink(page)
		return nil, nil, err
	}
	stop, err := serve(os, server, func(os bench.OS) int { return servePages(os, server) })
	if err != nil {
		os.Unlink(page)
		return nil, nil, err
	}
	buf := make([]byte, transfer)
	loop := func(n int64) error {
		for ; n > 0; n-- {
			if err := fetchPage(os, s, at, buf); err != nil {
				return err
			}
		}
		return nil
	}
	return loop, func() { stop(); os.Unlink(page) }, nil
}

// fetchPage is one transaction; the answer must be whole.
func fetchPage(os bench.OS, s bench.Sockets, at bench.SocketAddr, buf []byte) error {
	fd, err := s.Socket(bench.TCP)
	if err != nil {
		return fmt.Errorf("open socket: %w", err)
	}
	defer os.Close(fd)
	if err := s.Reuse(fd); err != nil {
		return fmt.Errorf("set option of socket: %w", err)
	}
	if err := s.Connect(fd, bench.TCP, at); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if k, err := os.Write(fd, httpRequest); k != len(httpRequest) {
		return fmt.Errorf("send request: %d bytes: %w", k, cause(err))
	}
	got := 0
	for {
		k, err := os.Read(fd, buf)
		if err != nil {
			return fmt.Errorf("read page: %w", err)
		}
		if k == 0 {
			break
		}
		if got += k; got == k && !bytes.HasPrefix(buf[:k], httpHeader[:12]) {
			return fmt.Errorf("read page: the answer begins with %q", buf[:min(k, 12)])
		}
	}
	if want := len(httpHeader) + pageSize; got != want {
		return fmt.Errorf("read page: %d of %d bytes", got, want)
	}
	return nil
}

// servePages answers one request of each connection.
func servePages(os bench.OS, server bench.FD) int {
	s, err := socketsOf(os)
	if err != nil {
		return 1
	}
	buf := make([]byte, transfer)
	for {
		fd, err := s.Accept(server)
		if err != nil {
			return 0
		}
		s.Reuse(fd)
		if k, err := os.Read(fd, buf); err == nil && bytes.HasPrefix(buf[:k], httpRequest[:5]) {
			sendPage(os, fd, buf)
		}
		os.Close(fd)
	}
}

// sendPage sends the file; a client that is gone finds out by itself.
func sendPage(os bench.OS, fd bench.FD, buf []byte) {
	file, err := os.Open(page, bench.O_RDONLY)
	if err != nil {
		return
	}
	defer os.Close(file)
	var st bench.Stat
	if os.Fstat(file, &st) != nil {
		return
	}
	if _, err := os.Write(fd, httpHeader); err != nil {
		return
	}
	if st.Size > mapsBetter {
		sendMapped(os, fd, file, int(st.Size))
		return
	}
	for {
		k, err := os.Read(file, buf)
		if k <= 0 || err != nil {
			return
		}
		if _, err := os.Write(fd, buf[:k]); err != nil {
			return
		}
	}
}

// sendMapped sends a file from a mapping of it, as lmhttp.c's mmap_rdwr does.
func sendMapped(os bench.OS, fd, file bench.FD, size int) {
	at, err := os.Mmap(size, bench.PROT_READ, bench.MAP_SHARED, file, 0)
	if err != nil {
		return
	}
	defer os.Munmap(at, size)
	if whole, ok := os.(bench.Spanner); ok {
		os.Write(fd, whole.Span(at, size))
		return
	}
	for done := 0; done < size; {
		b := os.Page(at+bench.Addr(done), false)
		b = b[:min(len(b), size-done)]
		if k, err := os.Write(fd, b); k <= 0 || err != nil {
			return
		}
		done += len(b)
	}
}
