package upgrade

import (
	"fmt"
	"slices"
	"strings"

	"nats-roll/cluster"
)

var parityChapter = Chapter{
	Name: "parity", About: "a new server with other users or permissions, and how to find that before", Takes: "10 minutes", Plan: Parity,
	Flags: map[string]string{"clients": "4"},
	Fixed: []string{"nodes", "no-spare", "jetstream", "given", "ignore-discovered", "max-reconnects"},
	Shape: func(t *cluster.Topology) { t.Configured = true },
}

// The users of the chapter, who are parties of clients as well. The passwords are
// for servers on this machine.
const (
	ordersUser = "orders"
	auditUser  = "audit"
	auditors   = "new audit" // who come once the audit clients are gone
	crowd      = 16          // of each: that none of them comes to C by chance is one in 65536

	labPassword    = "lab-of-everybody"
	ordersPassword = "lab-of-orders"
	auditPassword  = "lab-of-audit"
)

// Parity lets a server join that has not the same users and permissions as the
// others, and compares the configurations before.
func Parity(s Spec) Plan {
	a := s.Topology.Permanent()[0].Name
	audit := cluster.Party{Name: auditUser, Members: crowd, At: a, User: auditUser, Password: auditPassword, Subjects: []string{"audit.>"}, Says: "audit.entry"}
	later := audit
	later.Name, later.Members, later.Late = auditors, 4, true
	s.Workload.Parties = []cluster.Party{
		{Name: ordersUser, Members: crowd, At: a, User: ordersUser, Password: ordersPassword, Subjects: []string{"orders.>", "audit.>"}, Says: "orders.new"},
		audit, later,
	}
	return likeness{rolling{base: base{s}, chapter: "parity", noun: "upgrade", done: "upgraded"}}.plan()
}

// likeness builds the steps of the chapter; its methods stand in their order.
type likeness struct{ rolling }

// users is a server's configuration file: three users in one account.
type users struct {
	hears   string // what the orders user may hear
	noAudit bool   // the audit user is forgotten
}

func (u users) config(n cluster.Node) string {
	var b strings.Builder
	fmt.Fprintf(&b, "server_name: %s\nno_auth_user: lab\naccounts {\n  APP {\n    users: [\n", n.Name)
	fmt.Fprintf(&b, "      { user: lab, password: \"%s\" }\n", labPassword)
	fmt.Fprintf(&b, "      { user: %s, password: \"%s\", permissions: { publish: \"orders.>\", subscribe: \"%s\" } }\n", ordersUser, ordersPassword, u.hears)
	if !u.noAudit {
		fmt.Fprintf(&b, "      { user: %s, password: \"%s\", permissions: { publish: \"audit.>\", subscribe: \"audit.>\" } }\n", auditUser, auditPassword)
	}
	b.WriteString("    ]\n  }\n}\n")
	return b.String()
}

// The three configurations.
var (
	rightUsers  = users{hears: "orders.>"}
	wideUsers   = users{hears: ">"}
	lackingUser = users{hears: "orders.>", noAudit: true}
)

