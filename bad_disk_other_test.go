//go:build unix && !linux

package main

import "syscall"

// mounts: files are limited instead.
func mounts() *syscall.SysProcAttr { return nil }

func (a attempt) confine() error { return a.limit() }
