package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"nats-roll/cluster"
	"nats-roll/tui/theme"
	"nats-roll/upgrade"
)

// Clients shows how the fleet's clients are spread, as bars, and below them the
// clients one by one from the scroll-th on: the user's own first, then the
// tutorial's subscriber and the rest. Only rows that are seen are made.
func Clients(t theme.Theme, o cluster.Observation, p upgrade.Prediction, now time.Time, scroll int, size Size) []string {
	f := o.Fleet
	own := yoursOf(o)
	if len(f.Clients)+own.len() == 0 {
		return []string{t.Dim.Render("none yet")}
	}
	out := Bars(t, o, p, size.W)
	if tight(o, size) { // the list matters more
		out = []string{ClientLine(t, o, p, size.W)}
	}
	room := size.H - len(out)
	if room < 2 {
		return out[:min(len(out), size.H)]
	}
	wide := size.W >= 64
	head := fmt.Sprintf("%-18s %-*s %-*s", "client", libraryWidth, "library", trailWidth, "was on")
	if wide {
		head += fmt.Sprintf("%6s%10s%7s", "moves", "longest", "lost")
	} else {
		head += fmt.Sprintf("%7s", "lost")
	}
	total := own.len() + len(f.Clients)
	libraries := libraries(o)
	scroll = max(0, min(scroll, total-(room-1)))
	out = append(out, cut(t.Dim.Render(head), size.W))
	for i := scroll; i < min(total, scroll+room-1); i++ {
		if i < own.len() {
			out = append(out, own.row(t, o, i, now, wide, size.W))
		} else {
			out = append(out, client(t, f.Clients[i-own.len()], libraries, now, wide, size.W))
		}
	}
	return out
}

// tight says that a bar for each server would leave no room for the list.
func tight(o cluster.Observation, size Size) bool { return len(o.Servers)+4 > size.H }

// barLines is how many lines Bars has, when no client is away.
func barLines(o cluster.Observation, p upgrade.Prediction) int {
	if p.None() {
		return len(o.Servers)
	}
	return len(o.Servers) + 1
}

// ClientRange says which of the clients Clients lists, if not all.
func ClientRange(o cluster.Observation, p upgrade.Prediction, scroll int, size Size) string {
	total := yoursOf(o).len() + len(o.Fleet.Clients)
	rows := size.H - 1 - barLines(o, p)
	if tight(o, size) {
		rows = size.H - 2
	}
	if rows < 1 || total <= rows {
		return ""
	}
	scroll = max(0, min(scroll, total-rows))
	return fmt.Sprintf("%d–%d of %s", scroll+1, scroll+rows, count(total))
}

// libraries finds what the servers say of the fleet's library; it is one for
// all of them.
func libraries(o cluster.Observation) string {
	for _, s := range o.Servers {
		for _, c := range s.Answer.Clients {
			if strings.HasPrefix(c.Name, cluster.FleetPrefix) {
				return strings.TrimSpace(clean(c.Lang + " " + c.Version))
			}
		}
	}
	return ""
}

func client(t theme.Theme, c cluster.Client, library string, now time.Time, wide bool, w int) string {
	on := ""
	switch c.Status {
	case cluster.ClientAway:
		on = t.Warn.Render(pad("away "+clock(now.Sub(c.AwaySince)), trailWidth))
	case cluster.ClientClosed:
		on = t.Bad.Render(pad("closed", trailWidth))
	case cluster.ClientConnected:
		var nodes []string
		for _, h := range c.Trail {
			nodes = append(nodes, h.Node)
		}
		if len(nodes) == 0 {
			nodes = []string{c.Node}
		}
		on = trail(t, nodes)
	}
	lost := t.Dim.Render(right("0", 7))
	switch {
	case !c.Role.Hears(), c.Role == cluster.RoleQueue: // what a group lost, no member lost alone
		lost = right("", 7)
	case c.Lost > 0:
		lost = t.Warn.Render(right(count(c.Lost), 7))
	}
	line := pad(strings.TrimPrefix(clean(c.Name), cluster.FleetPrefix), 18) + " " + t.Dim.Render(pad(library, libraryWidth)) + " " + on
	if wide {
		longest := ""
		if c.LongestAway > 0 {
			longest = upgrade.Round(c.LongestAway)
		}
		line += right(fmt.Sprint(c.Reconnects), 6) + right(longest, 10)
	}
	return cut(line+lost, w)
}

// The widths of two columns. A trail has room for five servers.
const (
	libraryWidth = 13
	trailWidth   = 9
)

// trail is which servers a client was on, the newest ones: "A›C›A".
func trail(t theme.Theme, nodes []string) string {
	at := len(nodes) - 1
	line, width := t.Node(nodes[at]).Render(nodes[at]), len(nodes[at])
	for at--; at >= 0 && width+1+len(nodes[at]) <= trailWidth; at-- {
		line = t.Dim.Render(nodes[at]+"›") + line
		width += 1 + len(nodes[at])
	}
	return line + strings.Repeat(" ", max(0, trailWidth-width))
}

