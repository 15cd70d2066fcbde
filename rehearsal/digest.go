package rehearsal

import (
	"cmp"
	"reflect"
	"slices"
	"time"

	"nats-roll/cluster"
	"nats-roll/upgrade"
)

// How often that which only counts is logged.
const (
	perFetch  = 250 * time.Millisecond // how far a download is
	perCheck  = 100 * time.Millisecond // the details of verdicts
	perAnswer = time.Second            // an answer that says nothing new, what a process takes

	// The counters of single clients, and of the connections that a server lists:
	// the more there are, the rarer.
	perSweep  = 5 * time.Second
	perClient = 50 * time.Millisecond
	perList   = 10 * time.Second
	perListed = 200 * time.Millisecond
)

// Servers write as much as they like. Lines are logged as long as a node's
// allowance lasts, which grows by so many a second; most that is said in a flood is
// said at level debug, which has one of its own.
const (
	mostLines  = 2000
	moreLines  = 20
	moreDebugs = 10
)

// digest passes on what a log needs of all events. Of what counts, only the newest
// matters, and it is held back for a while. Everything else is passed on at once,
// and what is held back before it, so that whatever a step, a stop or an exit is
// judged by stands in the log before it.
//
// The counters of single clients and connections come with a step's end and an
// exit, and otherwise now and then: with many clients they are most of all there
// is.
type digest struct {
	next  func(time.Time, cluster.Event)
	at    time.Time // of the last event
	state State     // before the event that is taken

	held    []*held // in the order of their first events
	counts  map[int]cluster.Client
	swept   time.Time
	room    map[room]*allowance
	skipped int // lines, not yet told
}

// held is an event of which only the newest matters.
type held struct {
	key    string
	event  cluster.Event // the newest
	back   bool          // it has not been passed on
	anew   bool          // the next one says something new in any case
	partly bool          // it was, but without some counters
	last   time.Time     // when one was passed on
	listed time.Time     // when the connections were
	list   []cluster.Connection
}

func newDigest(next func(time.Time, cluster.Event)) *digest {
	return &digest{next: next, counts: map[int]cluster.Client{}, room: map[room]*allowance{}}
}

// take takes the next event; after is the state that it leads to.
func (d *digest) take(r Record, after State) {
	d.at = r.At
	switch e := r.Event.(type) {
	case cluster.Fetching:
		d.hold("fetching "+e.Role, perFetch, e, false)
	case cluster.Used:
		d.hold("used "+e.Node, perAnswer, e, false)
	case cluster.Answered:
		d.answered(e)
	case cluster.FleetChanged:
		d.fleet(e)
	case cluster.Logged:
		d.logged(e)
	case upgrade.StepChecked:
		d.checked(e)
	case upgrade.StepEnded, upgrade.StepUndone, upgrade.Finished:
		d.tell(e, true)
	case cluster.FleetGone:
		d.tell(e, true)
		d.find(fleetKey).partly = false
	case cluster.Exited:
		d.turn(e.Node)
		d.tell(e, true)
	case cluster.Started:
		d.turn(e.Node)
		d.tell(e, false)
	case cluster.Unanswered:
		d.turn(e.Node)
		d.tell(e, false)
	default:
		d.tell(e, false)
	}
	d.state = after
}

// tell passes an event on after what is held back.
func (d *digest) tell(e cluster.Event, all bool) {
	d.release(all)
	d.next(d.at, e)
}

func (d *digest) find(key string) *held {
	i := slices.IndexFunc(d.held, func(h *held) bool { return h.key == key })
	if i < 0 {
		i = len(d.held)
		d.held = append(d.held, &held{key: key})
	}
	return d.held[i]
}

// hold keeps an event until its time has come, or until something new is said.
func (d *digest) hold(key string, every time.Duration, e cluster.Event, news bool) {
	h := d.find(key)
	news = news || h.anew
	h.event, h.back, h.anew = e, true, false
	if news || d.at.Sub(h.last) >= every {
		d.pass(h, false)
	}
}

// turn says that a node's answers begin anew: nothing of those before comes any more.
func (d *digest) turn(node string) {
	h := d.find(answerKey(node))
	if h.back || h.partly {
		d.pass(h, true)
	}
	h.anew = true
}

// release passes on what is held back: with all, every counter.
func (d *digest) release(all bool) {
	for _, h := range d.held {
		if h.back || all && h.partly {
			d.pass(h, all)
		}
	}
	if d.skipped > 0 {
		d.next(d.at, cluster.Logged{Skipped: d.skipped})
		d.skipped = 0
	}
}

func (d *digest) pass(h *held, all bool) {
	h.back, h.partly, h.last = false, false, d.at
	switch e := h.event.(type) {
	case cluster.FleetChanged:
		d.next(d.at, d.counted(e, all))
		e.Changed, e.Costs, e.Streams, e.Asked = nil, nil, nil, time.Time{} // that is told
		h.event, h.partly = e, len(d.counts) > 0
	case cluster.Answered:
		d.next(d.at, d.listed(h, e, all))
	default:
		d.next(d.at, e)
	}
}

