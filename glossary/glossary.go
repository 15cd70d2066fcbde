// Package glossary explains the words that stand on the screens of nats-roll, to
// somebody who never met NATS. It is data: each word in one or two sentences,
// with a page that says more. The words for one screen are found in its text.
package glossary

import (
	"regexp"
	"slices"
	"strings"
)

// Term is a word, and what it means.
type Term struct {
	Name   string
	Also   []string // other forms of it on a screen; a plural s need not be listed
	Text   string   // one or two plain sentences
	Source string   // the address of a page that says more
}

// Where sources are.
const (
	docs   = "https://docs.nats.io/"
	server = "https://github.com/nats-io/nats-server/blob/v2.15.2/server/"
	client = "https://github.com/nats-io/nats.go/blob/v1.55.0/"

	clustering = docs + "running-a-nats-service/configuration/clustering/cluster_config"
	routes     = docs + "running-a-nats-service/configuration/clustering/v2_routes"
	jsCluster  = docs + "running-a-nats-service/configuration/clustering/jetstream_clustering"
	monitoring = docs + "running-a-nats-service/configuration/monitoring"
	signals    = docs + "running-a-nats-service/nats_admin/signals"
	upgrading  = docs + "running-a-nats-service/nats_admin/upgrading_cluster"
	lameDuck   = docs + "running-a-nats-service/nats_admin/lame_duck_mode"
	flags      = docs + "running-a-nats-service/running/flags"
	logging    = docs + "running-a-nats-service/configuration/logging"
	accounts   = docs + "running-a-nats-service/configuration/securing_nats/accounts"
	permission = docs + "running-a-nats-service/configuration/securing_nats/authorization"
	tls        = docs + "running-a-nats-service/configuration/securing_nats/tls"
	sysAccount = docs + "running-a-nats-service/configuration/sys_accounts/sys_accounts"
	pubsub     = docs + "nats-concepts/core-nats/pubsub"
	subjects   = docs + "nats-concepts/subjects"
	queues     = docs + "nats-concepts/core-nats/queue"
	requests   = docs + "nats-concepts/core-nats/reqreply"
	streams    = docs + "nats-concepts/jetstream/streams"
	consumers  = docs + "nats-concepts/jetstream/consumers"
	keyValue   = docs + "nats-concepts/jetstream/key-value-store/kv_walkthrough"
	reconnect  = docs + "using-nats/developing-with-nats/reconnect"
	random     = docs + "using-nats/developing-with-nats/reconnect/random"
	natsRoll   = docs + "running-a-nats-service/nats_admin/upgrading_cluster"
)

// found has, for each term, what finds it in a text.
var found = func() []*regexp.Regexp {
	var out []*regexp.Regexp
	for _, t := range Terms {
		var forms []string
		for _, f := range append([]string{t.Name}, t.Also...) {
			words := strings.Fields(f)
			for i, w := range words {
				words[i] = regexp.QuoteMeta(w)
			}
			forms = append(forms, strings.Join(words, `\s+`))
		}
		out = append(out, regexp.MustCompile(`(?i)(?:^|[^\w/$.-])(?:`+strings.Join(forms, "|")+`)(?:'?s)?(?:$|[^\w/])`))
	}
	return out
}()

// In lists the terms that stand in a text, those first that come first in it, and
// then all others.
func In(text string) (there, others []Term) {
	at := map[string]int{}
	for i, t := range Terms {
		if m := found[i].FindStringIndex(text); m != nil {
			at[t.Name] = m[0]
			there = append(there, t)
		} else {
			others = append(others, t)
		}
	}
	slices.SortStableFunc(there, func(a, b Term) int { return at[a.Name] - at[b.Name] })
	return there, others
}
