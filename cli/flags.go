package cli

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"nats-roll/advice"
	"nats-roll/cluster"
	"nats-roll/release"
	"nats-roll/release/embedded"
	"nats-roll/report"
	"nats-roll/tui/theme"
	"nats-roll/upgrade"
)

// Defaults of the shared flags. The default older version is the patch release
// before the one linked in.
const (
	defaultFrom    = "2.15.1"
	defaultTo      = "embedded"
	defaultClients = 20
	defaultRate    = 100
	maxHold        = 24 * time.Hour
	jsNodes        = 3 // that JetStream needs to go on while one is away
)

// mirrorVariable is the environment's word for --mirror.
const mirrorVariable = "NATS_ROLL_MIRROR"

// settings are the flags, as given.
type settings struct {
	flags   *pflag.FlagSet
	typed   []string // the words that flags were read from
	chapter string
	from    side
	to      side
	nodes   int
	noSpare bool

	jetstream bool
	work
	stop    string
	offset  int
	dir     string
	source  string
	mirror  string
	offline bool
	events  string
	keep    bool
	theme   string

	// of run
	json    bool
	reports []string
	failing string
	force   bool
	hold    time.Duration
	limits  []*limit
	compare []string
}

// rehearse holds what the settings mean.
type rehearse struct {
	settings
	kind     upgrade.Chapter
	topology cluster.Topology
	how      cluster.Stop
	workload cluster.Workload
}

func (s *settings) register(f *pflag.FlagSet) {
	s.flags = f
	f.StringVar(&s.chapter, "chapter", "rolling", "what to walk: "+chapterWords())
	s.from.Want, s.to.Want = defaultFrom, defaultTo
	f.Var(&s.from, "from", "the `build` to upgrade from: 2.14.9, 2.14 (its newest patch at hand, or known), latest, previous (the release before --to), embedded, or a file; A=BUILD for one server")
	f.Var(&s.to, "to", fmt.Sprintf("the `build` to upgrade to: 2.15.2, 2.15, latest, previous (the release before the embedded one), embedded (%s), or a file; A=BUILD for one server", embedded.Version))
	f.IntVar(&s.nodes, "nodes", cluster.MinPermanent, "permanent servers, 2 to 9")
	f.BoolVar(&s.jetstream, "jetstream", false, "permanent servers have JetStream, with a stream, a durable consumer and a key-value bucket of three replicas; needs --nodes 3")
	f.BoolVar(&s.noSpare, "no-spare", false, "go without the temporary server")
	s.work.register(f)
	f.StringVar(&s.stop, "stop", string(cluster.StopInt), "how servers are stopped: int (Ctrl+C), term, ldm (lame duck) or kill")
	f.IntVar(&s.offset, "port-offset", 0, "move every port by this much")
	f.StringVar(&s.dir, "dir", "", "where the servers' folders go, and stay (default: a folder that is removed at the end)")
	f.StringVar(&s.source, "source", "auto", "where versions come from: auto, or only "+strings.Join(release.Sources, ", "))
	f.StringVar(&s.mirror, "mirror", "", "a mirror of nats-server's releases (default: $"+mirrorVariable+", or GitHub)")
	f.BoolVar(&s.offline, "offline", false, "never use the network to get a nats-server")
	f.StringVar(&s.events, "events", "", "write the event log to this file, as JSON lines (default: among the recordings)")
	f.StringVar(&s.theme, "theme", string(theme.Auto), "colours for a dark or a light background: auto, dark or light")
	f.BoolVar(&s.keep, "keep", false, "leave the servers running at the end; nats-roll clean ends them")
}

// check says what the flags mean, or what is wrong with them.
func (s *settings) check() (rehearse, error) {
	kind, known := upgrade.FindChapter(s.chapter)
	if !known {
		return rehearse{}, usagef("use --chapter "+strings.Join(chapterNames(), " or --chapter "), "unknown chapter %q", s.chapter)
	}
	if err := s.suit(kind); err != nil {
		return rehearse{}, err
	}
	r := rehearse{settings: *s, kind: kind}
	var err error
	if s.nodes < cluster.MinPermanent || s.nodes > cluster.MaxPermanent {
		return r, usagef(fmt.Sprintf("use --nodes %d to %d", cluster.MinPermanent, cluster.MaxPermanent), "--nodes %d is out of range", s.nodes)
	}
	if s.jetstream && s.nodes < jsNodes {
		return r, usagef("add --nodes 3", "--jetstream with --nodes %d: %d servers have no quorum while one of them is away", s.nodes, s.nodes)
	}
	if s.source != "auto" && !slices.Contains(release.Sources, s.source) {
		return r, usagef("use --source auto, --source "+strings.Join(release.Sources, ", --source "), "unknown source %q", s.source)
	}
	if err := knownTheme(s.theme); err != nil {
		return r, err
	}
	if r.how, err = cluster.ParseStop(s.stop); err != nil {
		return r, usagef("use --stop int", "%w", err)
	}
	if err := stoppable(r.how); err != nil {
		return r, usagef("use --stop int", "--stop %s: %w", s.stop, err)
	}
	if err := s.comparable(); err != nil {
		return r, err
	}
	if r.topology, err = cluster.NewTopology(s.nodes, !s.noSpare, s.offset); err != nil {
		return r, usagef("use --port-offset 1000", "%w", err)
	}
	r.topology.JetStream = s.jetstream
	if kind.Shape != nil {
		kind.Shape(&r.topology)
	}
	if err := r.side(); err != nil {
		return r, err
	}
	if i := slices.IndexFunc(s.reports, func(f string) bool { return oneFile(f, s.events) }); s.events != "" && i >= 0 {
		return r, usagef("give one of them another name", "--events and --report are both %s", s.reports[i])
	}
	for _, f := range s.reports {
		if ext := strings.ToLower(filepath.Ext(f)); !slices.Contains(report.Extensions(), ext) {
			return r, usagef("use --report FILE"+strings.Join(report.Extensions(), ", FILE"), "report %s: no format for the extension %q", f, ext)
		}
	}
	if s.hold < 0 || s.hold > maxHold {
		return r, usagef("use --hold 10s", "--hold %s is out of range, 0 to %s", s.hold, maxHold)
	}
	if s.failing != "" && !slices.Contains(upgrade.OnFailures, upgrade.OnFailure(s.failing)) {
		return r, usagef("use --on-failure stop, rollback or abort", "unknown way to go on after a failure %q", s.failing)
	}
	if r.workload, err = s.workload(s.jetstream); err != nil {
		return r, err
	}
	for _, l := range s.limits {
		if l.set && l.Lacking != nil && l.Lacking(r.workload) != "" {
			return r, usagef("leave out --"+l.Name, "--%s has nothing to judge: %s", l.Name, l.Lacking(r.workload))
		}
	}
	return r, nil
}

