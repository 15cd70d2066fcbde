// Package report renders what a rehearsal came to: plans and event streams as
// text, the finished rehearsal as a Report, which is written as JSON, Markdown,
// and more. Everything in a Report is read from the State; numbers are measured
// or absent, and secrets are taken out. The package starts no goroutine.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"nats-roll/advice"
	"nats-roll/cluster"
	"nats-roll/redact"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
)

// Schema names the form of the JSON report.
const Schema = "nats-roll/report/1"

// Report is what a rehearsal came to. Its JSON field names are a contract, see
// docs/report.schema.json; fields may be added.
type Report struct {
	Schema  string          `json:"schema"`
	Tool    string          `json:"tool"`
	Chapter string          `json:"chapter"`
	Title   string          `json:"title,omitempty"` // of the plan
	From    cluster.Version `json:"from"`
	To      cluster.Version `json:"to"`
	Outcome upgrade.Outcome `json:"outcome"`
	Reason  string          `json:"reason,omitempty"`
	Budgets []Budget        `json:"budgets"`
	Notes   []string        `json:"notes,omitempty"`  // limits of this rehearsal, such as one build on both sides
	Advice  []Finding       `json:"advice,omitempty"` // what was known about the step beforehand

	Nodes      []Node     `json:"nodes"`
	Steps      []Step     `json:"steps"`
	TakenBack  []Taken    `json:"taken_back,omitempty"` // steps that were done and taken back, in that order
	Between    *Waits     `json:"between,omitempty"`    // what came of servers that ended between the steps
	Parts      []*Part    `json:"parts,omitempty"`      // of the chapter, where it sets some side by side
	Messages   Messages   `json:"messages"`
	Earlier    []Messages `json:"earlier,omitempty"` // of clients that were disconnected, and whose ledger was closed
	Reconnects Reconnects `json:"reconnects"`
	Requests   *Requests  `json:"requests,omitempty"`  // absent if none were sent
	JetStream  *JetStream `json:"jetstream,omitempty"` // absent if nothing was done with it
	Claims     []Claim    `json:"claims"`
	Commands   []Command  `json:"commands,omitempty"` // everything that was done, in order
	Timeline   Timeline   `json:"timeline"`

	Builds  map[string]cluster.Builds `json:"builds"`
	Probe   Probe                     `json:"probe"`
	Clients []Client                  `json:"clients"`
	Yours   []Yours                   `json:"yours,omitempty"` // clients that are not nats-roll's
	Host    rehearsal.Host            `json:"host"`
	Command []string                  `json:"command,omitempty"`
	Began   time.Time                 `json:"began"`
	TookMS  float64                   `json:"took_ms"`
}

// Finding is something that was known about the step between the versions.
type Finding struct {
	ID       string          `json:"id"`
	Severity advice.Severity `json:"severity"`
	Text     string          `json:"text"`
	Remedy   string          `json:"remedy,omitempty"`
	Sources  []string        `json:"sources"`
	Matters  bool            `json:"matters"` // to this rehearsal
	Because  string          `json:"because,omitempty"`
}

func adviceOf(o upgrade.Outline) []Finding {
	var out []Finding
	for _, f := range o.Advice.Findings() {
		out = append(out, Finding{f.ID, f.Severity, f.Text, f.Remedy, f.Sources, f.Matters && !f.Undecided, f.Because})
	}
	return out
}

// Node is what became of one node.
type Node struct {
	Name      string            `json:"name"`
	Permanent bool              `json:"permanent"`
	Versions  []cluster.Version `json:"versions"`          // as the servers answered, in order
	PIDs      []int             `json:"pids"`              // of every process
	Runs      []Run             `json:"runs"`              // the same processes
	DownMS    *float64          `json:"down_ms,omitempty"` // from each exit to the next first answer, summed; absent if it was not restarted
}

// Run is one process of a node, from its start to its end. Times are since the
// rehearsal began.
type Run struct {
	PID     int             `json:"pid"`
	Version cluster.Version `json:"version,omitempty"` // as it answered
	BeganMS float64         `json:"began_ms"`
	UpMS    *float64        `json:"up_ms,omitempty"`    // its first answer
	EndedMS *float64        `json:"ended_ms,omitempty"` // absent if it outlived the rehearsal
	End     string          `json:"end,omitempty"`      // how it ended
	Died    bool            `json:"died,omitempty"`     // nobody had asked it to end
}

