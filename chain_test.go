//go:build chain && unix

package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"nats-roll/release/releasetest"
	"nats-roll/upgrade"
)

// chain are the last patches of the release lines, oldest first, up to the
// embedded one.
var chain = []string{"2.8.4", "2.9.25", "2.10.29", "2.11.17", "2.12.15", "2.14.9", "2.15.2"}

// bottom is how far down the chain is walked.
const bottom = "2.10.29"

// Every release line to the next, and back down: each hop on real servers,
// verified, and no message unaccounted for. It installs what it needs through the
// module proxy, which takes minutes the first time:
//
//	go test -tags chain -run Chain -v .
func TestChain(t *testing.T) {
	for _, v := range chain[:len(chain)-1] {
		releasetest.Build(t, v)
	}
	var hops [][2]string
	for i := 1; i < len(chain); i++ {
		hops = append(hops, [2]string{chain[i-1], chain[i]})
	}
	for i := len(chain) - 1; chain[i] != bottom; i-- {
		hops = append(hops, [2]string{chain[i], chain[i-1]})
	}
	for _, hop := range hops {
		t.Run(hop[0]+" to "+hop[1], func(t *testing.T) {
			env := around(t)
			file := filepath.Join(t.TempDir(), "r.json")
			said, err := command(t, env, "run", "--port-offset", env["OFFSET"], "--offline", "--from", hop[0], "--to", hop[1], "--report", file).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			r, err := readReport(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.verified(hop[0], hop[1], 21); err != nil {
				t.Error(err)
			}
			nothingLeft(t, env)
			var verdict string
			for l := range strings.Lines(string(said)) {
				if strings.HasPrefix(l, "VERIFIED") {
					verdict = strings.TrimSpace(l)
				}
			}
			m := r.Messages
			t.Log(fmt.Sprintf("%s: %d expected = %d received - %d duplicated + %d lost; %d reconnects, %.1f ms at most",
				verdict, m.Expected, m.Received, m.Duplicated, m.Lost, r.Reconnects.Count, r.Reconnects.Max))
		})
	}
}

// Where clients go, across release lines.
func TestChainSpread(t *testing.T) {
	for _, hop := range [][2]string{{"2.14.9", "2.15.2"}, {"2.11.17", "2.12.15"}} {
		t.Run(hop[0]+" to "+hop[1], func(t *testing.T) {
			releasetest.Build(t, hop[0])
			releasetest.Build(t, hop[1])
			walkSpread(t, hop[0], hop[1], 300, 25)
		})
	}
}

// streamed are steps between release lines that the chapter on streams is walked
// over.
var streamed = [][2]string{{"2.14.9", "2.15.2"}, {"2.11.17", "2.12.15"}}

// Streams, leaders and majorities across release lines: nothing that was
// acknowledged is missing.
func TestChainOfStreams(t *testing.T) {
	for _, hop := range streamed {
		for _, how := range []string{"int", "kill"} {
			t.Run(strings.Join([]string{hop[0], "to", hop[1], "with", how}, " "), func(t *testing.T) {
				for _, v := range hop {
					releasetest.Build(t, v)
				}
				env := around(t)
				file := filepath.Join(t.TempDir(), "r.json")
				said, err := command(t, env, "run", "--chapter", "jetstream", "--stop", how, "--port-offset", env["OFFSET"], "--offline", "--from", hop[0], "--to", hop[1], "--report", file).CombinedOutput()
				if err != nil || !strings.Contains(string(said), "Every acknowledged message is in the stream, once.") {
					t.Fatalf("%v: %s", err, said)
				}
				nothingLeft(t, env)
				for l := range strings.Lines(string(said)) {
					if strings.HasPrefix(l, "VERIFIED") || strings.Contains(l, "stalled") || strings.Contains(l, "says no") {
						t.Log(strings.TrimSpace(l))
					}
				}
			})
		}
	}
}

// The seed servers over release lines: the hole while the seed is down, and none
// with a list of all.
//
//	go test -tags chain -run Seed -v .
func TestChainSeed(t *testing.T) {
	for _, hop := range [][2]string{{"2.14.9", "2.15.2"}, {"2.11.17", "2.12.15"}} {
		for _, v := range hop {
			if v != chain[len(chain)-1] {
				releasetest.Build(t, v)
			}
		}
		t.Run(hop[0]+" to "+hop[1], func(t *testing.T) {
			env := around(t)
			said, err := command(t, env, "run", "--chapter", "seed", "--port-offset", env["OFFSET"], "--offline", "--from", hop[0], "--to", hop[1]).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			for _, want := range []string{"✓ B and C do not see each other for 4.00 s", "✓ a subscriber on B hears nothing", "VERIFIED"} {
				if !strings.Contains(string(said), want) {
					t.Errorf("no %q in %s", want, said)
				}
			}
			nothingLeft(t, env)
			for l := range strings.Lines(string(said)) {
				if strings.HasPrefix(l, "VERIFIED") || strings.Contains(l, "what each subscriber missed") {
					t.Log(strings.TrimSpace(l))
				}
			}
		})
	}
}

// Quit, killed, or with its terminal closed in the middle of each chapter, the program
// goes on from there, and every chapter comes to its end.
//
//	go test -tags chain -run GoOn -v .
func TestChainGoOn(t *testing.T) {
	for how := range endings {
		for _, c := range upgrade.Chapters {
			t.Run(c.Name+" "+how, func(t *testing.T) { goesOn(t, c.Name, how, true) })
		}
	}
}
