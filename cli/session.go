package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/adrg/xdg"

	"nats-roll/cluster"
	"nats-roll/fleet"
	"nats-roll/local"
	"nats-roll/proc"
	"nats-roll/rehearsal"
	"nats-roll/release"
	"nats-roll/report"
	"nats-roll/upgrade"
)

// session is one rehearsal with everything it is made of, on screen or not.
type session struct {
	rehearse
	ctx    context.Context // the program's: how long readers are waited for
	header rehearsal.Header
	lab    *rehearsal.Lab
	driver *local.Driver
	builds builds
	dir    string
	leave  func() error // gives the folder back
	plan   atomic.Pointer[upgrade.Plan]
	log    *eventLog  // of --events; nil without
	tape   *recording // nil with --events

	attended bool                   // a person walks it
	goOn     *place                 // where they want to go on from the last time
	goal     atomic.Pointer[string] // the id of its step, once that is on its way
}

// stateDir holds the folders of rehearsals, unless --dir says otherwise.
func (s settings) stateDir() string {
	if s.dir != "" {
		return s.dir
	}
	return filepath.Join(xdg.StateHome, "nats-roll", "rehearsals")
}

// open makes everything ready that needs no build: the ports are free, the
// folder is there, the log is open.
func (a *app) open(ctx context.Context, r rehearse, watchers ...rehearsal.Watcher) (_ *session, err error) {
	s := &session{rehearse: r, header: a.header(), ctx: ctx}
	if err := freePorts(r.topology); err != nil {
		return nil, err
	}
	if s.dir, s.leave, err = proc.NewDir(r.stateDir()); err != nil {
		return nil, environment(err, "use --dir with a folder that can be read and written")
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.forget())
		}
	}()
	for _, file := range r.reports { // better now than when all is over
		if err := writable(file); err != nil {
			return nil, environment(fmt.Errorf("write the report: %w", err), "use --report with a path that can be written")
		}
	}
	record, err := s.record(s.header)
	if err != nil {
		return nil, environment(fmt.Errorf("write the event log: %w", err), "use --events with a path that can be written")
	}
	s.lab = rehearsal.New(append(watchers, record)...)
	if limits := r.budgets(); limits != nil {
		s.lab.Emit(rehearsal.Budgeted{Limits: limits})
	}
	s.builds = r.resolver()
	s.driver, err = local.New(local.Options{
		Topology: r.topology, Dir: s.dir, Sink: s.lab.Emit, Keep: r.keep, Identify: release.Identify, Inspect: release.Inspect,
		System: fleet.System,
		Clients: func(w cluster.Workload) local.Clients {
			return fleet.New(fleet.Options{Topology: r.topology, Workload: w, Sink: s.lab.Emit})
		},
	})
	return s, err
}

// record begins the event log: in the file that was asked for, or among the
// recordings.
func (s *session) record(h rehearsal.Header) (rehearsal.Watcher, error) {
	if s.events == "" {
		s.tape = theArchive().begin(filepath.Base(s.dir), h, func(err error) {
			s.lab.Emit(rehearsal.Note{Text: fmt.Sprintf("this rehearsal cannot be recorded: %v", err)})
		})
		return s.tape.watch, nil
	}
	log, err := openLog("the event log", s.events, 0o644, h)
	if err != nil {
		return nil, err
	}
	s.log = log
	return log.journal.Watch, nil
}

// header is what the events do not tell of this rehearsal.
func (a *app) header() rehearsal.Header {
	return rehearsal.Header{
		Tool: a.Version, Command: append([]string{"nats-roll"}, a.Args...), Began: time.Now(),
		Host: rehearsal.Host{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU()},
	}
}

// freePorts refuses to begin when a port of the cluster is taken.
func freePorts(t cluster.Topology) error {
	for _, n := range t.Nodes {
		if err := proc.CheckPorts(n.Host, n.ClientPort, n.RoutePort, n.MonitorPort); err != nil {
			return err
		}
	}
	return nil
}

// walk gets the builds and walks the plan, with a person's intents or without.
func (s *session) walk(ctx context.Context, intents <-chan upgrade.Intent) error {
	ready, err := rehearsal.Prepare(ctx, rehearsal.Selection{
		From: s.from.Side, To: s.to.Side, Optional: s.optional(),
	}, s.builds, s.lab.Emit)
	if err != nil {
		return err
	}
	known := s.advise(ready.From, ready.To)
	if b := known.Blocking(); intents == nil && !s.force && len(b) > 0 {
		return usagef(fmt.Sprintf("read %s; --force rehearses it all the same", known.Command()), "%s", b[0].Text)
	}
	plan := s.kind.Plan(upgrade.Spec{
		Advice: known, Topology: s.topology, From: ready.From, To: ready.To, Workload: s.workload,
		Stop: s.how, Hold: s.hold, Budgeted: intents == nil, Dir: tilde(s.dir), Notes: ready.Notes,
		Windows: runtime.GOOS == "windows",
	})
	s.plan.Store(&plan)
	if s.goOn != nil && !s.resume(s.goOn) {
		s.lab.Emit(rehearsal.Note{Text: "this is another plan than the last time, with other builds perhaps: it begins at the beginning"})
	}
	runner := upgrade.Runner{Plan: plan, Driver: s.driver, World: s.lab, Sink: s.lab.Emit, Intents: intents, Lingers: true, Failing: upgrade.OnFailure(s.failing)}
	return runner.Run(ctx)
}

