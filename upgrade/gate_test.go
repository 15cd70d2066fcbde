package upgrade

import (
	"strings"
	"testing"
	"time"

	"nats-roll/cluster"
)

func TestGates(t *testing.T) {
	build := cluster.Build{Version: "2.15.2"}
	ended := func(after time.Duration, how cluster.Stop) func(*cluster.Server) {
		return func(s *cluster.Server) {
			s.Config, s.Drained = shortLameDuckConfig, 9
			s.Process.Stop, s.Process.Asked = how, noon
			s.Process.Exit = &cluster.Exit{At: noon.Add(after), Asked: true, After: after}
		}
	}
	termed := func(at, after time.Duration) func(*cluster.Server) {
		return func(s *cluster.Server) {
			ended(after, cluster.StopLameDuck)(s)
			s.Process.Ignored = noon.Add(at)
		}
	}
	for _, tt := range []struct {
		c     Check
		spoil func(*cluster.Server)
		met   bool
		says  string
	}{
		{Renewed{"A", build}, func(s *cluster.Server) { s.Was, s.Answer.Start = "idOLD", s.Process.Started }, true, "/varz: 2.15.2, id idA (before: idOLD), started "},
		{Renewed{"A", build}, func(s *cluster.Server) { s.Answer.Start = s.Process.Started }, false, "it was not restarted"},
		{Renewed{"A", build}, func(s *cluster.Server) { s.Was, s.Answer.Start = "idA", s.Process.Started }, false, "still the server id idA"},
		{Renewed{"A", build}, func(s *cluster.Server) { s.Was, s.Answer.Start = "idOLD", s.Process.Started.Add(-time.Hour) }, false, "before its process did"},
		{Renewed{"A", build}, func(s *cluster.Server) { s.Was, s.Answer.Version = "idOLD", "2.15.1" }, false, "/varz: 2.15.1"},
		{LameDuckSet{"A"}, func(s *cluster.Server) { s.Config = "x: 1\n" + shortLameDuckConfig }, true, "lame_duck_duration: 30s, lame_duck_grace_period: 1s"},
		{LameDuckSet{"A"}, func(*cluster.Server) {}, false, "two minutes"},
		{Left{"A"}, func(s *cluster.Server) { s.Config, s.Drained = shortLameDuckConfig, 9 }, false, "it has 9 clients, so 5.00 s to 10 s"},
		{Left{"A"}, ended(6*time.Second, cluster.StopLameDuck), true, "it had 9 clients, so 5.00 s to 10 s; seen: 6.00 s"},
		{Left{"A"}, ended(26*time.Second, cluster.StopLameDuck), true, "seen: 26 s, later than predicted: it handed its streams over first"},
		{Left{"A"}, ended(6*time.Second, cluster.StopInt), false, "stopped otherwise"},
		{Left{"A"}, func(s *cluster.Server) { ended(time.Minute, cluster.StopLameDuck)(s); s.Process.Exit.Forced = true }, false, "was killed after 1m0s"},
		{Ignores{"A"}, termed(2*time.Second, 6*time.Second), true, "sent 2.00 s after SIGUSR2; the server went on for another 4.00 s"},
		{Ignores{"A"}, termed(2*time.Second, 2100*time.Millisecond), false, "it ended 100 ms after it"},
		{Ignores{"A"}, ended(time.Second, cluster.StopLameDuck), true, "gone before SIGTERM was sent, 1.00 s after SIGUSR2"},
		{Ignores{"A"}, ended(time.Second, cluster.StopInt), false, "it was not sent yet"},
		{Ignores{"A"}, func(s *cluster.Server) { s.Process.Ignored = noon }, false, "it goes on"},
	} {
		o := group(t, 3)
		tt.spoil(&o.Servers[0])
		if v := tt.c.Eval(o); v.Met != tt.met || !strings.Contains(v.Detail, tt.says) {
			t.Errorf("%s: %+v, want %t, %q", tt.c, v, tt.met, tt.says)
		}
	}
}

func TestHowLongLameDuckModeTakes(t *testing.T) {
	for _, tt := range []struct {
		clients     int
		config      string
		least, most time.Duration
	}{
		{0, "", 0, 0},
		{1, shortLameDuckConfig, time.Second, 2 * time.Second},
		{9, shortLameDuckConfig, 5 * time.Second, 10 * time.Second},
		{9, "", 14 * time.Second, 19 * time.Second},
		{290, shortLameDuckConfig, time.Second + 289*50*time.Millisecond, 30 * time.Second},
		{1000, "", 10*time.Second + 999*55*time.Millisecond, 2 * time.Minute},
	} {
		least, most := LameDuckOf(cluster.Server{Drained: tt.clients, Config: tt.config})
		if least != tt.least || most != tt.most {
			t.Errorf("%d clients, %q: %s to %s, want %s to %s", tt.clients, tt.config, least, most, tt.least, tt.most)
		}
	}
}
