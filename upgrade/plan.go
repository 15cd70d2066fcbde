package upgrade

import (
	"time"

	"nats-roll/advice"
	"nats-roll/cluster"
)

// Plan is a rehearsal from beginning to end.
type Plan struct {
	Chapter  string
	Title    string
	Intro    string
	Notes    []string     // what the person must know: a fallback, a limit
	Advice   advice.Steps // what is known about the steps between the versions
	Topology cluster.Topology
	From, To cluster.Builds
	Slots    map[string]cluster.Build // what lies in each slot at the start
	Configs  map[string]string        // and how its server is configured, if the topology is
	Steps    []Step
	Compare  []string // parts that are set side by side at the end
	// Order says which of the nodes left has its turn next, and why if that is not
	// the first of them; nil: they are in order.
	Order func(o cluster.Observation, left []string) (next, why string)
}

// Step is one thing to do and what must be true then.
type Step struct {
	ID    string // slug, unique in the plan
	Part  string // the part of the chapter that it belongs to, if that has several
	Title string // imperative
	Node  string // the node it is about, if any
	Turn  string // the round that it belongs to: in it each node has a turn, see Plan.Order
	Why   string // a paragraph for someone who learns
	Hint  string // what to look at, or to think of, before the command is shown
	Quote string // the tutorial's sentence, if it has one

	Given    []Requirement       // what must hold before
	Do       Action              // nil: look, do not touch
	Met      Check               // what makes the action unnecessary, if it is already so
	Past     Check               // what makes the whole step unnecessary
	Until    []Check             // what must be true afterwards
	Hold     time.Duration       // and for how long without a break
	Claims   []Claim             // what the text says will be seen
	Stops    bool                // its action ends a server
	Expect   []string            // nodes whose server may end in it without being asked
	Predict  []string            // where the text lets the node's clients go, in equal parts
	Foretell Foretell            // where they will be, by what was seen before; nil: nobody knows
	Tell     func(Told) []string // what was seen, in sentences; may be nil
	Timeout  time.Duration       // for the action and the checks together

	Undo   Action  // brings back what was before
	Undone []Check // what must be true then; nil: what every action of its kind brings about
	Loses  string  // what that does which one should know before, in a few words
	NoUndo string  // or why nothing brings it back
	Loose  bool    // and that nothing has to: what was before it is as good as what is after
	Back   *Way    // brings the node's old server back; nil where there is none
}

// Way is how something is brought about in several actions, and what must be
// true then.
type Way struct {
	Do    []Action
	Until []Check
	Build cluster.Build // what the node runs then
}

// Commands are what a person would type, line by line.
func (w *Way) Commands(o cluster.Observation) []string {
	var out []string
	for _, a := range w.Do {
		out = append(out, a.Command(o))
	}
	return out
}

// Requirement is what a step needs, and what brings it about.
type Requirement struct {
	Check
	Remedy Action
	// Look: the remedy only looks, so that it is run without being asked for.
	// What it finds wrong stays wrong until somebody changes it.
	Look bool
}

// Outline is a plan as data only: what screens, reports and logs draw from.
type Outline struct {
	Chapter  string           `json:"chapter"`
	Title    string           `json:"title"`
	Intro    string           `json:"intro"`
	Notes    []string         `json:"notes,omitempty"`
	Advice   advice.Steps     `json:"advice,omitempty"`
	Topology cluster.Topology `json:"topology"`
	From     cluster.Builds   `json:"from"`
	To       cluster.Builds   `json:"to"`
	Compare  []string         `json:"compare,omitempty"` // parts that are set side by side
	Steps    []StepOutline    `json:"steps"`
}

