package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/adrg/xdg"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/report"
	"nats-roll/tui"
	"nats-roll/tui/theme"
	"nats-roll/upgrade"
)

// errQuit ends the rehearsal because the person has had enough.
var errQuit = errors.New("quit")

// screen walks the rehearsal with a person, on their terminal. next is what they go
// on with, if they do: a chapter, or last, where they stopped the last time. Resumed,
// they have said so already. permits says what the flags have against a chapter.
func (a *app) screen(ctx context.Context, r rehearse, last *place, resumed bool, permits func(chapter string) error) (next after, err error) {
	if err := a.leftovers(ctx, r, true); err != nil {
		return next, err
	}
	var s *session
	mark := thePlace().mark(func() *place { return s.place() }, func(err error) {
		s.lab.Emit(rehearsal.Note{Text: fmt.Sprintf("where you are cannot be remembered: %v", err)})
	})
	defer mark.close()
	if s, err = a.open(ctx, r, mark.watch); err != nil {
		return next, err
	}
	s.attended = true
	var offer *tui.Offer
	if resumed {
		s.goOn = last
	} else if last != nil {
		offer = last.offer()
	}
	then := &following{permits: permits, last: last}
	lab, quit := context.WithCancelCause(ctx)
	defer quit(nil)
	walked := make(chan error, 1)
	go func() { walked <- s.walk(lab, s.lab.Intents()) }()
	// The screen ends by a key or with the program's context, and the lab after
	// it: while servers end there is nothing to look at any more.
	screen := make(chan error, 1)
	go func() {
		screen <- tui.Run(ctx, tui.Options{
			Source: s.lab, Control: control{ctx: lab, session: s, then: then}, Walked: walkedChapters().latest(), Offer: offer, Resumed: resumed, Clipboard: theClipboard(), In: a.In, Out: a.Out,
			Stop: r.how, Background: theme.Background(r.theme), Keep: r.keep,
		})
	}()
	shown, stalled := leave(ctx, screen)
	quit(errQuit)
	walkErr := <-walked
	came, closed := s.close()
	if errors.Is(walkErr, context.Canceled) {
		walkErr = nil // the person's own doing, or a signal, which decides the exit code
	}
	if stalled {
		return next, errors.Join(walkErr, closed) // there is no terminal to say anything on
	}
	if next := then.what(); next != (after{}) && shown == nil && closed == nil && ctx.Err() == nil {
		return next, nil // how this one ended was on the screen
	}
	if state, _ := s.lab.State(); state.Plan.Outcome != "" {
		fmt.Fprintln(a.Out, report.Sentence(came))
	}
	a.farewell(s)
	return next, errors.Join(shown, walkErr, closed)
}

// theClipboard is the file that what is copied is written to.
func theClipboard() tui.Clipboard {
	path := filepath.Join(xdg.StateHome, "nats-roll", "clipboard")
	return tui.Clipboard{Path: path, Name: tilde(path)}
}

// after is what follows a rehearsal on the same screen: a chapter, or the rehearsal
// of the last time.
type after struct {
	chapter string
	last    *place
}

// following is what a person goes on with.
type following struct {
	permits func(chapter string) error
	last    *place

	mu   sync.Mutex
	next after
}

func (c *following) what() after {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next
}

// screenGrace is how long a terminal may take to be given back after a signal.
const screenGrace = time.Second

// leave waits until the screen has ended. After a signal, a terminal that does
// not read, such as that of a connection that hangs, is not waited for: the
// servers have to be ended.
func leave(ctx context.Context, screen <-chan error) (err error, stalled bool) {
	select {
	case err := <-screen:
		return err, false
	case <-ctx.Done():
	}
	select {
	case err := <-screen:
		return err, false
	case <-time.After(screenGrace):
		return nil, true
	}
}

// control is what keys set off. Nothing in it waits.
type control struct {
	ctx context.Context
	*session
	then *following
}

var _ tui.Control = control{}

func (c control) Go(step string)    { c.lab.Say(upgrade.Intent{Step: step}) }
func (c control) Force(step string) { c.lab.Say(upgrade.Intent{Step: step, Force: true}) }

func (c control) Back(step string) { c.lab.Say(upgrade.Intent{Step: step, Back: true}) }

func (c control) Undo(step string)   { c.lab.Say(upgrade.Intent{Step: step, Undo: true}) }
func (c control) Again(step string)  { c.lab.Say(upgrade.Intent{Step: step, Again: true}) }
func (c control) To(step, to string) { c.lab.Say(upgrade.Intent{Step: step, To: to}) }

func (c control) Stop(node string, how cluster.Stop) {
	c.lab.Type(c.ctx, upgrade.StopNode{Node: node, How: how}, c.driver)
}

func (c control) Start(node string) {
	n, ok := c.topology.Node(node)
	if ok {
		c.lab.Type(c.ctx, upgrade.StartNode{Node: node, Args: c.topology.Args(n)}, c.driver)
	}
}

// Begin has this rehearsal followed by a chapter, once the screen has ended; or says
// why that cannot be.
func (c control) Begin(chapter string) error {
	switch {
	case c.keep:
		return errors.New("with --keep the servers stay, and their ports are taken")
	case c.events != "":
		return errors.New("with --events, there is one event log for one rehearsal")
	}
	if err := c.then.permits(chapter); err != nil {
		return err
	}
	c.then.mu.Lock()
	defer c.then.mu.Unlock()
	c.then.next = after{chapter: chapter}
	return nil
}

// GoOn goes on where the last rehearsal stopped. Where this one has another plan, it
// is followed by one that has the same, once the screen has ended.
func (c control) GoOn() (here bool) {
	if c.resume(c.then.last) {
		return true
	}
	c.then.mu.Lock()
	defer c.then.mu.Unlock()
	c.then.next = after{last: c.then.last}
	return false
}

// Script writes what was done until now as a shell script, and notes where it is.
func (c control) Script() {
	go func() {
		state, _ := c.lab.State()
		note := rehearsal.Note{Text: "written: sh " + tilde(c.script())}
		if err := writeScript(report.New(state, c.header), c.script()); err != nil {
			note = rehearsal.Note{Text: err.Error()}
		}
		c.lab.Emit(note)
	}()
}

// script is where the shell script of this rehearsal is written.
func (s *session) script() string { return filepath.Join(scriptRoot(), filepath.Base(s.dir)+".sh") }

// scriptRoot holds the shell scripts of what was done.
func scriptRoot() string { return filepath.Join(xdg.StateHome, "nats-roll", "scripts") }

func writeScript(r report.Report, file string) error {
	err := os.MkdirAll(filepath.Dir(file), 0o755)
	if err == nil {
		var b bytes.Buffer
		err = errors.Join(r.Script(&b), os.WriteFile(file, b.Bytes(), 0o755))
	}
	if err != nil {
		return fmt.Errorf("write the shell script: %w", err)
	}
	return nil
}

// Replace puts the new build into the slot; before there is one, there is
// nothing to replace with.
func (c control) Replace(node string) {
	p := c.plan.Load()
	if p == nil {
		return
	}
	if n, ok := p.Topology.Node(node); ok {
		a := upgrade.Replace{Node: n.Name, Build: p.To.Of(n.Name), Slot: filepath.Join(tilde(c.dir), n.Name)}
		c.lab.Type(c.ctx, a, c.driver)
	}
}
