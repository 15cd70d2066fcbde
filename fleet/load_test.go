package fleet

import (
	"os"
	"testing"
	"time"

	"nats-roll/cluster"
)

// Full load for as long as NATS_ROLL_LOAD says, such as 10m, through one roll after
// the other: the servers agree with every counter. It is a
// measurement that takes its time, so without that it is walked for a moment only:
//
//	NATS_ROLL_LOAD=10m go test ./fleet -run Load -v -timeout 20m
func TestLoad(t *testing.T) {
	long, w := 3*time.Second, cluster.Workload{Subscribers: 19, Rate: 1000}
	if s := os.Getenv("NATS_ROLL_LOAD"); s != "" {
		var err error
		if long, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
		w = cluster.Workload{Subscribers: 99, Rate: 2000}
	}
	l := newLab(t)
	l.start("A")
	l.start("B")
	f := l.fleet(w)
	f.connect()
	f.wait("traffic", reached)
	l.start("C")
	began, rolls := time.Now(), 0
	for time.Since(began) < long {
		name := []string{"A", "B", "C"}[rolls%3]
		f.rest(t) // a server takes along what it had not sent, and nobody could count it
		l.stop(name)
		f.wait("everyone is elsewhere", allConnected(name))
		for _, p := range f.pumps {
			p.start()
		}
		f.wait("traffic", reached)
		l.start(name)
		f.wait("traffic", reached)
		rolls++
		published := f.fleetNow().Published
		f.wait("some more", func(fl cluster.Fleet) bool {
			return fl.Published > published+uint64(w.Rate)*uint64(long/(30*time.Second))
		})
	}
	fl := f.settleAll()
	f.adds(fl)
	until(t, "the servers agree", func() string {
		f.Look()
		_, out := l.witness()
		for _, c := range f.fleetNow().Clients {
			if c.Role.Hears() && out[c.Name] != int64(c.Delivered) {
				return c.Name
			}
		}
		return ""
	})
	took := time.Since(began)
	t.Logf("%s, %d rolls: %d published, %d received (%.0f a second), %d lost, %d duplicated",
		took.Round(time.Second), rolls, fl.Published, fl.Received, float64(fl.Received)/took.Seconds(), fl.Lost, fl.Duplicated)
}
