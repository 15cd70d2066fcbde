package cluster

import "time"

// Event is something that was observed or done. Producers emit events, one
// goroutine numbers and folds them into state, and every screen, report and
// verdict is a view of that state. Kind is the event's name in the event log.
type Event interface{ Kind() string }

// Sink takes events from any goroutine and does not block for long.
type Sink func(Event)

// Fetching tells how far getting a build is.
type Fetching struct {
	Role   string `json:"role"` // from or to; "to A" if it is that server's own
	Want   string `json:"want"` // the selector as given: 2.15.1
	Detail string `json:"detail"`
}

// Fetched says that a build is at hand.
type Fetched struct {
	Role  string `json:"role"`
	Build Build  `json:"build"`
}

// FetchFailed says that a build is not to be had, and what is done instead.
type FetchFailed struct {
	Role    string `json:"role"`
	Want    string `json:"want"`
	Reason  string `json:"reason"`
	Hint    string `json:"hint,omitempty"`
	Instead Build  `json:"instead,omitzero"`
}

// Installed says that the file in a node's slot is now this build, whoever put
// it there; the zero Build, that there is no file. What runs is another fact.
type Installed struct {
	Node   string `json:"node"`
	Build  Build  `json:"build"`            // without a version if it is no server
	Reason string `json:"reason,omitempty"` // why it is none
}

// Configured says that ConfigFile in a node's slot has this text now; empty, that
// there is no such file. What runs may have read another.
type Configured struct {
	Node string `json:"node"`
	Text string `json:"text"`
}

// Held says that a process was stopped in its tracks with SIGSTOP, or goes on after
// SIGCONT.
type Held struct {
	Node string `json:"node"`
	PID  int    `json:"pid"`
	On   bool   `json:"on"`
}

// Occupied says that nats-roll itself listens on a node's client port, so that no
// server can, or does not any more.
type Occupied struct {
	Node string `json:"node"`
	Port int    `json:"port"`
	On   bool   `json:"on"`
}

// Refused says that a node's server was not started, and why.
type Refused struct {
	Node   string `json:"node"`
	Reason string `json:"reason"`
}

// Signalled says that a process was sent a signal that is not to end it.
type Signalled struct {
	Node   string    `json:"node"`
	PID    int       `json:"pid"`
	Signal Signal    `json:"signal"`
	At     time.Time `json:"at"`
}

// Damaged says how what a node's server has stored was damaged on purpose; empty,
// that the whole store was taken away.
type Damaged struct {
	Node string `json:"node"`
	How  string `json:"how,omitempty"`
}

// Requested is a request to the servers through the system account, and its answer.
type Requested struct {
	Subject string `json:"subject"`
	Body    string `json:"body,omitempty"`
	Reply   string `json:"reply,omitempty"`
	Reason  string `json:"reason,omitempty"` // why there is no answer
}

// Inspected says whether a build is fit to be a node's next binary. It is told
// before anything is stopped for it.
type Inspected struct {
	Node       string     `json:"node"`
	Inspection Inspection `json:"inspection"`
}

// Inspection is what was found out about a build that a node is to run, up to
// the first thing that is wrong with it.
type Inspection struct {
	Build Build  `json:"build"`
	Facts []Fact `json:"facts"`
}

