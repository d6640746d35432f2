// Command dist makes what a release of xsmbench consists of: a Debian package
// and a tarball, with the checksums of both.
//
// It is a module of its own. The packager that it takes brings many others,
// and nobody who builds or tests xsmbench should fetch and check those.
//
// What it makes depends on the commit and on Go's version alone: the program is
// built without paths of this machine, and all files bear the commit's time.
package main

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o options
	flag.StringVar(&o.root, "root", "..", "root of xsmbench's `tree`")
	flag.StringVar(&o.out, "o", "../bin/dist", "`directory` to write")
	flag.StringVar(&o.arch, "arch", runtime.GOARCH, "architecture, as a `GOARCH`")
	flag.StringVar(&o.maintainer, "maintainer", "The xsmbench authors <authors@xsmbench.invalid>", "the package's maintainer, `name <address>`")
	flag.Parse()
	made, err := o.run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
	for _, path := range made {
		fmt.Println(path)
	}
}

type options struct{ root, out, arch, maintainer string }

// run makes all files and returns their names.
func (o options) run(ctx context.Context) ([]string, error) {
	work, err := os.MkdirTemp("", "xsmbench-dist-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	c, err := stage(ctx, o.root, o.arch, work)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.out, 0o777); err != nil {
		return nil, err
	}
	deb := filepath.Join(o.out, fmt.Sprintf("xsmbench_%s_%s.deb", c.version, debArch(c.arch)))
	tarball := filepath.Join(o.out, c.name()+".tar.gz")
	if err := c.writeDeb(deb, o.maintainer); err != nil {
		return nil, fmt.Errorf("write %s: %w", deb, err)
	}
	if err := c.writeTarball(tarball); err != nil {
		return nil, fmt.Errorf("write %s: %w", tarball, err)
	}
	sums := filepath.Join(o.out, "SHA256SUMS")
	return []string{deb, tarball, sums}, writeSums(sums, deb, tarball)
}

// writeSums writes checksums in the form that sha256sum checks.
func writeSums(to string, paths ...string) error {
	var text []byte
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text = fmt.Appendf(text, "%x  %s\n", sha256.Sum256(content), filepath.Base(path))
	}
	return os.WriteFile(to, text, 0o666)
}
