package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"nats-roll/cluster"
	"nats-roll/rehearsal"
)

func TestHTML(t *testing.T) {
	golden(t, "report-verified.html", written(t, rehearse(t, setting{}).report(), "html"))
}

// loads is whatever makes a browser fetch or run something.
var loads = regexp.MustCompile(`(?i)<(script|link|img|iframe|object|embed|base|form)\b|\ssrc=|\sonload|\sonerror|url\(|@import|javascript:`)

func TestThePageNeedsNothingElse(t *testing.T) {
	for name, r := range every(t) {
		page := written(t, r.report(), "html")
		if found := loads.FindString(page); found != "" {
			t.Errorf("%s: %s", name, found)
		}
		i, j := strings.Index(page, "<svg"), strings.Index(page, "</svg>")
		if name == "unbegun" {
			continue // there is nothing to draw
		}
		if i < 0 {
			t.Errorf("%s: no picture", name)
			continue
		}
		d := xml.NewDecoder(strings.NewReader(page[i : j+6]))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if bad := regexp.MustCompile(`NaN|Inf|%!|"-\d`).FindString(page[i:j]); bad != "" && bad != `"-8` {
			t.Errorf("%s: %s in the picture", name, bad)
		}
	}
}

// What comes from outside stays text in every format.
func TestMarkupFromOutsideIsText(t *testing.T) {
	const evil = `</title></style></svg>"><img src=x onerror=alert(1)>'` + "\x1b[31m\ufffe\u202e|]]>"
	set := setting{broken: true, lone: true, notes: []string{evil}}
	set.before = []cluster.Event{rehearsal.Note{Text: evil}}
	set.seen = func(lab *rehearsal.Lab, r rehearsal.Record, _ func()) {
		if e, ok := r.Event.(cluster.Started); ok {
			lab.Emit(cluster.Logged{Lines: []cluster.LogLine{{Node: e.Node, PID: e.Process.PID, At: r.At, Text: evil}}})
		}
	}
	r := rehearse(t, set)
	r.header.Command, r.header.Tool, r.header.Host.OS = []string{evil}, evil, evil
	rep := r.report()
	for i := range rep.Clients {
		rep.Clients[i].Name = evil
	}
	for i := range rep.Steps {
		rep.Steps[i].Reason, rep.Steps[i].Title = evil, evil
	}
	if page := written(t, rep, "html"); loads.MatchString(strings.ReplaceAll(page, "&lt;img src=x onerror=", "")) || !strings.Contains(page, "&lt;img") {
		t.Error("the page has markup from outside")
	}
	if md := written(t, rep, "markdown"); strings.Contains(strings.ReplaceAll(md, "`", ""), "\x1b") || strings.Contains(outsideCode(md), "<img") {
		t.Errorf("Markdown has markup from outside:\n%s", outsideCode(md))
	}
	var junit junitSuites
	if err := xml.Unmarshal([]byte(written(t, rep, "junit")), &junit); err != nil || !strings.Contains(junit.Suites[0].Cases[0].Name, "<img") {
		t.Errorf("JUnit: %v", err)
	}
}

// outsideCode is a Markdown text without its code.
func outsideCode(md string) string {
	md = regexp.MustCompile("(?s)```.*?```").ReplaceAllString(md, "")
	return regexp.MustCompile("`[^`]*`").ReplaceAllString(md, "")
}

// Ten thousand clients that go three thousand ways fill no more than a page.
func TestManyClients(t *testing.T) {
	r := rehearse(t, setting{}).report()
	r.Clients = nil
	for i := range 10_000 {
		way := i % 3000
		r.Clients = append(r.Clients, Client{
			Name: fmt.Sprintf("nats-roll: sub %d", i), Status: "connected", Lost: 1, HopsMS: []float64{0, 1, 2, 3},
			Trail: []string{"A", fmt.Sprint(way / 100), fmt.Sprint(way / 10 % 10), fmt.Sprint(way % 10)},
		})
	}
	for format, most := range map[string]int{"html": 60_000, "markdown": 16_000} {
		if n := len(written(t, r, format)); n > most {
			t.Errorf("%s: %d bytes", format, n)
		}
	}
	clients, lost := 0, uint64(0)
	ways := r.trails(30)
	for _, w := range ways {
		clients, lost = clients+len(w.clients), lost+w.lost
	}
	if len(ways) != 30 || clients != 10_000 || lost != 10_000 || ways[29].way() != "other ways" {
		t.Errorf("%d ways, %d clients, %d lost, %s", len(ways), clients, lost, ways[29].way())
	}
}
