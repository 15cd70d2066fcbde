package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nats-roll/cluster"
	"nats-roll/report"
	"nats-roll/tui"
	"nats-roll/tui/theme"
	"nats-roll/upgrade"
)

// errQuit ends the rehearsal because the person has had enough.
var errQuit = errors.New("quit")

// screen walks the rehearsal with a person, on their terminal.
func (a *app) screen(ctx context.Context, r rehearse) error {
	if err := a.leftovers(ctx, r, true); err != nil {
		return err
	}
	s, err := a.open(ctx, r)
	if err != nil {
		return err
	}
	lab, quit := context.WithCancelCause(ctx)
	defer quit(nil)
	walked := make(chan error, 1)
	go func() { walked <- s.walk(lab, s.lab.Intents()) }()
	// The screen ends by a key or with the program's context, and the lab after
	// it: while servers end there is nothing to look at any more.
	screen := make(chan error, 1)
	go func() {
		screen <- tui.Run(ctx, tui.Options{
			Source: s.lab, Control: control{ctx: lab, session: s}, In: a.In, Out: a.Out,
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
		return errors.Join(walkErr, closed) // there is no terminal to say anything on
	}
	if state, _ := s.lab.State(); state.Plan.Outcome != "" {
		fmt.Fprintln(a.Out, report.Sentence(came))
	}
	a.farewell(s)
	return errors.Join(shown, walkErr, closed)
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

// Replace puts the new build into the slot; before there is one, there is
// nothing to replace with.
func (c control) Replace(node string) {
	p := c.plan.Load()
	if p == nil {
		return
	}
	for _, st := range p.Steps {
		if a, ok := st.Do.(upgrade.Replace); ok && a.Node == node {
			c.lab.Type(c.ctx, a, c.driver)
			return
		}
	}
}
