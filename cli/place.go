package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/adrg/xdg"
	"github.com/spf13/pflag"

	"nats-roll/cluster"
	"nats-roll/redact"
	"nats-roll/rehearsal"
	"nats-roll/tui"
	"nats-roll/upgrade"
)

// place is how far a person came with a rehearsal that did not end verified: enough
// to make the same plan, and to know that it is the same.
type place struct {
	Schema string    `json:"schema"`
	Tool   string    `json:"tool"` // the program's version
	Args   []string  `json:"args"` // the command line's flags, as typed
	Plan   string    `json:"plan"` // what the plan was made of; see planned
	Step   string    `json:"step"` // that was current
	Title  string    `json:"title"`
	Number int       `json:"number"` // of the step, from 1
	Of     int       `json:"of"`
	At     time.Time `json:"at"`

	// goal is the step that is being gone on to: until it is reached, the place that
	// led there is not given up.
	goal string
}

const placeSchema = "nats-roll/place/1"

// places is the file that keeps the newest place on this machine. Of two programs
// at the same time, that which writes last is remembered.
type places string

func thePlace() places { return places(filepath.Join(xdg.StateHome, "nats-roll", "place.json")) }

// read is the place that is kept. What nobody can read, or another version of the
// program wrote, is none.
func (f places) read(tool string) *place {
	if st, err := os.Stat(string(f)); err != nil || !st.Mode().IsRegular() {
		return nil // a pipe may never say anything
	}
	data, err := os.ReadFile(string(f))
	var p place
	if err != nil || json.Unmarshal(data, &p) != nil || p.Schema != placeSchema || p.Tool != tool || p.Step == "" || p.Number < 2 || p.Number > p.Of {
		return nil
	}
	return &p
}

// fitting is the place that is kept, if nothing that was given is against it.
func (f places) fitting(tool string, given settings) *place {
	p := f.read(tool)
	if p == nil || p.settings(given) == nil {
		return nil
	}
	return p
}

// keep replaces the file, and returns what it holds now.
func (f places) keep(p *place) ([]byte, error) {
	data, err := json.MarshalIndent(p, "", " ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(string(f)), 0o755)
	}
	if err != nil {
		return nil, err
	}
	data = append(data, '\n')
	next := fmt.Sprintf("%s.%d", f, os.Getpid())
	err = os.WriteFile(next, data, 0o600)
	if err == nil {
		err = os.Rename(next, string(f))
	}
	if err != nil {
		_ = os.Remove(next)
		return nil, err
	}
	return data, nil
}

// forget removes the file, unless it holds something else than what was kept last:
// then it is another program's.
func (f places) forget(kept []byte) error {
	now, err := os.ReadFile(string(f))
	if errors.Is(err, os.ErrNotExist) || err == nil && kept != nil && !bytes.Equal(now, kept) {
		return nil
	}
	return os.Remove(string(f))
}

// bookmark keeps the place of a rehearsal. Its goroutine writes, so that a slow disk
// never holds up the fold, and ends with close.
type bookmark struct {
	file  places
	of    func() *place // without the step; nil before there is a plan
	fails func(error)
	there bool        // what was gone on to is reached, or given up
	next  chan *place // the newest that is not written yet
	done  chan struct{}
}

func (f places) mark(of func() *place, fails func(error)) *bookmark {
	b := &bookmark{file: f, of: of, fails: fails, next: make(chan *place, 1), done: make(chan struct{})}
	go func() {
		defer close(b.done)
		var kept []byte
		for p := range b.next {
			var err error
			if p == nil {
				err = f.forget(kept)
			} else {
				kept, err = f.keep(p)
			}
			if err != nil && b.fails != nil {
				b.fails(err)
				b.fails = nil // once is enough
			}
		}
	}()
	return b
}

