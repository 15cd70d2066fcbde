package proc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"nats-roll/cluster"
)

// Configure writes the slot's configuration file by a temporary file and a rename,
// so that a server never reads half of one; with an empty text it takes the file
// away. It may hold passwords, so that only its owner can read it.
func (s *Slot) Configure(text string) error {
	file := filepath.Join(s.Dir, cluster.ConfigFile)
	wrong := func(err error) error { return fmt.Errorf("configure %s: %w", s.Node, err) }
	if text == "" {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return wrong(err)
		}
		return nil
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return wrong(err)
	}
	if err := os.WriteFile(file+".next", []byte(text), 0o600); err != nil {
		return wrong(err)
	}
	if err := os.Rename(file+".next", file); err != nil {
		return wrong(err)
	}
	return nil
}
