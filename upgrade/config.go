package upgrade

import (
	"time"

	"nats-roll/cluster"
)

// Lame duck mode has no command-line flags, and 30 s is the least that servers take
// for its duration. (nats-server server/opts.go)
const (
	shortLameDuck = 30 * time.Second
	shortGrace    = time.Second

	shortLameDuckConfig = "lame_duck_duration: 30s\nlame_duck_grace_period: 1s\n"
)

// configured gives every server the same configuration.
func configured(t cluster.Topology, text string) map[string]string {
	out := map[string]string{}
	for _, n := range t.Nodes {
		out[n.Name] = text
	}
	return out
}