// watch is a rehearsal.Watcher: it alone sends, on the folding goroutine.
func (b *bookmark) watch(r rehearsal.Record, s rehearsal.State) {
	var p *place
	switch e := r.Event.(type) {
	case upgrade.StepEnded, upgrade.StepUndone:
		p = b.of()
		st, ok := s.Plan.Step()
		if p == nil || !ok {
			return // the end of the plan follows, which says how it was
		}
		p.Step, p.Title, p.Number, p.Of, p.At = st.ID, st.Title, s.Plan.Current+1, len(s.Plan.Steps), r.At.UTC().Round(time.Second)
		_, back := e.(upgrade.StepUndone)
		if b.there = b.there || back || p.goal == "" || p.Step == p.goal; !b.there {
			return
		}
		if s.Plan.Current == 0 {
			p = nil // all was taken back
		}
	case upgrade.Finished:
		if e.Outcome != upgrade.OutcomeVerified {
			return
		}
	default:
		return
	}
	select {
	case <-b.next: // nobody needs that any more
	default:
	}
	b.next <- p
}

// close waits until the newest place is written, or for a moment.
func (b *bookmark) close() {
	close(b.next)
	select {
	case <-b.done:
	case <-time.After(time.Second):
	}
}

// planned tells plans apart: a digest of what one is made of, ports and folders
// excepted.
func planned(p upgrade.Plan, w cluster.Workload, how cluster.Stop) string {
	type node struct {
		Name      string
		Permanent bool
		From, To  [2]string
	}
	of := func(b cluster.Build) [2]string { return [2]string{string(b.Version), b.SHA256} }
	var nodes []node
	for _, n := range p.Topology.Nodes {
		nodes = append(nodes, node{n.Name, n.Permanent, of(p.From.Of(n.Name)), of(p.To.Of(n.Name))})
	}
	var steps []string
	for _, s := range p.Steps {
		steps = append(steps, s.ID)
	}
	data, err := json.Marshal([]any{p.Chapter, nodes, p.Topology.JetStream, w, how, steps})
	if err != nil {
		panic(err) // names and numbers
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// incidental are flags that lead to the same plan whatever they say.
var incidental = []string{"port-offset", "dir", "source", "mirror", "offline", "events", "theme", "keep"}

// settings are those with which the rehearsal of this place was begun, but for what
// is incidental: that is as given now. They are nil if they are against what was
// given.
func (p *place) settings(given settings) *settings {
	s := &settings{typed: p.Args}
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	s.register(f)
	if f.Parse(p.Args) != nil || f.NArg() > 0 {
		return nil
	}
	agrees := true
	given.flags.Visit(func(now *pflag.Flag) {
		then := f.Lookup(now.Name)
		switch {
		case then == nil:
			agrees = false
		case slices.Contains(incidental, now.Name):
		case now.Name == "from":
			agrees = agrees && reflect.DeepEqual(given.from, s.from)
		case now.Name == "to":
			agrees = agrees && reflect.DeepEqual(given.to, s.to)
		default:
			agrees = agrees && then.Changed && then.Value.String() == now.Value.String()
		}
	})
	s.offset, s.dir, s.source, s.mirror, s.offline = given.offset, given.dir, given.source, given.mirror, given.offline
	s.events, s.theme, s.keep = given.events, given.theme, given.keep
	if !agrees {
		return nil
	}
	return s
}

// offer is what is said of the place on screen: with the flags that matter.
func (p *place) offer() *tui.Offer {
	var said []string
	for _, w := range without(p.Args, incidental...) {
		said = append(said, upgrade.Quote(w))
	}
	return &tui.Offer{Number: p.Number, Of: p.Of, Title: p.Title, Flags: redact.Text(strings.Join(said, " "))}
}

// without leaves flags out of a command line, with their values.
func without(args []string, names ...string) []string {
	var s settings
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	s.register(f)
	var out []string
	for i := 0; i < len(args); i++ {
		words := args[i : i+1]
		name, _, whole := strings.Cut(strings.TrimLeft(words[0], "-"), "=")
		if flag := f.Lookup(name); flag != nil && !whole && flag.NoOptDefVal == "" && i+1 < len(args) {
			words = args[i : i+2]
			i++
		}
		if !slices.Contains(names, name) {
			out = append(out, words...)
		}
	}
	return out
}