// everybody counts the clients on each server, the fleet's and strangers.
func everybody(o cluster.Observation) (on map[string]int, total int) {
	on, total = o.Fleet.On(), len(o.Fleet.Clients)
	for _, s := range o.Strangers() {
		if s.Status == cluster.ClientConnected {
			on[s.Last().Node]++
		}
		total++
	}
	return on, total
}

// Bars shows how many clients each server has, and beside it how many it would
// have by the clients' lists, and if the text were right, about the last stop.
func Bars(t theme.Theme, o cluster.Observation, p upgrade.Prediction, w int) []string {
	on, total := everybody(o)
	type column struct {
		head string
		of   map[string]int
	}
	var foretold []column
	when := ""
	if p.Ahead {
		when = "next "
	}
	if p.Lists != nil {
		foretold = append(foretold, column{"  " + when + "by lists", p.Lists})
	}
	if p.Text != nil {
		foretold = append(foretold, column{"  " + when + "by text", p.Text})
	}
	aside := 0
	head := ""
	for _, c := range foretold {
		aside += len(c.head)
		head += c.head
	}
	var out []string
	if head != "" {
		out = append(out, t.Dim.Render(cut(right("now"+head, w-1), w)))
	}
	for _, s := range o.Servers {
		n := on[s.Node.Name]
		room := max(0, w-10-aside)
		full := 0
		if total > 0 {
			full = n * room / total
		}
		if n > 0 && full == 0 {
			full = 1
		}
		line := t.Node(s.Node.Name).Render(s.Node.Name+" "+strings.Repeat("█", min(full, room))) + strings.Repeat(" ", room-min(full, room)) + right(count(n), 7)
		for _, c := range foretold {
			line += t.Dim.Render(right(count(c.of[s.Node.Name]), len(c.head)))
		}
		out = append(out, cut(line, w))
	}
	if away := total - sumOf(on); away > 0 {
		out = append(out, cut(t.Warn.Render(fmt.Sprintf("%d without a server", away)), w))
	}
	return out
}

func sumOf(m map[string]int) int {
	n := 0
	for _, v := range m {
		n += v
	}
	return n
}

// said is a prediction in words.
func said(o cluster.Observation, of map[string]int) string {
	var says []string
	for _, s := range o.Servers {
		says = append(says, fmt.Sprintf("%s %s", s.Node.Name, count(of[s.Node.Name])))
	}
	return strings.Join(says, ", ")
}

// short is a prediction in the order of the servers: "0/154/148".
func short(o cluster.Observation, of map[string]int) string {
	var says []string
	for _, s := range o.Servers {
		says = append(says, count(of[s.Node.Name]))
	}
	return strings.Join(says, "/")
}

// ClientLine is the spread of the clients in one line. Bars give way to what is
// said beside them.
func ClientLine(t theme.Theme, o cluster.Observation, p upgrade.Prediction, w int) string {
	on, total := everybody(o)
	if total == 0 {
		return t.Dim.Render("Clients  none yet")
	}
	head, bars := t.Dim.Render("Clients  "), 16
	if len(o.Servers) > 3 {
		bars = max(0, 60/len(o.Servers)-7)
	}
	var tail []string
	if away := total - sumOf(on); away > 0 {
		tail = append(tail, t.Warn.Render(fmt.Sprintf("%d without a server", away)))
	}
	if lost := lostApplications(o); len(lost) > 0 {
		tail = append(tail, t.Bad.Render(strings.Join(lost, ", ")+" ended"))
	}
	switch ahead := map[bool]string{true: "next "}[p.Ahead]; {
	case p.Lists != nil && p.Text != nil: // in the order of the servers, or there is no room
		tail = append(tail, t.Dim.Render(fmt.Sprintf("%sby lists %s, by text %s", ahead, short(o, p.Lists), short(o, p.Text))))
	case p.Lists != nil:
		tail = append(tail, t.Dim.Render(fmt.Sprintf("%sby lists %s", ahead, short(o, p.Lists))))
	case p.Text != nil:
		tail = append(tail, t.Dim.Render("the text: "+said(o, p.Text)))
	}
	if n := len(o.Strangers()); n > 0 {
		tail = append(tail, t.Strong.Render(fmt.Sprintf("%d of them yours", n)))
	}
	for {
		line := strings.TrimRight(head+spreadOf(t, o, on, total, bars)+strings.Join(tail, "  "), " ")
		over := ansi.StringWidth(line) - w
		switch {
		case over > 0 && bars > 0:
			bars = max(0, bars-over)
		case over > 0 && p.Lists != nil && p.Text != nil: // one prediction, rather than part of a number
			p.Text = nil
			return ClientLine(t, o, p, w)
		default:
			return cut(line, w)
		}
	}
}

// spreadOf is a bar for each server, of so many cells together, and the number beside it.
func spreadOf(t theme.Theme, o cluster.Observation, on map[string]int, total, bars int) string {
	line := ""
	for _, s := range o.Servers {
		n := on[s.Node.Name]
		width := n * bars / total
		if n > 0 && bars > 0 {
			width = max(1, width)
		}
		line += t.Node(s.Node.Name).Render(strings.TrimRight(s.Node.Name+" "+strings.Repeat("█", width), " ")) + fmt.Sprintf(" %s  ", count(n))
	}
	return line
}
