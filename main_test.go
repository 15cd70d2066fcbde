package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/adrg/xdg"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"nats-roll/cluster"
	"nats-roll/proc"
	"nats-roll/proc/proctest"
	"nats-roll/release/embedded"
	"nats-roll/release/releasetest"
)

var update = flag.Bool("update", false, "write the goldens of the command line")

// TestMain makes this test binary nats-roll, and nats-server, when it is called
// by their names: what the tests run is the program, with its own main.
func TestMain(m *testing.M) {
	if embedded.Asked(os.Args[0]) {
		embedded.Main()
	}
	// Most of these tests wait for servers, not for the processor.
	_ = flag.Set("test.parallel", strconv.Itoa(max(waiting, runtime.GOMAXPROCS(0))))
	testscript.Main(m, commands)
}

// waiting is how many tests run at the same time, at least.
const waiting = 4

// commands are the programs that this test binary is, by name.
var commands = map[string]func(){"nats-roll": main}

// The command line, with real servers, each script at ports of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	releasetest.Build(t, releasetest.Older) // installed once, not by each script
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			for name, value := range surroundings(env.WorkDir, proctest.Offset(t, 4)) {
				env.Setenv(name, value)
			}
			env.Defer(func() { endLeft(env.WorkDir) })
			program, err := exec.LookPath("nats-roll") // testscript's
			env.Setenv("NATS_ROLL", program)
			return err
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":   exits,
			"listen":  listen,
			"mirror":  mirror,
			"free":    free,
			"report":  checkReport,
			"events":  checkEvents,
			"journal": checkJournal,
		},
	})
}

// endLeft ends what a script that failed in the middle has left running.
func endLeft(dir string) {
	left, _ := proc.Leftovers(context.Background(), filepath.Join(dir, "state", "nats-roll", "rehearsals"))
	for _, l := range left {
		_ = l.End(context.Background())
	}
}

// surroundings is the environment of a program under test: folders of its own,
// but the caches of this machine.
func surroundings(dir string, offset int) map[string]string {
	env := map[string]string{
		"OFFSET": strconv.Itoa(offset), "TERM": "tmux-256color", "PLATFORM": runtime.GOOS + "-" + runtime.GOARCH,
		"XDG_STATE_HOME": filepath.Join(dir, "state"), "XDG_CACHE_HOME": xdg.CacheHome,
		"NATS_ROLL_MIRROR": "http://127.0.0.1:1", // nobody: no test asks the real releases
		"HOME":             xdg.Home, "LocalAppData": os.Getenv("LocalAppData"),
	}
	for i, n := range topology(4, offset).Nodes {
		env[fmt.Sprintf("CLIENT_%c", 'A'+i)] = strconv.Itoa(n.ClientPort)
		env[fmt.Sprintf("MONITOR_%c", 'A'+i)] = strconv.Itoa(n.MonitorPort)
	}
	return env
}

func topology(permanent, offset int) cluster.Topology {
	top, err := cluster.NewTopology(permanent, true, offset)
	if err != nil {
		panic(err)
	}
	return top
}

// exits CODE PROGRAM ARG...: the program ends with exactly this exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// listen PORT: somebody else has the port while the script runs.
func listen(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", net.JoinHostPort("localhost", args[0]))
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
}

// mirror VERSION…: a mirror of nats-server's releases has these versions from
// now on, for this script. The servers in it are scripts that know their version.
func mirror(ts *testscript.TestScript, _ bool, args []string) {
	programs := map[string]string{}
	for _, v := range args {
		programs[v] = fmt.Sprintf("#!/bin/sh\necho nats-server: v%s\n", v)
	}
	all, err := releases(programs)
	ts.Check(err)
	s := httptest.NewServer(all)
	ts.Defer(s.Close)
	ts.Setenv("NATS_ROLL_MIRROR", s.URL)
}

// releases is a mirror with these programs, by version.
func releases(programs map[string]string) (http.Handler, error) {
	files := map[string][]byte{}
	for v, program := range programs {
		folder := fmt.Sprintf("nats-server-v%s-%s-%s", v, runtime.GOOS, runtime.GOARCH)
		var archive bytes.Buffer
		z := gzip.NewWriter(&archive)
		w := tar.NewWriter(z)
		err := w.WriteHeader(&tar.Header{Name: folder + "/nats-server", Mode: 0o755, Size: int64(len(program))})
		if err == nil {
			_, err = w.Write([]byte(program))
		}
		if err := errors.Join(err, w.Close(), z.Close()); err != nil {
			return nil, err
		}
		files["/v"+v+"/"+folder+".tar.gz"] = archive.Bytes()
		files["/v"+v+"/SHA256SUMS"] = fmt.Appendf(nil, "%x  %s.tar.gz\n", sha256.Sum256(archive.Bytes()), folder)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(data)
	}), nil
}

