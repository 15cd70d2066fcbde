//go:build unix

package proc

import (
	"errors"
	"syscall"
)

// full says that an error is that of a disk without room.
func full(err error) bool { return errors.Is(err, syscall.ENOSPC) }
