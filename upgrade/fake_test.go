package upgrade_test

import (
	"testing"
	"testing/synctest"

	"nats-roll/cluster"
	"nats-roll/upgrade/upgradetest"
)

var (
	oldBuild = cluster.Build{Version: "2.15.1", SHA256: "01d", Source: "module"}
	newBuild = cluster.Build{Version: "2.15.2", SHA256: "4e3", Source: "embedded"}
)

func topology(t testing.TB, permanent int, spare bool) cluster.Topology {
	t.Helper()
	top, err := cluster.NewTopology(permanent, spare, 0)
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// The fake is only worth something as long as it behaves like a driver.
func TestFakePassesTheDriverSuite(t *testing.T) {
	for _, c := range upgradetest.Suite {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.Run(t, func(t *testing.T, sink cluster.Sink) upgradetest.Rig {
					f := upgradetest.NewFake(topology(t, 2, true), sink)
					return upgradetest.Rig{
						Driver: f, Topology: f.Topology, From: oldBuild, To: newBuild,
						Kill: f.Kill, Swap: f.Swap, Close: f.Close,
					}
				})
			})
		})
	}
}
