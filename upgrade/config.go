package upgrade

import "nats-roll/cluster"

// configured gives every node the same configuration file.
func configured(t cluster.Topology, text string) map[string]string {
	out := map[string]string{}
	for _, n := range t.Nodes {
		out[n.Name] = text
	}
	return out
}