// Step is one step of the plan, and what became of it.
type Step struct {
	ID         string         `json:"id"`
	Title      string         `json:"title"`
	Node       string         `json:"node,omitempty"`
	Why        string         `json:"why"`
	Given      []string       `json:"given,omitempty"` // what had to hold before
	Command    string         `json:"command,omitempty"`
	LimitMS    float64        `json:"limit_ms"`       // for the action and the checks together
	Undo       string         `json:"undo,omitempty"` // the way back
	NoUndo     string         `json:"no_undo,omitempty"`
	Outcome    upgrade.Status `json:"outcome"`
	How        upgrade.How    `json:"how,omitempty"` // by hand, if the plan did not do it
	Reason     string         `json:"reason,omitempty"`
	Log        []string       `json:"log,omitempty"`      // what the server of a failed step wrote last
	BeganMS    *float64       `json:"began_ms,omitempty"` // since the rehearsal began; absent if it was not reached
	TookMS     float64        `json:"took_ms"`
	Before     []Check        `json:"before,omitempty"` // what was seen of what had to hold before a server was stopped
	Checks     []Check        `json:"checks"`
	Moved      map[string]int `json:"moved,omitempty"`
	Reconnects int            `json:"reconnects"`
	Lost       uint64         `json:"lost"`
	Duplicated uint64         `json:"duplicated"`
	GapMSMax   float64        `json:"gap_ms_max"`       // the longest that a client was without a server
	Told       []string       `json:"told,omitempty"`   // what else was seen, in sentences
	Listed     map[string]int `json:"listed,omitempty"` // how many clients each node was to have by the lists that they had before
	Moment     upgrade.Moment `json:"moment,omitempty"`
	Join       *Join          `json:"join,omitempty"` // absent if it cost nothing
	Waits
}

// Join is the part of what a start cost that was after the process was there.
type Join struct {
	Lost       uint64  `json:"lost"`
	Duplicated uint64  `json:"duplicated"`
	Reconnects int     `json:"reconnects"`
	GapMSMax   float64 `json:"gap_ms_max"`
}

// Check is a condition and what was seen of it. Known is false if nothing was
// observed that could decide it.
type Check struct {
	Text   string `json:"text"`
	OK     bool   `json:"ok"`
	Known  bool   `json:"known"`
	Detail string `json:"detail,omitempty"`
}

// Messages sums the ledgers: expected = received - duplicated + lost.
type Messages struct {
	Published  uint64 `json:"published"`
	Refused    uint64 `json:"refused,omitempty"` // by the client library, and not among the published
	Unsure     uint64 `json:"unsure,omitempty"`  // published, but the write failed: nobody knows whether a server got it
	Expected   uint64 `json:"expected"`
	Received   uint64 `json:"received"`
	Lost       uint64 `json:"lost"`
	Duplicated uint64 `json:"duplicated"`
	Reordered  uint64 `json:"reordered"`
	Settled    bool   `json:"settled"` // false: the rehearsal ended while messages were in flight
}

// Reconnects tells how long clients were without a server.
type Reconnects struct {
	Count int     `json:"count"`
	P50MS float64 `json:"p50_ms"`
	P99MS float64 `json:"p99_ms"`
	MaxMS float64 `json:"max_ms"`
}

// Claim is a sentence of the tutorial. Holds is absent where it could not be
// decided.
type Claim struct {
	ID      string          `json:"id,omitempty"`
	Section string          `json:"section,omitempty"` // of the text
	Text    string          `json:"text"`
	Step    string          `json:"step"`
	Holds   *bool           `json:"holds,omitempty"`
	Detail  string          `json:"detail"`
	Because []upgrade.Cause `json:"because,omitempty"` // why it differs
}

// Probe is what the numbers depend on.
type Probe struct {
	Subscribers int `json:"subscribers"`
	Listeners   int `json:"listeners"` // who should have each message: of a queue group, one
	Rate        int `json:"rate"`      // numbered messages a second, of all publishers
}

// Client is one client's account of the rehearsal.
type Client struct {
	Name       string       `json:"name"`
	Role       cluster.Role `json:"role"`
	Trail      []string     `json:"trail"`   // the nodes it was on
	HopsMS     []float64    `json:"hops_ms"` // without a server before it came to each of them
	Status     string       `json:"status"`
	Reconnects int          `json:"reconnects"`
	AwayMS     float64      `json:"away_ms"` // without a server, in all
	Received   uint64       `json:"received"`
	Lost       uint64       `json:"lost"`
	Duplicated uint64       `json:"duplicated"`
	// Errors counts what went wrong with its connection, by kind.
	Errors map[string]int `json:"errors,omitempty"`
}

