package fleet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Samples are small streams of other kinds than those that are worked on. They get
// their messages at the start, and are only looked at afterwards: what becomes of a
// stream that a single server has, or that is kept in memory.
var samples = []jetstream.StreamConfig{
	{Name: "ONE", Replicas: 1, Storage: jetstream.FileStorage},
	{Name: "ONE_IN_MEMORY", Replicas: 1, Storage: jetstream.MemoryStorage},
	{Name: "THREE_IN_MEMORY", Replicas: replicas, Storage: jetstream.MemoryStorage},
}

const sampling = "sample." // and the stream's name

func (s *stored) isSample(name string) bool {
	return slices.ContainsFunc(samples, func(c jetstream.StreamConfig) bool { return c.Name == name })
}

// names are the streams there are.
func (s *stored) names() []string {
	out := []string{streamName, bucketStream}
	if s.fleet.o.Workload.Samples > 0 {
		for _, c := range samples {
			out = append(out, c.Name)
		}
	}
	return out
}

// sample makes the samples and fills them, as far as they are not full.
func (s *stored) sample(ctx context.Context, js jetstream.JetStream) error {
	n := s.fleet.o.Workload.Samples
	if n == 0 {
		return nil
	}
	for _, c := range samples {
		c.Subjects = []string{sampling + c.Name}
		c.Replicas = min(c.Replicas, len(s.fleet.o.Topology.Permanent()))
		var has uint64
		err := persist(ctx, time.Second, func(ctx context.Context) error {
			stream, err := js.CreateStream(ctx, c)
			if err == nil {
				has = stream.CachedInfo().State.Msgs
			}
			return err
		})
		for i := int(has); i < n && err == nil; i++ {
			id := fmt.Sprintf("%s-%d", c.Name, i) // sent once more, it is there once
			err = persist(ctx, time.Second, func(ctx context.Context) error {
				_, err := js.Publish(ctx, c.Subjects[0], []byte(id), jetstream.WithMsgID(id), jetstream.WithRetryAttempts(0))
				return err
			})
		}
		if err != nil {
			return fmt.Errorf("make the stream %s with %d messages: %w", c.Name, n, err)
		}
	}
	s.filled = time.Now()
	return nil
}
