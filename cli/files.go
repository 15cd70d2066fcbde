package cli

import (
	"os"
	"path/filepath"
)

// oneFile says that two paths lead to the same file, whether it is there or not.
func oneFile(a, b string) bool {
	one, err := filepath.Abs(a)
	other, err2 := filepath.Abs(b)
	if err == nil && err2 == nil && one == other {
		return true
	}
	there, err := os.Stat(a)
	too, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(there, too)
}
