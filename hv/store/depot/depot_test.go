package depot

import (
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	for _, v := range []string{"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(v, "")
	}
	for raw, want := range map[string]string{
		"file:///srv/store":                             "file:///srv/store",
		"file:///srv/a b/":                              "file:///srv/a%20b",
		"file://localhost/store":                        "file:///store",
		"https://user:hush@host:8443/a/b?sig=hush#hush": "https://host:8443/a/b",
		"http://host":                                   "http://host",
		"https://host/group%2Fproject/store":            "https://host/group%2Fproject/store",
		"s3://bucket":                                   "s3://bucket",
		"s3://bucket/some/prefix":                       "s3://bucket/some/prefix",
	} {
		d, err := Open(raw)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
		} else if d.String() != want {
			t.Errorf("%s is shown as %s", raw, d)
		}
	}
	for raw, want := range map[string]string{
		"":                            "is not the URL of a shared store",
		"/srv/store":                  "give file:///srv/store",
		"srv/store":                   "is not the URL of a shared store",
		"file://host/store":           "names no folder",
		"file:store":                  "names no folder",
		"file:///store?x=hush":        "names no folder",
		"ftp://user:hush@host/":       "ftp://host/ is not the URL of a shared store",
		"https:///hush":               "names no server",
		"https://us er:hush@host":     "it is no URL",
		"https://host/%zz?token=hush": "it is no URL",
		"s3://user:hush@bucket":       "AWS_SECRET_ACCESS_KEY",
		"s3://bucket?secret=hush":     "names no bucket",
		"s3:///prefix":                "names no bucket",
	} {
		_, err := Open(raw)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", raw, err, want)
		} else if strings.Contains(strings.ReplaceAll(err.Error(), "https:///hush", ""), "hush") {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestShown(t *testing.T) {
	for raw, want := range map[string]string{
		"https://user:hush@host/a?b=hush#hush": "https://host/a",
		"https://token@host":                   "https://host",
		"file:///srv/store":                    "file:///srv/store",
		"user:hush@host/path":                  "(not a URL)",
		"hush":                                 "(not a URL)",
		"https://host/%zz?hush":                "(not a URL)",
		"":                                     "(not a URL)",
	} {
		if got := Shown(raw); got != want {
			t.Errorf("%s is shown as %s, want %s", raw, got, want)
		}
	}
}
