package depot

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// openS3 is a bucket of an S3 server: a web server whose requests are signed. Of
// AWS's libraries it takes the signer alone: three kinds of request need no more, and
// the client for all of S3 takes several times as long to compile.
//
// The server, the region and the credentials are those of AWS's environment
// variables. Without credentials requests are not signed, as public buckets take
// them.
func openS3(u *url.URL) (*web, error) {
	where := "s3://" + u.Host + u.Path
	if u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%s names no bucket: give s3://BUCKET/PREFIX, and the credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", where)
	}
	env := awsEnvironment()
	base, err := env.bucket(u.Host)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	w := &web{base: base.JoinPath(u.Path), client: newClient(), name: where}
	// What it points to is signed for another server, or in another region.
	w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.sign, err = env.signer()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	return w, nil
}

// account is what AWS's environment variables say.
type account struct {
	endpoint, region   string
	id, secret, ticket string
}

func awsEnvironment() account {
	return account{
		endpoint: cmp.Or(os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL")),
		region:   cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), "us-east-1"),
		id:       os.Getenv("AWS_ACCESS_KEY_ID"), secret: os.Getenv("AWS_SECRET_ACCESS_KEY"), ticket: os.Getenv("AWS_SESSION_TOKEN"),
	}
}

// bucket is a bucket's URL. Servers of others than AWS have their buckets below one
// name, and so has a bucket with dots, for which AWS has no certificate.
func (a account) bucket(name string) (*url.URL, error) {
	if a.endpoint == "" {
		host := "s3." + a.region + ".amazonaws.com"
		if strings.Contains(name, ".") {
			return &url.URL{Scheme: "https", Host: host, Path: "/" + name}, nil
		}
		return &url.URL{Scheme: "https", Host: name + "." + host}, nil
	}
	u, err := url.Parse(a.endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL is not http://HOST or https://HOST")
	}
	return u.JoinPath(name), nil
}

// signer signs requests, nil for somebody without an account.
func (a account) signer() (func(*http.Request) error, error) {
	switch {
	case a.id == "" && a.secret == "":
		return nil, nil
	case a.id == "":
		return nil, errors.New("AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not")
	case a.secret == "":
		return nil, errors.New("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not")
	}
	s := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }) // S3's way
	who := aws.Credentials{AccessKeyID: a.id, SecretAccessKey: a.secret, SessionToken: a.ticket}
	return func(r *http.Request) error {
		digest, err := bodyDigest(r)
		if err != nil {
			return err
		}
		r.Header.Set("X-Amz-Content-Sha256", digest)
		return s.SignHTTP(context.WithoutCancel(r.Context()), who, r, digest, "s3", a.region, time.Now())
	}, nil
}

// bodyDigest hashes a request's body, which the server then compares with what it
// got.
func bodyDigest(r *http.Request) (string, error) {
	h := sha256.New()
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return "", err
		}
		if _, err := io.Copy(h, body); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
