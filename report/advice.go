package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"nats-roll/advice"
	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// AdviceFormats lists the values of `advise --format`.
var AdviceFormats = PlanFormats

// AdviceSchema names the form of the JSON.
const AdviceSchema = "nats-roll/advice/1"

// Advice writes what is known about the step between two versions.
func Advice(w io.Writer, a advice.Advice, format string) error {
	switch format {
	case "json":
		enc := json.NewEncoder(w)
		enc.SetIndent("", " ")
		return enc.Encode(struct {
			Schema string `json:"schema"`
			AsOf   string `json:"as_of"` // the day up to which releases are known
			advice.Advice
		}{AdviceSchema, advice.AsOf(), a})
	case "markdown":
		_, err := io.WriteString(w, adviceMarkdown(a))
		return err
	default:
		_, err := io.WriteString(w, adviceText(a))
		return err
	}
}

// footnotes numbers sources in the order in which they are first named.
type footnotes struct{ sources []string }

// marks are the numbers of some sources: " [1][2]".
func (f *footnotes) marks(sources []string) string {
	var b strings.Builder
	for _, s := range sources {
		i := slices.Index(f.sources, s)
		if i < 0 {
			i = len(f.sources)
			f.sources = append(f.sources, s)
		}
		fmt.Fprintf(&b, "[%d]", i+1)
	}
	if b.Len() == 0 {
		return ""
	}
	return " " + b.String()
}

// fact is a sentence with the numbers of its sources.
func (f *footnotes) fact(x advice.Fact) string { return x.Text + f.marks(x.Sources) }

// section is a part of the advice: a name, and what is said under it.
type section struct{ name, text string }

// sections are what is said about the step as a whole.
func sections(a advice.Advice, f *footnotes) []section {
	out := []section{
		{"step", direction(a)},
		{"support", f.fact(a.Support)},
		{"policy", f.fact(a.Policy)},
		{"tutorial", "“" + a.TextSays.Text + "”" + f.marks(a.TextSays.Sources) + " " + covered(a)},
	}
	if len(a.Via) > 0 {
		out = append(out, section{"stops", fmt.Sprintf("Go through %s. %s This %s.", stops(a.Via), f.fact(a.ViaWhy), bearing(a.ViaFor))})
	}
	if a.Back.Text != "" {
		out = append(out, section{"way back", back(a) + f.fact(a.Back)})
	} else {
		out = append(out, section{"way back", "Nothing is known about how far one may go back."})
	}
	if majors(a) {
		return append(out, section{"routes", f.fact(a.Routes.Fact)})
	}
	return append(out, section{"routes", routes(a.Routes) + " " + f.fact(a.Routes.Fact)})
}

// majors says that the two are of different major versions, between which
// nothing can be counted.
func majors(a advice.Advice) bool { return !a.Adjacent && a.Between == 0 }

// direction puts the step into words.
func direction(a advice.Advice) string {
	var s string
	switch {
	case a.Direction == advice.Same:
		return "Both sides are " + string(a.To) + ": no version changes. " + known(a)
	case a.From.Minor() == a.To.Minor():
		s = fmt.Sprintf("%s, within the release line %s", way(a), a.To.Minor())
	case a.Adjacent:
		s = fmt.Sprintf("%s, to the next release line: %s and %s are neighbours", way(a), a.From.Minor(), a.To.Minor())
	case majors(a):
		s = way(a) + ", to another major version"
	case !advice.Known(a.From), !advice.Known(a.To): // and how many is a guess
		s = way(a) + ", and not to a neighbour: other release lines lie between"
	case a.Between == 1:
		s = way(a) + ", and not to a neighbour: one release line lies between"
	default:
		s = fmt.Sprintf("%s, and not to a neighbour: %d release lines lie between", way(a), a.Between)
	}
	return s + ". " + known(a)
}

func way(a advice.Advice) string {
	if a.Direction == advice.Down {
		return "A downgrade"
	}
	return "An upgrade"
}

// known says how the versions stand in the catalogue.
func known(a advice.Advice) string {
	var missing []string
	for _, v := range []cluster.Version{a.From, a.To} {
		if !advice.Known(v) && !slices.Contains(missing, string(v)) {
			missing = append(missing, string(v))
		}
	}
	if len(missing) == 0 {
		return "Releases are known up to " + advice.AsOf() + "."
	}
	verb := "is"
	if len(missing) > 1 {
		verb = "are"
	}
	return fmt.Sprintf("%s %s not among the releases known on %s; what follows is what holds at that place among them.", upgrade.List(missing), verb, advice.AsOf())
}

// covered says whether the tutorial's sentence speaks of this step.
func covered(a advice.Advice) string {
	switch {
	case a.Direction != advice.Down:
		return "It speaks of downgrades only."
	case a.InText:
		return "This step is one that it covers."
	default:
		return "This step is not one that it covers."
	}
}

// back says whether this step ends below the floor.
func back(a advice.Advice) string {
	switch {
	case a.Floor == "":
		return ""
	case a.Direction == advice.Down && a.To.Compare(a.Floor) < 0:
		return fmt.Sprintf("This step goes below %s. ", a.Floor)
	case a.Direction == advice.Up && a.From.Compare(a.Floor) < 0:
		return fmt.Sprintf("%s is below %s, so this step cannot be taken back all the way. ", a.From, a.Floor)
	default:
		return ""
	}
}

