package cluster

import (
	"fmt"
	"slices"
	"time"
)

// Application is a program of the user's own that runs while the servers are
// upgraded. What it goes through is told by its connections: strangers that
// belong to its processes.
type Application struct {
	Name    string    `json:"name"`
	Command string    `json:"command"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	Exit    *Exit     `json:"exit,omitempty"` // nil while it runs
}

// ApplicationName is what the i-th application is called, from 0.
func ApplicationName(i int) string { return fmt.Sprint("app", i+1) }

func (o Observation) application(e Event) Observation {
	o.Applications = slices.Clone(o.Applications)
	at := func(name string) int {
		return slices.IndexFunc(o.Applications, func(a Application) bool { return a.Name == name })
	}
	switch e := e.(type) {
	case ApplicationStarted:
		a := Application{Name: e.Name, Command: e.Command, PID: e.PID, Started: e.At}
		if i := at(e.Name); i >= 0 {
			o.Applications[i] = a
		} else {
			o.Applications = append(o.Applications, a)
		}
	case ApplicationExited:
		if i := at(e.Name); i >= 0 && o.Applications[i].PID == e.PID {
			o.Applications[i].Exit = &e.Exit
			o.Followed = strangers(o.Followed).orphaned(o.Applications)
		}
	}
	return o
}

// Application finds one by its name.
func (o Observation) Application(name string) (Application, bool) {
	for _, a := range o.Applications {
		if a.Name == name {
			return a, true
		}
	}
	return Application{}, false
}

// Of lists the strangers that are an application's.
func (o Observation) Of(application string) []Stranger {
	var out []Stranger
	for _, x := range o.Followed {
		if x.Application == application {
			out = append(out, x)
		}
	}
	return out
}

// Passage is what several strangers went through together, such as the
// connections of one application.
type Passage struct {
	On   map[string]int `json:"on,omitempty"`   // connections by node
	Away int            `json:"away,omitempty"` // those that have lost their server

	Reconnects int  `json:"reconnects"`
	Longest    Span `json:"longest"` // that one of them was without a server
	Total      Span `json:"total"`   // of all of them together

	// Who notices lame duck mode closes its connection before its server does. One
	// that does not gives no sign of whether it noticed.
	LameDucks int `json:"lame_ducks,omitempty"`
	Heeded    int `json:"heeded,omitempty"`
}

// Through sums what strangers went through.
func Through(list []Stranger) Passage {
	p := Passage{On: map[string]int{}}
	for _, x := range list {
		switch x.Status {
		case ClientConnected:
			p.On[x.Last().Node]++
		case ClientAway:
			p.Away++
		case ClientGone, ClientClosed:
		}
		p.Reconnects += x.Reconnects
		p.Longest, p.Total = p.Longest.Longer(x.Longest), p.Total.Add(x.Total)
		p.LameDucks, p.Heeded = p.LameDucks+x.LameDucks, p.Heeded+x.Heeded
	}
	return p
}
