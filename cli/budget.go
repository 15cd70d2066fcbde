package cli

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"nats-roll/rehearsal"
	"nats-roll/report"
)

// limit is the value of a --max-… flag.
type limit struct {
	report.Limited
	most int64
	set  bool
}

// budget adds a flag for everything that can be limited.
func (s *settings) budget(f *pflag.FlagSet) {
	for _, l := range report.Budgets {
		v := &limit{Limited: l}
		s.limits = append(s.limits, v)
		f.Var(v, l.Name, "fail with exit code 4 above this: "+l.About)
	}
}

// budgets are the limits that were given, and those that always hold.
func (r rehearse) budgets() []rehearsal.Limit {
	var out []rehearsal.Limit
	for _, l := range r.limits {
		if l.set || l.Always && l.Lacking(r.workload) == "" {
			out = append(out, rehearsal.Limit{Name: l.Name, Most: l.most})
		}
	}
	return out
}

// Set takes a number of messages, or a duration.
func (l *limit) Set(word string) (err error) {
	if l.Unit == report.UnitTime {
		var d time.Duration
		if d, err = time.ParseDuration(word); err != nil || d < 0 {
			return errors.New("it is no duration such as 500ms")
		}
		l.most = int64(d)
	} else if l.most, err = strconv.ParseInt(word, 10, 64); err != nil || l.most < 0 {
		return errors.New("it is no number of messages")
	}
	l.set = true
	return nil
}

func (l *limit) String() string {
	if l == nil || !l.set {
		return ""
	}
	if l.Unit == report.UnitTime {
		return time.Duration(l.most).String()
	}
	return fmt.Sprint(l.most)
}

// Type is what help calls the value.
func (l *limit) Type() string {
	if l.Unit == report.UnitTime {
		return "duration"
	}
	return "messages"
}
