package proc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"nats-roll/cluster"
)

// What is broken on purpose, to see what comes of it.

// Cut leaves the first half of a build in the slot as cluster.CutFile: what a copy
// leaves that broke off.
func (s *Slot) Cut(ctx context.Context, b cluster.Build) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("cut %s off for %s: %w", b, s.Node, err)
		}
	}()
	src, err := os.Open(b.Path)
	if err != nil {
		return err
	}
	defer src.Close()
	st, err := src.Stat()
	if err != nil {
		return err
	}
	file := filepath.Join(s.Dir, cluster.CutFile)
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // never into a file that is there: it can have another name
	}
	dst, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.CopyN(dst, &reader{ctx, src}, st.Size()/2)
	return errors.Join(err, dst.Close())
}

// stored is where the slot's server keeps a stream of the global account.
func (s *Slot) stored(stream string) string {
	return filepath.Join(s.Dir, cluster.StoreDir, "jetstream", "$G", "streams", stream)
}

// Damage takes the folder of a stream away and puts a file in its place, as a file
// system does that was repaired badly. The folder stays beside the store.
func (s *Slot) Damage(stream string) error {
	aside := filepath.Join(s.Dir, stream+".damaged")
	wrong := func(err error) error { return fmt.Errorf("damage stream %s of %s: %w", stream, s.Node, err) }
	if err := os.RemoveAll(aside); err != nil {
		return wrong(err)
	}
	if err := os.Rename(s.stored(stream), aside); err != nil {
		return wrong(err)
	}
	if err := os.WriteFile(s.stored(stream), []byte("damaged\n"), 0o600); err != nil {
		return wrong(err)
	}
	s.sink(cluster.Damaged{Node: s.Node, How: fmt.Sprintf("the folder of stream %s is a file now", stream)})
	return nil
}

// Empty takes away everything that the slot's server has stored.
func (s *Slot) Empty() error {
	if err := os.RemoveAll(filepath.Join(s.Dir, cluster.StoreDir)); err != nil {
		return fmt.Errorf("remove the store of %s: %w", s.Node, err)
	}
	s.sink(cluster.Damaged{Node: s.Node})
	return nil
}

// Signal sends the node's process a signal that is not to end it, and tells
// cluster.Signalled. If it ends all the same, nobody has asked for that.
func (v *Supervisor) Signal(node string, sig cluster.Signal) error {
	return v.withChild("signal", node, func(c *child) error {
		at := time.Now()
		if err := c.group.nudge(sig); err != nil {
			return err
		}
		c.sink(cluster.Signalled{Node: node, PID: c.pid, Signal: sig, At: at})
		c.tail.wake()
		return nil
	})
}

// Hold stops the node's process in its tracks, or lets it go on, and tells
// cluster.Held.
func (v *Supervisor) Hold(node string, on bool) error {
	return v.withChild("hold", node, func(c *child) error {
		if err := c.group.hold(on); err != nil {
			return err
		}
		c.sink(cluster.Held{Node: node, PID: c.pid, On: on})
		return nil
	})
}

// withChild does something to a node's process that is this program's own.
func (v *Supervisor) withChild(verb, node string, do func(*child) error) error {
	v.mu.Lock()
	c := v.children[node]
	v.mu.Unlock()
	if c == nil {
		return fmt.Errorf("%s %s: it does not run", verb, node)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.over:
		return fmt.Errorf("%s %s: it has ended", verb, node)
	case c.guest != nil:
		return fmt.Errorf("%s %s: it was started by hand, pid %d, and nats-roll signals only what it started", verb, node, c.pid)
	}
	if err := do(c); err != nil {
		return fmt.Errorf("%s %s: %w", verb, node, err)
	}
	return nil
}
