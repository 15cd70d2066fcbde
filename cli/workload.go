package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"nats-roll/cluster"
)

// Bounds of what clients do.
const (
	maxClients    = 20000
	maxRate       = 20000
	maxPayload    = 1 << 20 // nats-server's own limit, by default
	maxPublishers = 64

	maxApplications = 16

	defaultStoreRate = 50
)

// work are the flags that say what the rehearsal's own clients do.
type work struct {
	clients int
	rate    int
	mix     []string
	own     []string
	payload int
	timeout time.Duration

	given            string
	noRandomize      bool
	ignoreDiscovered bool
	maxReconnects    int
}

func (k *work) register(f *pflag.FlagSet) {
	f.IntVar(&k.clients, "clients", defaultClients, "subscribers beside the tutorial's nats sub")
	f.IntVar(&k.rate, "rate", defaultRate, "numbered messages a second of each publisher, 0 for none")
	f.StringArrayVar(&k.mix, "workload", nil, "further clients, `NAME=N[:RATE]` (repeatable): "+kindWords())
	f.StringArrayVar(&k.own, "client", nil, "an application of your own that runs beside the clients, a `COMMAND` for the shell (repeatable): NATS_URL is set")
	f.IntVar(&k.payload, "payload", 0, "bytes in each numbered message, at least; 0 for what the number needs")
	f.DurationVar(&k.timeout, "request-timeout", time.Second, "when a request, or an attempt to publish to a stream, is given up")
	f.StringVar(&k.given, "given", "one", "the servers that a client is given at first: one, or all permanent ones")
	f.BoolVar(&k.noRandomize, "no-randomize", false, "clients keep the order of the servers that they were given")
	f.BoolVar(&k.ignoreDiscovered, "ignore-discovered", false, "clients ignore the servers that they are told of")
	f.IntVar(&k.maxReconnects, "max-reconnects", 0, "tries before a client gives up on a server (the client library's own is 60), 0 for no end")
}

// workKind is a kind of client that --workload adds.
type workKind struct {
	name  string
	about string
	max   int
	rated bool
	set   func(w *cluster.Workload, n, rate int)
}

var workKinds = []workKind{
	{"sub", "subscribers, as --clients", maxClients, false, func(w *cluster.Workload, n, _ int) { w.Subscribers = n }},
	{"wildcard", "subscribers to >", maxClients, false, func(w *cluster.Workload, n, _ int) { w.Wildcards = n }},
	{"queue", "members of one queue group", maxClients, false, func(w *cluster.Workload, n, _ int) { w.Queue = n }},
	{"pub", "publishers of numbered messages, 1 without", maxPublishers, true, func(w *cluster.Workload, n, rate int) {
		w.Publishers = n
		if rate >= 0 {
			w.Rate = rate
		}
	}},
	{"req", "clients that send requests, 10 a second", 1000, true, func(w *cluster.Workload, n, rate int) {
		w.Requesters, w.Asks = n, 10
		if rate >= 0 {
			w.Asks = rate
		}
	}},
	{"js", "with --jetstream: publishers to a stream, 50 messages a second", 64, true, func(w *cluster.Workload, n, rate int) {
		w.Stores, w.StoreRate = n, defaultStoreRate
		if rate >= 0 {
			w.StoreRate = rate
		}
	}},
	{"pull", "with --jetstream: clients that pull from one durable consumer", 1000, false, func(w *cluster.Workload, n, _ int) { w.Consumers = n }},
	{"kv", "with --jetstream: values a second written to a key-value bucket", 1000, false, func(w *cluster.Workload, n, _ int) { w.KV = n }},
}

func kindWords() string {
	var out []string
	for _, k := range workKinds {
		out = append(out, fmt.Sprintf("%s (%s)", k.name, k.about))
	}
	return strings.Join(out, ", ")
}

// workload says what the flags mean, or what is wrong with them.
func (k *work) workload(js bool) (cluster.Workload, error) {
	w := cluster.Workload{
		Subscribers: k.clients, Publishers: 1, Rate: k.rate, Payload: k.payload, Timeout: k.timeout, Applications: k.own,
		Behaviour: cluster.Behaviour{
			All: k.given == "all", NoRandomize: k.noRandomize, IgnoreDiscovered: k.ignoreDiscovered, MaxReconnects: k.maxReconnects,
		},
	}
	switch {
	case k.clients < 0 || k.clients > maxClients:
		return w, usagef(fmt.Sprintf("use --clients 0 to %d", maxClients), "--clients %d is out of range", k.clients)
	case k.rate < 0 || k.rate > maxRate:
		return w, usagef(fmt.Sprintf("use --rate 0 to %d", maxRate), "--rate %d is out of range", k.rate)
	case k.payload < 0 || k.payload > maxPayload:
		return w, usagef(fmt.Sprintf("use --payload 0 to %d", maxPayload), "--payload %d is out of range", k.payload)
	case k.timeout < time.Millisecond || k.timeout > time.Minute:
		return w, usagef("use --request-timeout 1ms to 1m", "--request-timeout %s is out of range", k.timeout)
	case k.given != "one" && k.given != "all":
		return w, usagef("use --given one or --given all", "--given %q is neither one nor all", k.given)
	case k.maxReconnects < 0:
		return w, usagef("use --max-reconnects 0 for no end", "--max-reconnects %d is out of range", k.maxReconnects)
	case len(k.own) > maxApplications:
		return w, usagef(fmt.Sprintf("use --client at most %d times", maxApplications), "%d applications are too many", len(k.own))
	}
	for _, command := range k.own {
		if strings.TrimSpace(command) == "" {
			return w, usagef("write it as --client './my-app --flag'", "--client is empty: no command is given")
		}
		if n, err := strconv.Atoi(command); err == nil {
			return w, usagef(fmt.Sprintf("use --clients %d for more subscribers", n), "--client %s: that is a number and no command", command)
		}
	}
	if js {
		w.Stores, w.StoreRate, w.Consumers, w.KV = 1, defaultStoreRate, 1, 10
	}
	for _, word := range k.mix {
		if err := mix(&w, word); err != nil {
			return w, err
		}
	}
	if w.JetStream() && !js {
		return w, usagef("add --jetstream", "the workload needs streams, and the servers have no JetStream")
	}
	return w, nil
}

// mix takes one NAME=N[:RATE].
func mix(w *cluster.Workload, word string) error {
	bad := func(format string, args ...any) error {
		return usagef("write it as --workload queue=3 or --workload pub=2:100", "--workload %s: "+format, append([]any{word}, args...)...)
	}
	name, value, ok := strings.Cut(word, "=")
	i := slices.IndexFunc(workKinds, func(k workKind) bool { return k.name == name })
	if i < 0 {
		return usagef("the clients there are: "+kindWords(), "--workload %s: there are no clients called %q", word, name)
	}
	k := workKinds[i]
	number, rated, hasRate := strings.Cut(value, ":")
	n, err := strconv.Atoi(number)
	switch {
	case !ok || err != nil:
		return bad("it does not say how many")
	case n < 0 || n > k.max:
		return bad("%d is out of range, 0 to %d", n, k.max)
	case hasRate && !k.rated:
		return bad("they send nothing that has a rate")
	}
	rate := -1
	if hasRate {
		if rate, err = strconv.Atoi(rated); err != nil || rate < 0 || rate > maxRate {
			return bad("a rate is a number of messages a second, 0 to %d", maxRate)
		}
	}
	k.set(w, n, rate)
	return nil
}
