package upgrade

import (
	"fmt"
	"slices"
	"strings"

	"nats-roll/advice"
	"nats-roll/cluster"
)

// Sentence is something that the tutorial says is so, and what decides it: a step of
// a chapter that carries the claim with this id, or, beside the servers, a judge.
type Sentence struct {
	ID      string
	Text    string // verbatim, see Find
	Chapter string // whose step decides it
	// Judge decides what no running server does; nil where a chapter has a step for it.
	Judge func(Ground) Finding
}

// Sentences lists what the tutorial says, in its order.
var Sentences = []Sentence{
	{ID: "clients-become-aware", Chapter: "rolling", Text: "When cluster configuration changes, clients become aware of new servers automatically."},
	{ID: "list-on-disconnect", Chapter: "rolling", Text: "In the case of a disconnect, a client has a list of servers that joined the cluster in addition to the ones it knew about from its connection settings."},
	{ID: "own-users", Chapter: "parity", Text: "each server stores it's own permission and authentication configuration"},
	{ID: "same-users", Chapter: "parity", Text: "new servers added to a cluster should provide the same users and authorization to prevent clients from getting rejected or gaining unexpected privileges"},
	{ID: "three-to-five", Text: "clusters should be _three_ to _five_ servers", Judge: threeToFive},
	{ID: "two-suffice", Chapter: "rolling", Text: "for purposes of describing the behavior and cluster upgrade process, a cluster of two servers will suffice"},
	{ID: "debug-output", Chapter: "rolling", Text: "starting nats-server with debug output enabled, listening for clients on port 4222"},
	{ID: "routes-connect", Chapter: "rolling", Text: "The `-routes` option specifies a list of nats URLs where the server will attempt to connect to other servers."},
	{ID: "self-route", Chapter: "rolling", Text: "The NATS server will ignore the self-route"},
	{ID: "one-configuration", Chapter: "rolling", Text: "it makes for a single consistent configuration for all servers"},
	{ID: "warns", Chapter: "rolling", Text: "it emits some warnings because it cannot connect to 'localhost:6333'"},
	{ID: "refused-line", Chapter: "rolling", Text: "Error trying to connect to route: dial tcp localhost:6333: connect: connection refused"},
	{ID: "second-server", Chapter: "rolling", Text: "The second server was started on port 4333 with its cluster port on 6333. Otherwise the same as 'A'."},
	{ID: "client-moves", Chapter: "rolling", Text: "observe it moving between servers as servers get removed"},
	{ID: "client-message", Chapter: "rolling", Text: "After starting the subscriber you should see a message on 'A' that a new client connected"},
	{ID: "joins-while", Chapter: "rolling", Text: "Server 'C' will join the existing cluster while we perform the upgrade."},
	{ID: "another-place", Chapter: "rolling", Text: "to provide an additional place where clients can go other than 'A'"},
	{ID: "no-single-server", Chapter: "rolling", Text: "ensure we don't end up with a single server serving all the clients after the upgrade procedure"},
	{ID: "select-randomly", Chapter: "rolling", Text: "Clients will randomly select a server when connecting unless a special option is provided that disables that functionality"},
	{ID: "about-evenly", Chapter: "rolling", Text: "clients redistribute themselves about evenly between all servers in the cluster"},
	{ID: "half-and-half", Chapter: "rolling", Text: "1/2 of the clients on 'A' will jump over to 'B' and the remaining half to 'C'"},
	{ID: "command-of-c", Text: "nats server -D -p 4444 -cluster nats://localhost:6444 -routes nats://localhost:6222,nats://localhost:6333", Judge: commandOfC},
	{ID: "clients-learn", Chapter: "rolling", Text: "After an instant or so, clients on 'A' learn of the new cluster member that joined."},
	{ID: "three-possible", Chapter: "rolling", Text: "`nats sub` is now aware of 3 possible servers"},
	{ID: "new-client-reported", Chapter: "rolling", Text: "observe that either 'B' or 'C' reports that a new client connected … That is our `nats sub` client"},
	{ID: "from-b", Chapter: "rolling", Text: "clients from 'B' reconnect to 'A' and 'C'"},
	{ID: "from-c", Chapter: "rolling", Text: "Any clients on 'C' will redistribute to our permanent cluster members"},
	{ID: "less-configuration", Chapter: "seed", Text: "It is possible to allow the server gossip protocol drive it and reduce the amount of configuration."},
	{ID: "seed-learn", Chapter: "seed", Text: "Once they connect to the 'seed server', they will learn about all the other servers"},
	{ID: "seed-mesh", Chapter: "seed", Text: "connect to each other forming the full mesh"},
	{ID: "rigorous-testing", Text: "the NATS server goes through rigorous testing for each release", Judge: rigorous},
	{ID: "support-policy", Text: "The support policy for the server is the current release as well as one patch version release prior.", Judge: supportPolicy},
	{ID: "earlier-may-work", Chapter: "downgrade", Text: "Downgrades to earlier versions may work"},
	{ID: "same-path", Chapter: "downgrade", Text: "the downgrade path is the same as the upgrade path"},
}

