package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"nats-roll/report"
	"nats-roll/upgrade"
)

// The pages about the chapters are made of what the program itself says of its
// plans: `go test . -run ChapterPages -update` writes them anew.
func TestChapterPages(t *testing.T) {
	folder := filepath.Join("docs", "chapters")
	want := map[string]bool{}
	for _, c := range upgrade.Chapters {
		out, err := exec.Command("nats-roll", "plan", "--chapter", c.Name, "--format", "json").Output()
		if err != nil {
			t.Fatalf("chapter %s: %v", c.Name, err)
		}
		var o upgrade.Outline
		if err := json.Unmarshal(out, &o); err != nil {
			t.Fatalf("chapter %s: %v", c.Name, err)
		}
		same(t, filepath.Join(folder, c.Name+".md"), page(c, o))
		want[c.Name+".md"] = true
	}
	there, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range there {
		if !want[f.Name()] {
			t.Errorf("%s is the page of no chapter: take it away", filepath.Join(folder, f.Name()))
		}
	}
	within(t, filepath.Join("docs", "CHAPTERS.md"), index("chapters/"))
	within(t, "README.md", index("docs/chapters/"))
}

// The worked example is code that is compiled and walked.
func TestTheExampleChapterIsCode(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("docs", "CHAPTERS.md"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join("upgrade", "pause_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(file, []byte("// Pause "))
	if at < 0 || !bytes.Contains(doc, file[at:]) {
		t.Error("the example in docs/CHAPTERS.md is another than upgrade/pause_test.go")
	}
}

// same compares a file with what it should be, or writes it.
func same(t *testing.T, file, want string) {
	t.Helper()
	if home, err := os.UserHomeDir(); err == nil && strings.Contains(want, home) {
		t.Errorf("%s has a path of this machine", file)
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Errorf("%v: run go test . -run ChapterPages -update", err)
		return
	}
	got = bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n"))
	if line, is, should := differ(string(got), want); line > 0 {
		t.Errorf("%s, line %d is not what the chapter says: run go test . -run ChapterPages -update and read the diff\nis     %s\nshould %s", file, line, is, should)
	}
}

// differ finds the first line that is another.
func differ(got, want string) (line int, is, should string) {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(a), len(b)) {
		var x, y string
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y || i >= len(a) || i >= len(b) {
			return i + 1, x, y
		}
	}
	return 0, "", ""
}

var generated = regexp.MustCompile(`(?s)(<!-- chapters -->\n).*?(<!-- end of chapters -->)`)

// within is same for the part of a file between two marks.
func within(t *testing.T, file, want string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	if !generated.MatchString(text) {
		t.Fatalf("%s has no place for the list of chapters", file)
	}
	same(t, file, generated.ReplaceAllString(text, "${1}"+strings.ReplaceAll(want, "$", "$$")+"\n${2}"))
}

// index is the list of the chapters.
func index(folder string) string {
	rows := []string{"| chapter | what it is about | walk it |", "|---|---|---|"}
	for _, c := range upgrade.Chapters {
		rows = append(rows, fmt.Sprintf("| [%s](%s%s.md) | %s | `nats-roll --chapter %s` |", c.Name, folder, c.Name, c.About, c.Name))
	}
	return strings.Join(rows, "\n")
}

// page is what a reader finds of a chapter in docs/.
func page(c upgrade.Chapter, o upgrade.Outline) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	say("# %s: %s\n\n<!-- Made from the chapter itself: go test . -run ChapterPages -update -->\n\n%s\n", c.Name, c.About, o.Intro)
	for _, n := range o.Notes {
		say("\n> %s\n", n)
	}
	say("\n## What you need\n\n- `nats-roll --chapter %s` on screen, or `nats-roll run --chapter %s` unattended.\n", c.Name, c.Name)
	say("- The servers are %s, here with %s; other versions go with `--from` and `--to`.\n", report.Servers(o.Topology), report.Versions(o.From, o.To))
	say("- Every port is on localhost; `--port-offset` moves them.\n")
	if len(c.Fixed) > 0 {
		say("- What cannot be chosen otherwise here: %s.\n", code(flags(c)))
	}
	say("- %d steps. None of them waits longer than %s: then it says what is missing.\n", len(o.Steps), longest(o))
	say("\nCommands are those that run, as a person would type them. `$PID_OF_A` is the process id of A's server, and `A` in a path the folder that it has.\n")
	part := ""
	for i, s := range o.Steps {
		if s.Part != part {
			part = s.Part
			say("\n## %s\n", part)
		} else if i == 0 {
			say("\n## The steps\n")
		}
		say("\n### %d. %s\n\n`%s`\n\n%s\n", i+1, s.Title, s.ID, s.Why)
		if s.Hint != "" {
			say("\n*Hint:* %s\n", s.Hint)
		}
		if s.Quote != "" {
			say("\nThe text: “%s”\n", s.Quote)
		}
		if s.Command != "" {
			say("\n```\n%s\n```\n", strings.TrimRight(s.Command, "\n"))
		}
		list(&b, "Before", s.Given)
		list(&b, "It is done when", s.Checks)
		list(&b, "The text, put to the test", quoted(s.Claims))
		switch {
		case s.Undo != "":
			say("\nUndo: %s\n", code(strings.Split(strings.TrimRight(s.Undo, "\n"), "\n")))
		case s.NoUndo != "":
			say("\nUndo: none; %s.\n", s.NoUndo)
		case len(s.Undone) > 0: // nobody types it
			say("\nUndo: until %s.\n", upgrade.List(s.Undone))
		}
	}
	return b.String()
}

func list(b *strings.Builder, head string, items []string) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s:\n\n", head)
	for _, i := range items {
		fmt.Fprintf(b, "- %s\n", i)
	}
}

func quoted(all []string) []string {
	var out []string
	for _, a := range all {
		out = append(out, "“"+a+"”")
	}
	return out
}

// flags is what a chapter fixes, as it would be typed.
func flags(c upgrade.Chapter) []string {
	var out []string
	for _, name := range slices.Sorted(slices.Values(c.Fixed)) {
		switch value := c.Flags[name]; value {
		case "":
			out = append(out, "--"+name)
		case "true":
			out = append(out, "--"+name)
		default:
			out = append(out, "--"+name+" "+value)
		}
	}
	return out
}

func code(all []string) string {
	var out []string
	for _, a := range all {
		out = append(out, "`"+a+"`")
	}
	return strings.Join(out, ", ")
}

func longest(o upgrade.Outline) time.Duration {
	var most time.Duration
	for _, s := range o.Steps {
		most = max(most, s.Timeout)
	}
	return most
}