// suit gives flags that nobody gave the values that they have in a chapter, and
// refuses those that it cannot have otherwise.
func (s *settings) suit(c upgrade.Chapter) error {
	for _, name := range c.Fixed {
		f := s.flags.Lookup(name)
		if f == nil {
			continue
		}
		if want := cmp.Or(c.Flags[name], f.DefValue); f.Changed && f.Value.String() != want {
			return usagef("leave out --"+name, "chapter %s needs --%s=%s", c.Name, name, want)
		}
	}
	for name, value := range c.Flags {
		f := s.flags.Lookup(name)
		if f == nil || f.Changed { // some commands have fewer
			continue
		}
		if err := f.Value.Set(value); err != nil {
			return fmt.Errorf("chapter %s: --%s: %w", c.Name, name, err)
		}
	}
	return nil
}

func knownTheme(s string) error {
	if b := theme.Background(s); b != theme.Auto && b != theme.Dark && b != theme.Light {
		return usagef("use --theme auto, dark or light", "unknown theme %q", s)
	}
	return nil
}

// resolver is where the builds come from, by these settings.
func (s *settings) resolver() builds {
	o := release.Options{Embedded: embedded.Version, Mirror: cmp.Or(s.mirror, os.Getenv(mirrorVariable)), Offline: s.offline}
	if s.source != "auto" {
		o.Source = s.source
	}
	return builds{release.New(o)}
}

func chapterNames() []string {
	var out []string
	for _, c := range upgrade.Chapters {
		out = append(out, c.Name)
	}
	return out
}

func chapterWords() string {
	var out []string
	for _, c := range upgrade.Chapters {
		out = append(out, fmt.Sprintf("%s (%s)", c.Name, c.About))
	}
	return strings.Join(out, " or ")
}

// side settles what both sides are: what nobody named is the embedded version
// and the patch release before it, up or down as the chapter goes.
func (r *rehearse) side() error {
	if r.kind.Down {
		r.from.assume(defaultTo)
		r.to.assume(defaultFrom)
	}
	for _, f := range []struct {
		flag string
		*side
	}{{"--from", &r.from}, {"--to", &r.to}} {
		for _, node := range slices.Sorted(maps.Keys(f.Own)) {
			n, ok := r.topology.Node(node)
			switch {
			case !ok:
				return usagef("the servers are "+report.Servers(r.topology), "%s %s=%s: there is no server %s", f.flag, node, f.Own[node], node)
			case !n.Permanent && f.side == &r.from:
				return usagef("use --to "+node+"="+f.Own[node], "--from %s=%s: %s is temporary, and starts with what the others are upgraded to", node, f.Own[node], node)
			}
		}
		f.alone(r.topology.Permanent())
	}
	return nil
}

// optional is the role of the older version, if nobody asked for it by name.
func (r rehearse) optional() string {
	switch {
	case !r.kind.Down && !r.from.given:
		return "from"
	case r.kind.Down && !r.to.given:
		return "to"
	}
	return ""
}

// situation is what a rehearsal of these settings has, for advice on it.
func (r rehearse) situation() advice.Situation {
	s := advice.Situation{Nodes: len(r.topology.Nodes), JetStream: r.topology.JetStream, Replicated: r.topology.JetStream}
	switch r.how {
	case cluster.StopTerm:
		s.Has = []string{"sigterm"}
	case cluster.StopLameDuck:
		s.Has = []string{"lame-duck"}
	case cluster.StopInt, cluster.StopKill:
	}
	return s
}

// advise is what is known about the steps between the builds of the servers, and
// about the oldest and the newest that run side by side on the way.
func (r rehearse) advise(from, to cluster.Builds) advice.Steps {
	var steps [][2]cluster.Version
	var all []cluster.Version
	for _, n := range r.topology.Nodes {
		v := to.Of(n.Name).Version
		all = append(all, v)
		if n.Permanent {
			was := from.Of(n.Name).Version
			all = append(all, was)
			steps = append(steps, [2]cluster.Version{was, v})
		}
	}
	beside := [2]cluster.Version{slices.MinFunc(all, cluster.Version.Compare), slices.MaxFunc(all, cluster.Version.Compare)}
	known, err := advice.ForAll(steps, beside, r.situation())
	if err != nil {
		return nil // a version that is none has been refused before
	}
	return known
}
