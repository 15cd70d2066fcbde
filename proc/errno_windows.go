package proc

import (
	"errors"

	"golang.org/x/sys/windows"
)

// busy: a file that is open for writing is not shared; that error stays.
func busy(error) bool { return false }

// full says that an error is that of a disk without room.
func full(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}
