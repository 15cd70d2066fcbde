package upgrade

import (
	"fmt"
	"strings"

	"nats-roll/cluster"
	"nats-roll/parity"
)

// Compared holds when the comparison of the nodes' configurations finds exactly what
// it is to find: that nothing differs which must not, or differences at these
// settings.
type Compared struct {
	Nodes []string
	Finds []string // the settings, as the comparison names them
}

func (c Compared) String() string {
	if len(c.Finds) == 0 {
		return fmt.Sprintf("the configurations of %s agree where they must", List(c.Nodes))
	}
	return fmt.Sprintf("comparing the configurations finds “%s”", strings.Join(c.Finds, "” and “"))
}

// Eval compares them.
func (c Compared) Eval(o cluster.Observation) Verdict {
	found, ok := c.compare(o)
	if !ok {
		return unknown("not all of them are written")
	}
	var paths, words []string
	for _, f := range found {
		paths = append(paths, f.Path)
		words = append(words, f.String())
	}
	detail := strings.Join(words, "; ")
	if strings.Join(paths, "\n") != strings.Join(c.Finds, "\n") {
		if detail == "" {
			detail = "it finds nothing"
		}
		return no(detail)
	}
	if detail == "" {
		detail = "users, accounts, permissions, the name for clients without one; server names differ"
	}
	return yes(detail)
}

func (c Compared) compare(o cluster.Observation) ([]parity.Finding, bool) {
	var files []parity.File
	for _, n := range c.Nodes {
		s, _ := o.Server(n)
		if s.Config == "" {
			return nil, false
		}
		files = append(files, parity.Parse(n, s.Config))
	}
	return parity.Compare(files...), true
}

// tellCompared says what comes of each difference, and who says so.
func tellCompared(c Compared) func(Told) []string {
	return func(t Told) []string {
		found, _ := c.compare(t.After)
		var out []string
		for _, f := range found {
			out = append(out, fmt.Sprintf("%s, %s: %s (%s)", f.Severity, f, f.Why, f.Source))
		}
		return out
	}
}

// Refused holds when so many members of a party have been refused by a server this
// often.
type Refused struct {
	Party string
	Least int // members
	Times int // that each of them was refused, at least
}

func (c Refused) String() string {
	switch c.Times {
	case 1:
		return fmt.Sprintf("%s clients have been refused", c.Party)
	case 2:
		return fmt.Sprintf("%s clients have been refused twice", c.Party)
	}
	return fmt.Sprintf("%s clients have been refused %d times", c.Party, c.Times)
}

// refusal is what the client library calls it. (nats.go ErrAuthorization)
const refusal = "authorization violation"

// Eval counts the errors that the members were told.
func (c Refused) Eval(o cluster.Observation) Verdict {
	n := refused(o.Fleet, c.Party, c.Times)
	all := len(members(o.Fleet, c.Party))
	if all == 0 {
		return unknown("no word from them")
	}
	if n < c.Least {
		return no(fmt.Sprintf("%d of %d", n, all))
	}
	return yes(fmt.Sprintf("%d of %d: nats: %s", n, all, refusal))
}

func refused(f cluster.Fleet, party string, times int) int {
	n := 0
	for _, m := range members(f, party) {
		if m.Errors[refusal] >= times {
			n++
		}
	}
	return n
}

// Welcome holds when no member of a party was ever refused, and all are connected.
type Welcome struct{ Party string }

func (c Welcome) String() string {
	return fmt.Sprintf("the %s clients are connected, and none was refused", c.Party)
}

// Eval asks the fleet.
func (c Welcome) Eval(o cluster.Observation) Verdict {
	all := members(o.Fleet, c.Party)
	on := 0
	for _, m := range all {
		if m.Status == cluster.ClientConnected {
			on++
		}
	}
	switch n := refused(o.Fleet, c.Party, 1); {
	case len(all) == 0:
		return unknown("no word from them")
	case on < len(all):
		return no(fmt.Sprintf("%d of %d are connected", on, len(all)))
	case n > 0:
		return no(fmt.Sprintf("%d were refused", n))
	}
	return yes(fmt.Sprintf("%d of %d", on, len(all)))
}

// Forbidden holds when every member of a party has been told that it may not
// subscribe to what it wants to hear, and has heard none of it.
type Forbidden struct{ Party, Subject string }

func (c Forbidden) String() string {
	return fmt.Sprintf("%s clients are not allowed to hear %s", c.Party, c.Subject)
}

// Eval asks the fleet.
func (c Forbidden) Eval(o cluster.Observation) Verdict {
	all := members(o.Fleet, c.Party)
	told := 0
	for _, m := range all {
		if m.Heard[c.Subject] > 0 {
			return no(fmt.Sprintf("%s has heard %d messages", m.Name, m.Heard[c.Subject]))
		}
		for kind := range m.Errors {
			if strings.Contains(kind, "ermissions") && strings.Contains(kind, c.Subject) {
				told++
				break
			}
		}
	}
	switch {
	case len(all) == 0:
		return unknown("no word from them")
	case told < len(all):
		return no(fmt.Sprintf("%d of %d have been told so", told, len(all)))
	}
	return yes(fmt.Sprintf("%d of %d have been told so, and have heard 0 messages", told, len(all)))
}

// Overhears holds when somebody of a party hears what it must not.
type Overhears struct{ Party, Subject string }

func (c Overhears) String() string {
	return fmt.Sprintf("%s clients hear %s, which they must not", c.Party, c.Subject)
}

// Eval asks the fleet.
func (c Overhears) Eval(o cluster.Observation) Verdict {
	n, messages, node := 0, uint64(0), ""
	for _, m := range members(o.Fleet, c.Party) {
		if h := m.Heard[c.Subject]; h > 0 {
			n, messages, node = n+1, messages+h, m.Node
		}
	}
	if n == 0 {
		return no("no message has come")
	}
	return yes(fmt.Sprintf("%d of them, all on %s: %d messages so far", n, node, messages))
}

// Gone holds when somebody of a party is closed for good, and nobody of it is on
// its way.
type Gone struct{ Party string }

func (c Gone) String() string { return fmt.Sprintf("%s clients are closed for good", c.Party) }

// Eval asks the fleet.
func (c Gone) Eval(o cluster.Observation) Verdict {
	all := members(o.Fleet, c.Party)
	n, away := 0, 0
	for _, m := range all {
		switch m.Status {
		case cluster.ClientClosed:
			n++
		case cluster.ClientAway:
			away++
		case cluster.ClientConnected, cluster.ClientGone:
		}
	}
	if n == 0 || away > 0 {
		return no(fmt.Sprintf("%d of %d are, %d look for a server", n, len(all), away))
	}
	return yes(fmt.Sprintf("%d of %d", n, len(all)))
}
