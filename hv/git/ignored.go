package git

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"

	"xsmbench/hv/child"
)

// Ignored are those of the paths that the repository around a directory is told
// to ignore, and does not track.
func Ignored(ctx context.Context, dir string, paths []string) (map[string]bool, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	cmd, err := command(ctx, dir, "check-ignore", "-z", "--stdin")
	if err != nil {
		return nil, err
	}
	var out, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(strings.Join(paths, "\x00")+"\x00"), &out, &stderr
	var exit *exec.ExitError
	if err := child.Run(cmd); errors.As(err, &exit) && exit.ExitCode() == 1 {
		return nil, nil // none of them
	} else if err != nil {
		return nil, complaint(ctx, "check-ignore", err, stderr.String())
	}
	names := map[string]bool{}
	for name := range strings.SplitSeq(out.String(), "\x00") {
		if name != "" {
			names[name] = true
		}
	}
	return names, nil
}
