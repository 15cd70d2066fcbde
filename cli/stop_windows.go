package cli

import (
	"errors"

	"nats-roll/cluster"
)

// stoppable says whether servers can be stopped this way here. A plain process
// on Windows has no lame duck mode and no SIGTERM. (nats-server
// server/signal_windows.go)
func stoppable(s cluster.Stop) error {
	if s == cluster.StopLameDuck || s == cluster.StopTerm {
		return errors.New("not available on Windows, where a server knows only Ctrl+C and being killed")
	}
	return nil
}
