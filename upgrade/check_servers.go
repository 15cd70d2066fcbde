package upgrade

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"nats-roll/cluster"
)

// Up holds when the node's server lives and answers.
type Up struct{ Node string }

func (c Up) String() string { return c.Node + " is up" }

// Eval asks for a live process and an answer from it.
func (c Up) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	if s.Condition() != cluster.Up {
		return notUp(s)
	}
	return yes(fmt.Sprintf("pid %d, runs %s", s.Process.PID, s.Answer.Version))
}

// notUp is the verdict on a server that is not up, with what is known instead.
func notUp(s cluster.Server) Verdict {
	p := s.Process
	switch s.Condition() {
	case cluster.NotStarted:
		return no(s.Node.Name + " was not started")
	case cluster.Crashed:
		return no(fmt.Sprintf("%s died: %s%s", s.Node.Name, p.Exit, because(p.Exit.Reason)))
	case cluster.Down:
		return no(fmt.Sprintf("%s is down: %s", s.Node.Name, ExitDetail(p)))
	case cluster.Frozen:
		return no(fmt.Sprintf("%s does not answer: %s", s.Node.Name, s.Why))
	case cluster.Stopping, cluster.Draining:
		return no(fmt.Sprintf("%s is on its way out since %s", s.Node.Name, p.Stop.Signal()))
	case cluster.Starting, cluster.Up:
		if s.Why != "" {
			return no(fmt.Sprintf("%s does not answer yet: %s", s.Node.Name, s.Why))
		}
	}
	return unknown("")
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ", " + reason
}

// Running holds when the node's server is up and is this build: the file that
// its process was started from, and the version that it answers.
type Running struct {
	Node  string
	Build cluster.Build
}

func (c Running) String() string { return fmt.Sprintf("%s runs %s", c.Node, c.Build) }

// Eval compares the running server with the build.
func (c Running) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	switch {
	case s.Condition() != cluster.Up:
		return notUp(s)
	case s.Answer.Version != c.Build.Version:
		return no(fmt.Sprintf("/varz: %s, pid %d", s.Answer.Version, s.Process.PID))
	case c.Build.SHA256 != "" && !s.Process.Build.Same(c.Build):
		return no(c.Node + " was started from another file of the same version")
	}
	return yes(fmt.Sprintf("/varz: %s, pid %d", s.Answer.Version, s.Process.PID))
}

// Exited holds when the node has no live process.
type Exited struct{ Node string }

func (c Exited) String() string { return c.Node + " has exited" }

// Eval looks at the process, not at what it answered.
func (c Exited) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	switch {
	case s.Process.PID == 0:
		return no("it was never started")
	case s.Process.Exit == nil:
		return no(fmt.Sprintf("pid %d lives", s.Process.PID))
	}
	return yes(ExitDetail(s.Process))
}

// ExitDetail tells an exit in full: "exit status 0, 4 ms after SIGINT".
func ExitDetail(p cluster.Process) string {
	e := p.Exit
	switch {
	case e == nil:
		return ""
	case !e.Asked:
		return fmt.Sprintf("%s, not asked for by nats-roll%s", e, because(e.Reason))
	case e.Forced:
		return fmt.Sprintf("ignored %s for %s and was killed", p.Stop.Signal(), Round(e.After))
	case e.Signal != "":
		return fmt.Sprintf("%s, %s after it was sent", e, Round(e.After))
	}
	return fmt.Sprintf("%s, %s after %s", e, Round(e.After), p.Stop.Signal())
}

