package store

import "syscall"

func makeFifo(path string) error { return syscall.Mkfifo(path, 0o644) }

func umask(mask int) int { return syscall.Umask(mask) }