// resume has the plan go on at the step at which the last one stood, if it is the same.
// Turns that are put in order by what is seen may come in another one this time: then it
// is another number.
func (s *session) resume(last *place) bool {
	p := s.plan.Load()
	if p == nil || planned(*p, s.workload, s.how) != last.Plan || !slices.ContainsFunc(p.Steps, func(st upgrade.Step) bool { return st.ID == last.Step }) {
		return false
	}
	s.goal.Store(&last.Step)
	s.lab.Say(upgrade.Intent{Step: p.Steps[0].ID, To: last.Step})
	return true
}

// place is where the rehearsal is, but for the step; nil before there is a plan.
func (s *session) place() *place {
	p := s.plan.Load()
	if p == nil {
		return nil
	}
	args := without(s.typed, "chapter")
	typed := s.flags.Lookup("chapter")
	if name := typed.DefValue; typed.Changed || name != p.Chapter { // which may have been chosen on screen
		args = append(args, "--chapter="+p.Chapter)
	}
	now := &place{Schema: placeSchema, Tool: s.header.Tool, Args: args, Plan: planned(*p, s.workload, s.how)}
	if goal := s.goal.Load(); goal != nil {
		now.goal = *goal
	}
	return now
}

// tilde writes a path as a person would type it.
func tilde(path string) string {
	if rest, ok := strings.CutPrefix(path, xdg.Home+string(filepath.Separator)); ok && xdg.Home != "" && !strings.Contains(path, " ") {
		return "~/" + filepath.ToSlash(rest)
	}
	return path
}

// close ends clients and servers, folds what is left to fold, writes the
// reports, and gives the folder back. It returns what the rehearsal came to.
func (s *session) close() (report.Report, error) {
	var err error
	if state, _ := s.lab.State(); s.keep && s.failing == string(upgrade.FailAbort) && state.Plan.Outcome == upgrade.OutcomeFailed {
		s.keep = false
		err = s.endAll(state.World)
	}
	err = errors.Join(err, s.driver.Close())
	s.lab.Close()
	state, _ := s.lab.State()
	came := report.New(state, s.header)
	for _, file := range s.reports {
		err = errors.Join(err, write(came, file))
	}
	if s.log != nil {
		if err2 := s.log.close(s.ctx); err2 != nil {
			err = errors.Join(err, environment(err2, "use --events with a path that can be written"))
		}
	}
	if s.tape != nil {
		s.tape.end()
	}
	if state.Plan.Outcome == upgrade.OutcomeVerified {
		walkedChapters().add(s.walkedNow(state))
	}
	if state.Plan.Outcome == upgrade.OutcomeFailed && s.settings.dir == "" && !s.keep {
		err = errors.Join(err, s.keepLogs())
	}
	return came, errors.Join(err, s.forget())
}

// endAll ends every server although they were to be kept.
func (s *session) endAll(o cluster.Observation) (err error) {
	for _, n := range o.Alive() {
		err = errors.Join(err, s.driver.Stop(context.Background(), n, cluster.StopInt))
	}
	return err
}

func write(r report.Report, file string) error {
	f, err := os.Create(file)
	if err == nil {
		err = errors.Join(r.Write(f, strings.ToLower(filepath.Ext(file))), f.Close())
	}
	if err != nil {
		return environment(fmt.Errorf("write the report: %w", err), "use --report with a path that can be written")
	}
	return nil
}

// writable says whether a file can be written, and leaves what is in it.
func writable(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|syscall.O_NONBLOCK, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}

// keepLogs moves the servers' logs out of the folder that goes away.
func (s *session) keepLogs() error {
	to := s.failedDir()
	for _, n := range s.topology.Nodes {
		from := s.driver.Log(n.Name)
		if _, err := os.Stat(from); err != nil {
			continue // it was never started
		}
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
		if err := os.Rename(from, filepath.Join(to, n.Name+".log")); err != nil {
			return err
		}
	}
	return nil
}

// failedDir is where the logs of a failed rehearsal are kept.
func (s *session) failedDir() string {
	return filepath.Join(failedRoot(), filepath.Base(s.dir))
}

// forget gives the folder back: it goes away, unless the user named it or
// servers go on in it.
func (s *session) forget() error {
	err := s.leave()
	if s.settings.dir == "" && !s.keep {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}
