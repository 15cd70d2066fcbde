//go:build unix

package proc

import (
	"errors"
	"syscall"
)

// busy says that a program is open for writing.
func busy(err error) bool { return errors.Is(err, syscall.ETXTBSY) }

// full says that an error is that of a disk without room.
func full(err error) bool { return errors.Is(err, syscall.ENOSPC) }
