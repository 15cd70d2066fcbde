package redact

import (
	"bytes"
	"encoding/json"
)

// JSON takes the secrets out of every text in a JSON document, and out of what
// follows a flag in an array or a secret's name in an object. The document must
// be valid; all else in it stays as it is.
func JSON(doc []byte) []byte {
	if !suspicious(doc) {
		return doc
	}
	var out bytes.Buffer
	before := "" // the text before this one, if nothing but the separator is between
	for len(doc) > 0 {
		start := bytes.IndexByte(doc, '"')
		if start < 0 {
			break
		}
		end := start + 1
		for doc[end] != '"' {
			if doc[end] == '\\' {
				end++
			}
			end++
		}
		end++
		between, quoted := bytes.TrimSpace(doc[:start]), doc[start:end]
		out.Write(doc[:start])
		doc = doc[end:]
		key := bytes.HasPrefix(bytes.TrimLeft(doc, " \t\r\n"), []byte(":"))
		var text string
		_ = json.Unmarshal(quoted, &text) // valid, as the document is
		switch clean := Text(text); {
		case string(between) == "," && !key && flag.MatchString(before), string(between) == ":" && named.MatchString(before):
			out.WriteString(`"` + Mark + `"`)
		case clean != text:
			b, _ := json.Marshal(clean) // of a string: never fails
			out.Write(b)
		default:
			out.Write(quoted)
		}
		before = text
	}
	out.Write(doc)
	return out.Bytes()
}
