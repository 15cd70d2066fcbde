package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
)

// Yours is what clients went through that are not nats-roll's: an application
// that ran with the rehearsal, or strangers that say the same about themselves.
type Yours struct {
	Name       string   `json:"name"`
	Command    string   `json:"command,omitempty"` // of an application
	Lang       string   `json:"lang,omitempty"`
	Version    string   `json:"version,omitempty"` // of its library
	Account    string   `json:"account,omitempty"`
	Clients    int      `json:"clients"`         // that were followed
	Trail      []string `json:"trail,omitempty"` // of the one that went to most servers
	Reconnects int      `json:"reconnects"`

	// The longest that one of them was without a server: so much at most, and it
	// may have been less by the blur.
	LongestMS     float64 `json:"longest_ms"`
	LongestBlurMS float64 `json:"longest_blur_ms,omitempty"`

	LameDucks int    `json:"lame_ducks,omitempty"` // connections that ended while their server was in lame duck mode
	Heeded    int    `json:"heeded,omitempty"`     // those of them that the client closed itself
	Died      string `json:"died,omitempty"`       // how an application ended that nobody had asked to
}

// yours lists applications first, and then strangers.
func yours(o cluster.Observation) []Yours {
	var out []Yours
	for _, a := range o.Applications {
		y := through(o.Of(a.Name))
		y.Name, y.Command = a.Name, a.Command
		if a.Exit != nil && !a.Exit.Asked {
			y.Died = a.Exit.String()
			if a.Exit.Reason != "" {
				y.Died += ", " + a.Exit.Reason
			}
		}
		out = append(out, y)
	}
	alike := map[cluster.Identity][]cluster.Stranger{}
	var order []cluster.Identity
	for _, x := range o.Followed {
		if x.Application != "" {
			continue
		}
		if alike[x.Identity] == nil {
			order = append(order, x.Identity)
		}
		alike[x.Identity] = append(alike[x.Identity], x)
	}
	for _, who := range order {
		y := through(alike[who])
		y.Name = cmp.Or(who.Name, "without a name")
		out = append(out, y)
	}
	return out
}

func through(list []cluster.Stranger) Yours {
	p := cluster.Through(list)
	y := Yours{
		Clients: len(list), Reconnects: p.Reconnects, LongestMS: ms(p.Longest.Most), LongestBlurMS: ms(p.Longest.Blur),
		LameDucks: p.LameDucks, Heeded: p.Heeded,
	}
	for _, x := range list {
		y.Lang, y.Version, y.Account = x.Lang, x.Version, x.Account
		if len(x.Trail) > len(y.Trail) {
			y.Trail = nil
			for _, stay := range x.Trail {
				y.Trail = append(y.Trail, stay.Node)
			}
		}
	}
	return y
}

// library is what it is written with.
func (y Yours) library() string { return strings.TrimSpace(y.Lang + " " + y.Version) }

func (y Yours) way() string { return strings.Join(y.Trail, " → ") }

// longest is the longest time without a server.
func (y Yours) longest() string {
	if y.LongestMS == 0 {
		return ""
	}
	return upgrade.AtMost(cluster.Span{Most: millis(y.LongestMS), Blur: millis(y.LongestBlurMS)})
}

// noticed says whether lame duck mode was heeded; empty if it was not met.
func (y Yours) noticed() string {
	if y.LameDucks == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d", y.Heeded, y.LameDucks)
}

// story tells it in a line: "1 connection, go 1.55.0; A → C → A; 2 reconnects, 12 ms
// without a server at most".
func (y Yours) story() string {
	out := []string{strings.TrimSuffix(count(y.Clients, "client")+", "+y.library(), ", ")}
	if way := y.way(); way != "" {
		out = append(out, way)
	}
	if y.Reconnects > 0 {
		out = append(out, fmt.Sprintf("%s, longest away %s", count(y.Reconnects, "reconnect"), y.longest()))
	}
	if n := y.noticed(); n != "" {
		out = append(out, "noticed lame duck "+n)
	}
	if y.Died != "" {
		out = append(out, "DIED: "+y.Died)
	}
	return strings.Join(out, "; ")
}

func millis(v float64) time.Duration { return time.Duration(v * float64(time.Millisecond)) }

// absence is the longest that a client which is not nats-roll's was without a
// server for certain; with a step, of what began in that.
func absence(s rehearsal.State, step string) time.Duration {
	var longest time.Duration
	for _, x := range s.World.Followed {
		for _, stay := range x.Trail {
			if least := stay.Away.Least(); step == "" || stepAt(s.Plan, stay.At.Add(-least)) == step {
				longest = max(longest, least)
			}
		}
	}
	return longest
}

// stepAt is the step that was the last to have begun then.
func stepAt(p upgrade.Progress, at time.Time) string {
	for _, st := range slices.Backward(p.Steps) {
		if !st.Began.IsZero() && !at.Before(wall(st.Began)) {
			return st.ID
		}
	}
	return ""
}
