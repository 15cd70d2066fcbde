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

// Hold stops the node's process in its tracks, or lets it go on, and tells
// cluster.Held.
func (v *Supervisor) Hold(node string, on bool) error {
	v.mu.Lock()
	c := v.children[node]
	v.mu.Unlock()
	if c == nil {
		return fmt.Errorf("hold %s: it does not run", node)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.over:
		return fmt.Errorf("hold %s: it has ended", node)
	case c.guest != nil:
		return fmt.Errorf("hold %s: it was started by hand, pid %d, and nats-roll signals only what it started", node, c.pid)
	}
	if err := c.group.hold(on); err != nil {
		return fmt.Errorf("hold %s: %w", node, err)
	}
	c.sink(cluster.Held{Node: node, PID: c.pid, On: on})
	return nil
}