// fleet passes on at once what is new about a client, and what is a sample of the
// traffic. Of what is held back, nothing
// that was told only once may be forgotten.
func (d *digest) fleet(e cluster.FleetChanged) {
	if h := d.find(fleetKey); h.back {
		was := h.event.(cluster.FleetChanged)
		e.Costs = slices.Concat(was.Costs, e.Costs)
		if e.Asked.IsZero() {
			e.Streams, e.Asked = was.Streams, was.Asked
		}
	}
	known := d.state.World.Fleet.Clients
	all := e.Changed
	e.Changed = nil
	for _, c := range all {
		if c.ID < len(known) && !news(known[c.ID], c) {
			d.counts[c.ID] = c
			continue
		}
		e.Changed = append(e.Changed, c)
		delete(d.counts, c.ID)
	}
	_, sample := d.state.sample(e)
	d.hold(fleetKey, sampleEvery, e, sample || len(e.Changed) > 0)
}

const fleetKey = "fleet"

// news says that something is new about a client, and not only more of the same.
func news(was, is cluster.Client) bool {
	return was.Status != is.Status || was.Node != is.Node || was.Err != is.Err || !slices.Equal(was.Known, is.Known) || len(was.Trail) != len(is.Trail) ||
		was.Disconnects != is.Disconnects || was.Reconnects != is.Reconnects || was.LastAway != is.LastAway ||
		was.Lost != is.Lost || was.Duplicated != is.Duplicated || was.Reordered != is.Reordered
}

// counted adds the counters of the clients of which nothing else is new, when
// their time has come.
func (d *digest) counted(e cluster.FleetChanged, all bool) cluster.FleetChanged {
	pause := max(perSweep, perClient*time.Duration(len(d.state.World.Fleet.Clients)))
	if len(d.counts) == 0 || !all && d.at.Sub(d.swept) < pause {
		return e
	}
	e.Changed = slices.Clone(e.Changed)
	for _, c := range d.counts {
		e.Changed = append(e.Changed, c)
	}
	slices.SortFunc(e.Changed, func(a, b cluster.Client) int { return cmp.Compare(a.ID, b.ID) })
	clear(d.counts)
	d.swept = d.at
	return e
}

func answerKey(node string) string { return "answered " + node }

// answered passes on at once what a server says that it did not say before; and
// what it said just before that, by which it is known how long it was so.
func (d *digest) answered(e cluster.Answered) {
	h := d.find(answerKey(e.Answer.Node))
	last, ok := h.event.(cluster.Answered)
	news := !ok || !alike(last.Answer, e.Answer)
	if news && h.back {
		d.pass(h, false)
	}
	d.hold(answerKey(e.Answer.Node), perAnswer, e, news)
}

// alike says that two answers differ only in times and counters.
func alike(a, b cluster.Answer) bool {
	if !slices.EqualFunc(a.Clients, b.Clients, sameConnection) {
		return false
	}
	a.Clients, b.Clients = nil, nil
	a.Began, a.Ended, a.InMsgs, a.OutMsgs = b.Began, b.Ended, b.InMsgs, b.OutMsgs
	a.JetStream, b.JetStream = a.JetStream.Gist(), b.JetStream.Gist()
	return reflect.DeepEqual(a, b)
}

func sameConnection(a, b cluster.Connection) bool {
	a.InMsgs, a.OutMsgs, a.OutBytes, a.Pending, a.RTT = b.InMsgs, b.OutMsgs, b.OutBytes, b.Pending, b.RTT
	return a == b
}

// listed is the answer with the connections as they were last listed, until their
// counters are due.
func (d *digest) listed(h *held, e cluster.Answered, all bool) cluster.Answered {
	pause := max(perList, perListed*time.Duration(len(e.Answer.Clients)))
	if !all && d.at.Sub(h.listed) < pause && slices.EqualFunc(h.list, e.Answer.Clients, sameConnection) {
		h.partly = !slices.Equal(h.list, e.Answer.Clients)
		e.Answer.Clients = h.list
		return e
	}
	h.list, h.listed = e.Answer.Clients, d.at
	return e
}

// checked passes on at once when a verdict changes.
func (d *digest) checked(e upgrade.StepChecked) {
	last, ok := d.find("checked").event.(upgrade.StepChecked)
	same := ok && last.ID == e.ID && slices.EqualFunc(last.Checks, e.Checks, func(a, b upgrade.Result) bool {
		return a.Text == b.Text && a.Met == b.Met && a.Known == b.Known
	})
	if !same {
		d.release(false)
	}
	d.hold("checked", perCheck, e, !same)
}

// room is what an allowance is for.
type room struct {
	node  string
	debug bool
}

type allowance struct {
	left float64
	at   time.Time
}

// logged passes on as many lines as there is room for, and counts the rest. What
// the state is judged by is never left out.
func (d *digest) logged(e cluster.Logged) {
	e.Skipped += d.skipped
	d.skipped = 0
	e.Lines = slices.DeleteFunc(slices.Clone(e.Lines), func(l cluster.LogLine) bool {
		keep := l.Topic == cluster.TopicRouteRefused || d.affordable(l)
		if !keep {
			e.Skipped++
		}
		return !keep
	})
	if len(e.Lines) == 0 {
		d.skipped = e.Skipped
		return
	}
	d.next(d.at, e)
}

func (d *digest) affordable(l cluster.LogLine) bool {
	r := room{l.Node, l.Level == cluster.LevelDebug || l.Level == cluster.LevelTrace}
	a, ok := d.room[r]
	if !ok {
		a = &allowance{mostLines, d.at}
		d.room[r] = a
	}
	more := moreLines
	if r.debug {
		more = moreDebugs
	}
	a.left = min(mostLines, a.left+d.at.Sub(a.at).Seconds()*float64(more))
	a.at = d.at
	if a.left < 1 {
		return false
	}
	a.left--
	return true
}