// Round shortens a duration to what a person reads: "4.9 ms", "25 ms", "1.24 s".
func Round(d time.Duration) string {
	switch millis := d.Seconds() * 1000; {
	case millis < 0.05:
		return "under 0.1 ms"
	case millis < 9.95:
		return fmt.Sprintf("%.1f ms", millis)
	case millis < 999.5:
		return fmt.Sprintf("%.0f ms", millis)
	case d < 10*time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// OnDisk holds when the file in the node's slot is this build.
type OnDisk struct {
	Node  string
	Build cluster.Build
}

func (c OnDisk) String() string { return fmt.Sprintf("%s's binary is %s", c.Node, c.Build) }

// Eval looks at the slot, not at what runs.
func (c OnDisk) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	switch {
	case s.Disk.Zero():
		return no("the slot is empty")
	case s.Spoilt != "":
		return no("the file is no nats-server: " + s.Spoilt)
	case s.Disk.Version != c.Build.Version:
		return no("the file is " + s.Disk.String())
	case c.Build.SHA256 != "" && !s.Disk.Same(c.Build):
		return no("the file is another build of " + s.Disk.String())
	}
	return yes("sha256 " + Short(s.Disk.SHA256))
}

// Fit holds when the build was found fit to be the node's next binary.
type Fit struct {
	Node  string
	Build cluster.Build
}

func (c Fit) String() string { return fmt.Sprintf("%s is fit for %s", c.Build, c.Node) }

// Denied says that it is not.
func (c Fit) Denied() string { return fmt.Sprintf("%s is not fit for %s", c.Build, c.Node) }

// Eval reads the newest inspection.
func (c Fit) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	in := s.Inspection
	if len(in.Facts) == 0 || in.Build != c.Build {
		return unknown("it was not looked at yet")
	}
	var found []string
	for _, f := range in.Facts {
		if !f.OK {
			return no(f.Detail)
		}
		found = append(found, f.Detail)
	}
	return yes(strings.Join(found, "; "))
}

// Healthy holds when the node's server says so itself.
type Healthy struct{ Node string }

func (c Healthy) String() string { return c.Node + " is healthy" }

// Eval reads /healthz. Without JetStream it says that the server's listeners are
// up, and nothing of its routes. (nats-server server/monitor.go HandleHealthz)
func (c Healthy) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	switch {
	case s.Condition() != cluster.Up:
		return notUp(s)
	case !s.Answer.Healthy:
		return no("/healthz: " + s.Answer.Health)
	}
	return yes("/healthz: ok")
}

// Short is the first twelve digits of a checksum.
func Short(sum string) string {
	if len(sum) > 12 {
		return sum[:12] + "…"
	}
	return sum
}

// Restarted holds when the node's turn is over: it runs this build, and that is
// not its first start. It makes a turn that was taken by hand count.
type Restarted struct {
	Node  string
	Build cluster.Build
	After int // starts that do not count: those before a step was taken back
}

func (c Restarted) String() string {
	return fmt.Sprintf("%s was restarted and runs %s", c.Node, c.Build)
}

// Eval compares the running server and its count of starts.
func (c Restarted) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	if s.Starts < max(2, c.After+1) {
		return no(c.Node + " was not restarted")
	}
	return Running{c.Node, c.Build}.Eval(o)
}

// Again holds when a node's server is up, and was started since its step began. It is
// for steps that leave everything as it was, but for that.
type Again struct {
	Node string
	// counted are the starts that were before, and one more, so that nothing holds
	// before the step begins.
	counted int
}

func (c Again) String() string { return c.Node + " was started anew, and is up" }

// Eval compares the count of starts.
func (c Again) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	if c.counted == 0 || s.Starts < c.counted {
		return no(c.Node + " was not started anew")
	}
	return Up{Node: c.Node}.Eval(o)
}

// from is the check in a step that begins now.
func (c Again) from(o cluster.Observation) Check {
	s, _ := o.Server(c.Node)
	c.counted = s.Starts + 1
	return c
}

// beginning are a step's checks once it begins.
func beginning(checks []Check, o cluster.Observation) []Check {
	out := slices.Clone(checks)
	for i, c := range out {
		if c, ok := c.(Again); ok {
			out[i] = c.from(o)
		}
	}
	return out
}

// Meshed holds when every two of the nodes see each other, in both directions,
// with all the route connections that their versions keep.
type Meshed struct{ Among []string }

