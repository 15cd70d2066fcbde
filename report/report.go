// Package report renders what a rehearsal came to: plans and event streams as
// text, the finished rehearsal as JSON and Markdown. Everything in a report is
// read from the State; numbers are measured or absent. The package starts no
// goroutine.
package report

import (
	"encoding/json"
	"io"
	"slices"
	"time"

	"nats-roll/advice"
	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
)

// Schema names the form of the JSON report.
const Schema = "nats-roll/report/1"

// Report is a finished rehearsal. Its JSON field names are a contract; fields
// may be added.
type Report struct {
	Schema  string          `json:"schema"`
	Tool    string          `json:"tool"`
	Chapter string          `json:"chapter"`
	From    cluster.Version `json:"from"`
	To      cluster.Version `json:"to"`
	Outcome upgrade.Outcome `json:"outcome"`
	Reason  string          `json:"reason,omitempty"`
	Notes   []string        `json:"notes,omitempty"`  // limits of this rehearsal, such as one build on both sides
	Advice  []Finding       `json:"advice,omitempty"` // what was known about the step beforehand

	Nodes      []Node     `json:"nodes"`
	Steps      []Step     `json:"steps"`
	Messages   Messages   `json:"messages"`
	Reconnects Reconnects `json:"reconnects"`
	Claims     []Claim    `json:"claims"`

	Builds  map[string]cluster.Builds `json:"builds"`
	Probe   Probe                     `json:"probe"`
	Clients []Client                  `json:"clients"`
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
	Sources  []string        `json:"sources"`
	Matters  bool            `json:"matters"` // to this rehearsal
	Because  string          `json:"because,omitempty"`
}

func adviceOf(o upgrade.Outline) []Finding {
	var out []Finding
	for _, f := range o.Advice.Findings() {
		out = append(out, Finding{f.ID, f.Severity, f.Text, f.Sources, f.Matters && !f.Undecided, f.Because})
	}
	return out
}

// Node is what became of one node.
type Node struct {
	Name      string            `json:"name"`
	Permanent bool              `json:"permanent"`
	Versions  []cluster.Version `json:"versions"`          // as the servers answered, in order
	PIDs      []int             `json:"pids"`              // of every process
	DownMS    *float64          `json:"down_ms,omitempty"` // from each exit to the next first answer, summed; absent if it was not restarted
}

// Step is what became of one step.
type Step struct {
	ID         string         `json:"id"`
	Title      string         `json:"title"`
	Node       string         `json:"node,omitempty"`
	Command    string         `json:"command,omitempty"`
	Outcome    upgrade.Status `json:"outcome"`
	How        upgrade.How    `json:"how,omitempty"` // by hand, if the plan did not do it
	Reason     string         `json:"reason,omitempty"`
	TookMS     float64        `json:"took_ms"`
	Checks     []Check        `json:"checks"`
	Moved      map[string]int `json:"moved,omitempty"`
	Reconnects int            `json:"reconnects"`
	Lost       uint64         `json:"lost"`
	Duplicated uint64         `json:"duplicated"`
	GapMSMax   float64        `json:"gap_ms_max"` // the longest that a client was without a server
}