// StepOutline is a step as data only.
type StepOutline struct {
	ID      string        `json:"id"`
	Part    string        `json:"part,omitempty"`
	Turn    string        `json:"turn,omitempty"` // the round in which it can change places with others
	Title   string        `json:"title"`
	Node    string        `json:"node,omitempty"`
	Why     string        `json:"why"`
	Hint    string        `json:"hint,omitempty"`
	Quote   string        `json:"quote,omitempty"`
	Where   string        `json:"where,omitempty"` // the place of the quote in the text
	Command string        `json:"command,omitempty"`
	Shell   string        `json:"shell,omitempty"`   // the command for another terminal, where it needs more words
	See     string        `json:"see,omitempty"`     // what is seen there when it is typed
	ByHand  bool          `json:"by_hand,omitempty"` // who types it there has done the step
	Given   []string      `json:"given,omitempty"`
	Checks  []string      `json:"checks"`
	Claims  []string      `json:"claims,omitempty"`
	Stops   bool          `json:"stops,omitempty"`  // its action ends a server
	Expect  []string      `json:"expect,omitempty"` // nodes whose server may end by itself meanwhile
	Moment  Moment        `json:"moment,omitempty"`
	Predict []string      `json:"predict,omitempty"` // the nodes to which the text lets the node's clients go, in equal parts
	Timeout time.Duration `json:"timeout"`
	Undo    string        `json:"undo,omitempty"`
	Undone  []string      `json:"undone,omitempty"` // what must be true once it is taken back
	Loses   string        `json:"loses,omitempty"`
	NoUndo  string        `json:"no_undo,omitempty"`
	Final   bool          `json:"final,omitempty"` // it acts, and nothing takes it back
	Back    []string      `json:"back,omitempty"`  // the commands that bring the old server back
}

// Outline describes the plan. Commands that need a running cluster, such as a
// process id, hold a placeholder.
func (p Plan) Outline() Outline {
	out := Outline{
		Chapter: p.Chapter, Title: p.Title, Intro: p.Intro, Notes: p.Notes, Advice: p.Advice,
		Topology: p.Topology, From: p.From, To: p.To, Compare: p.Compare,
	}
	nothing := cluster.Observe(p.Topology)
	for _, s := range p.Steps {
		so := StepOutline{
			ID: s.ID, Part: s.Part, Title: s.Title, Node: s.Node, Why: s.Why, Hint: s.Hint, Quote: s.Quote, Where: where(s.Quote),
			Timeout: s.Timeout, NoUndo: s.NoUndo, Loses: s.Loses, Final: s.final(), Stops: s.Stops, Expect: s.Expect, Predict: s.Predict,
		}
		if p.Order != nil {
			so.Turn = s.Turn
		}
		so.Moment = momentOf(s.Do)
		if s.Do != nil {
			_, own := s.Do.(ConnectClients) // the program's own, whoever else connects
			so.ByHand = s.Met != nil && !own
			so.Command = s.Do.Command(nothing)
			so.Shell = shellOf(s.Do, nothing)
			if sp, ok := s.Do.(Spoken); ok {
				so.See = sp.See()
			}
		}
		if s.Undo != nil {
			so.Undo = s.Undo.Command(nothing)
		}
		for _, c := range s.undone() {
			so.Undone = append(so.Undone, c.String())
		}
		if s.Back != nil {
			so.Back = s.Back.Commands(nothing)
		}
		for _, g := range s.Given {
			so.Given = append(so.Given, g.String())
		}
		for _, c := range s.Until {
			so.Checks = append(so.Checks, c.String())
		}
		if s.Hold > 0 {
			so.Checks = append(so.Checks, holding(s.Hold))
		}
		for _, c := range s.Claims {
			so.Claims = append(so.Claims, c.Text)
		}
		out.Steps = append(out.Steps, so)
	}
	return out
}

// Moment is when, within a server's turn, something happens: it is stopped, its
// binary is swapped, it is started, and it joins the others. A step that starts one
// is two moments: what it cost until the process was there, and after that.
type Moment string

// The moments.
const (
	MomentStop  Moment = "stop"
	MomentSwap  Moment = "swap"
	MomentStart Moment = "start"
	MomentJoin  Moment = "join"
)

func momentOf(a Action) Moment {
	switch a.(type) {
	case StopNode, Leave:
		return MomentStop
	case Replace:
		return MomentSwap
	case StartNode:
		return MomentStart
	}
	return ""
}
