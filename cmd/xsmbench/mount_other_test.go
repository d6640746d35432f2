//go:build !linux

package main

import "errors"

const remount = 0

func mountTmpfs(string, uintptr, string) error { return errors.ErrUnsupported }

func unmount(string) error { return errors.ErrUnsupported }
