package upgrade

// The example of docs/CHAPTERS.md, word for word: it is compiled, read by the
// linter and walked.

// Pause stops the last server for a moment.
func Pause(s Spec) Plan {
	s.To = s.From // nothing is upgraded, and the last step looks for that
	r := base{s}
	p := r.head("pause", "A pause", "You will stop one server of a cluster and start it again while clients are connected. "+
		"You see who notices, how long the clients are away, and that none of them comes back by itself.")
	permanent := r.Topology.Permanent()
	for i := range permanent {
		p.Steps = append(p.Steps, r.start(i))
	}
	last := permanent[len(permanent)-1]
	p.Steps = append(p.Steps, r.connect(), Step{
		ID: slug("stop", last.Name), Title: "Stop " + last.Name, Node: last.Name,
		Why:     "A server that is stopped closes its connections. " + r.stopWords(last) + " Its clients know where else to go.",
		Hint:    "How long are the clients away? The panel of clients says so.",
		Given:   r.isUp(permanent...),
		Do:      r.stopAction(last),
		Stops:   true,
		Until:   append([]Check{Exited{Node: last.Name}}, r.elsewhere(last)...),
		Timeout: r.stopTimeout(),
		Undo:    r.startAction(last),
	}, Step{
		ID: slug("return", last.Name), Title: "Start " + last.Name + " again", Node: last.Name,
		Why:     "The same command line as before. The server dials the others and is part of the cluster again; no client comes back by itself.",
		Hint:    "Which of the servers has no clients now?",
		Given:   []Requirement{r.has(last, r.from(last))},
		Do:      r.startAction(last),
		Until:   []Check{Running{Node: last.Name, Build: r.from(last)}, Meshed{Among: names(permanent)}, Census{}},
		Timeout: actTimeout,
		Undo:    r.stopAction(last),
	}, r.lookBack())
	return p
}
