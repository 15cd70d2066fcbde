package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"nats-roll/cluster"
	"nats-roll/tui/theme"
	"nats-roll/upgrade"
)

// yours are the clients that are the user's own: applications that run with the
// rehearsal, and strangers that belong to none of them.
type yours struct {
	applications []cluster.Application
	strangers    []cluster.Stranger
}

func yoursOf(o cluster.Observation) yours {
	y := yours{applications: o.Applications}
	for _, x := range o.Strangers() {
		if x.Application == "" {
			y.strangers = append(y.strangers, x)
		}
	}
	return y
}

func (y yours) len() int { return len(y.applications) + len(y.strangers) }

// row is the i-th of them, applications first, in the columns of client.
func (y yours) row(t theme.Theme, o cluster.Observation, i int, now time.Time, wide bool, w int) string {
	var name, on string
	var all []cluster.Stranger
	if i < len(y.applications) {
		a := y.applications[i]
		name, all = a.Name+" "+a.Command, o.Of(a.Name)
		if a.Exit != nil {
			on = t.Bad.Render(pad(ended(*a.Exit), trailWidth))
		}
	} else {
		x := y.strangers[i-len(y.applications)]
		name, all = called(x), []cluster.Stranger{x}
	}
	p := cluster.Through(all)
	if on == "" && len(all) == 1 && all[0].Status == cluster.ClientConnected {
		var nodes []string
		for _, stay := range all[0].Trail {
			nodes = append(nodes, stay.Node)
		}
		on = trail(t, nodes)
	}
	if on == "" {
		on = whereabouts(t, p)
	}
	library := ""
	if len(all) > 0 {
		x := all[len(all)-1]
		library = x.Lang + " " + x.Version
	}
	line := t.Strong.Render(pad(clean(name), 18)) + " " + pad(clean(library), libraryWidth) + " " + on
	if wide {
		line += right(fmt.Sprint(p.Reconnects), 6) + longest(t, all, p, now)
	}
	return cut(line+t.Dim.Render(right("yours", 7)), w)
}

func called(x cluster.Stranger) string {
	name := x.Name
	if name == "" {
		name = fmt.Sprintf("cid %d", x.Last().CID)
	}
	if x.Number > 1 {
		name += fmt.Sprintf(" #%d", x.Number)
	}
	return name
}

// ended says in a word or two how an application ended.
func ended(e cluster.Exit) string {
	if e.Asked || e.Code < 0 {
		return "ended"
	}
	return fmt.Sprintf("exit %d", e.Code)
}

// whereabouts is where connections are.
func whereabouts(t theme.Theme, p cluster.Passage) string {
	nodes := slices.Sorted(maps.Keys(p.On))
	switch {
	case p.Away > 0:
		return t.Warn.Render(pad("away", trailWidth))
	case len(nodes) == 0:
		return t.Dim.Render(pad("–", trailWidth))
	case len(nodes) == 1:
		return t.Node(nodes[0]).Render(pad(nodes[0], trailWidth))
	}
	var out []string
	for _, n := range nodes {
		out = append(out, fmt.Sprint(n, p.On[n]))
	}
	return pad(strings.Join(out, " "), trailWidth)
}

// longest is the longest time without a server, the present one included.
func longest(t theme.Theme, all []cluster.Stranger, p cluster.Passage, now time.Time) string {
	const width = 10
	for _, x := range all {
		if since := now.Sub(x.Last().Gone); x.Status == cluster.ClientAway && since > p.Longest.Most {
			return t.Warn.Render(right(clock(since), width))
		}
	}
	if p.Longest.Most == 0 {
		return right("", width)
	}
	return right(upgrade.AtMost(p.Longest), width)
}

// lostApplications are those that have ended although nobody asked them to.
func lostApplications(o cluster.Observation) (out []string) {
	for _, a := range o.Applications {
		if a.Exit != nil && !a.Exit.Asked {
			out = append(out, a.Name)
		}
	}
	return out
}
