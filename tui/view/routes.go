package view

import (
	"fmt"
	"slices"
	"strings"

	"nats-roll/cluster"
	"nats-roll/tui/theme"
	"nats-roll/upgrade"
)

func sortStrings(s []string) { slices.Sort(s) }

// Routes is who sees whom: a row for each server, with the route connections it
// says it has to each other one.
func Routes(t theme.Theme, o cluster.Observation, size Size) []string {
	const cell = 5
	if len(o.Servers)+1 > size.H {
		return mesh(t, o, size)
	}
	head := "     "
	for _, s := range o.Servers {
		head += right(t.Node(s.Node.Name).Render(s.Node.Name), cell)
	}
	notes := routeNotes(o)
	if 5+cell*len(o.Servers)+noteWidth+1 > size.W {
		notes = nil
	}
	out := []string{beside(head, notes, 0, t, size.W)}
	for i, a := range o.Servers {
		row := "  " + t.Node(a.Node.Name).Render(pad(a.Node.Name, 3))
		peers := o.Peers(a.Node.Name)
		for _, b := range o.Servers {
			var c string
			switch n := peers[b.Node.Name]; {
			case a.Node.Name == b.Node.Name:
				c = t.Dim.Render("·")
			case n > 0:
				c = fmt.Sprint(n)
			case a.Process.Alive() && b.Process.Alive() && a.Answer.Known():
				c = t.Warn.Render("–")
			default:
				c = " "
			}
			row += right(c, cell)
		}
		out = append(out, beside(row, notes, i+1, t, size.W))
	}
	return out[:min(len(out), size.H)]
}

// routeNotes explain the numbers where they need it.
func routeNotes(o cluster.Observation) []string {
	for _, s := range o.Servers {
		for _, n := range o.Peers(s.Node.Name) {
			if n == 4 {
				return []string{"4 connections a pair: a", "pool of 3, and 1 for the", "system account"}
			}
			return []string{"route connections that", "each says it has"}
		}
	}
	if len(o.Alive()) == 1 {
		return []string{"there is only one server"}
	}
	return []string{"nobody sees anybody"}
}

// beside puts a note to the right of a row, where there is room.
func beside(row string, notes []string, i int, t theme.Theme, w int) string {
	if i >= len(notes) {
		return cut(row, w)
	}
	return between(row, t.Dim.Render(pad(notes[i], noteWidth)), w)
}

// noteWidth is the room for a note.
const noteWidth = 24

// mesh says in words who sees whom, where there is no room for a table.
func mesh(t theme.Theme, o cluster.Observation, size Size) []string {
	alive := o.Alive()
	var missing []string
	for i, a := range alive {
		for _, b := range alive[i+1:] {
			if o.Peers(a)[b] == 0 || o.Peers(b)[a] == 0 {
				missing = append(missing, a+"–"+b)
			}
		}
	}
	switch {
	case len(alive) < 2:
		return []string{t.Dim.Render(routeNotes(o)[0])}
	case len(missing) == 0:
		return wrap(t.Text, fmt.Sprintf("%s all see each other", upgrade.List(alive)), size.W)
	}
	return hang(t.Warn.Render("not yet  "), t.Warn, strings.Join(missing, "  "), size.W)
}
