package upgrade

import (
	"context"
	"fmt"
	"time"

	"nats-roll/cluster"
)

// Doer is who had something done.
type Doer string

// Those who have something done: a step of the plan; what a step needed and
// lacked; the way back; a step that is taken back; a key. By hand is what somebody did in another terminal,
// and unasked the end of a server that nobody is known to have asked for.
const (
	DoerPlan    Doer = "plan"
	DoerRemedy  Doer = "remedy"
	DoerBack    Doer = "way back"
	DoerUndo    Doer = "undo"
	DoerKey     Doer = "key"
	DoerHand    Doer = "by hand"
	DoerUnasked Doer = "unasked"
)

// Verb is what kind of thing was done, where a script can do it again.
type Verb string

// The verbs. What has none is told in words.
const (
	VerbStart   Verb = "start"
	VerbStop    Verb = "stop"
	VerbReplace Verb = "replace"
	VerbConnect Verb = "connect"
)

// Deed is an action as data: what a log tells of it, and what a script needs to
// do it again.
type Deed struct {
	Verb  Verb          `json:"verb,omitempty"`
	Node  string        `json:"node,omitempty"`
	Args  []string      `json:"args,omitempty"`   // of a start, without the program's name
	Build cluster.Build `json:"build,omitzero"`   // of a replacement
	Stop  cluster.Stop  `json:"stop,omitempty"`   // of a stop
	URL   string        `json:"url,omitempty"`    // of the tutorial's subscriber
	Shell string        `json:"script,omitempty"` // what a Scripted action has a script do
}

// Scripted is an action of another kind that a shell script can do, too: lines
// for /bin/sh, in which $DIR is the folder with the servers' folders and $A the
// process of server A. An action that is neither one of this package's nor
// Scripted is a comment in a script.
type Scripted interface{ Script() string }

// DeedOf is an action as data.
func DeedOf(a Action) Deed {
	switch a := a.(type) {
	case StartNode:
		return Deed{Verb: VerbStart, Node: a.Node, Args: a.Args}
	case StopNode:
		return Deed{Verb: VerbStop, Node: a.Node, Stop: a.How}
	case Replace:
		return Deed{Verb: VerbReplace, Node: a.Node, Build: a.Build}
	case ConnectClients:
		return Deed{Verb: VerbConnect, URL: a.To.ClientURL()}
	case Scripted:
		return Deed{Shell: a.Script()}
	}
	return Deed{}
}

// Script writes the file again. Secrets are not in what a script is made of.
func (a Configure) Script() string {
	file := fmt.Sprintf(`"$DIR/%s/%s"`, a.Node, cluster.ConfigFile)
	if a.Text == "" {
		return "rm -f " + file
	}
	return fmt.Sprintf("mkdir -p \"$DIR/%s\" || exit 1\ncat > %s <<'EOF'\n%sEOF", a.Node, file, a.Text)
}

// Script sends the signal.
func (a Hold) Script() string {
	sig := "CONT"
	if a.On {
		sig = "STOP"
	}
	return fmt.Sprintf("kill -%s \"$%s\"", sig, a.Node)
}

// Doing says that an action is being carried out.
type Doing struct {
	By      Doer   `json:"by"`
	Step    string `json:"step,omitempty"` // the id of the step it belongs to, if it belongs to one
	Command string `json:"command,omitempty"`
	Deed    Deed   `json:"deed,omitzero"`
}

// Done says that the newest action with this command is over.
type Done struct {
	Command string        `json:"command,omitempty"`
	Took    time.Duration `json:"took"`
	Reason  string        `json:"reason,omitempty"` // why it failed, if it did
}

// Kind is the event's name in the log.
func (Doing) Kind() string { return "doing" }
func (Done) Kind() string  { return "done" }

// Carry carries an action out, and tells so. Whatever changes something for a
// rehearsal goes this way, so that the list of what was done is whole.
func Carry(ctx context.Context, a Action, d Driver, o cluster.Observation, told Doing, sink cluster.Sink) error {
	if open, ok := a.(Bound); ok {
		a = open.Bind(o)
	}
	if several, ok := a.(Series); ok {
		for _, one := range several {
			if err := Carry(ctx, one, d, o, told, sink); err != nil {
				return err
			}
		}
		return nil
	}
	told.Command, told.Deed = a.Command(o), DeedOf(a)
	sink(told)
	began := time.Now()
	err := a.Run(ctx, d)
	done := Done{Command: told.Command, Took: time.Since(began)}
	if err != nil {
		done.Reason = err.Error()
	}
	sink(done)
	return err
}

// carry is Carry for the runner.
func (r *Runner) carry(ctx context.Context, a Action, by Doer, step string) error {
	o, _ := r.World.Observe()
	return Carry(ctx, a, r.Driver, o, Doing{By: by, Step: step}, r.Sink)
}

// slotOf is the folder of a node as the plan's commands name it.
func (p Plan) slotOf(node string) string {
	for _, st := range p.Steps {
		if a, ok := st.Do.(StartNode); ok && a.Node == node {
			return a.Slot
		}
	}
	return ""
}
