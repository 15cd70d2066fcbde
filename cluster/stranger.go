package cluster

import (
	"slices"
	"time"
)

// Identity is what a client is recognised by on another server: what it says
// about itself, as whom it logged in, and whether it is an application's. Nothing
// else in /connz outlives a connection.
type Identity struct {
	Name    string `json:"name,omitempty"`
	Lang    string `json:"lang,omitempty"`
	Version string `json:"version,omitempty"`
	Account string `json:"account,omitempty"` // empty for the global one
	User    string `json:"user,omitempty"`

	Application string `json:"application,omitempty"` // the rehearsal's own, by the process that it belongs to
}

// Identity is the client's.
func (c Connection) Identity() Identity {
	return Identity{Name: c.Name, Lang: c.Lang, Version: c.Version, Account: c.Account, User: c.User, Application: c.Application}
}

// Stranger is a client that the rehearsal did not start, followed from server to
// server. A connection that is new is taken for the return of the one with the
// same identity that has been away longest; if none is away, for another client.
//
// How long it was away is known from the servers' records where they could be
// asked: when a connection was taken, and when it was closed. Of a server that
// ended, or had nothing to say, it is known that the connection was there when
// it was last listed or the server was asked to stop, and that it was not when
// it was found missing.
type Stranger struct {
	Identity
	Number int          `json:"number"` // tells those of the same identity apart, from 1
	Status ClientStatus `json:"status"`
	Trail  []Stay       `json:"trail"` // the newest ones, never empty

	Reconnects int  `json:"reconnects"`
	Longest    Span `json:"longest"` // without a server
	Total      Span `json:"total"`

	LameDucks int `json:"lame_ducks,omitempty"` // connections that ended while their server was in lame duck mode
	Heeded    int `json:"heeded,omitempty"`     // those of them that the client closed itself, to come back elsewhere
}

// Span is a time as well as it is known: Most at most, and it may have been
// shorter by Blur.
type Span struct {
	Most time.Duration `json:"most"`
	Blur time.Duration `json:"blur,omitempty"`
}

// Least is what it was at least.
func (s Span) Least() time.Duration { return s.Most - s.Blur }

// Add is one time after the other.
func (s Span) Add(o Span) Span { return Span{s.Most + o.Most, s.Blur + o.Blur} }

// Longer is the one that may have been longer.
func (s Span) Longer(o Span) Span {
	if o.Most > s.Most {
		return o
	}
	return s
}

// Stay is one connection of a stranger.
type Stay struct {
	Node string    `json:"node"`
	CID  uint64    `json:"cid"`
	Addr string    `json:"addr"`
	At   time.Time `json:"at"`   // when its server took it
	Away Span      `json:"away"` // without a server before

	Seen     time.Time `json:"seen,omitzero"`   // when it was there for certain, once it is not listed any more
	Gone     time.Time `json:"gone,omitzero"`   // when it was not any more, at the latest
	Noted    bool      `json:"noted,omitempty"` // its server has written down that it was gone then
	Why      string    `json:"why,omitempty"`   // in its server's words, or ServerEnded; empty if nobody knows
	LameDuck bool      `json:"lame_duck,omitempty"`
}

// Why a connection is gone. ClosedByClient is how servers put it.
const (
	ClosedByClient = "Client Closed"
	ServerEnded    = "its server ended"
)

// Bounds of what is kept of strangers that come and go.
const (
	keepGone  = 200 // of those without a connection, the ones that left last
	keepStays = 50  // of each, the newest
)

// late is by how much a server in lame duck mode may notice that a client has heeded
// it, after another server has taken the client: who closes one connection and opens
// the next does not wait, and a server that has much to do still lists the closed one.
const late = 100 * time.Millisecond

// greeting is how long a connection may stay without saying who it is.
const greeting = time.Second

// Last is the stay that it is at, or was at last.
func (x Stranger) Last() Stay { return x.Trail[len(x.Trail)-1] }

// Strangers are those that have a server, or have lost theirs and may come back.
// Those that closed their connection themselves are only in Followed.
func (o Observation) Strangers() []Stranger {
	var out []Stranger
	for _, x := range o.Followed {
		if x.Status != ClientGone {
			out = append(out, x)
		}
	}
	return out
}

