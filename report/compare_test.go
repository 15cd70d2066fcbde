package report

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"nats-roll/cluster"
)

func compared3(t *testing.T) Comparison {
	t.Helper()
	stopped := func(how cluster.Stop) Report {
		return rehearse(t, setting{nodes: 2, stop: how, clients: 20}).report()
	}
	return Compare(
		Named{"int", stopped(cluster.StopInt)}, Named{"ldm", stopped(cluster.StopLameDuck)},
		Named{"without a spare", rehearse(t, setting{lone: true}).report()},
	)
}

func TestCompare(t *testing.T) {
	c := compared3(t)
	for name, format := range map[string]string{"compare.txt": "text", "compare.md": "markdown", "compare.json": "json"} {
		var b strings.Builder
		if err := c.Write(&b, format); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.String())
	}
}

// However many there are, and whatever they are called, the text has 80 columns.
func TestComparisonsFit(t *testing.T) {
	r := rehearse(t, setting{nodes: 5, stop: cluster.StopInt, clients: 200}).report()
	failed := rehearse(t, setting{broken: true}).report()
	var of []Named
	for len(of) < 9 {
		of = append(of, Named{"/a/rather/long/path/to/a/recording/" + strings.Repeat("x", len(of)), r}, Named{"cut", failed})
		var b strings.Builder
		if err := Compare(of...).Write(&b, "text"); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			line = strings.TrimSuffix(line, "\n")
			if n := utf8.RuneCountInString(line); n > 80 || strings.HasSuffix(line, " ") {
				t.Errorf("%d rehearsals: %d columns: %q", len(of), n, line)
			}
		}
	}
}

func TestStepsPairByID(t *testing.T) {
	c := compared3(t)
	var got []string
	for _, s := range c.Steps {
		mark := ""
		for _, in := range s.In {
			if in == nil {
				mark += "-"
			} else {
				mark += "+"
			}
		}
		got = append(got, s.ID+mark)
		if strings.Contains(mark, "-") && !s.Differs {
			t.Errorf("%s is not everywhere, and is said not to differ", s.ID)
		}
	}
	want := "start-a+++ start-b+++ connect-clients+++ start-c++- stop-a+++ replace-a+++ restart-a+++ stop-b+++ replace-b+++ restart-b+++ stop-c++- look-back+++"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}

	// Steps that only a later one has come after the step that they follow.
	c = Compare(Named{"a", Report{Steps: []Step{{ID: "1"}, {ID: "4"}}}}, Named{"b", Report{Steps: []Step{{ID: "0"}, {ID: "1"}, {ID: "2"}, {ID: "3"}, {ID: "4"}, {ID: "5"}}}})
	var ids string
	for _, s := range c.Steps {
		ids += s.ID
	}
	if ids != "012345" {
		t.Errorf("order %s", ids)
	}
}

func TestCompareJSON(t *testing.T) {
	var b strings.Builder
	if err := compared3(t).Write(&b, "json"); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Schema     string
		Rehearsals []struct {
			Name, Outcome string
			Stops         []string
			Lost          int
		}
		Steps []struct {
			ID string
			In []*struct {
				Lost  int
				Moved map[string]int
			}
		}
	}
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	if got.Schema != CompareSchema || len(got.Rehearsals) != 3 || got.Rehearsals[1].Stops[0] != "ldm" || got.Rehearsals[0].Lost != 376 || got.Steps[3].In[2] != nil || got.Steps[4].In[0].Lost != 168 {
		t.Errorf("%+v", got)
	}
}
