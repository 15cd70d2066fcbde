package upgrade

import (
	"testing"

	"nats-roll/cluster"
)

// Where clients went, and what their lists had said.
func TestWhereClientsGo(t *testing.T) {
	top, err := cluster.NewTopology(2, true, 0)
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := top.Nodes[0], top.Nodes[1], top.Nodes[2]
	// Each client is told by where it goes and what stood next in its list.
	observed := func(clients []string) (before, after cluster.Observation) {
		for _, cl := range clients {
			goes, next := top.Nodes[cl[0]-'A'], top.Nodes[cl[1]-'A']
			was := cluster.Client{Status: cluster.ClientConnected, Node: "A", Known: []string{a.ClientURL(), next.ClientURL()}}
			before.Fleet.Clients = append(before.Fleet.Clients, was)
			was.Node = goes.Name
			after.Fleet.Clients = append(after.Fleet.Clients, was)
		}
		return before, after
	}
	half, again := evenly(a, []cluster.Node{b, c}), redistribute("from-b", a, []cluster.Node{b, c})
	for _, tc := range []struct {
		name    string
		claim   Claim
		clients []string
		stands  Holding
		detail  string
	}{
		{"even", half, []string{"BB", "CC", "BB", "CC", "BB", "CC", "BB", "CC"}, Holds, "4 to B, 4 to C; of 8 clients, 1 to 7 each is what chance allows"},
		{"too few", half, []string{"BB", "BB"}, Undecided, "2 to B, 0 to C; 2 clients are too few to tell halves from chance"},
		{
			"all to one, as listed", half,
			[]string{"BB", "BB", "BB", "BB", "BB", "BB", "BB", "BB"},
			Differs,
			"8 to B, 0 to C; of 8 clients, 1 to 7 each is what chance allows, each to the next in its own list",
		},
		{
			"all to one, listed otherwise", half,
			[]string{"BB", "BC", "BC", "BB", "BC", "BB", "BB", "BB"},
			Differs,
			"8 to B, 0 to C; of 8 clients, 1 to 7 each is what chance allows; next in their lists before were 5 to B, 3 to C",
		},
		{"spread again", again, []string{"BB", "CC"}, Holds, "1 to B, 1 to C"},
		{"piled up", again, []string{"CC", "CC"}, Differs, "0 to B, 2 to C, each to the next in its own list"},
		{"one client", again, []string{"CC"}, Undecided, "1 client left A"},
	} {
		if f := tc.claim.Judge(observed(tc.clients)); f.Stands != tc.stands || f.Detail != tc.detail {
			t.Errorf("%s: %s: %s", tc.name, f.Stands, f.Detail)
		}
	}
}