// follow keeps the strangers. It looks at the servers as they were before the
// event.
func (o Observation) follow(e Event) Observation {
	switch e := e.(type) {
	case Answered:
		if s, ok := o.Server(e.Answer.Node); ok && s.hears(e.Answer) {
			o.Followed = strangers(o.Followed).answered(s, e.Answer).orphaned(o.Applications)
		}
	case Exited:
		if s, ok := o.Server(e.Node); ok && s.Process.PID == e.PID && s.Process.Exit == nil {
			o.Followed = strangers(o.Followed).left(s, e.Exit.At).orphaned(o.Applications)
		}
	}
	return o
}

type strangers []Stranger

// edit hands out strangers to be changed, and leaves those that it was made of
// as they are.
type edit struct {
	of, out strangers
}

func (e *edit) all() strangers {
	if e.out == nil {
		e.out = slices.Clone(e.of)
	}
	return e.out
}

func (e *edit) at(i int) (*Stranger, *Stay) {
	x := &e.all()[i]
	x.Trail = slices.Clone(x.Trail)
	return x, &x.Trail[len(x.Trail)-1]
}

// result is the same slice if nothing was changed.
func (e *edit) result() strangers {
	if e.out == nil {
		return e.of
	}
	return e.out.join().forget()
}

// answered takes in which connections a server lists.
func (l strangers) answered(s Server, a Answer) strangers {
	open := map[uint64]Connection{}
	for _, c := range a.Clients {
		if c.Stranger() && (c.Lang != "" || c.Name != "" || a.Began.Sub(c.Start) > greeting) {
			open[c.CID] = c
		}
	}
	e := edit{of: l}
	for i, x := range l {
		stay := x.Last()
		if x.Status != ClientConnected || stay.Node != a.Node {
			continue
		}
		switch c, listed := open[stay.CID]; {
		case listed && c.Start.Equal(stay.At):
			delete(open, stay.CID)
			if who := c.Identity(); who != x.Identity && x.Reconnects == 0 { // its account is known a moment later than its name
				x, _ := e.at(i)
				x.Identity, x.Number = who, l.number(who)
			}
		case a.Lists(stay.At):
			x, stay := e.at(i)
			s.missing(a, stay)
			x.left(s)
		case stay.Seen.IsZero(): // there are too many newer ones
			_, stay := e.at(i)
			stay.Seen = s.listed(*stay)
		}
	}
	for _, c := range slices.Backward(a.Clients) {
		if _, fresh := open[c.CID]; fresh {
			e.out = append(e.all(), Stranger{
				Identity: c.Identity(), Number: e.all().number(c.Identity()), Status: ClientConnected,
				Trail: []Stay{{Node: a.Node, CID: c.CID, Addr: c.Addr, At: c.Start}},
			})
		}
	}
	return e.result()
}

// left takes in that a server's process has ended.
func (l strangers) left(s Server, at time.Time) strangers {
	e := edit{of: l}
	for i, x := range l {
		if x.Status != ClientConnected || x.Last().Node != s.Node.Name {
			continue
		}
		x, stay := e.at(i)
		seen := s.listed(*stay)
		if p := s.Process; stay.Seen.IsZero() && p.Stop != StopLameDuck && p.Asked.After(seen) {
			seen = p.Asked
		}
		stay.Seen, stay.Gone, stay.Why = earliest(seen, at), at, ServerEnded
		x.left(s)
	}
	return e.result()
}

// orphaned takes in that nobody of an application that has ended comes back.
func (l strangers) orphaned(of []Application) strangers {
	e := edit{of: l}
	for i, x := range l {
		if x.Status == ClientAway && slices.ContainsFunc(of, func(a Application) bool { return a.Name == x.Application && a.Exit != nil }) {
			e.all()[i].Status = ClientGone
		}
	}
	return e.result()
}

// listed is when a stay was there for certain, as far as lists tell.
func (s Server) listed(stay Stay) time.Time {
	switch {
	case !stay.Seen.IsZero():
		return stay.Seen
	case s.Answer.Began.After(stay.At):
		return s.Answer.Began
	}
	return stay.At
}

// missing notes when and why a stay ended that is not in its server's answer.
func (s Server) missing(a Answer, stay *Stay) {
	before := stay.Seen
	stay.Seen, stay.Gone = s.listed(*stay), a.Ended
	for _, c := range a.Closed {
		if c.CID != stay.CID {
			continue
		}
		if before.IsZero() && c.Seen.After(stay.Seen) {
			stay.Seen = c.Seen
		}
		if !c.Stop.IsZero() {
			stay.Gone, stay.Why, stay.Noted = c.Stop, c.Reason, true
		}
	}
}

