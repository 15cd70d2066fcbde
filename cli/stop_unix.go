//go:build unix

package cli

import "nats-roll/cluster"

// stoppable says whether servers can be stopped this way here.
func stoppable(cluster.Stop) error { return nil }
