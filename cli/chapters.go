package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"

	"nats-roll/rehearsal"
	"nats-roll/tui"
	"nats-roll/upgrade"
)

// walk is how a chapter was walked to its end: what is remembered of it.
type walk struct {
	Chapter  string          `json:"chapter"`
	Attended bool            `json:"attended"` // by a person, on screen
	Outcome  upgrade.Outcome `json:"outcome"`
	At       time.Time       `json:"at"` // its end
	TookMS   int64           `json:"took_ms"`
}

// walkedNow is what is remembered of this rehearsal.
func (s *session) walkedNow(state rehearsal.State) walk {
	p := state.Plan
	return walk{s.kind.Name, s.attended, p.Outcome, p.Ended.UTC().Round(time.Second), p.Ended.Sub(p.Began).Milliseconds()}
}

// walks is the file that remembers, of each chapter, when it was last walked to
// its end, on screen and unattended. Without it everything works.
type walks string

func walkedChapters() walks { return walks(filepath.Join(xdg.StateHome, "nats-roll", "chapters.json")) }

func (f walks) read() ([]walk, error) {
	data, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []walk
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	return out, err
}

// add remembers a walk. What goes wrong has no consequence; a file that nobody can
// read is written anew.
func (f walks) add(w walk) {
	all, _ := f.read()
	all = slices.DeleteFunc(all, func(o walk) bool { return o.Chapter == w.Chapter && o.Attended == w.Attended })
	data, err := json.MarshalIndent(append(all, w), "", " ")
	if err != nil || os.MkdirAll(filepath.Dir(string(f)), 0o755) != nil {
		return
	}
	next, err := os.CreateTemp(filepath.Dir(string(f)), filepath.Base(string(f))+".")
	if err != nil {
		return
	}
	_, err = next.Write(append(data, '\n'))
	if errors.Join(err, next.Close()) != nil || os.Rename(next.Name(), string(f)) != nil {
		_ = os.Remove(next.Name())
	}
}

// latest is how each chapter was walked. How long it took is only told of walks on
// screen: for those who read.
func (f walks) latest() map[string]tui.Walked {
	all, _ := f.read()
	out := map[string]tui.Walked{}
	for _, attended := range []bool{false, true} {
		for _, w := range all {
			if w.Attended == attended {
				done := tui.Walked{At: w.At}
				if attended {
					done.Took = time.Duration(w.TookMS) * time.Millisecond
				}
				out[w.Chapter] = done
			}
		}
	}
	return out
}

// chapter is a row of the table of contents.
type chapter struct {
	Name  string `json:"name"`
	About string `json:"about"`
	Takes string `json:"takes,omitempty"` // for one who reads; a guess
	Walks []walk `json:"walks"`           // that came to their end on this machine
}

func (a *app) chaptersCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "chapters",
		Short: "List the chapters, and which of them were walked to their end",
		Long: `List the chapters: what each is about, how long it takes, and when it was last
walked to its end on this machine, on screen or unattended. --chapter walks one;
on screen, C begins another.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.chapters(asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

func (a *app) chapters(asJSON bool) error {
	all, err := walkedChapters().read()
	if err != nil {
		return environment(fmt.Errorf("read %s: %w", walkedChapters(), err), "remove it; it only remembers what was walked")
	}
	var out []chapter
	for _, c := range upgrade.Chapters {
		row := chapter{Name: c.Name, About: c.About, Takes: c.Takes, Walks: []walk{}}
		for _, w := range all {
			if w.Chapter == c.Name {
				row.Walks = append(row.Walks, w)
			}
		}
		out = append(out, row)
	}
	if asJSON {
		enc := json.NewEncoder(a.Out)
		enc.SetIndent("", " ")
		err = enc.Encode(out)
	} else {
		w := tabwriter.NewWriter(a.Out, 0, 8, 2, ' ', 0)
		for _, c := range out {
			fmt.Fprintf(w, "%s\t%s\t%s\n", c.Name, c.stands(), c.About)
		}
		err = w.Flush()
	}
	if err != nil {
		return environment(&outputError{"standard output", err}, "")
	}
	return nil
}

// takes tells how long it takes; a number is a guess.
func (c chapter) takes() string {
	if unicode.IsDigit([]rune(c.Takes)[0]) {
		return "about " + c.Takes
	}
	return c.Takes
}

// stands says which walks came to their end, and how long they took.
func (c chapter) stands() string {
	var out []string
	for _, w := range c.Walks {
		how := "unattended"
		if w.Attended {
			how = "on screen"
		}
		out = append(out, fmt.Sprintf("%s %s in %s", how, w.At.Local().Format("2 Jan 2006"), upgrade.Round(time.Duration(w.TookMS)*time.Millisecond)))
	}
	if len(out) == 0 {
		out = append(out, "not yet")
		if c.Takes != "" {
			out[0] += ", " + c.takes()
		}
	}
	return strings.Join(out, ", ")
}
