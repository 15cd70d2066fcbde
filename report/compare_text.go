package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// compareRow is a line of the comparison: one thing, in each of the rehearsals.
type compareRow struct {
	label   string
	cells   []string
	differs bool
}

// totals are the rows of the rehearsals as wholes.
func (c Comparison) totals() []compareRow {
	all := c.Rehearsals
	rows := []compareRow{
		each("requests unanswered", all, func(r *Compared) string { return fmt.Sprint(r.Unanswered) }),
		eachTime("longest stall", all, func(r *Compared) float64 { return r.StallMSMax }),
	}
	rows = slices.DeleteFunc(rows, func(r compareRow) bool { return !slices.ContainsFunc(r.cells, telling) })
	return append([]compareRow{
		each("outcome", all, func(r *Compared) string {
			if r.OverBudget {
				return "over budget"
			}
			return string(r.Outcome)
		}),
		each("from", all, func(r *Compared) string { return r.From }),
		each("to", all, func(r *Compared) string { return r.To }),
		each("stopped with", all, func(r *Compared) string { return stopsWords(r.Stops) }),
		each("servers + temporary ones", all, func(r *Compared) string { return fmt.Sprintf("%d + %d", r.Permanent, r.Temporary) }),
		each("subscribers", all, func(r *Compared) string { return fmt.Sprint(r.Subscribers) }),
		each("messages a second", all, func(r *Compared) string { return fmt.Sprint(r.Rate) }),
		eachTime("took", all, func(r *Compared) float64 { return r.TookMS }),
		each("messages lost", all, func(r *Compared) string { return number(r.Lost) }),
		each("messages duplicated", all, func(r *Compared) string { return number(r.Duplicated) }),
		each("reconnects", all, func(r *Compared) string { return fmt.Sprint(r.Reconnects) }),
		eachTime("longest away", all, func(r *Compared) float64 { return r.GapMSMax }),
	}, rows...)
}

// telling is what a cell says if it says anything.
func telling(text string) bool {
	return text != "" && text != "0" && text != missing && text != string(upgrade.Verified)
}

// missing stands where a rehearsal has no such step.
const missing = "–"

// rows are those of one step: first how long it took, then what it did; what
// none of the rehearsals has is left out.
func (s ComparedStep) rows() []compareRow {
	rows := []compareRow{
		eachTime(s.Title, s.In, func(c *StepCost) float64 { return c.TookMS }),
		each("  outcome", s.In, func(c *StepCost) string { return string(c.Outcome) }),
		each("  clients moved", s.In, func(c *StepCost) string { return movedTo(c.Moved) }),
		eachTime("  longest away", s.In, func(c *StepCost) float64 { return c.GapMSMax }),
		each("  lost", s.In, func(c *StepCost) string { return number(c.Lost) }),
		each("  duplicated", s.In, func(c *StepCost) string { return number(c.Duplicated) }),
		each("  requests unanswered", s.In, func(c *StepCost) string { return fmt.Sprint(c.Unanswered) }),
		eachTime("  longest stall", s.In, func(c *StepCost) float64 { return c.StallMSMax }),
	}
	rows[0].differs = rows[0].differs || slices.Contains(s.In, nil)
	// How many go where is chance; where they go is not.
	rows[2].differs = each("", s.In, func(c *StepCost) string { return fmt.Sprint(slices.Sorted(maps.Keys(c.Moved))) }).differs
	return slices.DeleteFunc(rows, func(r compareRow) bool {
		return r.label != s.Title && !slices.ContainsFunc(r.cells, telling)
	})
}

// movedTo is where clients came to, in few letters: "B:9, C:11".
func movedTo(moved map[string]int) string {
	var out []string
	for _, node := range slices.Sorted(maps.Keys(moved)) {
		out = append(out, fmt.Sprintf("%s:%d", node, moved[node]))
	}
	return strings.Join(out, ", ")
}

// each makes a row of words; it differs if any of them does.
func each[T any](label string, of []*T, words func(*T) string) compareRow {
	row := compareRow{label: label}
	var seen []string
	for _, x := range of {
		if x == nil {
			row.cells = append(row.cells, missing)
			continue
		}
		seen = append(seen, words(x))
		row.cells = append(row.cells, words(x))
	}
	row.differs = len(slices.Compact(slices.Sorted(slices.Values(seen)))) > 1
	return row
}

