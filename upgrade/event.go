package upgrade

import (
	"time"

	"nats-roll/cluster"
)

// Status is where a step stands.
type Status string

// The statuses of a step, in the order a step can go through them.
const (
	Pending   Status = "pending"
	Ready     Status = "ready"     // current, and waits for the word to go
	Blocked   Status = "blocked"   // current, but something it needs is missing
	Acting    Status = "acting"    // its action runs
	Checking  Status = "checking"  // its action is done, its checks are watched
	Stuck     Status = "stuck"     // its action failed or its time is over; still watched
	Returning Status = "returning" // the old server is being brought back
	Undoing   Status = "undoing"   // it is being taken back
	Verified  Status = "verified"
	Forced    Status = "forced" // the person went on although a check did not hold
	Failed    Status = "failed"
	Returned  Status = "rolled back" // it failed, or was not wanted: the node runs what it ran before
	Skipped   Status = "skipped"     // its node was rolled back earlier
)

// Over says that the step is behind us.
func (s Status) Over() bool {
	switch s {
	case Verified, Forced, Failed, Returned, Skipped:
		return true
	case Pending, Ready, Blocked, Acting, Checking, Stuck, Returning, Undoing:
	}
	return false
}

// How says what brought a step about.
type How string

// A step's action is run by the program, or was done otherwise: with another
// key, or in another terminal.
const (
	ByPlan How = ""
	ByHand How = "by hand"
)

// Outcome is how a rehearsal ended.
type Outcome string

// The outcomes of a rehearsal.
const (
	OutcomeVerified Outcome = "verified"
	OutcomeFailed   Outcome = "failed"
	OutcomeAborted  Outcome = "aborted"
)

// Planned begins a rehearsal: this is what will be walked.
type Planned struct {
	Outline Outline `json:"outline"`
}

// StepReady says that a step is current, with what it needs and the command as
// it stands now. It is told again when these change.
type StepReady struct {
	ID      string         `json:"id"`
	Given   []Result       `json:"given,omitempty"`
	Command string         `json:"command,omitempty"`
	Shell   string         `json:"shell,omitempty"`  // the command for another terminal, where it needs more words
	Listed  map[string]int `json:"listed,omitempty"` // where the clients will be, by what is seen now
	Reason  string         `json:"reason,omitempty"` // why what it lacks could not be brought about
}

// StepBegan says that a step's action runs, or that it was found done.
type StepBegan struct {
	ID      string         `json:"id"`
	How     How            `json:"how,omitempty"`
	Command string         `json:"command,omitempty"`
	Listed  map[string]int `json:"listed,omitempty"` // where the clients will be, by what was seen just before
}

// StepActed says that a step's action is over and its checks are watched.
type StepActed struct {
	ID string `json:"id"`
}

// StepChecked tells the verdicts on a step's checks when one of them changed.
type StepChecked struct {
	ID     string   `json:"id"`
	Checks []Result `json:"checks"`
}

// StepStuck says that a step's action failed or that its time is over.
type StepStuck struct {
	ID      string `json:"id"`
	Reason  string `json:"reason"`
	Command string `json:"command,omitempty"` // what trying again does, as it stands now
	Shell   string `json:"shell,omitempty"`   // the same to be typed, where that is not the same
}

// StepReturns says that the old server of a step's node is being brought back.
type StepReturns struct {
	ID       string   `json:"id"`
	Reason   string   `json:"reason,omitempty"` // why, if something failed
	Commands []string `json:"commands,omitempty"`
}

// StepUndoing says that a step is being taken back.
type StepUndoing struct {
	ID      string `json:"id"`
	Command string `json:"command,omitempty"`
}

// StepUndone says that a step was taken back and is to be done anew.
type StepUndone struct {
	ID     string         `json:"id"`
	Reason string         `json:"reason,omitempty"` // what does not hold although it should, or why nothing was done
	Took   time.Duration  `json:"took"`
	Checks []Result       `json:"checks,omitempty"`
	Impact Impact         `json:"impact"` // of taking it back
	On     map[string]int `json:"on,omitempty"`
}

// StepEnded closes a step.
type StepEnded struct {
	ID       string         `json:"id"`
	Status   Status         `json:"status"`
	How      How            `json:"how,omitempty"`
	Reason   string         `json:"reason,omitempty"`
	Took     time.Duration  `json:"took"` // action and checks
	Checks   []Result       `json:"checks"`
	Findings []Finding      `json:"findings,omitempty"`
	Told     []string       `json:"told,omitempty"` // what else was seen, in sentences
	Impact   Impact         `json:"impact"`
	Join     Impact         `json:"join,omitzero"` // the part of it after a server's process was there
	On       map[string]int `json:"on,omitempty"`  // the fleet's clients by node, then
}

// Finished ends a rehearsal.
type Finished struct {
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"`
}

// Kind is the event's name in the log.
func (Planned) Kind() string     { return "planned" }
func (StepReady) Kind() string   { return "step-ready" }
func (StepBegan) Kind() string   { return "step-began" }
func (StepActed) Kind() string   { return "step-acted" }
func (StepChecked) Kind() string { return "step-checked" }
func (StepStuck) Kind() string   { return "step-stuck" }
func (StepReturns) Kind() string { return "step-returns" }
func (StepUndoing) Kind() string { return "step-undoing" }
func (StepUndone) Kind() string  { return "step-undone" }
func (StepEnded) Kind() string   { return "step-ended" }
func (Finished) Kind() string    { return "finished" }

// Events holds a zero value of every event of this package, for decoding logs.
var Events = []cluster.Event{
	Planned{},
	Reordered{},
	StepReady{},
	StepBegan{},
	StepActed{},
	StepChecked{},
	StepStuck{},
	StepReturns{},
	StepUndoing{},
	StepUndone{},
	StepEnded{},
	Finished{},
	Doing{},
	Done{},
}
