package cluster

import (
	"crypto/sha256"
	"regexp"
)

// A server of a JetStream group is known by a hash of its name. One that has not
// heard from another since it was started knows only that, and says so where the
// name should be. (nats-server server/jetstream_cluster.go clusterInfo)
var unnamed = regexp.MustCompile(`^Server name unknown.*\(peerID: (\w+)\)$`)

// PeerName is the node that a server of a JetStream group means by this.
func PeerName(said string) string {
	m := unnamed.FindStringSubmatch(said)
	if m == nil {
		return said
	}
	for n := 'A'; n <= 'Z'; n++ {
		if peerID(string(n)) == m[1] {
			return string(n)
		}
	}
	return said
}

// peerID is the hash. (nats-server server/events.go getHashSize)
func peerID(name string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := sha256.Sum256([]byte(name))
	id := sum[:8]
	for i := range id {
		id[i] = digits[int(id[i])%len(digits)]
	}
	return string(id)
}