// New reads a report off a state: of a rehearsal that has just been, or of a
// recorded one.
func New(s rehearsal.State, h rehearsal.Header) Report {
	o, f := s.Plan.Outline, s.World.Fleet
	r := Report{
		Schema: Schema, Tool: h.Tool, Chapter: o.Chapter, Title: o.Title, From: o.From.Version, To: o.To.Version,
		Outcome: s.Plan.Outcome, Reason: s.Plan.Reason, Budgets: budgets(s), Notes: o.Notes, Advice: adviceOf(o),
		Nodes: []Node{}, Steps: []Step{}, Claims: []Claim{}, Clients: []Client{}, Timeline: timeline(s), Yours: yours(s.World),
		TakenBack: taken(s), Between: between(s.Plan), Messages: messages(f.Totals),
		Reconnects: Reconnects{Count: f.Reconnects, P50MS: ms(f.AwayP50), P99MS: ms(f.AwayP99), MaxMS: ms(f.AwayMax)},
		Parts:      parts(s.Plan),
		Requests:   requests(f.Requests),
		JetStream:  jetStream(f.Stored),
		Builds:     map[string]cluster.Builds{"from": o.From, "to": o.To},
		Probe:      Probe{Rate: f.Rate, Listeners: f.Listeners},
		Host:       h.Host,
		Command:    h.Command,
		Began:      began(s).UTC(),
		TookMS:     ms(ended(s).Sub(began(s))),
	}
	if r.Outcome == "" {
		r.Outcome, r.Reason = upgrade.OutcomeAborted, unfinished(s)
	}
	for _, t := range s.Closed {
		r.Earlier = append(r.Earlier, messages(t))
	}
	for _, n := range o.Topology.Nodes {
		r.Nodes = append(r.Nodes, node(n, s))
	}
	for _, st := range s.Plan.Steps {
		r.Steps = append(r.Steps, step(s, st))
		r.Claims = append(r.Claims, claims(st)...)
	}
	for _, c := range f.Clients {
		if c.Role.Hears() {
			r.Probe.Subscribers++
		}
		r.Clients = append(r.Clients, client(c))
	}
	if r.Probe.Listeners == 0 { // an older recording
		r.Probe.Listeners = r.Probe.Subscribers
	}
	r.Commands = commands(s)
	return clean(r)
}

// began is when the plan did; or what there is of a rehearsal without one.
func began(s rehearsal.State) time.Time {
	if s.Plan.Began.IsZero() {
		return wall(s.Began)
	}
	return wall(s.Plan.Began)
}

// ended is when the plan did; or the last that is known.
func ended(s rehearsal.State) time.Time {
	if s.Plan.Ended.IsZero() {
		return wall(s.At)
	}
	return wall(s.Plan.Ended)
}

// wall is a time without its monotonic reading, which a recording has not: with
// one of these, a difference is the same live and later.
func wall(t time.Time) time.Time { return t.Round(0) }

// unfinished says why a rehearsal has no outcome.
func unfinished(s rehearsal.State) string {
	if len(s.Plan.Steps) > 0 {
		return "the recording ends before the rehearsal did"
	}
	for _, w := range s.Builds {
		if w.Reason != "" && w.Build.Zero() {
			return fmt.Sprintf("nats-server %s is not to be had: %s", w.Want, w.Reason)
		}
	}
	return "no step was walked"
}