func (c Meshed) String() string {
	if len(c.Among) == 2 {
		return List(c.Among) + " see each other"
	}
	return List(c.Among) + " all see each other"
}

// Eval counts peers by distinct remote id; route connections are pooled.
func (c Meshed) Eval(o cluster.Observation) Verdict {
	var pairs []string
	for i, a := range c.Among {
		sa, _ := o.Server(a)
		if sa.Condition() != cluster.Up {
			return notUp(sa)
		}
		for _, b := range c.Among[i+1:] {
			sb, _ := o.Server(b)
			if sb.Condition() != cluster.Up {
				return notUp(sb)
			}
			there, back, want := o.Peers(a)[b], o.Peers(b)[a], RoutesPerPair(sa.Answer.Version, sb.Answer.Version)
			switch {
			case there == 0 && back == 0:
				return no(fmt.Sprintf("%s and %s have no route", a, b))
			case there == 0 || back == 0:
				return no(fmt.Sprintf("only one of %s and %s sees the other", a, b))
			case there < want || back < want:
				return no(fmt.Sprintf("forming: %s–%s has %d of %d connections", a, b, min(there, back), want))
			}
			pairs = append(pairs, fmt.Sprintf("%s⇄%s %d", a, b, there))
		}
	}
	return yes("/routez: " + strings.Join(pairs, ", "))
}

// pooledRoutes is since when servers pool routes: three connections to each
// peer, and one of its own for the system account.
const pooledRoutes = cluster.Version("2.10.0")

// RoutesPerPair is how many route connections two servers keep by default.
// (nats-server server/opts.go DEFAULT_ROUTE_POOL_SIZE and route.go; a server
// before 2.10 keeps one.)
func RoutesPerPair(a, b cluster.Version) int {
	if a.Compare(pooledRoutes) < 0 || b.Compare(pooledRoutes) < 0 {
		return 1
	}
	return 4
}

// Complains holds when the node's server has said that nobody listens on a
// peer's route port.
type Complains struct {
	Node string
	Peer cluster.Node
}

func (c Complains) String() string {
	return fmt.Sprintf("%s complains that nobody listens on %d", c.Node, c.Peer.RoutePort)
}

// Eval looks for the server's own line.
func (c Complains) Eval(o cluster.Observation) Verdict {
	s, _ := o.Server(c.Node)
	port := fmt.Sprintf(":%d:", c.Peer.RoutePort)
	i := slices.IndexFunc(s.Refused, func(l cluster.LogLine) bool { return strings.Contains(l.Text, port) })
	if i >= 0 {
		return yes(fmt.Sprintf("[%s] %s", s.Refused[i].Level, s.Refused[i].Text))
	}
	switch {
	case s.Condition() == cluster.Crashed || s.Condition() == cluster.Down:
		return notUp(s)
	case s.Process.Guest && s.Answer.Known():
		return yes(notOurLog)
	}
	return unknown("")
}

// notOurLog is what can be said of the words of a server that somebody else
// started.
const notOurLog = "not seen from here: it was started by hand, and its log is in that terminal"

// Steady holds when every server has run for so long, and answers still.
type Steady struct {
	Nodes []string
	For   time.Duration
}

func (c Steady) String() string {
	if len(c.Nodes) == 1 {
		return fmt.Sprintf("%s has run for %s", c.Nodes[0], Round(c.For))
	}
	return fmt.Sprintf("%s have run for %s", List(c.Nodes), Round(c.For))
}

// Eval compares each server's newest answer with its start.
func (c Steady) Eval(o cluster.Observation) Verdict {
	least := time.Duration(-1)
	for _, n := range c.Nodes {
		s, _ := o.Server(n)
		if s.Condition() != cluster.Up {
			return notUp(s)
		}
		ran := s.Answer.Ended.Sub(s.Process.Started)
		if ran < c.For {
			return no(fmt.Sprintf("%s was started %s ago", n, Round(ran)))
		}
		if least < 0 || ran < least {
			least = ran
		}
	}
	return yes("the youngest for " + Round(least))
}