func (r likeness) plan() Plan {
	p := r.head("parity", "The same users everywhere", r.intro())
	p.Configs = map[string]string{}
	permanent := r.Topology.Permanent()
	for _, n := range permanent {
		p.Configs[n.Name] = rightUsers.config(n)
	}
	c, ok := r.Topology.Spare()
	if !ok { // the last permanent one has to do; the command line does not allow that
		c = permanent[len(permanent)-1]
	}
	a, b := permanent[0], permanent[1]
	for _, part := range []struct {
		title string
		steps []Step
	}{
		{"A cluster with users", r.begin()},
		{"A new server that allows more", []Step{
			r.write("write-wide", c, wideUsers, false, "user orders, may subscribe"),
			r.join("join-wide", c, "allows more"),
			r.overhear(a, b, c),
		}},
		{"A new server that lacks a user", []Step{
			r.write("write-lacking", c, lackingUser, true, "user audit"),
			r.join("join-lacking", c, "lacks a user"),
			r.away("restart-b", b, "Nobody knows yet that anything is wrong: the clients go on to the next server in their lists, which is A."),
			r.refusedOnce(a, c),
			r.away("restart-b-again", b, "The clients that C has refused are on B. They go to A, and carry on as if nothing had been."),
			r.refusedTwice(a, c),
		}},
		{"The cure: compare, then join", append([]Step{
			r.write("write-right", c, rightUsers, true),
			r.call(a),
			r.join("join-right", c, "has the same users"),
		}, r.roll(c)...)},
	} {
		for _, st := range part.steps {
			st.Part = part.title
			p.Steps = append(p.Steps, st)
		}
	}
	p.Steps = append(p.Steps, r.close())
	return p
}

func (r likeness) intro() string {
	return "The text warns that a new server has to provide the same users and authorization as the others. You will let a server join that does not: first one that allows a user more, and clients hear what they must not; " +
		"then one that lacks a user, and clients are refused, and closed for good when it has refused them twice. Before each, the servers' configuration files are compared, and the difference is found while it harms nobody. " +
		"At the end a server with the right file joins, and both permanent servers are upgraded without a refusal."
}

// warning is the text's.
const warning = "Note that since each server stores it's own permission and authentication configuration, new servers added to a cluster should provide the same users and authorization to prevent clients from getting rejected or gaining unexpected privileges."

// nodes are the letters of all servers.
func (r likeness) nodes() []string { return names(r.Topology.Nodes) }

// begin is the two servers and the clients that log in.
func (r likeness) begin() []Step {
	var out []Step
	for i := range r.Topology.Permanent() {
		out = append(out, r.start(i))
	}
	s := r.connect()
	s.Why = fmt.Sprintf("Both servers read a configuration file with three users. %d clients log in as orders and may hear orders.> only; they ask for audit.> all the same, and are told that they may not. %d log in as audit: they write to audit.> and read it. ", crowd, crowd) + s.Why +
		" These do not say who they are, and are the user lab."
	s.Until = append(s.Until, Forbidden{Party: ordersUser, Subject: "audit.>"}, Welcome{Party: auditUser})
	return append(out, s)
}

// write puts a configuration file into C's folder, and compares it with the others.
func (r likeness) write(id string, c cluster.Node, u users, stop bool, finds ...string) Step {
	compared := Compared{Nodes: r.nodes(), Finds: finds}
	s := Step{
		ID: id, Title: fmt.Sprintf("Write the configuration of %s", c.Name), Node: c.Name, Quote: warning,
		Do:      Configure{Node: c.Name, Text: u.config(c), Slot: r.slot(c)},
		Until:   []Check{compared},
		Timeout: actTimeout,
		Tell:    tellCompared(compared),
		NoUndo:  "the next file is written over it, and a server that runs does not read it",
	}
	if stop {
		s.Do = Series{r.quickStop(c), s.Do}
		s.Stops = true
		s.Until = append([]Check{Exited{Node: c.Name}, Census{Without: c.Name}, Reached{}}, s.Until...)
	}
	again := fmt.Sprintf("%s is stopped, and gets another file. ", c.Name)
	if !stop {
		again = ""
	}
	switch {
	case u.noAudit:
		s.Why = again + fmt.Sprintf("Here the user audit was forgotten: somebody copied an older file. Everything in it is valid, and %s will start with it without a word. "+
			"The files of all servers are compared before it does: what must be the same (users, accounts, permissions, the cluster's name), and what must not be (server names, ports, folders).", c.Name)
		s.Hint = "What will happen to an audit client that comes to this server?"
	case u.hears == ">":
		s.Why = again + fmt.Sprintf("%s is to join, and its configuration file is written. In this one the user orders may hear everything: “>” stands for all subjects. "+
			"The files of all servers are compared before %s is started, and the comparison names the setting and both values; of a password it would say only that it is not the same.", c.Name, c.Name)
		s.Hint = "The server would take this file: there is nothing wrong with it alone. The difference is what is wrong."
	default:
		s.Why = again + fmt.Sprintf("Now with the same users and permissions as the others. The comparison finds nothing: %s can join.", c.Name)
		s.Hint = "This comparison belongs into whatever adds servers, before the start: it takes milliseconds."
	}
	return s
}

