package cluster

import (
	"cmp"
	"slices"
	"time"
)

// keepRefused bounds the complaints kept per process; the log has all of them.
const keepRefused = 8

// keepGreeted bounds the lines about clients that came kept per process: those that
// were on one of three servers of a usual rehearsal, and come when it stops.
const keepGreeted = 64

// Apply folds one event into the observation and returns the result. It is
// pure: the old observation stays as it was. An event it does not know, or one
// about a process that is no longer the newest, changes nothing.
func (o Observation) Apply(at time.Time, e Event) Observation {
	o.At = at
	o = o.follow(e)
	switch e := e.(type) {
	case Installed:
		return o.with(e.Node, func(s *Server) { s.Disk, s.Spoilt = e.Build, e.Reason })
	case Configured:
		return o.with(e.Node, func(s *Server) { s.Config = e.Text })
	case Held:
		return o.ofProcess(e.Node, e.PID, func(s *Server) { s.Process.Held = e.On })
	case Occupied:
		return o.with(e.Node, func(s *Server) { s.Occupied = e.On })
	case Refused:
		return o.with(e.Node, func(s *Server) { s.Refusal = e.Reason })
	case Signalled:
		return o.ofProcess(e.Node, e.PID, func(s *Server) { s.Signal, s.SignalAt = e.Signal, e.At })
	case Damaged:
		return o.with(e.Node, func(s *Server) { s.Damage = e.How })
	case Inspected:
		return o.with(e.Node, func(s *Server) { s.Inspection = e.Inspection })
	case Started:
		return o.with(e.Node, func(s *Server) {
			*s = Server{
				Node: s.Node, Disk: s.Disk, Spoilt: s.Spoilt, Config: s.Config, Occupied: s.Occupied, Damage: s.Damage, Inspection: s.Inspection,
				Process: e.Process, Starts: s.Starts + 1, Was: cmp.Or(s.Answer.ServerID, s.Was),
			}
		})
	case StopAsked:
		return o.ofProcess(e.Node, e.PID, func(s *Server) {
			if e.Stop == StopLameDuck {
				s.Drained = s.Answer.Connections
			}
			s.Process.Stop, s.Process.Asked = e.Stop, e.At
		})
	case StopIgnored:
		return o.ofProcess(e.Node, e.PID, func(s *Server) { s.Process.Ignored = e.At })
	case Exited:
		return o.ofProcess(e.Node, e.PID, func(s *Server) {
			s.Process.Exit = &e.Exit
			s.Usage, s.Silent = Usage{}, time.Time{}
		})
	case Answered:
		return o.with(e.Answer.Node, func(s *Server) {
			if s.hears(e.Answer) {
				s.Answer, s.Silent, s.Why = e.Answer, time.Time{}, ""
				switch {
				case e.Answer.Healthy:
					s.Unwell = time.Time{}
				case s.Unwell.IsZero():
					s.Unwell = e.Answer.Began
				}
			}
		})
	case Unanswered:
		return o.with(e.Node, func(s *Server) {
			if !s.Process.Alive() || e.Began.Before(s.Process.Started) {
				return
			}
			if s.Silent.IsZero() {
				s.Silent = e.Began
			}
			s.Why = e.Reason
		})
	case Used:
		return o.ofProcess(e.Node, e.PID, func(s *Server) { s.Usage = e.Usage })
	case Logged:
		return o.logged(e)
	case ApplicationStarted, ApplicationExited:
		return o.application(e)
	case FleetChanged:
		o.Fleet = o.Fleet.apply(e)
	case FleetGone:
		o.Fleet = Fleet{At: e.At, Ledger: o.Fleet.Ledger + 1}
	}
	return o
}

// hears says that an answer is news: not told by the process before this one, or
// after its end.
func (s Server) hears(a Answer) bool {
	return s.Process.Alive() && !a.Began.Before(s.Process.Started) && !a.Began.Before(s.Answer.Began)
}

func (o Observation) with(node string, change func(*Server)) Observation {
	i := slices.IndexFunc(o.Servers, func(s Server) bool { return s.Node.Name == node })
	if i < 0 {
		return o
	}
	o.Servers = slices.Clone(o.Servers)
	change(&o.Servers[i])
	return o
}

func (o Observation) ofProcess(node string, pid int, change func(*Server)) Observation {
	return o.with(node, func(s *Server) {
		if s.Process.PID == pid && s.Process.Exit == nil {
			change(s)
		}
	})
}

func (o Observation) logged(e Logged) Observation {
	for _, l := range e.Lines {
		if s, ok := o.Server(l.Node); !ok || s.Process.PID != l.PID || l.Topic == "" && (l.Level != LevelDebug || s.Debug != "") {
			continue
		}
		o = o.with(l.Node, func(s *Server) { s.note(l) })
	}
	return o
}

// note keeps what claims are judged by of a line that the server wrote.
func (s *Server) note(l LogLine) {
	if s.Debug == "" && l.Level == LevelDebug {
		s.Debug = l.Text
	}
	switch l.Topic {
	case TopicRouteRefused:
		if len(s.Refused) < keepRefused {
			s.Refused = append(slices.Clip(s.Refused), l)
		}
	case TopicReloadFailed, TopicStoreFailed:
		if len(s.Failed) < keepRefused {
			s.Failed = append(slices.Clip(s.Failed), l)
		}
	case TopicClientUp:
		s.Greeted = append(slices.Clone(s.Greeted[max(0, len(s.Greeted)+1-keepGreeted):]), l)
	default:
	}
}

func (f Fleet) apply(e FleetChanged) Fleet {
	f.At, f.Totals, f.Series, f.Groups = e.At, e.Totals, e.Series, e.Groups
	if !e.Asked.IsZero() {
		f.Streams, f.Asked = e.Streams, e.Asked
	}
	if len(e.Changed) == 0 {
		return f
	}
	f.Clients = slices.Clone(f.Clients)
	for _, c := range e.Changed {
		switch {
		case c.ID >= 0 && c.ID < len(f.Clients):
			f.Clients[c.ID] = c
		case c.ID == len(f.Clients):
			f.Clients = append(f.Clients, c)
		}
	}
	return f
}