// Check is a condition and what was seen of it.
type Check struct {
	Text   string `json:"text"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

// Messages sums the ledgers: expected = received - duplicated + lost.
type Messages struct {
	Published  uint64 `json:"published"`
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
	Text   string `json:"text"`
	Step   string `json:"step"`
	Holds  *bool  `json:"holds,omitempty"`
	Detail string `json:"detail"`
}

// Probe is what the numbers depend on.
type Probe struct {
	Subscribers int `json:"subscribers"`
	Rate        int `json:"rate"` // numbered messages a second
}

// Client is one client's account of the rehearsal.
type Client struct {
	Name       string   `json:"name"`
	Trail      []string `json:"trail"`
	Status     string   `json:"status"`
	Reconnects int      `json:"reconnects"`
	AwayMS     float64  `json:"away_ms"` // without a server, in all
	Received   uint64   `json:"received"`
	Lost       uint64   `json:"lost"`
	Duplicated uint64   `json:"duplicated"`
}

// New reads a report off a state.
func New(s rehearsal.State, h rehearsal.Header) Report {
	o, f := s.Plan.Outline, s.World.Fleet
	r := Report{
		Schema: Schema, Tool: h.Tool, Chapter: o.Chapter, From: o.From.Version, To: o.To.Version,
		Outcome: s.Plan.Outcome, Reason: s.Plan.Reason, Notes: o.Notes, Advice: adviceOf(o),
		Nodes: []Node{}, Steps: []Step{}, Claims: []Claim{}, Clients: []Client{},
		Messages: Messages{
			Published: f.Published, Expected: f.Expected, Received: f.Received,
			Lost: f.Lost, Duplicated: f.Duplicated, Reordered: f.Reordered, Settled: f.Settled,
		},
		Reconnects: Reconnects{Count: f.Reconnects, P50MS: ms(f.AwayP50), P99MS: ms(f.AwayP99), MaxMS: ms(f.AwayMax)},
		Builds:     map[string]cluster.Builds{"from": o.From, "to": o.To},
		Probe:      Probe{Rate: f.Rate},
		Host:       h.Host,
		Command:    h.Command,
		Began:      s.Plan.Began,
	}
	if !s.Plan.Ended.IsZero() {
		r.TookMS = ms(s.Plan.Ended.Sub(s.Plan.Began))
	}
	for _, n := range o.Topology.Nodes {
		r.Nodes = append(r.Nodes, node(n, s.Lives))
	}
	for _, st := range s.Plan.Steps {
		r.Steps = append(r.Steps, step(st))
		r.Claims = append(r.Claims, claims(st)...)
	}
	for _, c := range f.Clients {
		if c.Role.Hears() {
			r.Probe.Subscribers++
		}
		r.Clients = append(r.Clients, client(c))
	}
	return r
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func node(n cluster.Node, lives []rehearsal.Life) Node {
	out := Node{Name: n.Name, Permanent: n.Permanent, Versions: []cluster.Version{}, PIDs: []int{}}
	var last *cluster.Exit
	for _, l := range lives {
		if l.Node != n.Name {
			continue
		}
		out.PIDs = append(out.PIDs, l.PID)
		if l.Version != "" && (len(out.Versions) == 0 || out.Versions[len(out.Versions)-1] != l.Version) {
			out.Versions = append(out.Versions, l.Version)
		}
		if last != nil && !l.Up.IsZero() {
			down := ms(l.Up.Sub(last.At))
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

func step(st upgrade.StepProgress) Step {
	out := Step{
		ID: st.ID, Title: st.Title, Node: st.Node, Command: st.Command,
		Outcome: st.Status, How: st.How, Reason: st.Reason, TookMS: ms(st.Took), Checks: []Check{},
		Moved: st.Impact.Moved, Reconnects: st.Impact.Reconnects,
		Lost: st.Impact.Lost, Duplicated: st.Impact.Duplicated, GapMSMax: ms(st.Impact.LongestAway),
	}
	for _, c := range st.Checks {
		out.Checks = append(out.Checks, Check{Text: c.Text, OK: c.Met, Detail: c.Detail})
	}
	return out
}

func claims(st upgrade.StepProgress) []Claim {
	var out []Claim
	for _, f := range st.Findings {
		c := Claim{Text: f.Text, Step: st.ID, Detail: f.Detail}
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
		Name: c.Name, Trail: []string{}, Status: string(c.Status), Reconnects: c.Reconnects,
		AwayMS: ms(c.TotalAway), Received: c.Received, Lost: c.Lost, Duplicated: c.Duplicated,
	}
	for _, h := range c.Trail {
		out.Trail = append(out.Trail, h.Node)
	}
	return out
}

// JSON writes the report.
func (r Report) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(r)
}

// Formats lists the file name extensions that a report can be written as.
var Formats = []string{".json", ".md"}

// Write writes the report in the format of the extension.
func (r Report) Write(w io.Writer, ext string) error {
	if ext == ".md" {
		return r.Markdown(w)
	}
	return r.JSON(w)
}

// Known says that reports can be written with this extension.
func Known(ext string) bool { return slices.Contains(Formats, ext) }
