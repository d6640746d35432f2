package depot

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// The account of AWS's own examples.
const (
	accountID = "AKIAIOSFODNN7EXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

func hmacOf(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func sha(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

var authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$`)

// signature says what is wrong with a request's signature, version 4, as the
// manual of S3's interface has it ("Authenticating Requests: Using the
// Authorization Header"), "" if nothing is.
func signature(r *http.Request, body []byte, region string) string {
	part := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	switch {
	case part == nil:
		return "AccessDenied"
	case part[1] != accountID || part[3] != region:
		return "InvalidAccessKeyId"
	case r.Header.Get("X-Amz-Content-Sha256") != sha(body):
		return "XAmzContentSHA256Mismatch"
	}
	var canonical strings.Builder
	fmt.Fprintf(&canonical, "%s\n%s\n%s\n", r.Method, r.URL.EscapedPath(), r.URL.RawQuery)
	for _, name := range strings.Split(part[4], ";") {
		value := r.Header.Get(name)
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = fmt.Sprint(r.ContentLength)
		}
		fmt.Fprintf(&canonical, "%s:%s\n", name, strings.TrimSpace(value))
	}
	fmt.Fprintf(&canonical, "\n%s\n%s", part[4], r.Header.Get("X-Amz-Content-Sha256"))
	toSign := fmt.Sprintf("AWS4-HMAC-SHA256\n%s\n%s/%s/s3/aws4_request\n%s", r.Header.Get("X-Amz-Date"), part[2], part[3], sha([]byte(canonical.String())))
	key := hmacOf(hmacOf(hmacOf(hmacOf([]byte("AWS4"+secretKey), part[2]), part[3]), "s3"), "aws4_request")
	if hex.EncodeToString(hmacOf(key, toSign)) != part[5] {
		return "SignatureDoesNotMatch"
	}
	return ""
}

// TestSignature holds the fake server's check against the example in the manual.
func TestSignature(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "https://examplebucket.s3.amazonaws.com/test.txt", nil)
	for name, value := range map[string]string{
		"Range": "bytes=0-9", "X-Amz-Date": "20130524T000000Z", "X-Amz-Content-Sha256": sha(nil),
		"Authorization": "AWS4-HMAC-SHA256 Credential=" + accountID + "/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
	} {
		r.Header.Set(name, value)
	}
	if wrong := signature(r, nil, "us-east-1"); wrong != "" {
		t.Error(wrong)
	}
	r.Header.Set("Range", "bytes=0-8")
	if wrong := signature(r, nil, "us-east-1"); wrong != "SignatureDoesNotMatch" {
		t.Errorf("another request: %q", wrong)
	}
}

// s3Server gives and takes only what is signed.
type s3Server struct {
	webFiles
	region string
	refuse string // a code for every request
}

func (s *s3Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	wrong := signature(r, body, s.region)
	if s.refuse != "" {
		wrong = s.refuse
	}
	if wrong != "" {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message><AWSAccessKeyId>%s</AWSAccessKeyId></Error>", wrong, accountID)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.webFiles.ServeHTTP(w, r)
}

func setAccount(t *testing.T, endpoint, id, secret string) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_S3": endpoint, "AWS_ENDPOINT_URL": "http://192.0.2.1", "AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-north-1",
		"AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": "",
	} {
		t.Setenv(name, value)
	}
}

func TestS3(t *testing.T) {
	f := &s3Server{region: "eu-north-1"}
	s := serve(t, f)
	setAccount(t, s.URL, accountID, secretKey)
	serves(t, open(t, "s3://bucket/pre fix/ü"))
	if _, ok := f.has["/bucket/pre fix/ü/"+name]; !ok {
		t.Errorf("it lies elsewhere: %d files", len(f.has))
	}
}

// A server says in a word what is wrong; the account is not in what is said here.
func TestS3Refused(t *testing.T) {
	f := &s3Server{region: "eu-north-1"}
	s := serve(t, f)
	check := func(d error, word string) {
		t.Helper()
		if !errors.Is(d, fs.ErrPermission) || !strings.Contains(d.Error(), word) || strings.Contains(d.Error(), accountID) {
			t.Errorf("%v, want %s", d, word)
		}
	}
	setAccount(t, s.URL, accountID, "another")
	_, err := archive(t, open(t, "s3://bucket"), name)
	check(err, "403 Forbidden (SignatureDoesNotMatch)")
	check(put(t, open(t, "s3://bucket"), name, "x"), "403 Forbidden (SignatureDoesNotMatch)")
	setAccount(t, s.URL, "", "")
	_, err = archive(t, open(t, "s3://bucket"), name)
	check(err, "(AccessDenied)")
	setAccount(t, s.URL, accountID, secretKey)
	f.refuse = "RequestTimeTooSkewed"
	_, err = archive(t, open(t, "s3://bucket"), name)
	check(err, "(RequestTimeTooSkewed)")
}

// A session's token goes with the request, signed.
func TestS3Session(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Security-Token") != "ticket" || !strings.Contains(r.Header.Get("Authorization"), "x-amz-security-token") {
			t.Errorf("headers: %v", r.Header)
		}
	}))
	setAccount(t, s.URL, accountID, secretKey)
	t.Setenv("AWS_SESSION_TOKEN", "ticket")
	if _, err := archive(t, open(t, "s3://bucket"), name); err != nil {
		t.Error(err)
	}
}

func TestS3Account(t *testing.T) {
	for _, c := range []struct{ endpoint, id, secret, want string }{
		{"", "id", "", "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not"},
		{"", "", "hush", "AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not"},
		{"http://hush@host", "", "", "is not http://HOST"},
		{"host:9000", "", "", "is not http://HOST"},
	} {
		setAccount(t, c.endpoint, c.id, c.secret)
		if c.endpoint == "" {
			t.Setenv("AWS_ENDPOINT_URL", "")
		}
		_, err := Open("s3://bucket/prefix")
		if err == nil || !strings.HasPrefix(err.Error(), "s3://bucket/prefix: ") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%+v: %v", c, err)
		}
	}
	t.Setenv("AWS_REGION", "ap-east-1")
	for bucket, want := range map[string]string{
		"bucket": "https://bucket.s3.ap-east-1.amazonaws.com", "a.b": "https://s3.ap-east-1.amazonaws.com/a.b",
	} {
		if u, err := (account{region: "ap-east-1"}).bucket(bucket); err != nil || u.String() != want {
			t.Errorf("%s: %v, %v", bucket, u, err)
		}
	}
}