// Fact is one thing that was tried.
type Fact struct {
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// Started says that a server process began.
type Started struct {
	Node    string  `json:"node"`
	Process Process `json:"process"`
}

// StopAsked says that a process was sent a signal to end.
type StopAsked struct {
	Node string    `json:"node"`
	PID  int       `json:"pid"`
	Stop Stop      `json:"stop"`
	At   time.Time `json:"at"`
}

// StopIgnored says that a process in lame duck mode was sent a signal which it takes
// no notice of then.
type StopIgnored struct {
	Node string    `json:"node"`
	PID  int       `json:"pid"`
	Stop Stop      `json:"stop"`
	At   time.Time `json:"at"`
}

// Exited says that a process ended.
type Exited struct {
	Node string `json:"node"`
	PID  int    `json:"pid"`
	Exit Exit   `json:"exit"`
}

// Logged carries lines that a server wrote, or an application.
type Logged struct {
	Lines   []LogLine `json:"lines"`
	Skipped int       `json:"skipped,omitempty"` // lines left out here; a server's file in the slot has all
}

// ApplicationStarted says that an application of the user's own began.
type ApplicationStarted struct {
	Name    string    `json:"name"`
	Command string    `json:"command"`
	PID     int       `json:"pid"`
	At      time.Time `json:"at"`
}

// ApplicationExited says that an application ended.
type ApplicationExited struct {
	Name string `json:"name"`
	PID  int    `json:"pid"`
	Exit Exit   `json:"exit"`
}

// Answered says that a server answered.
type Answered struct {
	Answer Answer `json:"answer"`
}

// Unanswered says that a server did not answer the question that left at Began.
type Unanswered struct {
	Node   string    `json:"node"`
	Began  time.Time `json:"began"`
	Reason string    `json:"reason"`
}

// Used tells what a process takes.
type Used struct {
	Node  string `json:"node"`
	PID   int    `json:"pid"`
	Usage Usage  `json:"usage"`
}

// FleetChanged carries the fleet's totals and those clients about which
// something changed. Clients are addressed by ID; an ID one past the last one
// adds a client. Connections are told at once, counters a few times a second.
type FleetChanged struct {
	At      time.Time    `json:"at"`
	Totals  Totals       `json:"totals"`
	Series  []Series     `json:"series,omitempty"`
	Groups  []QueueGroup `json:"groups,omitempty"`
	Costs   []Cost       `json:"costs,omitempty"` // since the last time
	Streams []Stream     `json:"streams,omitempty"`
	Asked   time.Time    `json:"asked,omitzero"` // when the streams were asked for
	Changed []Client     `json:"changed,omitempty"`
}

// FleetGone says that the clients were disconnected, and their ledger closed. The
// next ones are counted anew.
type FleetGone struct {
	At time.Time `json:"at"`
}

// Kind is the event's name in the log.
func (Fetching) Kind() string           { return "fetching" }
func (Fetched) Kind() string            { return "fetched" }
func (FetchFailed) Kind() string        { return "fetch-failed" }
func (Installed) Kind() string          { return "installed" }
func (Configured) Kind() string         { return "configured" }
func (Held) Kind() string               { return "held" }
func (Occupied) Kind() string           { return "occupied" }
func (Refused) Kind() string            { return "refused" }
func (Signalled) Kind() string          { return "signalled" }
func (Damaged) Kind() string            { return "damaged" }
func (Requested) Kind() string          { return "requested" }
func (Inspected) Kind() string          { return "inspected" }
func (Started) Kind() string            { return "started" }
func (StopAsked) Kind() string          { return "stop-asked" }
func (StopIgnored) Kind() string        { return "stop-ignored" }
func (Exited) Kind() string             { return "exited" }
func (Logged) Kind() string             { return "logged" }
func (ApplicationStarted) Kind() string { return "application-started" }
func (ApplicationExited) Kind() string  { return "application-exited" }
func (Answered) Kind() string           { return "answered" }
func (Unanswered) Kind() string         { return "unanswered" }
func (Used) Kind() string               { return "used" }
func (FleetChanged) Kind() string       { return "fleet" }
func (FleetGone) Kind() string          { return "fleet-gone" }

// Events holds a zero value of every event of this package, for decoding logs.
var Events = []Event{
	Fetching{},
	Fetched{},
	FetchFailed{},
	Installed{},
	Configured{},
	Held{},
	Occupied{},
	Refused{},
	Signalled{},
	Damaged{},
	Requested{},
	Inspected{},
	Started{},
	StopAsked{},
	StopIgnored{},
	Exited{},
	Logged{},
	ApplicationStarted{},
	ApplicationExited{},
	Answered{},
	Unanswered{},
	Used{},
	FleetChanged{},
	FleetGone{},
}
