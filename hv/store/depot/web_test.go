package depot

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"xsmbench/hv/store"
)

// files of a web server that takes PUT.
type webFiles struct {
	mu  sync.Mutex
	has map[string][]byte
}

func (f *webFiles) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body) // before the lock: others go on
	f.mu.Lock()
	defer f.mu.Unlock()
	data, ok := f.has[r.URL.Path]
	switch {
	case r.Method == http.MethodPut && err == nil && int64(len(body)) == r.ContentLength:
		if f.has == nil {
			f.has = map[string][]byte{}
		}
		f.has[r.URL.Path] = body
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodPut:
		http.Error(w, "the body is cut off", http.StatusBadRequest)
	case !ok:
		http.NotFound(w, r)
	default:
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		_, _ = w.Write(data)
	}
}

func serve(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func TestWeb(t *testing.T) {
	f := &webFiles{}
	s := serve(t, f)
	serves(t, open(t, s.URL+"/some/folder/"))
	if _, ok := f.has["/some/folder/"+name]; !ok {
		t.Errorf("it lies elsewhere: %v", len(f.has))
	}
}

// User, password and query go with each request, and to no other server.
func TestWebCredentials(t *testing.T) {
	var elsewhere []string
	other := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		elsewhere = append(elsewhere, r.Header.Get("Authorization")+r.Header.Get("Referer")+r.URL.RawQuery)
	}))
	f := &webFiles{}
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "user" || password != "hush" || r.URL.Query().Get("sig") != "hush" {
			t.Errorf("%s by %q, %q, %q", r.Method, user, password, r.URL.RawQuery)
		}
		if strings.HasSuffix(r.URL.Path, "/elsewhere") {
			http.Redirect(w, r, other.URL, http.StatusFound)
			return
		}
		f.ServeHTTP(w, r)
	}))
	d := open(t, strings.Replace(s.URL, "//", "//user:hush@", 1)+"/x?sig=hush")
	serves(t, d)
	if _, err := archive(t, d, "elsewhere"); err != nil {
		t.Error(err)
	}
	if len(elsewhere) != 1 || elsewhere[0] != "" {
		t.Errorf("the other server was told %q", elsewhere)
	}
}

func TestWebAnswers(t *testing.T) {
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	passes := func(err error) bool { var temporary *store.TemporaryError; return errors.As(err, &temporary) }
	lasts := func(err error) bool {
		return err != nil && !passes(err) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission)
	}
	none := func(err error) bool { return err == nil }
	for _, c := range []struct {
		code           int
		get, head, put func(error) bool
	}{
		{404, is(fs.ErrNotExist), none, is(fs.ErrNotExist)},
		{410, is(fs.ErrNotExist), none, is(fs.ErrNotExist)},
		{401, is(fs.ErrPermission), is(fs.ErrPermission), is(fs.ErrPermission)},
		{403, is(fs.ErrPermission), is(fs.ErrPermission), is(fs.ErrPermission)},
		{405, lasts, none, is(fs.ErrPermission)},
		{501, lasts, none, is(fs.ErrPermission)},
		{400, lasts, lasts, lasts},
		{409, lasts, lasts, lasts},
		{413, lasts, lasts, lasts},
		{429, passes, passes, passes},
		{500, passes, passes, passes},
		{503, passes, passes, passes},
		{507, passes, passes, passes},
		{304, lasts, lasts, lasts},
	} {
		s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(c.code) }))
		d := open(t, strings.Replace(s.URL, "//", "//hush:hush@", 1)+"/?hush=hush")
		_, get := d.Get(t.Context(), name)
		has, head := d.Has(t.Context(), name)
		put := put(t, d, name, "text")
		if !c.get(get) || !c.head(head) || !c.put(put) || has {
			t.Errorf("%d: get %v; head %v, %v; put %v", c.code, get, has, head, put)
		}
		for _, err := range []error{get, head, put} {
			if err != nil && (strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), fmt.Sprint(c.code))) {
				t.Errorf("%d: said as %q", c.code, err)
			}
		}
	}
}

// A server that is gone, or that breaks off, is one to ask again; what it is
// called by is not said.
func TestWebGone(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "ten bytes.")
	}))
	d := open(t, strings.Replace(s.URL, "//", "//hush:hush@", 1)+"/?hush=hush")
	if text, err := archive(t, d, name); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("it broke off: %q, %v", text, err)
	}
	s.Close()
	_, get := d.Get(t.Context(), name)
	_, head := d.Has(t.Context(), name)
	for _, err := range []error{get, head, put(t, d, name, "text")} {
		var temporary *store.TemporaryError
		if !errors.As(err, &temporary) || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "refused") {
			t.Errorf("it is gone: %v", err)
		}
	}
	round := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/again?hush=hush", http.StatusFound)
	}))
	if _, err := archive(t, open(t, round.URL), name); err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "from one URL to the next") {
		t.Errorf("round and round: %v", err)
	}
}

// A server that does not want a body is not sent it.
func TestWebInvites(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Expect") != "100-continue" {
			t.Error("the body comes uninvited")
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	read := &counted{Reader: strings.NewReader(strings.Repeat("x", 16<<20))}
	if err := open(t, s.URL).Put(t.Context(), name, read, 16<<20); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	if n := read.n.Load(); n > 1<<20 {
		t.Errorf("%d bytes were sent", n)
	}
}

type counted struct {
	*strings.Reader
	n atomic.Int64
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.Reader.ReadAt(p, at)
	c.n.Add(int64(n))
	return n, err
}
