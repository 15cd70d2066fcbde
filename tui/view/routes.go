package view

import (
	"fmt"
	"slices"

	"nats-roll/cluster"
	"nats-roll/tui/theme"
)

func sortStrings(s []string) { slices.Sort(s) }

// Routes is who sees whom: a row for each server, with the route connections it
// says it has to each other one.
func Routes(t theme.Theme, o cluster.Observation, size Size) []string {
	const cell = 5
	head := "     "
	for _, s := range o.Servers {
		head += right(t.Node(s.Node.Name).Render(s.Node.Name), cell)
	}
	notes := routeNotes(o)
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
				return []string{"each sees the other over", "4 connections: a pool of", "3, and 1 for the system", "account"}
			}
			return []string{"route connections that", "each says it has"}
		}
	}
	return []string{"nobody sees anybody yet"}
}

// beside puts a note to the right of a row, where there is room.
func beside(row string, notes []string, i int, t theme.Theme, w int) string {
	if i >= len(notes) {
		return cut(row, w)
	}
	return between(row, t.Dim.Render(pad(notes[i], 24)), w)
}
