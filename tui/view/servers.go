package view

import (
	"fmt"
	"strings"
	"time"

	"nats-roll/cluster"
	"nats-roll/tui/theme"
	"nats-roll/upgrade"
)

// Servers is the table of the nodes: what runs, what lies on disk, and what it
// takes. selected is a node's name. Where there is room for few rows only, the
// selected one is among them.
func Servers(t theme.Theme, o cluster.Observation, now time.Time, selected string, size Size) []string {
	wide := size.W >= 72
	head := fmt.Sprintf("  %-7s%-19s%-9s%-9s%7s", "node", "state", "runs", "on disk", "clients")
	if wide {
		head += fmt.Sprintf("%7s%7s%8s", "cpu %", "MiB", "pid")
	}
	out := []string{cut(t.Dim.Render(head), size.W)}
	var rows [][]string
	at := 0
	for i, s := range o.Servers {
		if s.Node.Name == selected {
			at = i
		}
		rows = append(rows, server(t, s, now, s.Node.Name == selected, wide, size.W))
	}
	room := size.H - 1
	for at < len(rows) {
		height := 0
		for _, r := range rows {
			height += len(r)
		}
		if height <= room {
			break
		}
		if at > 0 && at >= len(rows)/2 { // give up rows at the far end
			rows, at = rows[1:], at-1
			continue
		}
		if len(rows) == 1 {
			break
		}
		rows = rows[:len(rows)-1]
	}
	for _, r := range rows {
		out = append(out, r...)
	}
	return out[:min(len(out), size.H)]
}

func server(t theme.Theme, s cluster.Server, now time.Time, selected, wide bool, w int) []string {
	pointer := "  "
	if selected {
		pointer = t.Key.Render("▸ ")
	}
	name := s.Node.Name
	if !s.Node.Permanent {
		name += " temp"
	}
	runs := ""
	if s.Process.Alive() {
		if s.Answer.Known() {
			runs = string(s.Answer.Version)
		} else {
			runs = s.Process.Build.String()
		}
	}
	disk := s.Disk.String()
	if s.Disk.Zero() {
		disk = "–"
	}
	clients := ""
	if s.Process.Alive() && s.Answer.Known() {
		clients = count(s.Answer.Connections)
	}
	diskStyle := t.Text
	if s.RestartPending() {
		diskStyle = t.Warn
	}
	line := pointer + t.Node(s.Node.Name).Render(pad(name, 7)) + pad(Condition(t, s, now), 19) +
		pad(runs, 9) + diskStyle.Render(pad(disk, 9)) + right(clients, 7)
	if wide {
		cpu, mem, pid := "", "", ""
		if s.Process.Alive() {
			pid = fmt.Sprint(s.Process.PID)
			if s.Usage.Memory > 0 {
				cpu, mem = fmt.Sprintf("%.1f", s.Usage.CPU), fmt.Sprint(s.Usage.Memory>>20)
			}
		}
		line += right(cpu, 7) + right(mem, 7) + right(pid, 8)
	}
	out := []string{cut(line, w)}
	if note := remark(t, s); note != "" {
		out = append(out, cut("         "+note, w))
	}
	return out
}

// Condition tells a server's state in a word and a time.
func Condition(t theme.Theme, s cluster.Server, now time.Time) string {
	p := s.Process
	c := s.Condition()
	switch c {
	case cluster.Up:
		return t.Good.Render("● ") + "up " + clock(now.Sub(p.Started))
	case cluster.Starting, cluster.Stopping:
		return t.Warn.Render("◐ ") + string(c)
	case cluster.Draining:
		_, most := upgrade.LameDuckOf(s)
		left := most - now.Sub(p.Asked)
		return t.Warn.Render("◐ ") + fmt.Sprintf("lame duck ≤%ds", max(0, int(left.Seconds())))
	case cluster.Frozen:
		return t.Bad.Render("▲ ") + "no answer " + clock(now.Sub(s.Silent))
	case cluster.Down:
		return t.Dim.Render("○ ") + "down " + clock(now.Sub(p.Exit.At))
	case cluster.Crashed:
		return t.Bad.Render("✗ ") + "died " + clock(now.Sub(p.Exit.At)) + " ago"
	case cluster.NotStarted:
	}
	return t.Dim.Render("○ not started")
}

// remark is what must not be overlooked about a server.
func remark(t theme.Theme, s cluster.Server) string {
	switch {
	case s.Condition() == cluster.Crashed:
		return t.Bad.Render(clean(upgrade.ExitDetail(s.Process)))
	case s.Spoilt != "":
		return t.Bad.Render("its file is no nats-server: " + clean(s.Spoilt))
	case s.RestartPending(): // which versions, the row says
		return t.Warn.Render("restart pending: its file is another one")
	case s.Condition() == cluster.Frozen:
		return t.Bad.Render(clean(s.Why))
	}
	return ""
}

// ServerLine is a server in one line, for small screens, with its peers.
func ServerLine(t theme.Theme, o cluster.Observation, s cluster.Server, now time.Time, selected bool, w int) string {
	line := server(t, s, now, selected, false, w)[0]
	if note := remark(t, s); note != "" {
		return cut(line+"  "+note, w)
	}
	var peers []string
	for name, routes := range o.Peers(s.Node.Name) {
		peers = append(peers, s.Node.Name+"⇄"+name+fmt.Sprintf(" %d", routes))
	}
	sortStrings(peers)
	return cut(line+"  "+t.Dim.Render(strings.Join(peers, "  ")), w)
}