// clean takes the secrets out. It goes the way of the event log, so that the
// report of a recorded rehearsal is the one that was written live.
func clean(r Report) Report {
	b, err := json.Marshal(r)
	var out Report
	if err == nil {
		err = json.Unmarshal(redact.JSON(b), &out)
	}
	if err != nil {
		panic(err) // a report is texts and finite numbers
	}
	return out
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func node(n cluster.Node, s rehearsal.State) Node {
	out := Node{Name: n.Name, Permanent: n.Permanent, Versions: []cluster.Version{}, PIDs: []int{}, Runs: []Run{}}
	var last *cluster.Exit
	for _, l := range s.Lives {
		if l.Node != n.Name {
			continue
		}
		out.Runs = append(out.Runs, run(l, s))
		out.PIDs = append(out.PIDs, l.PID)
		if l.Version != "" && (len(out.Versions) == 0 || out.Versions[len(out.Versions)-1] != l.Version) {
			out.Versions = append(out.Versions, l.Version)
		}
		if last != nil && !l.Up.IsZero() {
			down := ms(l.Up.Sub(wall(last.At)))
			if out.DownMS != nil {
				down += *out.DownMS
			}
			out.DownMS, last = &down, nil
		}
		if l.Exit != nil && last == nil {
			last = l.Exit
		}
	}
	return out
}

func run(l rehearsal.Life, s rehearsal.State) Run {
	since := func(at time.Time) *float64 {
		v := ms(at.Sub(began(s)))
		return &v
	}
	out := Run{PID: l.PID, Version: l.Version, BeganMS: *since(l.Started)}
	if !l.Up.IsZero() {
		out.UpMS = since(l.Up)
	}
	if e := l.Exit; e != nil && !e.At.After(ended(s)) {
		out.EndedMS, out.End, out.Died = since(e.At), e.String(), !e.Asked
	}
	return out
}

func step(s rehearsal.State, st upgrade.StepProgress) Step {
	out := Step{
		ID: st.ID, Title: st.Title, Node: st.Node, Why: st.Why, Command: st.Command,
		LimitMS: ms(st.Timeout), Undo: st.Undo, NoUndo: st.NoUndo,
		Outcome: st.Status, How: st.How, Reason: st.Reason, TookMS: ms(st.Took), Checks: []Check{},
		Moved: st.Impact.Moved, Reconnects: st.Impact.Reconnects,
		Lost: st.Impact.Lost, Duplicated: st.Impact.Duplicated, GapMSMax: ms(st.Impact.LongestAway),
		Waits: waits(st.Bill),
	}
	out.Given, out.Moment = st.StepOutline.Given, st.Moment
	out.Told, out.Listed = st.Told, st.Listed
	if j := st.Join; !j.Quiet() || j.Reconnects > 0 {
		out.Join = &Join{Lost: j.Lost, Duplicated: j.Duplicated, Reconnects: j.Reconnects, GapMSMax: ms(j.LongestAway)}
	}
	if !st.Began.IsZero() {
		at := ms(st.Began.Sub(began(s)))
		out.BeganMS = &at
	}
	for _, g := range st.Given {
		if st.Stops {
			out.Before = append(out.Before, Check{Text: g.Text, OK: g.Met, Known: g.Known, Detail: g.Detail})
		}
	}
	for _, c := range st.Checks {
		out.Checks = append(out.Checks, Check{Text: c.Text, OK: c.Met, Known: c.Known, Detail: c.Detail})
	}
	if st.Status == upgrade.Failed || st.Status == upgrade.Returned {
		out.Log = lastWords(s, st)
	}
	return out
}

// lastLines is how many of a server's last lines are told when its step has
// failed.
const lastLines = 8

// lastWords is what the server that a step failed with had written until then.
func lastWords(s rehearsal.State, st upgrade.StepProgress) []string {
	var pids []int
	for _, l := range s.Lives {
		if l.Node == st.Node {
			pids = append(pids, l.PID)
		}
	}
	last := len(pids) - 1
	if st.Status == upgrade.Returned {
		last-- // the last one is the old server, which was brought back
	}
	if last < 0 {
		return nil
	}
	var out []string
	for l := range s.Lines.Backward() {
		later := !st.Ended.IsZero() && l.At.After(wall(st.Ended)) && l.Level != cluster.LevelOther
		if l.PID == pids[last] && !later && len(out) < lastLines {
			out = append(out, fmt.Sprintf("%s %s %s", l.Node, l.Level, l.Text))
		}
	}
	slices.Reverse(out)
	return out
}

func claims(st upgrade.StepProgress) []Claim {
	var out []Claim
	for _, f := range st.Findings {
		c := Claim{ID: f.ID, Section: f.Section, Text: f.Text, Step: st.ID, Detail: f.Detail, Because: f.Because}
		if f.Stands != upgrade.Undecided {
			holds := f.Stands == upgrade.Holds
			c.Holds = &holds
		}
		out = append(out, c)
	}
	return out
}

func client(c cluster.Client) Client {
	out := Client{
		Name: c.Name, Role: c.Role, Trail: []string{}, HopsMS: []float64{}, Status: string(c.Status), Reconnects: c.Reconnects,
		AwayMS: ms(c.TotalAway), Received: c.Received, Lost: c.Lost, Duplicated: c.Duplicated, Errors: c.Errors,
	}
	for _, h := range c.Trail {
		out.Trail = append(out.Trail, h.Node)
		out.HopsMS = append(out.HopsMS, ms(h.Away))
	}
	return out
}

// JSON writes the report.
func (r Report) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(r)
}

// format is a way to write a report.
type format struct {
	name  string // of report --format
	ext   string // of a file
	write func(Report, io.Writer) error
}

var formats = []format{
	{"markdown", ".md", Report.Markdown},
	{"html", ".html", Report.HTML},
	{"json", ".json", Report.JSON},
	{"junit", ".xml", Report.JUnit},
	{"sh", ".sh", Report.Script},
}

// Formats lists the names of the formats that a report can be written in.
func Formats() []string { return names(func(f format) string { return f.name }) }

// Extensions lists the file name extensions of the formats.
func Extensions() []string { return names(func(f format) string { return f.ext }) }

func names(of func(format) string) []string {
	var out []string
	for _, f := range formats {
		out = append(out, of(f))
	}
	return out
}

// Write writes the report in the format of that name or extension.
func (r Report) Write(w io.Writer, as string) error {
	for _, f := range formats {
		if f.name == as || f.ext == as {
			return f.write(r, w)
		}
	}
	return fmt.Errorf("no report format %q", as)
}