// join starts C, and nobody notices.
func (r likeness) join(id string, c cluster.Node, what string) Step {
	others := without(r.Topology.Nodes, c.Name)
	s := Step{
		ID: id, Title: fmt.Sprintf("Start %s, which %s", c.Name, what), Node: c.Name,
		Why: fmt.Sprintf("%s joins. Servers do not compare their users when they meet: they form the cluster and say nothing. Every client is told that %s exists, and nobody moves. "+
			"So the monitoring is green, and whoever looks at the servers alone sees nothing.", c.Name, c.Name),
		Hint:    "Look for any sign that something is wrong. There is none on the servers.",
		Quote:   "After an instant or so, clients on 'A' learn of the new cluster member that joined.",
		Given:   append(r.isUp(others...), r.has(c, r.to(c))),
		Do:      r.startAction(c),
		Met:     Running{Node: c.Name, Build: r.to(c)},
		Until:   []Check{Running{Node: c.Name, Build: r.to(c)}, Meshed{Among: r.nodes()}, Census{}, Know{Nodes: r.Topology.Nodes}},
		Timeout: actTimeout,
		Undo:    r.quickStop(c),
		Undone:  []Check{Exited{Node: c.Name}},
	}
	if id == "join-right" {
		s.Why = fmt.Sprintf("%s joins, as twice before. The servers say as little as then: that nothing is wrong this time is known from the comparison, and not from them.", c.Name)
		s.Hint = "It looks as it did both times before. What tells you that it is not the same?"
	}
	return s
}

// away restarts a server, so that its clients look for another.
func (r likeness) away(id string, n cluster.Node, why string) Step {
	return Step{
		ID: id, Title: fmt.Sprintf("Restart %s", n.Name), Node: n.Name,
		Why:     fmt.Sprintf("%s is stopped and started at once, as in any maintenance. %s", n.Name, why),
		Hint:    "A client that loses its server tries the next in its list; a server that comes back is put at the end.",
		Given:   r.isUp(r.Topology.Nodes...),
		Do:      Series{r.quickStop(n), r.startAction(n)},
		Stops:   true,
		Until:   []Check{Again{Node: n.Name}, Meshed{Among: r.nodes()}, Census{Without: n.Name}, Reached{}, Know{Nodes: r.Topology.Nodes}},
		Timeout: actTimeout,
		NoUndo:  "the clients have moved, and do not come back by themselves",
	}
}

// Toward restarts a server, so that some clients of a party come to another. When
// that one joined, the servers may have met, parted and met again; then it was
// nothing new, no list was shuffled, and it is the last in all of them. Another
// server is restarted first then, and stands behind it.
type Toward struct {
	Series        // the restart
	First  Series // the other server's
	Party  string
	From   cluster.Node
	To     cluster.Node
}

// Bind looks into the clients' lists.
func (a Toward) Bind(o cluster.Observation) Action {
	all := members(o.Fleet, a.Party)
	for _, c := range all {
		if c.Node == a.From.Name && next(o, c, a.From.Name) == a.To.Name {
			return a.Series
		}
	}
	if len(all) == 0 {
		return a.Series // nothing is known yet
	}
	return slices.Concat(a.First, a.Series)
}

// Command is what it comes to, by what is seen now.
func (a Toward) Command(o cluster.Observation) string { return a.Bind(o).Command(o) }

