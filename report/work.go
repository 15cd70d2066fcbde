package report

import (
	"fmt"
	"time"

	"nats-roll/cluster"
)

// Requests is what came of requests. Its times depend on the probe: how often
// one is sent, and when it is given up.
type Requests struct {
	Rate      int     `json:"rate"` // a second, of all requesters
	TimeoutMS float64 `json:"timeout_ms"`
	Sent      uint64  `json:"sent"`
	Answered  uint64  `json:"answered"`
	TimedOut  uint64  `json:"timed_out"`
	Unserved  uint64  `json:"unserved"` // the server said that nobody is there to answer
	Failed    uint64  `json:"failed"`   // could not be sent, or the connection was lost
	P50MS     float64 `json:"p50_ms"`   // of the answered ones
	P99MS     float64 `json:"p99_ms"`
	MaxMS     float64 `json:"max_ms"`
}

// JetStream is what came of messages to a stream and of values in a key-value
// bucket. Who publishes goes on with a message until it is acknowledged.
type JetStream struct {
	Rate       int     `json:"rate"`       // messages a second, of all publishers
	TimeoutMS  float64 `json:"timeout_ms"` // of one attempt
	Asked      uint64  `json:"asked"`      // messages that were begun
	Acked      uint64  `json:"acked"`
	Again      uint64  `json:"again"`     // of the acknowledged, those that the server had already
	Refused    uint64  `json:"refused"`   // attempts that came back with an error
	TimedOut   uint64  `json:"timed_out"` // attempts that came back with nothing
	Stalls     uint64  `json:"stalls"`
	StallMSMax float64 `json:"stall_ms_max"`

	Consumed    uint64 `json:"consumed"` // by the durable consumer
	Redelivered uint64 `json:"redelivered"`

	Written      uint64  `json:"written"` // values, acknowledged
	KVFailed     uint64  `json:"kv_failed"`
	KVStalls     uint64  `json:"kv_stalls"`
	KVStallMSMax float64 `json:"kv_stall_ms_max"`
	Backwards    uint64  `json:"backwards"` // values older than the one before, as the reader saw them

	Looked  bool   `json:"looked"`  // after the end every acknowledged message was looked up
	Found   uint64 `json:"found"`   // acknowledged, and there once
	Missing uint64 `json:"missing"` // acknowledged, and not there
	Twice   uint64 `json:"twice"`
	Unsure  uint64 `json:"unsure"`  // begun and never acknowledged: nobody knows
	KVLost  bool   `json:"kv_lost"` // the bucket's last value is not the last that was acknowledged
}

// requests is nil if none were sent.
func requests(r cluster.Requests) *Requests {
	if r.Sent == 0 {
		return nil
	}
	return &Requests{
		r.Rate, ms(r.Timeout), r.Sent, r.Answered, r.TimedOut, r.Unserved, r.Failed, ms(r.P50), ms(r.P99), ms(r.Max),
	}
}

// jetStream is nil if nothing was done with it.
func jetStream(s cluster.Stored) *JetStream {
	if s.Asked+s.Consumed+s.Written+s.KVFailed == 0 {
		return nil
	}
	return &JetStream{
		s.Rate, ms(s.Timeout), s.Asked, s.Acked, s.Again, s.Refused, s.TimedOut, s.Stalls, ms(s.StallMax),
		s.Consumed, s.Redelivered, s.Written, s.KVFailed, s.KVStalls, ms(s.KVStallMax), s.Backwards,
		s.Looked, s.Found, s.Missing, s.Twice, s.Unsure, s.KVLost,
	}
}

// work tells what came of requests and of JetStream, a sentence for each.
func (r Report) work() []string {
	var out []string
	if r.Requests != nil {
		out = append(out, r.Requests.words())
	}
	if j := r.JetStream; j != nil {
		out = append(out, j.words()...)
	}
	return out
}

func (q Requests) words() string {
	s := part(q.Answered, q.Sent) + " requests were answered"
	if q.Answered > 0 {
		s += fmt.Sprintf(", half of them within %s, all within %s", took(q.P50MS), took(q.MaxMS))
	}
	for _, bad := range []struct {
		n    uint64
		what string
	}{{q.TimedOut, "timed out after " + took(q.TimeoutMS)}, {q.Unserved, "found no responder"}, {q.Failed, "failed"}} {
		if bad.n > 0 {
			s += fmt.Sprintf("; %s %s", number(bad.n), bad.what)
		}
	}
	return s + "."
}

func (j JetStream) words() []string {
	var out []string
	if j.Asked > 0 {
		s := part(j.Acked, j.Asked) + " messages to the stream were acknowledged; "
		if j.Stalls > 0 {
			s += fmt.Sprintf("%s stalled, %s at most.", number(j.Stalls), took(j.StallMSMax))
		} else {
			s += "none stalled."
		}
		out = append(out, s, j.kept())
	}
	if j.Redelivered > 0 {
		out = append(out, fmt.Sprintf("The durable consumer handed out %s of %s again.", number(j.Redelivered), number(j.Consumed)))
	}
	if j.KVStalls > 0 {
		out = append(out, fmt.Sprintf("%s of the bucket stalled, %s at most, and %s to write one failed.", count(int(j.KVStalls), "value"), took(j.KVStallMSMax), count(int(j.KVFailed), "attempt")))
	}
	if j.KVLost {
		out = append(out, "The bucket's last value that was acknowledged is LOST.")
	}
	return out
}

// part is so many of them, or all.
func part(n, of uint64) string {
	if n == of {
		return "All " + number(of)
	}
	return number(n) + " of " + number(of)
}

// kept says whether what was acknowledged is there.
func (j JetStream) kept() string {
	switch {
	case !j.Looked:
		return "What was acknowledged was not looked up."
	case j.Missing > 0:
		return fmt.Sprintf("%s acknowledged messages are MISSING.", number(j.Missing))
	case j.Twice > 0:
		return fmt.Sprintf("%s messages are in the stream more than once.", number(j.Twice))
	case j.Unsure > 0:
		return fmt.Sprintf("Every acknowledged message is in the stream, once; of %s nobody knows.", number(j.Unsure))
	}
	return "Every acknowledged message is in the stream, once."
}

// Waits is what was waited for in a step, by what caused it.
type Waits struct {
	Unanswered int     `json:"unanswered,omitempty"` // requests
	Stalls     int     `json:"stalls,omitempty"`     // messages or values that JetStream took long to acknowledge
	StallMSMax float64 `json:"stall_ms_max,omitempty"`
}

// waited tells it; empty if there is nothing.
func (w Waits) waited() string {
	var s string
	if w.Unanswered > 0 {
		s = count(w.Unanswered, "request") + " unanswered"
	}
	if w.Stalls > 0 {
		if s != "" {
			s += ", "
		}
		s += fmt.Sprintf("%s in JetStream, %s at most", count(w.Stalls, "stall"), took(w.StallMSMax))
	}
	return s
}

// stall is the longest that JetStream took to acknowledge something.
func stall(s cluster.Stored) time.Duration { return max(s.StallMax, s.KVStallMax) }
