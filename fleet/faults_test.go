package fleet

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"nats-roll/cluster"
)

// faults is what becomes of chosen messages on their way to one client.
type faults struct {
	client string            // whose messages, by a part of its name
	drop   map[uint64]bool   // numbers
	twice  map[uint64]int    // and how often more
	after  map[uint64]uint64 // number → the number after which it comes
}

// What gets lost, comes twice or comes late is exactly what the ledger says.
func TestTheLedgerFindsExactlyTheFaults(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a := l.topo.Nodes[0]
	door := a.ClientPort
	l.topo.Nodes[0].ClientPort = freePort(t)
	l.start("A")
	l.start("B")
	bad := faults{
		client: "sub 2",
		drop:   map[uint64]bool{3: true, 10: true, 11: true, 12: true, 50: true},
		twice:  map[uint64]int{20: 1, 21: 3, 60: 1},
		after:  map[uint64]uint64{30: 33, 41: 42, 70: 90},
	}
	l.through(door, l.topo.Nodes[0].ClientPort, bad)
	l.topo.Nodes[0].ClientPort = door
	f := l.fleet(cluster.Workload{Subscribers: 3, Rate: 500, Behaviour: cluster.Behaviour{IgnoreDiscovered: true}})
	f.connect()
	f.wait("all faults are past", func(fl cluster.Fleet) bool { return fl.Published > 120 })
	fl := f.settleAll()
	for _, c := range fl.Clients {
		want := cluster.Tally{Received: fl.Published}
		if strings.HasSuffix(c.Name, bad.client) {
			want = cluster.Tally{Received: fl.Published - 5 + 5, Lost: 5, Duplicated: 5, Reordered: 3}
		}
		if got := (cluster.Tally{Received: c.Received, Lost: c.Lost, Duplicated: c.Duplicated, Reordered: c.Reordered}); c.Role.Hears() && got != want {
			t.Errorf("%s: %+v, want %+v", c.Name, got, want)
		}
	}
}

// through carries connections from a port to a server's and does to messages what
// the faults say.
func (l *lab) through(port, server int, bad faults) {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		l.t.Fatal(err)
	}
	var all sync.WaitGroup
	l.t.Cleanup(func() { listener.Close(); all.Wait() })
	all.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", server))
			if err != nil {
				in.Close()
				continue
			}
			named := make(chan bool, 1)
			all.Go(func() { // what the client says, its name first
				defer out.Close()
				r := bufio.NewReader(in)
				line, _ := r.ReadString('\n')
				named <- strings.Contains(line, bad.client+`"`)
				if _, err := io.WriteString(out, line); err == nil {
					_, _ = io.Copy(out, r)
				}
			})
			all.Go(func() {
				defer in.Close()
				r := bufio.NewReader(out)
				info, _ := r.ReadString('\n')
				if _, err := io.WriteString(in, info); err != nil {
					return
				}
				if <-named {
					bad.carry(in, r)
				} else {
					_, _ = io.Copy(in, r)
				}
			})
		}
	})
}

// carry carries what the server says, message by message.
func (bad faults) carry(to io.Writer, from *bufio.Reader) {
	held := map[uint64][]byte{} // by the number after which it goes
	for {
		line, err := from.ReadBytes('\n')
		if err != nil {
			return
		}
		words := bytes.Fields(line)
		if len(words) < 4 || string(words[0]) != "MSG" {
			_, err = to.Write(line)
			if err != nil {
				return
			}
			continue
		}
		size, _ := strconv.Atoi(string(words[len(words)-1]))
		body := make([]byte, size+2)
		if _, err := io.ReadFull(from, body); err != nil {
			return
		}
		msg := slices.Concat(line, body)
		seq := uint64(0)
		if s := strings.Fields(string(body)); len(s) > 1 && s[0] == "number" {
			seq, _ = strconv.ParseUint(s[1], 10, 64)
		}
		switch {
		case bad.drop[seq]:
			continue
		case bad.after[seq] > 0:
			held[bad.after[seq]] = msg
			continue
		}
		for range 1 + bad.twice[seq] {
			if _, err := to.Write(msg); err != nil {
				return
			}
		}
		if late := held[seq]; late != nil {
			if _, err := to.Write(late); err != nil {
				return
			}
		}
	}
}