func (r likeness) overhear(a, b, c cluster.Node) Step {
	s := r.away("restart-a", a, fmt.Sprintf("Its clients shuffled their lists when they heard of %s, so about half of them go there. "+
		"With them goes what they had asked for: the subscription to audit.> which %s refused. %s allows it.", c.Name, a.Name, c.Name))
	s.Do = Toward{
		Series: Series{r.quickStop(a), r.startAction(a)}, First: Series{r.quickStop(b), r.startAction(b)},
		Party: ordersUser, From: a, To: c,
	}
	s.Hint = "Nothing fails, and no log says a word. Look at what the orders clients hear."
	s.Quote = warning
	s.Until = append(s.Until, Overhears{Party: ordersUser, Subject: "audit.>"}, Welcome{Party: auditUser})
	s.Tell = func(t Told) []string {
		n, messages := 0, uint64(0)
		for _, m := range members(t.After.Fleet, ordersUser) {
			if m.Heard["audit.>"] > 0 {
				n++
				messages += m.Heard["audit.>"]
			}
		}
		told := []string{fmt.Sprintf("unexpected privileges: %d of %d orders clients came to %s and heard %d messages of audit.> by the end of the step; before, all were refused it and heard none", n, crowd, c.Name, messages)}
		if was, is := pid(t.Before, b.Name), pid(t.After, b.Name); was != is {
			told = append(told, fmt.Sprintf("%[1]s was restarted before %[2]s: %[3]s was the last in the lists, and came forward by that; so all of them may go there, and not half", b.Name, a.Name, c.Name))
		}
		return told
	}
	return s
}

func (r likeness) refusedOnce(a, c cluster.Node) Step {
	s := r.away("restart-a-again", a, fmt.Sprintf("For its clients, the next in the list is %s now. It does not know the user audit, and refuses them: authorization violation. "+
		"The client library notes that and tries the next server, which takes them. Only the applications' logs tell of it.", c.Name))
	s.Hint = "The audit clients are connected again within milliseconds. Has anything been lost?"
	s.Quote = warning
	s.Until = append(s.Until, Refused{Party: auditUser, Least: 1, Times: 1}, PartyIs{Party: auditUser, Members: crowd, Status: cluster.ClientConnected})
	s.Tell = func(t Told) []string {
		return []string{fmt.Sprintf("%d of %d audit clients were refused once, and %d closed by that", refused(t.After.Fleet, auditUser, 1), crowd, closed(t.After.Fleet, auditUser))}
	}
	return s
}

func (r likeness) refusedTwice(a, c cluster.Node) Step {
	s := r.away("restart-a-at-last", a, fmt.Sprintf("Once more, the next in their lists is %s, and it refuses them a second time. When the same server has refused a client twice with the same error, "+
		"the library closes the connection for good, although two other servers would take it. The application goes on and hears nothing any more.", c.Name))
	s.Hint = "Weeks can lie between the first refusal and the second: it only takes two restarts."
	s.Quote = warning
	s.Until = append(s.Until, Refused{Party: auditUser, Least: 1, Times: 2}, Gone{Party: auditUser})
	s.Tell = func(t Told) []string {
		return []string{fmt.Sprintf("%d of %d audit clients were closed for good, after two refusals by %s each; the orders clients stayed connected", closed(t.After.Fleet, auditUser), crowd, c.Name)}
	}
	return s
}

// call has new audit clients come, as an application does that is started anew.
func (r likeness) call(a cluster.Node) Step {
	return Step{
		ID: "join-auditors", Title: "Start the audit application again", Node: a.Name,
		Why: "A connection that was closed for good does not come back, whatever is mended on the servers: somebody has to start the application again. " +
			fmt.Sprintf("Four new clients log in to %s as the user audit.", a.Name),
		Hint:    "The old ones stay closed in the list of clients.",
		Given:   r.isUp(r.Topology.Permanent()...),
		Do:      TellClients{Act: cluster.ActJoin, Party: auditors},
		Met:     PartyIs{Party: auditors, Members: 4, Status: cluster.ClientConnected},
		Until:   []Check{Welcome{Party: auditors}},
		Timeout: actTimeout,
		NoUndo:  "clients only watch; they end with the rehearsal",
	}
}