// eachTime makes a row of times. No two are the same; they differ if one is more
// than twice another, by so many milliseconds that a person notices.
func eachTime[T any](label string, of []*T, millis func(*T) float64) compareRow {
	const noticed = 50
	row := each(label, of, func(x *T) string { return span(millis(x)) })
	var all []float64
	for _, x := range of {
		if x != nil {
			all = append(all, millis(x))
		}
	}
	low, high := slices.Min(all), slices.Max(all)
	row.differs = high > 2*low && high-low > noticed
	return row
}

// stopsWords tells how servers were stopped.
func stopsWords(stops []cluster.Stop) string {
	var out []string
	for _, s := range stops {
		if s == cluster.StopLameDuck {
			out = append(out, "lame duck")
		} else {
			out = append(out, s.Signal())
		}
	}
	return strings.Join(out, ", ")
}

const differsLegend = "≠ other counts, or one time more than twice another and more than 50 ms apart"

// The text has 80 columns: the labels, a place for ≠, and what is left for the
// rehearsals, of which so many stand side by side.
const (
	compareWidth = 80
	compareLabel = 30
	compareMost  = 4
)

func (c Comparison) text() string {
	var b strings.Builder
	for first := 0; first < len(c.Rehearsals); first += compareMost {
		if first > 0 {
			b.WriteByte('\n')
		}
		last := min(first+compareMost, len(c.Rehearsals))
		cell := (compareWidth - compareLabel - 2) / (last - first)
		line := func(r compareRow) { r.write(&b, first, last, min(cell, 24)) }
		names := each("", c.Rehearsals, func(r *Compared) string { return r.Name })
		line(compareRow{cells: names.cells})
		for _, r := range c.totals() {
			line(r)
		}
		b.WriteString("\nstep, and how long it took\n")
		for _, s := range c.Steps {
			for _, r := range s.rows() {
				line(r)
			}
		}
	}
	fmt.Fprintf(&b, "\n%s\n", differsLegend)
	return b.String()
}

// write writes a row, with its cells to the right in columns of a width. What is
// too long for its column goes on in the next line.
func (r compareRow) write(b *strings.Builder, first, last, width int) {
	columns := [][]string{strings.Split(wrap(strings.TrimLeft(r.label, " "), compareLabel-3, ""), "\n")}
	for _, c := range r.cells[first:last] {
		columns = append(columns, strings.Split(wrap(c, width-2, ""), "\n"))
	}
	indent := strings.Repeat(" ", len(r.label)-len(strings.TrimLeft(r.label, " ")))
	high := 0
	for _, c := range columns {
		high = max(high, len(c))
	}
	for i := range high {
		var line strings.Builder
		for n, c := range columns {
			text := ""
			if i < len(c) {
				text = c[i]
			}
			if n == 0 {
				fmt.Fprintf(&line, "%-*s", compareLabel, indent+text)
			} else {
				fmt.Fprintf(&line, "%*s", width, clipLeft(text, width-2))
			}
		}
		if i == 0 && r.differs {
			line.WriteString(" ≠")
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// clipLeft keeps the end of a word that is too long: of a path, the file.
func clipLeft(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return "…" + string(r[len(r)-most+1:])
	}
	return s
}

func (c Comparison) markdown() string {
	var b strings.Builder
	table := func(head string, rows func(line func(compareRow))) {
		fmt.Fprintf(&b, "| %s |", head)
		for _, r := range c.Rehearsals {
			fmt.Fprintf(&b, " %s |", cell(r.Name))
		}
		b.WriteString(" |\n|---|" + strings.Repeat("--:|", len(c.Rehearsals)) + "---|\n")
		rows(func(r compareRow) {
			label, mark := cell(strings.TrimSpace(r.label)), ""
			if r.differs {
				mark = "≠"
			}
			if head != "" && !strings.HasPrefix(r.label, " ") {
				label = "**" + label + "**"
			}
			fmt.Fprintf(&b, "| %s |", label)
			for _, text := range r.cells {
				fmt.Fprintf(&b, " %s |", cell(text))
			}
			fmt.Fprintf(&b, " %s |\n", mark)
		})
	}
	b.WriteString("# Rehearsals side by side\n\n")
	table("", func(line func(compareRow)) {
		for _, r := range c.totals() {
			line(r)
		}
	})
	b.WriteString("\n## Step by step\n\n")
	table("step, and how long it took", func(line func(compareRow)) {
		for _, s := range c.Steps {
			for _, r := range s.rows() {
				line(r)
			}
		}
	})
	fmt.Fprintf(&b, "\n%s\n", differsLegend)
	return b.String()
}
