package report

import (
	"cmp"
	_ "embed" // what every script has
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
	"nats-roll/upgrade"
)

// Command is something that was done: by the plan, with a key, by hand.
type Command struct {
	AtMS    float64      `json:"at_ms"` // since the rehearsal began
	By      upgrade.Doer `json:"by"`
	Step    string       `json:"step,omitempty"`    // the id of the step it belongs to
	Command string       `json:"command,omitempty"` // as it would be typed
	Over    bool         `json:"over"`              // false: the recording ends before it was
	TookMS  float64      `json:"took_ms"`
	Failed  string       `json:"failed,omitempty"` // why, if it did
	Deed    upgrade.Deed `json:"deed"`
}

func commands(s rehearsal.State) []Command {
	var out []Command
	for _, d := range s.Deeds {
		out = append(out, Command{
			AtMS: ms(wall(d.At).Sub(began(s))), By: d.By, Step: d.Step, Command: d.Command,
			Over: d.Over, TookMS: ms(d.Took), Failed: d.Reason, Deed: d.Deed,
		})
	}
	return out
}

// words are the command, or the step's title where nobody types one.
func (c Command) words(r Report) string { return cmp.Or(c.Command, r.stepTitle(c.Step)) }

// result is how it ended.
func (c Command) result() string {
	switch {
	case c.Failed != "":
		return "failed: " + c.Failed
	case !c.Over:
		return "not over"
	case c.TookMS > 0:
		return took(c.TookMS)
	}
	return ""
}

//go:embed script.sh.tmpl
var scriptHead string

// Script writes what was done as a shell script that does it again, with servers
// of its own: the same builds, the same command lines, the same signals, in the
// same order. It waits for what the servers say instead of for so long.
func (r Report) Script(w io.Writer) error {
	s := script{Report: r, pids: map[string]bool{}, runs: map[string]int{}, slots: map[string]bool{}, monitors: map[string]string{}}
	_, err := io.WriteString(w, s.text())
	return err
}

// script is how far the writing of a script has come.
type script struct {
	Report
	body     strings.Builder
	builds   []cluster.Build
	slots    map[string]bool   // nodes that have a folder
	pids     map[string]bool   // nodes that run
	runs     map[string]int    // processes that each node had
	monitors map[string]string // nodes' monitoring ports
}