// free: nothing listens on the script's ports, and nothing is left in the
// folder of rehearsals.
func free(ts *testscript.TestScript, neg bool, _ []string) {
	offset, err := strconv.Atoi(ts.Getenv("OFFSET"))
	ts.Check(err)
	taken := proctest.Taken(4, offset)
	if neg != (taken != nil) {
		ts.Fatalf("ports taken: %v", taken)
	}
	left, err := os.ReadDir(filepath.Join(ts.Getenv("XDG_STATE_HOME"), "nats-roll", "rehearsals"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		ts.Fatalf("%v", err)
	}
	if neg != (len(left) > 0) {
		ts.Fatalf("rehearsals left: %v", left)
	}
}

// reported are the fields of a report that other tools rely on.
type reported struct {
	Schema, Tool, Chapter, From, To, Outcome string

	Nodes []struct {
		Name      string
		Permanent bool
		Versions  []string
		PIDs      []int
		DownMS    float64 `json:"down_ms"`
	}
	Steps []struct {
		ID, Title, Node, Command, Outcome string

		TookMS float64 `json:"took_ms"`
		Checks []struct {
			Text, Detail string
			OK           bool
		}
		Moved            map[string]int
		Lost, Duplicated int
		GapMSMax         float64 `json:"gap_ms_max"`
	}
	Messages *struct {
		Published, Expected, Received, Lost, Duplicated, Reordered int
	}
	Reconnects *struct {
		Count int
		P50   float64 `json:"p50_ms"`
		P99   float64 `json:"p99_ms"`
		Max   float64 `json:"max_ms"`
	}
	Claims []struct {
		Text, Detail string
		Holds        *bool
	}
}

// report FILE FROM TO CLIENTS: the report is as its schema says, tells of a
// verified upgrade of A and B between these versions, its sums add up, and no
// field that was measured is missing.
func checkReport(ts *testscript.TestScript, _ bool, args []string) {
	schema, err := jsonschema.NewCompiler().Compile("docs/report.schema.json")
	ts.Check(err)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(schema.Validate(doc))
	r, err := readReport(ts.MkAbs(args[0]))
	ts.Check(err)
	subscribers, err := strconv.Atoi(args[3])
	ts.Check(err)
	ts.Check(r.verified(args[1], args[2], subscribers+1))
}

func readReport(file string) (r reported, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(data, &r)
}

// verified says what is wrong with the report of an upgrade that went well.
func (r reported) verified(from, to string, subscribers int) error {
	if r.Schema != "nats-roll/report/1" || r.Chapter != "rolling" || r.Outcome != "verified" || r.From != from || r.To != to || r.Tool == "" {
		return fmt.Errorf("head is %q %q %q, %q to %q by %q", r.Schema, r.Chapter, r.Outcome, r.From, r.To, r.Tool)
	}
	for _, n := range r.Nodes {
		want := []string{from, to}
		if from == to {
			want = []string{to}
		}
		if !n.Permanent {
			want = []string{to}
		}
		if fmt.Sprint(n.Versions) != fmt.Sprint(want) || n.Permanent && (len(n.PIDs) != 2 || n.DownMS <= 0) {
			return fmt.Errorf("%s ran %v as %v, away %g ms; want %v", n.Name, n.Versions, n.PIDs, n.DownMS, want)
		}
	}
	if len(r.Nodes) != 3 || len(r.Steps) != 12 {
		return fmt.Errorf("%d nodes, %d steps", len(r.Nodes), len(r.Steps))
	}
	lost, duplicated, moved := 0, 0, 0
	for _, s := range r.Steps {
		if s.Outcome != "verified" || s.Title == "" || s.TookMS <= 0 || len(s.Checks) == 0 {
			return fmt.Errorf("step %+v", s)
		}
		for _, c := range s.Checks {
			if !c.OK || c.Text == "" || c.Detail == "" {
				return fmt.Errorf("step %s: check %+v", s.ID, c)
			}
		}
		lost, duplicated = lost+s.Lost, duplicated+s.Duplicated
		for _, n := range s.Moved {
			moved += n
		}
	}
	m := r.Messages
	switch {
	case m == nil || r.Reconnects == nil:
		return errors.New("no word of the messages or the reconnects")
	case m.Published == 0 || m.Expected != m.Published*subscribers:
		return fmt.Errorf("%+v with %d subscribers", *m, subscribers)
	case m.Expected != m.Received-m.Duplicated+m.Lost:
		return fmt.Errorf("does not add up: %+v", *m)
	case m.Lost != lost || m.Duplicated != duplicated:
		return fmt.Errorf("%+v, but the steps lost %d and duplicated %d", *m, lost, duplicated)
	case r.Reconnects.Count < moved || r.Reconnects.P50 <= 0 || r.Reconnects.P50 > r.Reconnects.P99 || r.Reconnects.P99 > r.Reconnects.Max:
		return fmt.Errorf("%d moved, reconnects %+v", moved, *r.Reconnects)
	}
	for _, c := range r.Claims {
		if c.Text == "" || c.Detail == "" {
			return fmt.Errorf("claim %+v", c)
		}
	}
	if len(r.Claims) == 0 {
		return errors.New("no claims")
	}
	return nil
}

// events: standard output is JSON, one event a line, numbered without a gap.
func checkEvents(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(numbered([]byte(ts.ReadFile("stdout"))))
}

// journal FILE: the same of a file.
func checkJournal(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(numbered([]byte(ts.ReadFile(args[0]))))
}

func numbered(data []byte) error {
	kinds := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<22)
	for seq := -1; lines.Scan(); seq++ {
		var line map[string]any
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return fmt.Errorf("%q: %w", lines.Text(), err)
		}
		if seq < 0 {
			continue // the header
		}
		if n, ok := line["seq"].(float64); !ok || int(n) != seq+1 {
			return fmt.Errorf("event %d is %s", seq+1, lines.Text())
		}
		kinds[fmt.Sprint(line["kind"])]++
	}
	for _, kind := range []string{"planned", "step-ended", "started", "exited", "answered", "fleet"} {
		if kinds[kind] == 0 {
			return fmt.Errorf("no %s in %v", kind, kinds)
		}
	}
	return lines.Err()
}