// Instructions are the tutorial's sentences that ask for something to be done, or
// introduce it: there is nothing in them that could be true or not.
var Instructions = []string{
	"You will see the server started, we notice it emits some warnings because it cannot connect to 'localhost:6333'.",
	"Let's fix that, by starting the second server",
	"Let's get one client, so we can observe it moving between servers as servers get removed",
	"Its sole purpose is",
	"We invoke our admin powers and turn off 'A' by issuing a `CTRL+C` to the terminal on 'A' and",
	"We perform the upgrade process, update the binary for 'A', and restart 'A'",
	"and restart 'A'",
	"We move on to upgrade 'B'. Notice that",
	"We upgrade and restart 'B'",
	"If we had more servers, we would continue the stop, update, restart rotation as we did for 'A' and 'B'.",
	"After restarting the last server, we can go ahead and turn off 'C.'",
	"You could for example start A, B and C as follows",
	"Note that since",
	"Fortunately",
	"as noted above. Swap the binary and do a rolling restart.",
	"Keen readers will notice a self-route.",
}

// Section is the heading of the text under which it stands.
func (s Sentence) Section() string {
	p, _ := Find(s.Text)
	return p.Section
}

// FindSentence finds a sentence by its id.
func FindSentence(id string) (Sentence, bool) {
	i := slices.IndexFunc(Sentences, func(s Sentence) bool { return s.ID == id })
	if i < 0 {
		return Sentence{}, false
	}
	return Sentences[i], true
}

// Cause is why today's servers or clients do otherwise than the text says: how, why,
// since when, and where that can be read.
type Cause struct {
	How    string `json:"how"`
	Why    string `json:"why"`
	Since  string `json:"since"`
	Source string `json:"source"`
}

const (
	serverSource = "https://github.com/nats-io/nats-server/blob/"
	clientSource = "https://github.com/nats-io/nats.go/blob/"
)

