package upgrade

import (
	"fmt"
	"strings"

	"nats-roll/cluster"
)

// crew tells which clients are connected, to one who learns.
func crew(w cluster.Workload, first, last cluster.Node) string {
	where := "all on " + first.Name
	if w.Behaviour.All {
		where = "each given every permanent server"
	}
	s := fmt.Sprintf("The tutorial watches one subscriber, nats sub \">\", which hears every subject. %s beside it, %s.", more(w.Subscribers), where)
	if len(w.Pinned) > 0 {
		s += fmt.Sprintf(" One more knows only the server of %s, as an application does that was told of one server and ignores the others; it waits when that one is away.", List(w.Pinned))
	}
	if more := others(w); more != "" {
		s += " Beside them: " + more + "."
	}
	n := max(1, w.Publishers)
	switch {
	case w.Rate == 0:
		s += fmt.Sprintf(" A publisher on %s stays silent, because --rate is 0.", last.Name)
	case n == 1:
		s += fmt.Sprintf(" A publisher on %s numbers its messages, %d a second, so that every lost or repeated one can be counted.", last.Name, w.Rate)
	default:
		s += fmt.Sprintf(" %d publishers, one of them on %s, number their messages, %d a second each, so that every lost or repeated one can be counted.", n, first.Name, w.Rate)
	}
	return s + set(w.Behaviour) + applications(w, first)
}

// applications tells what of the user's own runs beside the clients.
func applications(w cluster.Workload, first cluster.Node) string {
	if len(w.Applications) == 0 {
		return ""
	}
	given := first.ClientURL()
	if w.Behaviour.All {
		given = "the URL of every permanent server"
	}
	var out []string
	for i, command := range w.Applications {
		out = append(out, fmt.Sprintf("%s is “%s”", cluster.ApplicationName(i), command))
	}
	return fmt.Sprintf(" Then your own are started, with NATS_URL set to %s: %s.", given, List(out))
}

func others(w cluster.Workload) string {
	var out []string
	if w.Wildcards > 0 {
		out = append(out, count(w.Wildcards, "subscriber")+` to ">"`)
	}
	if w.Queue > 0 {
		out = append(out, fmt.Sprintf("a queue group of %d, of which one gets each message", w.Queue))
	}
	if w.Requesters > 0 {
		out = append(out, fmt.Sprintf("%s with %d requests a second each, given up after %s, and %d responders", count(w.Requesters, "requester"), w.Asks, Round(w.Timeout), cluster.Responders))
	}
	if w.JetStream() {
		out = append(out, kept(w))
	}
	return strings.Join(out, "; ")
}

// kept tells what is done with JetStream.
func kept(w cluster.Workload) string {
	var out []string
	if w.Stores > 0 {
		out = append(out, fmt.Sprintf("%s with %d messages a second each to a stream with three replicas, each sent again until it is acknowledged, an attempt given up after %s", count(w.Stores, "publisher"), w.StoreRate, Round(w.Timeout)))
	}
	if w.Consumers > 0 {
		out = append(out, fmt.Sprintf("a durable consumer from which %s", pullers(w.Consumers)))
	}
	if w.KV > 0 {
		out = append(out, fmt.Sprintf("a key-value bucket with %d values a second, written and watched", w.KV))
	}
	return "in JetStream, " + List(out)
}

func pullers(n int) string {
	if n == 1 {
		return "1 client pulls"
	}
	return fmt.Sprintf("%d clients pull", n)
}

// set tells how clients differ from what the client library does by itself.
func set(b cluster.Behaviour) string {
	var out []string
	if b.NoRandomize {
		out = append(out, "keep the order of the servers they are given")
	}
	if b.IgnoreDiscovered {
		out = append(out, "ignore the servers that they are told of")
	}
	if b.MaxReconnects > 0 {
		out = append(out, fmt.Sprintf("give up on a server after %d tries", b.MaxReconnects))
	} else {
		out = append(out, "never give up on a server")
	}
	return " The clients " + List(out) + "; all else is as the client library has it: two seconds between two rounds through the servers they know, and 8 MiB of what they publish meanwhile is kept."
}

func more(subscribers int) string {
	if subscribers == 1 {
		return "1 more subscriber starts"
	}
	return fmt.Sprintf("%d more subscribers start", subscribers)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