// roll is the upgrade of the permanent servers, and the end of the temporary one.
func (r likeness) roll(c cluster.Node) []Step {
	var out []Step
	for i, n := range r.Topology.Permanent() {
		if n.Name == c.Name {
			continue
		}
		swap := r.replace(i)
		s := r.away(slug("upgrade", n.Name), n, fmt.Sprintf("This time its binary is replaced by %s in between. Its clients go to the other servers, %s among them, and are welcome everywhere.", r.to(n), c.Name))
		s.Title = fmt.Sprintf("Upgrade %s", n.Name)
		s.Hint = "Watch the new audit clients: they come to C, too."
		s.Quote = swap.Quote
		s.Do = Series{r.quickStop(n), swap.Do, r.startAction(n)}
		s.Until[0] = Running{Node: n.Name, Build: r.to(n)}
		s.Until = append(s.Until, Welcome{Party: auditors}, PartyIs{Party: ordersUser, Members: crowd, Status: cluster.ClientConnected})
		out = append(out, s)
	}
	if c.Permanent {
		return out
	}
	s := r.stopSpare(c)
	s.Claims, s.Predict = nil, nil // that is the matter of another chapter
	s.Hint = "The last move of this rehearsal: nobody is refused."
	s.Until = append(s.Until, Welcome{Party: auditors})
	return append(out, s)
}

// close is the last step, with what all of it comes to.
func (r likeness) close() Step {
	s := r.lookBack()
	s.Quote = warning
	s.Hint = "Compare the files of your own servers in the same way: nats-roll parity A.conf B.conf."
	s.Claims = []Claim{ownUsers(r.Topology.Nodes), sameUsers()}
	s.Tell = func(t Told) []string {
		var out []string
		for _, id := range []string{"write-wide", "restart-a", "write-lacking", "restart-a-again", "restart-a-at-last"} {
			if o, ok := t.Over[id]; ok {
				out = append(out, o.Told...)
			}
		}
		return append(out, fmt.Sprintf("with the same users on all servers: %d of 4 new audit clients are connected, and %d were refused", 4-closed(t.After.Fleet, auditors), refused(t.After.Fleet, auditors, 1)),
			"so compare the configurations before a server joins, and let it join only when the comparison is clean; and look for “authorization violation” in the logs of the applications, not of the servers alone")
	}
	return s
}

// ownUsers: a client is refused by one server and welcome at another. The servers
// have told each other much, and this not.
func ownUsers(nodes []cluster.Node) Claim {
	return claim("own-users", func(_, after cluster.Observation) Finding {
		n, gone := refused(after.Fleet, auditUser, 1), closed(after.Fleet, auditUser)
		if n == 0 {
			return undecided("no server has refused a client that another one knows")
		}
		return holds("%s read one file each: %d audit clients were refused by the server whose file lacked their user (%d closed for good), while they were welcome at the others", List(names(nodes)), n, gone)
	})
}

// sameUsers: the text's warning came true.
func sameUsers() Claim {
	return claim("same-users", func(_, after cluster.Observation) Finding {
		n, gone := refused(after.Fleet, auditUser, 1), closed(after.Fleet, auditUser)
		heard := uint64(0)
		for _, m := range members(after.Fleet, ordersUser) {
			heard += m.Heard["audit.>"]
		}
		if n == 0 || heard == 0 {
			return undecided("%d clients were refused, %d messages were heard that must not be", n, heard)
		}
		return holds("without them, %d clients were refused and %d of these closed for good, and %d messages were heard that must not be", n, gone, heard)
	})
}
