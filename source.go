// Package xsmbench is the source that the command carries with it: all that the
// model and the agent in Xen's guests are built from. With it the command builds
// them wherever it is, without a clone of its repository.
package xsmbench

import "io/fs"

//go:generate go run ./internal/embedgen

// Source is a part of this module's tree: go.mod, go.sum, and the packages of
// cmd/xsmmodel and cmd/xsmguest, for all architectures and tags. Tests of these
// packages are in it too.
func Source() fs.FS { return embedded }
