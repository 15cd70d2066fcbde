package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"nats-roll/cluster"
)

func inventory() Inventory {
	fetched := time.Date(2026, 11, 24, 20, 40, 0, 0, time.UTC)
	build := func(v cluster.Version, source string) cluster.Build {
		return cluster.Build{Version: v, Source: source, SHA256: strings.Repeat(string(v[len(v)-1]), 64), Size: 23_827_594, Path: "/store/" + string(v)}
	}
	return NewInventory("/home/me/.cache/nats-roll/servers", []InventoryEntry{
		{Build: build("2.15.2", "embedded"), Go: "go1.26.8"},
		{Build: build("2.14.3", "release"), Go: "go1.25.9", Fetched: &fetched},
		{Build: build("2.15.1", "module"), Go: "go1.26.8", Fetched: &fetched},
		{Build: build("2.99.9", "path")},
	}, []InventoryUse{
		{Node: "A", PID: 812, Dir: "/home/me/r/1", State: "running", Version: "2.15.1", SHA256: strings.Repeat("1", 64)},
		{Node: "B", PID: 813, Dir: "/home/me/r/1", State: "running", Version: "2.15.1"}, // recorded by an earlier nats-roll
		{Node: "C", PID: 814, Dir: "/home/me/r/1", State: "running", Version: "2.15.2", SHA256: strings.Repeat("2", 64)},
		{Node: "A", PID: 700, Dir: "/home/me/r/0", State: "kept", Version: "2.15.2", SHA256: strings.Repeat("2", 64)},
		{Node: "A", PID: 600, Dir: "/home/me/r/x", State: "left", Version: "2.14.3", SHA256: strings.Repeat("e", 64)},
		{Node: "A", PID: 500, Dir: "/home/me/r/y", State: "left"},
	})
}

func TestInventoryText(t *testing.T) {
	var b strings.Builder
	if err := inventory().Text(&b, func(p string) string { return strings.Replace(p, "/home/me", "~", 1) }); err != nil {
		t.Fatal(err)
	}
	golden(t, "servers.txt", b.String())
}

func TestInventoryJSON(t *testing.T) {
	var b bytes.Buffer
	if err := inventory().JSON(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Schema, Store string
		AsOf          string `json:"as_of"`
		Servers       []struct {
			Version, Source, SHA256, Go, Fetched string
			Size                                 int
			Newer                                []struct{ Version, Date string }
			UsedBy                               []struct {
				Node, State string
				PID         int
			} `json:"used_by"`
		}
		Elsewhere []struct{ PID int }
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Schema != InventorySchema || got.AsOf == "" || got.Store == "" || len(got.Servers) != 4 || len(got.Elsewhere) != 2 {
		t.Fatalf("%+v", got)
	}
	if s := got.Servers[0]; s.Version != "2.15.2" || s.Fetched != "" || s.Newer == nil || len(s.Newer) != 0 || len(s.UsedBy) != 2 || s.UsedBy[1].State != "kept" {
		t.Errorf("%+v", s)
	}
	if s := got.Servers[1]; s.Fetched != "2026-11-24T20:40:00Z" || len(s.Newer) < 9 || s.Newer[0].Version != "2.14.4" || s.UsedBy == nil {
		t.Errorf("%+v", s)
	}
	if s := got.Servers[2]; len(s.UsedBy) != 2 || s.UsedBy[1].PID != 813 {
		t.Errorf("%+v", s)
	}
}
