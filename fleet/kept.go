package fleet

// What became of the work on JetStream: what was acknowledged is looked up when
// all is over, and the streams are looked at all the while.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"nats-roll/cluster"
)

// settle waits until the consumer has had what is stored, and looks every
// acknowledged message up.
func (s *stored) settle(ctx context.Context) error {
	if !s.on() {
		return nil
	}
	js, err := jetstream.New(s.watcher.nc.Load())
	if err != nil {
		return err
	}
	found := make([]ledger, len(s.asked))
	err = persist(ctx, time.Minute, func(try context.Context) error { return s.lookUp(try, js, found) })
	var last uint64
	if err == nil && s.writer != nil {
		err = persist(ctx, time.Second, func(try context.Context) error {
			kv, err := js.KeyValue(try, bucketName)
			if err != nil {
				return err
			}
			last, err = lastValue(try, kv)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("look the acknowledged messages up: %w", err)
	}
	if len(s.consumers) > 0 {
		err = s.await(ctx, found)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sums.Looked = true
	for i := range found {
		s.sums.Unsure += s.asked[i] - s.acked[i]
		missing := found[i].missingUpTo(s.acked[i])
		s.sums.Missing += missing
		s.sums.Found += s.acked[i] - missing
		s.sums.Twice += found[i].duplicated
	}
	// What was not acknowledged may have been written all the same.
	s.sums.KVLost = s.writer != nil && last < s.written
	return err
}

// lastValue is what the bucket has; 0 if it has none.
func lastValue(ctx context.Context, kv jetstream.KeyValue) (uint64, error) {
	e, err := kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(string(e.Value()), 10, 64)
}

// lookUp reads the whole stream.
func (s *stored) lookUp(ctx context.Context, js jetstream.JetStream, found []ledger) error {
	clear(found)
	ask, cancel := context.WithTimeout(ctx, answered) // an answer can be lost, the messages take their time
	defer cancel()
	stream, err := js.Stream(ask, streamName)
	if err != nil {
		return err
	}
	info := stream.CachedInfo()
	if info.State.Msgs == 0 {
		return nil
	}
	consumer, err := stream.OrderedConsumer(ask, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return err
	}
	for left := info.State.Msgs; left > 0; {
		msgs, err := consumer.Fetch(int(min(left, 1000)), jetstream.FetchMaxWait(time.Second))
		if err != nil {
			return err
		}
		before := left
		for msg := range msgs.Messages() {
			left--
			if m, ours := parse(msg.Data(), s.fleet.run); ours && m.kind == kept && m.by < len(found) {
				found[m.by].observe(m.seq)
			}
		}
		if err := errors.Join(msgs.Error(), ctx.Err()); err != nil {
			return err
		}
		if left == before {
			return fmt.Errorf("the stream has %d messages, and hands out all but %d", info.State.Msgs, left)
		}
	}
	return nil
}

// await waits until the durable consumer has handed out all that is stored.
func (s *stored) await(ctx context.Context, found []ledger) error {
	for {
		s.mu.Lock()
		behind := 0
		for i := range found {
			if s.pulled[i].last < found[i].last || s.pulled[i].lost > found[i].lost {
				behind++
			}
		}
		s.mu.Unlock()
		if behind == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the durable consumer has not handed out everything: %w", ctx.Err())
		case <-time.After(retryPause):
		}
	}
}

// remove ends the work, once the last message is acknowledged, and removes what was
// made for it.
func (s *stored) remove(ctx context.Context) error {
	if !s.on() || s.watcher.nc.Load() == nil {
		return nil
	}
	s.stop(ctx)
	s.end()
	s.drain.Wait()
	js, err := jetstream.New(s.watcher.nc.Load())
	if err != nil {
		return err
	}
	for _, name := range s.names() {
		err := persist(ctx, answered, func(try context.Context) error {
			if err := js.DeleteStream(try, name); !errors.Is(err, jetstream.ErrStreamNotFound) {
				return err
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("remove the stream %s: %w", name, err)
		}
	}
	return nil
}

// look asks for the streams soon.
func (s *stored) look() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// watch asks for the streams' leaders and replicas, now and then and when told
// to. A stream without a leader does not answer.
func (s *stored) watch(js jetstream.JetStream) {
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-s.read.Done():
			return
		case <-next.C:
		case <-s.kick:
		}
		at := time.Now()
		out := s.ask(js)
		s.mu.Lock()
		s.streams, s.at = out, at
		s.mu.Unlock()
		s.fleet.teller.lookNow()
		next.Reset(cluster.Beat(at, resting))
	}
}

// ask asks for every stream at the same time: one that has no leader would keep the
// others waiting.
func (s *stored) ask(js jetstream.JetStream) []cluster.Stream {
	names := s.names()
	out := make([]cluster.Stream, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		was := cluster.Stream{Name: name}
		if i < len(s.streams) { // only this goroutine changes it
			was = s.streams[i]
		}
		all.Go(func() { out[i] = s.stream(js, was) })
	}
	all.Wait()
	return out
}

// stream is what there is to say of a stream now.
func (s *stored) stream(js jetstream.JetStream, was cluster.Stream) cluster.Stream {
	out := cluster.Stream{Name: was.Name, Copies: was.Copies, Memory: was.Memory, Put: was.Put, Filled: was.Filled, Led: was.Led}
	ctx, cancel := context.WithTimeout(s.read, 500*time.Millisecond)
	defer cancel()
	stream, err := js.Stream(ctx, was.Name)
	if err != nil {
		return out
	}
	info := stream.CachedInfo()
	out.Messages, out.Copies, out.Memory = info.State.Msgs, info.Config.Replicas, info.Config.Storage == jetstream.MemoryStorage
	if s.isSample(was.Name) {
		out.Put, out.Filled = uint64(s.fleet.o.Workload.Samples), s.filled
	}
	if info.Cluster == nil {
		return out
	}
	out.Leader = info.Cluster.Leader
	if out.Leader != "" && out.Leader != was.Home() {
		out.Led = append(slices.Clone(was.Led[max(0, len(was.Led)-keepLeaders):]), out.Leader)
	}
	for _, r := range info.Cluster.Replicas {
		out.Replicas = append(out.Replicas, cluster.Replica{Node: cluster.PeerName(strings.TrimSpace(r.Name)), Current: r.Current, Offline: r.Offline, Lag: r.Lag})
	}
	return out
}

// keepLeaders bounds the leaders of a stream that are remembered.
const keepLeaders = 20