// left says how the stranger stands now that its last stay is over.
func (x *Stranger) left(s Server) {
	stay := &x.Trail[len(x.Trail)-1]
	// Without the monotonic clock, which is in no log: what is counted from these is
	// to be the same when it is read from there.
	stay.Seen, stay.Gone = stay.Seen.Round(0), stay.Gone.Round(0)
	stay.LameDuck = s.Process.Stop == StopLameDuck && !stay.Gone.Before(s.Process.Asked)
	x.Status = ClientAway
	switch {
	case stay.LameDuck:
		x.LameDucks++
	case stay.Why == ClosedByClient:
		x.Status = ClientGone
	}
}

// join puts together what is one client: one that came, and one that was away.
// Which of the two is told first does not matter: a client may be back before
// the end of its server is known.
func (l strangers) join() strangers {
	for i := 0; i < len(l); i++ {
		from := l.awayLongest(l[i])
		if from < 0 {
			continue
		}
		l[from].resume(l[i])
		l = slices.Delete(l, i, i+1)
		i = -1
	}
	return l
}

// awayLongest finds who has been without a server when this one came.
func (l strangers) awayLongest(came Stranger) int {
	found := -1
	if came.Reconnects >= len(came.Trail) {
		return found // it came before all that is kept of it
	}
	for i, x := range l {
		if x.Status == ClientConnected || x.Identity != came.Identity || x.Number == came.Number || came.Trail[0].At.Before(x.until(came.Trail[0].Node)) {
			continue
		}
		if found < 0 || before(x, l[found]) {
			found = i
		}
	}
	return found
}

// until is when the stranger may have come to a node at the earliest: it was on its
// last server until then.
func (x Stranger) until(node string) time.Time {
	s := x.Last()
	if s.LameDuck && s.Why == ClosedByClient && node != s.Node {
		return s.Seen.Add(-late)
	}
	return s.Seen
}

// before prefers one that lost its server to one that left it, and then the one
// that has been away longer.
func before(x, y Stranger) bool {
	if x.Status != y.Status {
		return x.Status == ClientAway
	}
	return x.Last().Gone.Before(y.Last().Gone)
}

// resume goes on as y. The time after it left by itself is in the trail, and
// not among the times that it was away.
func (x *Stranger) resume(y Stranger) {
	n := len(x.Trail)
	x.Trail = slices.Concat(x.Trail, y.Trail)
	was, back := &x.Trail[n-1], &x.Trail[n]
	was.Gone = earliest(was.Gone, back.At) // a server may write it down a moment later
	was.Seen = earliest(was.Seen, was.Gone)
	back.Away.Most = back.At.Sub(was.Gone)
	if !was.Noted {
		back.Away = Span{Most: back.At.Sub(was.Seen), Blur: was.Gone.Sub(was.Seen)}
	}
	if was.LameDuck && was.Why == ClosedByClient {
		x.Heeded++
	}
	if x.Status == ClientAway {
		x.Longest, x.Total = x.Longest.Longer(back.Away), x.Total.Add(back.Away)
	}
	x.Status = y.Status
	x.Reconnects += 1 + y.Reconnects
	x.Longest, x.Total = x.Longest.Longer(y.Longest), x.Total.Add(y.Total)
	x.LameDucks, x.Heeded = x.LameDucks+y.LameDucks, x.Heeded+y.Heeded
	x.Trail = x.Trail[max(0, len(x.Trail)-keepStays):]
}

// number is the next for this identity.
func (l strangers) number(who Identity) int {
	n := 0
	for _, x := range l {
		if x.Identity == who {
			n = max(n, x.Number)
		}
	}
	return n + 1
}

// forget drops those that left first.
func (l strangers) forget() strangers {
	var gone []int
	for i, x := range l {
		if x.Status != ClientConnected {
			gone = append(gone, i)
		}
	}
	if len(gone) <= keepGone {
		return l
	}
	first := slices.MinFunc(gone, func(i, j int) int { return l[i].Last().Gone.Compare(l[j].Last().Gone) })
	return slices.Delete(l, first, first+1).forget()
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
