package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"nats-roll/cluster"
	"nats-roll/redact"
	"nats-roll/upgrade"
)

// ClaimsSchema names the form of Claims.JSON.
const ClaimsSchema = "nats-roll/claims/1"

// Claims is what came of the tutorial's sentences, in its order, on the servers of
// one pair of versions.
type Claims struct {
	Schema string          `json:"schema"`
	Tool   string          `json:"tool"`
	From   cluster.Version `json:"from"`
	To     cluster.Version `json:"to"`
	Walks  []ClaimsWalk    `json:"walks"`
	Claims []ClaimsVerdict `json:"claims"`
}

// ClaimsWalk is a rehearsal that decided some of them.
type ClaimsWalk struct {
	Chapter     string          `json:"chapter"`
	From        cluster.Version `json:"from"`
	To          cluster.Version `json:"to"`
	Outcome     upgrade.Outcome `json:"outcome"`
	Reason      string          `json:"reason,omitempty"`
	Subscribers int             `json:"subscribers"`
	TookMS      float64         `json:"took_ms"`
}

// ClaimsVerdict is a sentence and what was seen of it. Chapter and step are where;
// they are absent where no server decides it.
type ClaimsVerdict struct {
	ID       string          `json:"id"`
	Section  string          `json:"section"`
	Text     string          `json:"text"`
	Verdict  upgrade.Holding `json:"verdict"`
	Evidence string          `json:"evidence"`
	Because  []upgrade.Cause `json:"because,omitempty"`
	Chapter  string          `json:"chapter,omitempty"`
	Step     string          `json:"step,omitempty"`
}

// NewClaims sets the sentences beside what walks came to. A sentence that none of
// them came to says so.
func NewClaims(tool string, g upgrade.Ground, walks []Report) Claims {
	c := Claims{Schema: ClaimsSchema, Tool: tool, From: g.From, To: g.To, Walks: []ClaimsWalk{}}
	for _, w := range walks {
		c.Walks = append(c.Walks, ClaimsWalk{w.Chapter, w.From, w.To, w.Outcome, w.Reason, w.Probe.Subscribers, w.TookMS})
	}
	for _, s := range upgrade.Sentences {
		v := ClaimsVerdict{ID: s.ID, Section: s.Section(), Text: s.Text}
		if f, ok := s.Decide(g); ok {
			v.Verdict, v.Evidence, v.Because = f.Stands, redact.Text(f.Detail), f.Because
		} else {
			v.look(s, walks)
		}
		c.Claims = append(c.Claims, v)
	}
	return c
}

// look finds what the walk of the sentence's chapter came to.
func (v *ClaimsVerdict) look(s upgrade.Sentence, walks []Report) {
	v.Verdict, v.Chapter = upgrade.Undecided, s.Chapter
	i := slices.IndexFunc(walks, func(w Report) bool { return w.Chapter == s.Chapter })
	if i < 0 {
		v.Evidence = fmt.Sprintf("chapter %s decides it, and was not walked", s.Chapter)
		return
	}
	j := slices.IndexFunc(walks[i].Claims, func(c Claim) bool { return c.ID == s.ID })
	if j < 0 {
		v.Evidence = fmt.Sprintf("the walk of chapter %s did not come to the step that decides it", s.Chapter)
		return
	}
	c := walks[i].Claims[j]
	v.Verdict, v.Evidence, v.Because, v.Step = c.stands(), c.Detail, c.Because, c.Step
}

// JSON writes the table for programs.
func (c Claims) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	enc.SetEscapeHTML(false)
	return enc.Encode(c)
}

// claimsWidth is how wide the table is for people.
const claimsWidth = 100

// Text writes the table for people, below the text's headings.
func (c Claims) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "What the tutorial says, on nats-server %s and %s\n", c.From, c.To)
	for _, walk := range c.Walks {
		fmt.Fprintf(&b, "  chapter %s, %s → %s, %d subscribers: %s in %s%s\n",
			walk.Chapter, walk.From, walk.To, walk.Subscribers, walk.Outcome, took(walk.TookMS), dash(walk.Reason))
	}
	section := ""
	tally := map[upgrade.Holding]int{}
	for _, v := range c.Claims {
		if v.Section != section {
			section = v.Section
			fmt.Fprintf(&b, "\n%s\n", section)
		}
		tally[v.Verdict]++
		fmt.Fprintf(&b, "\n%s\n", hanging("  "+v.mark()+" ", "“"+v.Text+"”"))
		where := ""
		if v.Step != "" {
			where = fmt.Sprintf(" (%s, %s)", v.Chapter, v.Step)
		}
		fmt.Fprintf(&b, "%s\n", hanging("    ", v.Verdict.Words()+": "+v.Evidence+where))
		for _, cause := range v.Because {
			fmt.Fprintf(&b, "%s\n", hanging("    - ", because(cause)))
			fmt.Fprintf(&b, "      %s\n", cause.Source)
		}
	}
	fmt.Fprintf(&b, "\n%d sentences: %d as the text says, %d differ, %d cannot be decided here\n",
		len(c.Claims), tally[upgrade.Holds], tally[upgrade.Differs], tally[upgrade.Undecided])
	_, err := io.WriteString(w, redact.Text(b.String()))
	return err
}

// because puts a cause into words, without its source.
func because(c upgrade.Cause) string {
	return fmt.Sprintf("%s, since %s: %s", c.How, c.Since, c.Why)
}

func (v ClaimsVerdict) mark() string {
	switch v.Verdict {
	case upgrade.Holds:
		return "✓"
	case upgrade.Differs:
		return "≠"
	default:
		return "·"
	}
}

// hanging wraps a paragraph whose first line begins with a mark.
func hanging(mark, text string) string {
	indent := strings.Repeat(" ", len([]rune(mark)))
	return mark + wrap(text, claimsWidth-len(indent), indent)
}