func routes(r advice.Routes) string {
	if r.Before == r.Mixed && r.Mixed == r.After {
		return fmt.Sprintf("Two servers keep %s, before, in the mixed phase and after.", count(r.Mixed, "route connection"))
	}
	return fmt.Sprintf("Two servers keep %s before, %d in the mixed phase (one old, one new), %d after.", count(r.Before, "route connection"), r.Mixed, r.After)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func stops(vs []cluster.Version) string {
	var out []string
	for _, v := range vs {
		out = append(out, string(v))
	}
	return strings.Join(out, ", then ")
}

// bearing says when something matters: "matters only with JetStream".
func bearing(b advice.Bearing) string {
	switch {
	case b.Undecided:
		return "matters " + b.Because
	case b.Because == "concerns every cluster":
		return "matters to every cluster"
	case b.Matters:
		return "matters here: " + b.Because
	default:
		return "does not matter here: " + b.Because
	}
}

// legend is for those who meet these words for the first time.
const legend = `block: must not be done, where it matters. warn: can cost something. info: good to know. ` +
	`JetStream is the part of NATS that stores messages; what matters only with JetStream does not concern a cluster without it.`

// tally counts findings by severity: "2 block, 1 info".
func tally(list []advice.Finding) string {
	n := map[advice.Severity]int{}
	for _, f := range list {
		n[f.Severity]++
	}
	var parts []string
	for _, s := range []advice.Severity{advice.Block, advice.Warn, advice.Info} {
		if n[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[s], s))
		}
	}
	return strings.Join(parts, ", ")
}

// lostTitle heads what the older servers lack.
func lostTitle(a advice.Advice) string {
	return fmt.Sprintf("Lost on the way down to %s: %s", a.To, count(len(a.Lost), "feature"))
}

// quietly says that nobody is told of a loss.
func quietly(l advice.Feature) string {
	if l.Silent {
		return " Nobody gets an error."
	}
	return ""
}

func adviceText(a advice.Advice) string {
	const name, body = 10, 70 // columns
	var b strings.Builder
	var f footnotes
	fmt.Fprintf(&b, "nats-server %s → %s\n\n", a.From, a.To)
	for _, s := range sections(a, &f) {
		fmt.Fprintf(&b, "%-*s%s\n", name, s.name, wrap(s.text, body, strings.Repeat(" ", name)))
	}
	if len(a.Lost) > 0 {
		fmt.Fprintf(&b, "\n%s\n", lostTitle(a))
		for _, l := range a.Lost {
			head := fmt.Sprintf("%s, since %s; %s", l.Title, l.Since, bearing(l.Bearing))
			fmt.Fprintf(&b, "\n  %s\n    %s\n", wrap(head, 78, "  "), wrap(f.fact(l.Fact)+quietly(l), 76, "    "))
		}
	}
	fmt.Fprintf(&b, "\nFindings: %s\n%s\n", tally(a.Findings), wrap(legend, 80, ""))
	for _, x := range a.Findings {
		indent := strings.Repeat(" ", 7)
		fmt.Fprintf(&b, "\n%-7s%s\n", x.Severity, wrap(bearing(x.Bearing), 73, indent))
		fmt.Fprintf(&b, "%s%s\n", indent, wrap(f.fact(x.Fact), 73, indent))
		if x.Remedy != "" {
			fmt.Fprintf(&b, "%s%s\n", indent, wrap("What to do: "+x.Remedy, 73, indent))
		}
	}
	b.WriteString("\nSources\n")
	for i, s := range f.sources {
		fmt.Fprintf(&b, "%5s %s\n", fmt.Sprintf("[%d]", i+1), wrap(s, 74, "      "))
	}
	if !majors(a) {
		fmt.Fprintf(&b, "\nnats-roll run --from %s --to %s rehearses it.\n", a.From, a.To)
	}
	return b.String()
}

func adviceMarkdown(a advice.Advice) string {
	var b strings.Builder
	var f footnotes
	fmt.Fprintf(&b, "# nats-server %s → %s\n", a.From, a.To)
	for _, s := range sections(a, &f) {
		fmt.Fprintf(&b, "\n**%s**: %s\n", s.name, cell(s.text))
	}
	if len(a.Lost) > 0 {
		fmt.Fprintf(&b, "\n## %s\n\n| feature | since | when | what becomes of it |\n|---|---|---|---|\n", lostTitle(a))
		for _, l := range a.Lost {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(l.Title), l.Since, cell(bearing(l.Bearing)), cell(f.fact(l.Fact)+quietly(l)))
		}
	}
	fmt.Fprintf(&b, "\n## Findings: %s\n\n%s\n\n| | when | finding | what to do |\n|---|---|---|---|\n", tally(a.Findings), legend)
	for _, x := range a.Findings {
		fmt.Fprintf(&b, "| **%s** | %s | %s | %s |\n", x.Severity, cell(bearing(x.Bearing)), cell(f.fact(x.Fact)), cell(x.Remedy))
	}
	b.WriteString("\n## Sources\n\n")
	for i, s := range f.sources {
		fmt.Fprintf(&b, "%d. %s\n", i+1, cell(s))
	}
	if !majors(a) {
		fmt.Fprintf(&b, "\n`nats-roll run --from %s --to %s` rehearses it.\n", a.From, a.To)
	}
	return b.String()
}
