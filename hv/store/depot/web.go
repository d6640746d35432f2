package depot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"xsmbench/hv/store"
)

// web is a server that gives files by GET and HEAD and takes them by PUT, or
// takes none. What the URL has of a user, a password and a query goes with each
// request.
type web struct {
	base   *url.URL
	name   string // for words
	client *http.Client
	// sign makes a request that of an account; nil: the URL says all.
	sign func(*http.Request) error
}

func openWeb(u *url.URL) (*web, error) {
	if u.Host == "" || u.Opaque != "" {
		return nil, fmt.Errorf("%s names no server: give %s://HOST/PATH", shown(u), u.Scheme)
	}
	return &web{base: u, name: shown(u), client: newClient()}, nil
}

// Times after which a server is taken for dead. Before its answer and while
// bytes flow, the store watches it.
const (
	toConnect   = 5 * time.Second
	toBeInvited = 2 * time.Second // to send a body; it is sent then, invited or not
)

func newClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: toConnect}).DialContext
	t.TLSHandshakeTimeout = toConnect
	t.ExpectContinueTimeout = toBeInvited
	t.DisableCompression = true // archives are
	return &http.Client{Transport: t, CheckRedirect: follow}
}

// follow follows a server that has its files elsewhere, and does not tell that
// other server by which URL it was asked: that may have a token in its query.
func follow(r *http.Request, before []*http.Request) error {
	r.Header.Del("Referer")
	if len(before) >= 5 {
		return errors.New("it sends from one URL to the next")
	}
	return nil
}

// String is the server's URL without user and query.
func (w *web) String() string { return w.name }

// Get asks for an archive.
func (w *web) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	r, err := w.do(ctx, http.MethodGet, name, nil, 0)
	if err != nil {
		return nil, err
	}
	return r.Body, nil
}

// Has asks whether an archive is there. A server that does not know the question
// does not say that it is.
func (w *web) Has(ctx context.Context, name string) (bool, error) {
	r, err := w.do(ctx, http.MethodHead, name, nil, 0)
	var status *statusError
	switch {
	case err == nil:
		return true, r.Body.Close()
	case errors.Is(err, fs.ErrNotExist), errors.As(err, &status) && status.unknown():
		return false, nil
	}
	return false, err
}

// Put sends an archive.
func (w *web) Put(ctx context.Context, name string, archive io.ReaderAt, size int64) error {
	r, err := w.do(ctx, http.MethodPut, name, archive, size)
	var status *statusError
	switch {
	case err == nil:
		return r.Body.Close()
	case errors.As(err, &status) && status.unknown():
		return &kindOfError{fs.ErrPermission, err}
	}
	return err
}

// do sends a request, whose answer must be good.
func (w *web) do(ctx context.Context, method, name string, body io.ReaderAt, size int64) (*http.Response, error) {
	q, err := http.NewRequestWithContext(ctx, method, w.base.JoinPath(name).String(), nil)
	if err != nil {
		return nil, redacted(err)
	}
	if body != nil {
		q.ContentLength = size
		q.GetBody = func() (io.ReadCloser, error) { // again if redirected, or if the connection was closed
			return io.NopCloser(io.NewSectionReader(body, 0, size)), nil
		}
		if q.Body, _ = q.GetBody(); size == 0 {
			q.Body = http.NoBody // a length of 0 would be an unknown one
		}
		q.Header.Set("Expect", "100-continue")
		q.Header.Set("Content-Type", "application/zstd")
	}
	if w.sign != nil {
		if err := w.sign(q); err != nil {
			return nil, err
		}
	}
	r, err := w.client.Do(q)
	if err != nil {
		return nil, &store.TemporaryError{Err: redacted(err)}
	}
	if r.StatusCode/100 == 2 {
		return r, nil
	}
	said, _ := io.ReadAll(io.LimitReader(r.Body, 64<<10)) // so that the connection serves again
	r.Body.Close()
	return nil, statusOf(method, r, said)
}

// statusError is an answer that says no.
type statusError struct {
	method, text string
	code         int
}

// Error is the answer's first line.
func (e *statusError) Error() string {
	return fmt.Sprintf("the server answers %s with %s", e.method, e.text)
}

// unknown says that the server does not do what it was asked for.
func (e *statusError) unknown() bool {
	return e.code == http.StatusMethodNotAllowed || e.code == http.StatusNotImplemented
}

// s3Code is S3's word for what is wrong, in the body of its answer. The rest of
// the body may have the account's name in it.
var s3Code = regexp.MustCompile(`<Code>([A-Za-z0-9.]{1,60})</Code>`)

// statusOf tells answers apart as depots do.
func statusOf(method string, r *http.Response, said []byte) error {
	text := strings.TrimSpace(fmt.Sprintf("%d %s", r.StatusCode, http.StatusText(r.StatusCode)))
	if word := s3Code.FindSubmatch(said); word != nil {
		text += " (" + string(word[1]) + ")"
	}
	err := &statusError{method, text, r.StatusCode}
	switch code := r.StatusCode; {
	case code == http.StatusNotFound || code == http.StatusGone:
		return &kindOfError{fs.ErrNotExist, err}
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return &kindOfError{fs.ErrPermission, err}
	case err.unknown():
		return err
	case code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= 500:
		return &store.TemporaryError{Err: err}
	}
	return err
}

// kindOfError is an error that is also one of those that depots tell apart.
type kindOfError struct{ kind, err error }

func (e *kindOfError) Error() string   { return e.err.Error() }
func (e *kindOfError) Unwrap() []error { return []error{e.kind, e.err} }
