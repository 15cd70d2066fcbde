package upgrade

import (
	_ "embed" // the text
	"fmt"
	"strings"
)

// source is the tutorial word for word; see text/README.md.
//
//go:embed text/upgrading-a-cluster.md
var source string

// BlockKind is what a block of the text is.
type BlockKind int

// The text has headings, paragraphs and what is to be typed or will be seen.
const (
	Heading BlockKind = iota
	Paragraph
	Listing
)

// Block is a heading, a paragraph or a listing of the text. A section is what
// stands below a heading of the first or second level; its paragraphs are
// numbered from 1, and a listing has the number of the paragraph before it.
type Block struct {
	Kind    BlockKind
	Section string
	Number  int
	Text    string // without the marks of Markdown that are not words; the lines of a listing
}

// Text is the tutorial, block by block.
var Text = blocks(source)

func blocks(source string) []Block {
	var out []Block
	section, number := "", 0
	fence := false
	var lines []string
	flush := func(kind BlockKind) {
		if len(lines) == 0 {
			return
		}
		text := strings.Join(lines, "\n")
		if kind == Paragraph {
			number++
			text = unescape.Replace(strings.Join(lines, " "))
		}
		out = append(out, Block{kind, section, number, text})
		lines = nil
	}
	for l := range strings.Lines(source) {
		l = strings.TrimRight(l, "\r\n")
		hashes := len(l) - len(strings.TrimLeft(l, "#"))
		switch {
		case strings.HasPrefix(l, "```"):
			if fence {
				flush(Listing)
			} else {
				flush(Paragraph)
			}
			fence = !fence
		case fence:
			lines = append(lines, l)
		case hashes > 0:
			flush(Paragraph)
			title := strings.TrimSpace(l[hashes:])
			if hashes <= 2 {
				section, number = title, 0
			}
			out = append(out, Block{Heading, section, number, title})
		case strings.TrimSpace(l) == "":
			flush(Paragraph)
		default:
			lines = append(lines, strings.TrimSpace(l))
		}
	}
	flush(Paragraph)
	return out
}

// unescape takes the backslash from what Markdown would take for a mark.
var unescape = strings.NewReplacer(`\(`, "(", `\)`, ")", `\[`, "[", `\]`, "]")

// Passage is where in the text something stands, first of all.
type Passage struct {
	Section string
	Number  int // of the paragraph
	Kind    BlockKind
	Spans   []Span // every piece of it
}

// Span is a piece of a block: bytes of its Text.
type Span struct{ Block, From, To int }

func (p Passage) String() string {
	where := fmt.Sprintf("%s, paragraph %d", p.Section, p.Number)
	if p.Kind == Listing {
		return where + ", the lines below it"
	}
	return where
}

// Find finds a quotation in the text. An ellipsis in it stands for what is left
// out: the pieces beside it follow each other in the text, word for word.
func Find(quote string) (Passage, bool) {
	var p Passage
	block, from := 0, 0
	for piece := range strings.SplitSeq(quote, "…") {
		piece = strings.TrimSpace(piece)
		if piece == "" {
			continue
		}
		found := false
		for ; block < len(Text); block, from = block+1, 0 {
			if i := strings.Index(Text[block].Text[from:], piece); i >= 0 {
				p.Spans = append(p.Spans, Span{block, from + i, from + i + len(piece)})
				from += i + len(piece)
				found = true
				break
			}
		}
		if !found {
			return Passage{}, false
		}
	}
	if len(p.Spans) == 0 {
		return p, false
	}
	first := Text[p.Spans[0].Block]
	p.Section, p.Number, p.Kind = first.Section, first.Number, first.Kind
	return p, true
}

// where is the place of a quotation in words; empty for what is none.
func where(quote string) string {
	if p, ok := Find(quote); ok {
		return p.String()
	}
	return ""
}
