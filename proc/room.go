package proc

import (
	"fmt"

	"github.com/shirou/gopsutil/v3/disk"

	"nats-roll/cluster"
)

// Bytes is an amount of room on a disk.
type Bytes uint64

// String is what people read: "18.2 MB".
func (b Bytes) String() string {
	if b < 1e9 {
		return fmt.Sprintf("%.1f MB", float64(b)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(b)/1e9)
}

// Room is what is free on the disk that the folder lies on.
func Room(dir string) (Bytes, error) {
	u, err := disk.Usage(dir)
	if err != nil {
		return 0, err
	}
	return Bytes(u.Free), nil
}

// StageError says that a build cannot be brought beside a slot's binary, and why.
type StageError struct {
	Node  string
	Build cluster.Build
	Err   error // a *RoomError where the disk is full
}

func (e *StageError) Error() string {
	return fmt.Sprintf("copy %s for %s: %v", e.Build, e.Node, e.Err)
}

// Unwrap gives the reason.
func (e *StageError) Unwrap() error { return e.Err }

// RoomError says that a build does not fit into a folder.
type RoomError struct {
	Build       cluster.Build
	Dir         string
	Needs, Free Bytes
	Err         error
}

func (e *RoomError) Error() string {
	return fmt.Sprintf("no room for %s in %s: it needs %s, %s are free", e.Build, e.Dir, e.Needs, e.Free)
}

// Unwrap gives what the system said.
func (e *RoomError) Unwrap() error { return e.Err }

// explainFull puts numbers to the error of a disk that is full. The part that was
// copied is gone again, so what is free is what there was. A disk can be full of
// something else than bytes; then the system's word stands.
func explainFull(err error, b cluster.Build, dir string) error {
	free, ferr := Room(dir)
	if !full(err) || ferr != nil || b.Size <= 0 || free >= Bytes(b.Size) {
		return err
	}
	return &RoomError{Build: b, Dir: dir, Needs: Bytes(b.Size), Free: free, Err: err}
}