func (s *script) text() string {
	for i, c := range s.Commands {
		s.printf("\n# %d. %s, %s", i+1, clock(c.AtMS), c.By)
		if c.Step != "" {
			s.printf(": %s", plain(s.stepTitle(c.Step)))
		}
		s.printf("\n")
		switch {
		case c.Failed != "":
			s.remark(c, "This failed then: "+c.Failed)
		default:
			s.do(c)
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, "#!/bin/sh\n# %s, as nats-roll %s did it on %s.\n", plain(s.head()), s.Tool, s.Began.UTC().Format("2006-01-02 15:04 MST"))
	if len(s.Command) > 0 {
		fmt.Fprintf(&out, "# That was: %s\n", plain(s.commandLine()))
	}
	out.WriteString("#\n# Usage: sh FILE [FOLDER]. The servers' folders go into FOLDER; without it, into a temporary one. Whatever it starts is ended at its end.\n\nset -u\n\n")
	for i, b := range s.builds {
		words := "nats-server " + b.String()
		if b.ByName() {
			words += ", inside nats-roll: it is nats-server when it is called so"
		}
		name := s.variable(i)
		fmt.Fprintf(&out, "%s=${%s:-%s} # %s\n", name, name, upgrade.Quote(b.Path), plain(words))
	}
	names := make([]string, 0, len(s.builds))
	for i := range s.builds {
		names = append(names, `"$`+s.variable(i)+`"`)
	}
	var vars, pids []string
	for _, n := range s.Nodes {
		vars, pids = append(vars, pid(n.Name)+"="), append(pids, "$"+pid(n.Name))
	}
	head := strings.NewReplacer("@VARS@", strings.Join(append(vars, "CLIENT="), " "), "@PIDS@", strings.Join(append(pids, "$CLIENT"), " "),
		"@BUILDS@", strings.Join(names, " ")).Replace(scriptHead)
	out.WriteString(head)
	if len(s.Commands) == 0 {
		out.WriteString("\necho 'nothing is known to have been done' >&2\nexit 1\n")
		return out.String()
	}
	out.WriteString(s.body.String())
	out.WriteString("\necho\necho \"That was all; the servers are ended now. Their folders: $DIR\"\n")
	return out.String()
}

func (s *script) printf(format string, args ...any) { fmt.Fprintf(&s.body, format, args...) }

// remark tells in a comment what a script cannot do.
func (s *script) remark(c Command, why string) {
	if c.Command != "" {
		s.printf("#   %s\n", plain(c.Command))
	}
	s.printf("# %s\n", plain(why))
}

func (s *script) do(c Command) {
	d := c.Deed
	switch d.Verb {
	case upgrade.VerbReplace:
		s.replace(c)
	case upgrade.VerbStart:
		s.start(c)
	case upgrade.VerbStop:
		s.stop(c)
	case upgrade.VerbConnect:
		s.printf("connect %s\n", upgrade.Quote(d.URL))
	default:
		if d.Shell != "" {
			s.printf("%s\n", strings.TrimSpace(d.Shell))
			return
		}
		s.remark(c, "nats-roll did this itself; nobody types it.")
	}
}

func (s *script) replace(c Command) {
	n, b := c.Deed.Node, c.Deed.Build
	v := s.build(b)
	if v == "" {
		s.remark(c, "Nobody knows where that file came from.")
		return
	}
	if !s.slots[n] {
		s.slots[n] = true
		s.printf("mkdir -p \"$DIR/%s\" || exit 1\n", n)
	}
	s.printf("say %s\n", upgrade.Quote(fmt.Sprintf("the file of %s becomes nats-server %s", n, b)))
	s.printf("cd \"$DIR/%s\" && cp \"$%s\" new && mv new nats-server || exit 1\n", n, v)
}

func (s *script) start(c Command) {
	n := c.Deed.Node
	var args []string
	for i, a := range c.Deed.Args {
		args = append(args, upgrade.Quote(a))
		if a == "-m" && i+1 < len(c.Deed.Args) {
			s.monitors[n] = c.Deed.Args[i+1]
		}
	}
	line := "./nats-server " + strings.Join(args, " ")
	s.printf("say %s\n", upgrade.Quote("cd "+n+" && "+line))
	s.printf("cd \"$DIR/%s\" || exit 1\n%s >log 2>&1 &\n%s=$!\n", n, line, pid(n))
	s.pids[n] = true
	came := s.came(n)
	s.runs[n]++
	if !came {
		s.printf("# It never answered then.\n")
		return
	}
	s.printf("up %s \"$%s\" %s\n", n, pid(n), cmp.Or(s.monitors[n], "''"))
	s.met()
}

// came says that the process which a node starts next answered, then.
func (s *script) came(node string) bool {
	for _, n := range s.Nodes {
		if i := s.runs[node]; n.Name == node && i < len(n.Runs) {
			return n.Runs[i].UpMS != nil
		}
	}
	return false
}

func (s *script) stop(c Command) {
	n := c.Deed.Node
	if !s.pids[n] {
		s.remark(c, n+" did not run.")
		return
	}
	delete(s.pids, n)
	switch how := c.Deed.Stop; how {
	case "":
		s.remark(c, "Nobody is known to have asked for it, so it is waited for.")
		s.printf("ended %s \"$%s\" 10\n", n, pid(n))
	default:
		line := how.Command("$" + pid(n))
		s.printf("say \"%s\"\n%s\nended %s \"$%s\" %d\n", line, how.Command(`"$`+pid(n)+`"`), n, pid(n), patience(how))
	}
	s.printf("%s=\n", pid(n))
	s.met()
}

// patience is how many seconds a server may take to end.
func patience(how cluster.Stop) int {
	if how == cluster.StopLameDuck {
		return 150 // lame_duck_duration is two minutes by default
	}
	return 20
}

// met waits until those that run see each other.
func (s *script) met() {
	var ports []string
	for _, n := range s.Nodes {
		if s.pids[n.Name] && s.monitors[n.Name] != "" {
			ports = append(ports, s.monitors[n.Name])
		}
	}
	if len(ports) > 0 {
		s.printf("met %d %s\n", len(ports)-1, strings.Join(ports, " "))
	}
}

// build is the variable of a build; empty if nobody knows where it lies.
func (s *script) build(b cluster.Build) string {
	i := slices.IndexFunc(s.builds, func(o cluster.Build) bool { return o.Same(b) || o == b })
	if i < 0 {
		for _, side := range s.Builds { // of a file that was put there by hand
			for _, o := range append(slices.Collect(owned(side)), side.Build) {
				if o.Same(b) && o.Path != "" {
					b = o
				}
			}
		}
		if b.Path == "" {
			return ""
		}
		i = len(s.builds)
		s.builds = append(s.builds, b)
	}
	return s.variable(i)
}

func owned(b cluster.Builds) func(func(cluster.Build) bool) {
	return func(yield func(cluster.Build) bool) {
		for _, o := range b.Own {
			if !yield(o) {
				return
			}
		}
	}
}

// variable names a build: FROM and TO where it is one of these.
func (s *script) variable(i int) string {
	switch b := s.builds[i]; {
	case b.Same(s.Builds["from"].Build):
		return "FROM"
	case b.Same(s.Builds["to"].Build):
		return "TO"
	}
	return fmt.Sprintf("BUILD_%d", i+1)
}

var noName = regexp.MustCompile(`\W`)

// pid is the variable with the process of a node.
func pid(node string) string { return noName.ReplaceAllString(node, "_") }

// plain is a text that stays on one line.
func plain(s string) string { return strings.Join(strings.Fields(printable(s)), " ") }

// clock tells when something was, in minutes and seconds.
func clock(millis float64) string {
	sec := int(time.Duration(millis * float64(time.Millisecond)).Seconds())
	return fmt.Sprintf("%d:%02d", sec/60, sec%60)
}
