package upgrade_test

import (
	"context"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// The command that is shown is what runs: every command of every chapter is read
// back as a shell reads it, and compared with what the driver is called with.

// recorder is a driver that only notes what it is called with, in the words that
// commandOf has for a command.
type recorder struct {
	upgrade.Driver // nil: a method that is not here is called by nobody, or makes call complain
	calls          []string
}

func (r *recorder) note(format string, args ...any) error {
	r.calls = append(r.calls, fmt.Sprintf(format, args...))
	return nil
}

func (r *recorder) Install(_ context.Context, node string, b cluster.Build) error {
	return r.note("install %s in %s", b.Path, node)
}

func (r *recorder) Inspect(_ context.Context, node string, b cluster.Build, args []string) error {
	return r.note("inspect %s with %q", b.Path, args)
}

func (r *recorder) Start(_ context.Context, node string, args []string) error {
	return r.note("start %s with %q", node, args)
}

func (r *recorder) Stop(_ context.Context, node string, how cluster.Stop) error {
	return r.note("send %s to %s", strings.TrimPrefix(how.Signal(), "SIG"), node)
}

func (r *recorder) Signal(_ context.Context, node string, sig cluster.Signal) error {
	return r.note("send %s to %s", sig, node)
}

func (r *recorder) Hold(_ context.Context, node string, on bool) error {
	if on {
		return r.note("send STOP to %s", node)
	}
	return r.note("send CONT to %s", node)
}

func (r *recorder) Configure(_ context.Context, node, text string) error {
	return r.note("configure %s: %q", node, text)
}

func (r *recorder) Occupy(_ context.Context, node string, on bool) error {
	if !on {
		return r.note(untyped)
	}
	return r.note("listen on the port of %s", node)
}

func (r *recorder) Cut(_ context.Context, node string, b cluster.Build) error {
	return r.note("cut %s in %s", b.Path, node)
}

func (r *recorder) Damage(_ context.Context, node, stream string) error {
	return r.note("damage %s in %s", stream, node)
}

func (r *recorder) Empty(_ context.Context, node string) error { return r.note("empty %s", node) }

func (r *recorder) Request(_ context.Context, subject string, body []byte) ([]byte, error) {
	return nil, r.note("request %s: %s", subject, body)
}

func (r *recorder) Connect(context.Context, cluster.Workload) error { return r.note("connect") }
func (r *recorder) Settle(context.Context) error                    { return r.note(untyped) }
func (r *recorder) Disconnect(context.Context) error                { return r.note(untyped) }
func (r *recorder) Act(context.Context, cluster.Act, string) error  { return r.note(untyped) }
func (r *recorder) Look()                                           {}

// untyped is what nobody types: it is the program's own.
const untyped = "nothing that is typed"

// run runs an action, and returns what it calls; wrong if the linter does not know
// one of the calls.
func (r *recorder) run(a upgrade.Action) (wrong string) {
	defer func() {
		if p := recover(); p != nil {
			wrong = fmt.Sprintf("it calls a method of Driver that the linter's recorder does not have: %v", p)
		}
	}()
	if err := a.Run(context.Background(), r); err != nil {
		return err.Error()
	}
	r.calls = slices.DeleteFunc(r.calls, func(c string) bool { return c == untyped })
	return ""
}

// commandsOf reads commands as a shell does, into the words that recorder has.
func commandsOf(text string, top cluster.Topology) ([]string, error) {
	var out []string
	lines := strings.Split(text, "\n")
	for len(lines) > 0 {
		line := lines[0]
		lines = lines[1:]
		switch {
		case line == "":
			continue
		case strings.HasSuffix(line, " <<'EOF'"):
			end := slices.Index(lines, "EOF")
			words := split(line)
			if end < 0 || len(words) != 4 || words[0] != "cat" || path.Base(words[2]) != cluster.ConfigFile {
				return nil, fmt.Errorf("cannot read %q", line)
			}
			out = append(out, fmt.Sprintf("configure %s: %q", path.Base(path.Dir(words[2])), strings.Join(lines[:end], "\n")+"\n"))
			lines = lines[end+1:]
			continue
		}
		if strings.HasPrefix(line, "sleep ") {
			continue // between two actions
		}
		c, err := commandOf(split(line), top)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// commandOf reads one command. One that is not here is nobody's yet: say what it
// means, next to the others.
func commandOf(w []string, top cluster.Topology) (string, error) {
	is := func(pattern ...string) bool {
		return len(w) == len(pattern) && matches(w, pattern)
	}
	at := func(i int) string { return w[i] }
	switch {
	case w[0] == "nats-server":
		i := slices.Index(w, "-n")
		return fmt.Sprintf("start %s with %q", at(i+1), w[1:]), nil
	case len(w) > 3 && w[0] == "cd" && w[3] == "./nats-server":
		return fmt.Sprintf("start %s with %q", path.Base(at(1)), w[4:]), nil
	case len(w) == 3 && w[0] == "kill":
		return fmt.Sprintf("send %s to %s", at(1)[1:], strings.TrimPrefix(at(2), "$PID_OF_")), nil
	case is("cd", "*", "&&", "cp", "*", "new", "&&", "mv", "new", "nats-server"):
		return fmt.Sprintf("install %s in %s", at(4), path.Base(at(1))), nil
	case is("cd", "*", "&&", "head", "-c", "*", "*", "*", "*", "*", "*", "*", ">", cluster.CutFile, "&&", "chmod", "+x", cluster.CutFile) && at(5) == "$(($(wc" && at(6) == "-c" && at(7) == "<" && strings.TrimSuffix(at(8), ")") == at(11) && at(9) == "/" && at(10) == "2))":
		return fmt.Sprintf("cut %s in %s", at(11), path.Base(at(1))), nil
	case is("cd", "*", "&&", "mv", "*", "*", "&&", "echo", "damaged", ">", "*") && at(4) == at(10):
		return fmt.Sprintf("damage %s in %s", path.Base(at(4)), path.Base(at(1))), nil
	case is("rm", "-r", "*") && path.Base(at(2)) == cluster.StoreDir:
		return "empty " + path.Base(path.Dir(at(2))), nil
	case is("rm", "-f", "*") && path.Base(at(2)) == cluster.ConfigFile:
		return fmt.Sprintf("configure %s: %q", path.Base(path.Dir(at(2))), ""), nil
	case is("nc", "-l", "*", "*"):
		for _, n := range top.Nodes {
			if n.Host == at(2) && fmt.Sprint(n.ClientPort) == at(3) {
				return "listen on the port of " + n.Name, nil
			}
		}
	case len(w) > 4 && w[0] == "cd" && (w[4] == "--version" || w[3] == "mkdir"):
		return commandOf(w[3:], top)
	case len(w) > 8 && matches(w[:8], []string{"mkdir", "-p", "next", "&&", "cp", "*", "next/nats-server", "&&"}) && w[8] == "next/nats-server":
		c, err := commandOf(w[8:], top)
		return strings.Replace(c, w[8], at(5), 1), err
	case len(w) > 6 && w[1] == "--version" && w[2] == "&&" && w[0] == w[3] && w[4] == "-t":
		args := w[5:]
		if args[0] == "-c" && args[1] == "CONFIG" {
			args = args[2:]
		}
		return fmt.Sprintf("inspect %s with %q", strings.TrimPrefix(at(0), "./"), args), nil
	case is("nats", "sub", "-s", "*", ">"):
		for _, n := range top.Nodes {
			if n.ClientURL() == at(3) {
				return "connect", nil
			}
		}
	case is("nats", "req", "-s", "*", "--user", cluster.SystemUser, "--password", cluster.SystemPassword, "*", "*"):
		return fmt.Sprintf("request %s: %s", at(8), at(9)), nil
	}
	return "", fmt.Errorf("the linter does not know the command %q: add it to commandOf", w)
}

func matches(w, pattern []string) bool {
	for i, p := range pattern {
		if p != "*" && p != w[i] {
			return false
		}
	}
	return true
}

// split makes words of a line as a shell does, as far as these commands need it.
func split(line string) []string {
	var out []string
	var word strings.Builder
	inside, quote := false, rune(0)
	flush := func() {
		if inside {
			out = append(out, word.String())
		}
		word.Reset()
		inside = false
	}
	escaped := false
	for _, c := range line {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case quote == 0 && c == '\\':
			escaped, inside = true, true
		case quote == 0 && (c == '\'' || c == '"'):
			quote, inside = c, true
		case quote == c && quote != 0:
			quote = 0
		case quote == 0 && c == ' ':
			flush()
		default:
			word.WriteRune(c)
			inside = true
		}
	}
	flush()
	return out
}

// actions are all that a step may run, with where they stand.
func actions(s upgrade.Step) map[string]upgrade.Action {
	out := map[string]upgrade.Action{}
	if s.Do != nil {
		out["do"] = s.Do
	}
	if s.Undo != nil {
		out["undo"] = s.Undo
	}
	for i, g := range s.Given {
		if g.Remedy != nil {
			out[fmt.Sprintf("remedy %d", i+1)] = g.Remedy
		}
	}
	if s.Back != nil {
		for i, a := range s.Back.Do {
			out[fmt.Sprintf("way back %d", i+1)] = a
		}
	}
	return out
}

// unread are actions whose command is more than the linter can read.
var unread = map[reflect.Type]string{
	reflect.TypeFor[upgrade.Shift]():  "a loop over what a server answers",
	reflect.TypeFor[upgrade.Toward](): "a restart, or two",
	reflect.TypeFor[upgrade.Leave]():  "two signals with a pause between them",
}

func TestCommandsAreWhatRuns(t *testing.T) {
	kinds := map[reflect.Type]bool{}
	for _, p := range allPlans(t) {
		nothing := cluster.Observe(p.Topology)
		outline := p.Outline()
		for i, s := range p.Steps {
			complain := func(where, format string, args ...any) {
				t.Errorf("chapter %s, step %s, %s: rule “the command that is shown is what runs”: %s", p.as, s.ID, where, fmt.Sprintf(format, args...))
			}
			if s.Do != nil && outline.Steps[i].Command != s.Do.Command(nothing) {
				complain("do", "the outline shows %q", outline.Steps[i].Command)
			}
			for where, a := range actions(s) {
				kinds[reflect.TypeOf(a)] = true
				shown := []string{a.Command(nothing)}
				if sh, ok := a.(upgrade.Shelled); ok && sh.Shell(nothing) != "" {
					shown = append(shown, sh.Shell(nothing))
				}
				if unread[reflect.TypeOf(a)] != "" {
					continue
				}
				r := &recorder{}
				if wrong := r.run(a); wrong != "" {
					complain(where, "%s", wrong)
					continue
				}
				for _, text := range shown {
					read, err := commandsOf(text, p.Topology)
					switch {
					case err != nil:
						complain(where, "%v", err)
					case !slices.Equal(read, r.calls):
						complain(where, "%q means %q, and %q is what runs", text, read, r.calls)
					}
				}
			}
		}
	}
	if len(kinds) < 10 {
		t.Errorf("only %d kinds of actions were looked at", len(kinds))
	}
}