// causes are what is known of differences, by name.
var causes = map[string]Cause{
	"level": {
		How: "it is an error, [ERR], not a warning", Why: "a route that is configured and cannot be reached is reported as an error the first time",
		Since: "gnatsd 1.4.1 at the latest", Source: "https://github.com/nats-io/gnatsd/blob/v1.4.1/server/route.go#L1150",
	},
	"attempts": {
		How: "the line counts the attempts", Why: "the first failure is an error and later ones are debug output, so the number is told",
		Since: "nats-server 2.0.0", Source: serverSource + "v2.0.0/server/route.go#L1597",
	},
	"resolved": {
		How: "it names the IP address", Why: "the server looks the host name up before it dials, to leave out addresses of its own",
		Since: "nats-server 2.2.0", Source: serverSource + "v2.2.0/server/route.go#L1839",
	},
	"twice": {
		How: "it is there twice", Why: "servers keep several connections to each peer, and one of its own for the system account; both are dialed",
		Since: "nats-server 2.10.0", Source: serverSource + "v2.10.0/server/route.go#L2599",
	},
	"one-address": {
		How: "a client goes to the address that it was given", Why: "the choice at random is among the addresses that a client is given; those that it is told of later count when it reconnects",
		Since: "nats.go v1.2.0 at the latest", Source: clientSource + "v1.2.0/nats.go#L615",
	},
	"in-order": {
		How: "clients go to the next server in their list, not to one at random", Why: "the server that was lost goes to the end of the list and the next one is tried; who once was on the same server has the same order, and a server that comes back stands last",
		Since: "nats.go v1.2.0 at the latest", Source: clientSource + "v1.2.0/nats.go#L570",
	},
	"shuffled-once": {
		How: "lists are shuffled when a server is new to the client, not when one is lost", Why: "a server that drops out and comes back is nothing new, and goes to the end of every list; when C joins, A and C may dial each other at once, drop each other's connections as duplicates, and meet again",
		Since: "nats.go v1.10.0", Source: clientSource + "v1.10.0/nats.go#L2511",
	},
	"two-lines": {
		How: "two release lines get patches, the newest minor version and the one before it", Why: "the policy is about minor versions today: a patch release replaces the one before it",
		Since: "the release policy of nats-server 2.11 (2025)", Source: "https://github.com/nats-io/nats-server/blob/v2.15.2/RELEASES.md",
	},
	"unknown": {
		How: "something else was seen", Why: "not known: it is not among the differences that were looked into",
		Since: "not known", Source: "the event log of this rehearsal",
	},
	"nats-server": {
		How: "the command is nats-server", Why: "nats is the command-line client; its command server has no flag -D",
		Since: "the first nats command-line tool", Source: "https://github.com/nats-io/natscli/blob/main/cli/server_command.go",
	},
}

// because adds what is known of a difference.
func (f Finding) because(names ...string) Finding {
	for _, n := range names {
		f.Because = append(f.Because, causes[n])
	}
	return f
}

// Ground is what sentences are judged by that no server decides.
type Ground struct {
	From, To cluster.Version
	Advice   advice.Advice
	CLI      Tried // the text's command for C, with the nats on PATH
}

// Tried is what came of a program that was run.
type Tried struct {
	Path string // empty if there is no such program
	Code int
	Said string
}

func threeToFive(Ground) Finding {
	return undecided("it is advice: what more servers are worth shows when streams have to keep a majority while one is away, and that is not in this text; two servers pass messages on as three do")
}

func rigorous(Ground) Finding {
	return undecided("nothing that a running server shows; what is known of single releases is in nats-roll advise")
}

// supportPolicy compares the text with today's policy.
func supportPolicy(g Ground) Finding {
	if g.Advice.Policy.Text == "" {
		return undecided("nothing is known of the policy")
	}
	return differs("today: %s For this step: %s", g.Advice.Policy.Text, g.Advice.Support.Text).because("two-lines")
}

// commandOfC judges the text's line by what the command-line tool says to it.
func commandOfC(g Ground) Finding {
	switch {
	case g.CLI.Path == "":
		return undecided("there is no nats command-line tool on PATH to run it with; the other two lines of the text say nats-server")
	case g.CLI.Code == 0:
		return holds("%s takes it", g.CLI.Path)
	}
	return differs("%s ends with exit status %d: %s", g.CLI.Path, g.CLI.Code, firstLine(g.CLI.Said)).because("nats-server")
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	if line == "" {
		return "it says nothing"
	}
	return line
}

// claim is a sentence that a step puts to the test.
func claim(id string, judge func(before, after cluster.Observation) Finding) Claim {
	s, ok := FindSentence(id)
	if !ok {
		panic(fmt.Sprintf("no sentence %q", id)) // a step names one that is not listed
	}
	return Claim{ID: id, Text: s.Text, Judge: judge}
}
