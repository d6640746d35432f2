// Package depot is where archives of the store's entries lie for other machines:
// a folder that they all see, a web server, or a bucket of an S3 server. All three
// are the same to the store (store.Depot).
package depot

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"xsmbench/hv/store"
)

// Forms are the URLs that Open knows, for words to the user.
const Forms = "file:///FOLDER, http://HOST/PATH, https://HOST/PATH or s3://BUCKET/PREFIX"

// Open is the depot that a URL names. Nothing is asked of it yet. The words of the
// error have no credentials in them.
func Open(raw string) (store.Depot, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("it is no URL: give %s", Forms) // the cause shows it whole
	}
	switch u.Scheme {
	case "file":
		return openFolder(u)
	case "http", "https":
		return openWeb(u)
	case "s3":
		return openS3(u)
	}
	if filepath.IsAbs(raw) {
		return nil, fmt.Errorf("%s is no URL: give file://%[1]s", raw)
	}
	return nil, fmt.Errorf("%s is not the URL of a shared store: give %s", Shown(raw), Forms)
}

// Shown is a URL without what could be a credential: user, password, query and
// fragment. What is no URL is not shown at all.
func Shown(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" || u.Opaque != "" {
		return "(not a URL)"
	}
	return shown(u)
}

func shown(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

// redacted are the words of a cause without the URL that net/http and net/url put
// before them, with user, query and all.
func redacted(err error) error {
	for {
		var u *url.Error
		if !errors.As(err, &u) {
			return err
		}
		err = u.Err
	}
}
