package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"nats-roll/advice"
	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// Inventory is which nats-server builds are at hand.
type Inventory struct {
	Schema  string           `json:"schema"` // nats-roll/servers/1
	Store   string           `json:"store"`
	AsOf    string           `json:"as_of"` // the day up to which releases are known
	Servers []InventoryEntry `json:"servers"`
	// Elsewhere are servers that run from builds which are not at hand any more.
	Elsewhere []InventoryUse `json:"elsewhere,omitempty"`
}

// InventoryEntry is one build.
type InventoryEntry struct {
	cluster.Build
	Go      string           `json:"go,omitempty"`
	Sum     string           `json:"module_sum,omitempty"`
	Fetched *time.Time       `json:"fetched,omitempty"`
	Newer   []advice.Release `json:"newer"`
	UsedBy  []InventoryUse   `json:"used_by"`
}

// InventoryUse is a server that runs from a build.
type InventoryUse struct {
	Node    string          `json:"node"`
	PID     int             `json:"pid"`
	Dir     string          `json:"dir"`   // of the rehearsal
	State   string          `json:"state"` // running, kept, left
	Version cluster.Version `json:"version,omitempty"`
	SHA256  string          `json:"sha256,omitempty"`
}

// InventorySchema names the form of Inventory.JSON.
const InventorySchema = "nats-roll/servers/1"

// NewInventory joins builds with what runs from them. A use is matched by its
// SHA-256, and by its version where it has none.
func NewInventory(store string, builds []InventoryEntry, uses []InventoryUse) Inventory {
	i := Inventory{Schema: InventorySchema, Store: store, AsOf: advice.AsOf(), Servers: []InventoryEntry{}}
	matched := make([]bool, len(uses))
	for _, b := range builds {
		b.Newer = advice.NewerThan(b.Version)
		b.UsedBy = []InventoryUse{}
		for n, u := range uses {
			if u.SHA256 == b.SHA256 || u.SHA256 == "" && u.Version == b.Version {
				b.UsedBy = append(b.UsedBy, u)
				matched[n] = true
			}
		}
		i.Servers = append(i.Servers, b)
	}
	for n, u := range uses {
		if !matched[n] {
			i.Elsewhere = append(i.Elsewhere, u)
		}
	}
	return i
}

// JSON writes the inventory for programs.
func (i Inventory) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(i)
}

// Text writes the inventory for people. short shortens paths.
func (i Inventory) Text(w io.Writer, short func(path string) string) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "VERSION\tSOURCE\tFETCHED\tSHA-256\tGO\tSIZE\tNEWER")
	for _, e := range i.Servers {
		fetched := "-"
		if e.Fetched != nil {
			fetched = e.Fetched.Format(time.DateOnly)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%.1f MB\t%s\n",
			e.Version, e.Source, fetched, upgrade.Short(e.SHA256), cmp.Or(e.Go, "-"), float64(e.Size)/1e6, newest(e))
	}
	_ = t.Flush() // into memory
	for _, e := range i.Servers {
		uses(&b, "\n%s (%s) runs as", e.UsedBy, short, e.Version, e.Source)
	}
	for _, u := range i.Elsewhere {
		uses(&b, "\n%s, no longer at hand, runs as", []InventoryUse{u}, short, cmp.Or(string(u.Version), "another build"))
	}
	fmt.Fprintf(&b, "\nThe store is %s. Releases are known up to %s.\n", short(i.Store), i.AsOf)
	b.WriteString("\"nats-roll servers fetch 2.14\" gets the newest patch of a line.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// newest names the newest patch of the build's own line and the newest release,
// where they are newer.
func newest(e InventoryEntry) string {
	patch, last := "", ""
	for _, r := range e.Newer { // the lowest first
		last = string(r.Version)
		if r.Version.Minor() == e.Version.Minor() {
			patch = last
		}
	}
	switch {
	case last == "":
		return "-"
	case patch == "" || patch == last:
		return last
	}
	return patch + ", " + last
}

// states are what a use's State means to a person.
var states = map[string]string{
	"running": "a rehearsal that is going on",
	"kept":    "left running with --keep",
	"left":    "left behind; nats-roll clean ends it",
}

func uses(b *strings.Builder, head string, list []InventoryUse, short func(string) string, args ...any) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, head+"\n", args...)
	for _, u := range list {
		fmt.Fprintf(b, "  %s, pid %d, in %s: %s\n", u.Node, u.PID, short(u.Dir), cmp.Or(states[u.State], u.State))
	}
}
