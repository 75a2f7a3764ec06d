package chief_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"chief"
)

// words shows values with a blank between them.
func words(values ...any) string { return strings.TrimSuffix(fmt.Sprintln(values...), "\n") }

// echo answers calls with what was asked, and fails those that are not numbers.
func echo(w *chief.Context) error {
	it := w.Messages()
	for it.Next() {
		v, err := it.Message().Value()
		if err != nil {
			return err
		}
		if _, ok := v.(int64); ok {
			err = it.Message().Reply(v)
		} else {
			err = it.Message().Fail("not a number")
		}
		if err != nil && !errors.Is(err, chief.ErrNotFound) {
			return err
		}
	}
	return it.Err()
}

func TestCallsAreAnswered(t *testing.T) {
	c := quiet(t, chief.Options{})
	must(t, c.AddWorker("echo", chief.Func(echo)))
	must(t, c.AddLua("lua", "answers", lua(chief.WorkerOptions{})))
	must(t, c.AddWorker("silent", chief.Func(func(w *chief.Context) error { <-w.Done(); return nil })))
	asked := make(chan error, 1)
	must(t, c.AddWorker("asker", chief.Func(func(w *chief.Context) error {
		m, err := w.Call(w, "lua", map[string]any{"name": w.Name()})
		if err == nil {
			var text string
			if err = m.Decode(&text); err == nil && text != "asker, "+m.Sender {
				err = fmt.Errorf("got %q", text)
			}
		}
		asked <- err
		return err
	}), chief.WorkerOptions{After: []string{"echo", "lua"}}))
	launch(t, c)
	m, err := c.Call(within(t), "echo", 7)
	must(t, err)
	v, err := m.Value()
	must(t, err)
	equal(t, v.(int64), 7)
	_, err = c.Call(within(t), "echo", "seven")
	is(t, err, chief.ErrCallFailed)
	equal(t, err.Error(), "not a number")
	must(t, <-asked)
	must(t, c.AddWorker("impatient", chief.Func(func(w *chief.Context) error {
		ctx, cancel := context.WithCancel(w)
		go cancel()
		_, err := w.Call(ctx, "silent", 1)
		if errors.Is(err, context.Canceled) {
			var m *chief.Message
			if m, err = w.Call(within(t), "echo", 5); err == nil && string(m.Bytes()) != "\x05" {
				err = fmt.Errorf("got %q", m.Bytes())
			}
		}
		asked <- err
		return err
	})))
	must(t, <-asked)
	_, err = c.Call(within(t), "nobody", 1)
	is(t, err, chief.ErrNotFound)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = c.Call(ctx, "echo", 7)
	is(t, err, context.Canceled)
	must(t, stop(t, c))
}

func TestValuesComeBackAsTheyWere(t *testing.T) {
	type inner struct {
		Tags  []string `chief:"tags"`
		Extra map[string]int
	}
	type record struct {
		ID     int64 `chief:"id"`
		Share  float64
		Name   *string
		Data   []byte
		Inner  inner
		hidden int
		Left   string `chief:"-"`
	}
	name := "résumé"
	in := record{7, 0.5, &name, []byte{0, 255}, inner{[]string{"a", "b"}, map[string]int{"x": 1}}, 1, "out"}
	data, err := chief.Pack(in)
	must(t, err)
	var out record
	must(t, chief.Decode(data, &out))
	equal(t, fmt.Sprintf("%v %v %v", out.ID, out.Share, *out.Name), "7 0.5 résumé")
	equal(t, fmt.Sprint(out.Data, out.Inner, out.Left), fmt.Sprint(in.Data, in.Inner, ""))
	equal(t, out.hidden, 0)
	for _, v := range []any{true, int64(-1), 1.0, "", "x", []byte{}, []any{}, []any{nil, int64(1)}, map[string]any{},
		map[any]any{int64(1): "one", "two": []any{true}}} {
		data, err := chief.Pack(v)
		must(t, err)
		back, err := chief.Unpack(data)
		must(t, err)
		equal(t, fmt.Sprintf("%T %v", back, back), fmt.Sprintf("%T %v", v, v))
	}
	var number int8
	must(t, chief.Decode([]byte{7}, &number))
	equal(t, number, 7)
	is(t, chief.Decode([]byte{0xcd, 1, 0}, &number), chief.ErrBadData)
	var list struct{ Tags []int }
	data, err = chief.Pack(map[string]any{"Tags": []any{1, "x"}})
	must(t, err)
	equal(t, chief.Decode(data, &list).Error(), "the message should fit a int, got string (at .Tags[2])")
	_, err = chief.Unpack([]byte{0xc1})
	is(t, err, chief.ErrBadData)
}

func TestWhatCannotBeSentIsNamed(t *testing.T) {
	type node struct{ Next any }
	circle := &node{}
	circle.Next = circle
	for text, v := range map[string]any{
		"can't send a chan (at .a[1])":                     map[string]any{"a": []any{make(chan int)}},
		"can't send a float64 key":                         map[float64]int{1: 1},
		"can't send an integer beyond 64 bits with a sign": uint64(1 << 63),
		"can't send nil":                                   nil,
		"can't send a value that refers to itself":         circle,
	} {
		_, err := chief.Pack(v)
		is(t, err, chief.ErrInvalid)
		if !strings.HasPrefix(err.Error(), text) {
			t.Errorf("should begin with %q, got %q", text, err)
		}
	}
}

func TestContextsGoInAndOut(t *testing.T) {
	type private struct{ n int }
	c := quiet(t, chief.Options{})
	seen, ended := make(chan string, 1), make(chan string, 1)
	must(t, c.AddValueToContext("color", "green"))
	must(t, c.AddValueToContext("mine", private{3}))
	must(t, c.AddWorker("looker", chief.Func(func(w *chief.Context) error {
		seen <- words(w.Value("color"), w.Value(chief.CtxKey("mine")), w.Value(key{}), w.Value("nothing"))
		inner, cancel := context.WithCancel(context.WithValue(w, key{}, 1))
		defer cancel()
		<-inner.Done()
		ended <- fmt.Sprint(inner.Err(), w.Reason() != "", chief.From(inner) == w)
		return nil
	})))
	must(t, c.AddLua("lua", "context", lua(chief.WorkerOptions{})))
	must(t, c.InitWorkers(nil))
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, "outer"))
	must(t, c.Launch(ctx))
	equal(t, <-seen, "green {3} outer <nil>")
	m, err := c.Call(within(t), "lua", "color")
	must(t, err)
	text, err := m.Value()
	must(t, err)
	equal(t, text.(string), "green")
	cancel()
	must(t, c.Join(within(t)))
	equal(t, <-ended, "context canceled true true")
	select {
	case <-c.Done():
	default:
		t.Fatal("Done should be closed")
	}
}

func TestADeadlineEndsAWait(t *testing.T) {
	ch, err := chief.NewChannel("small", chief.ChannelOptions{Capacity: 1})
	must(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err = ch.Recv(ctx)
	is(t, err, context.DeadlineExceeded)
	must(t, ch.Send(within(t), 1))
	is(t, ch.Send(ctx, 2), chief.ErrTimeout)
	equal(t, ch.Len(), 1)
	later, cancel := context.WithCancel(context.Background())
	go cancel()
	is(t, ch.Send(later, 3), chief.ErrCancelled)
	m, err := ch.Recv(later)
	must(t, err)
	equal(t, string(m.Bytes()), "\x01")
	_, err = ch.Recv(later)
	is(t, err, context.Canceled)
	must(t, ch.Close())
	_, err = ch.Recv(within(t))
	is(t, err, chief.ErrClosed)
	is(t, ch.Send(within(t), 4), chief.ErrClosed)
	equal(t, ch.Stats(), chief.ChannelStats{Capacity: 1, Sent: 1, Received: 1, Acknowledged: 1})
}

func TestSelectAndBatches(t *testing.T) {
	a, err := chief.NewChannel("a")
	must(t, err)
	b, err := chief.NewChannel("b", chief.ChannelOptions{Capacity: 3, Overflow: chief.FailFull})
	must(t, err)
	n, err := b.SendMany(within(t), []any{1, "", nil2(), []int{4}})
	is(t, err, chief.ErrFull)
	equal(t, n, 3)
	m, i, err := chief.Select(within(t), a, b)
	must(t, err)
	equal(t, words(i, m.Channel, m.Kind, m.Sender, m.Deliveries), "1 b message  1")
	list, err := b.RecvMany(within(t), 10)
	must(t, err)
	equal(t, len(list), 2)
	equal(t, list[0].Channel, "b")
	_, err = b.SendMany(within(t), []any{1, func() {}})
	is(t, err, chief.ErrInvalid)
	n, err = b.SendManyBytes(within(t), [][]byte{nil, {}, []byte("x")})
	must(t, err)
	equal(t, n, 3)
	list, err = b.RecvMany(within(t), 10)
	must(t, err)
	equal(t, fmt.Sprintf("%q %q %q", list[0].Bytes(), list[1].Bytes(), list[2].Bytes()), `"" "" "x"`)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, _, err = chief.Select(ctx, a, b)
	is(t, err, context.Canceled)
	_, _, err = chief.Select(ctx)
	is(t, err, chief.ErrInvalid)
}

// nil2 is nil inside of a list, which may be sent.
func nil2() any { return []any{nil} }

func TestAMailboxInBatches(t *testing.T) {
	c := quiet(t, chief.Options{})
	must(t, c.AddWorker("batches", chief.Func(func(w *chief.Context) error {
		texts := ""
		for {
			list, err := w.RecvMany(w, 10)
			if err != nil {
				return err
			}
			for _, m := range list {
				v, err := m.Value()
				if err != nil {
					return err
				}
				texts += v.(string)
				if m.Kind == "call" {
					return m.Reply(texts)
				}
			}
		}
	})))
	must(t, c.InitWorkers(nil))
	must(t, c.Send(within(t), "batches", "a"))
	must(t, c.Send(within(t), "batches", "b"))
	must(t, c.Launch(context.Background()))
	m, err := c.Call(within(t), "batches", "c")
	must(t, err)
	v, err := m.Value()
	must(t, err)
	equal(t, v.(string), "abc")
	must(t, stop(t, c))
}

func TestAtLeastOnceComesBack(t *testing.T) {
	c := quiet(t, chief.Options{})
	must(t, c.AddChannel("jobs", chief.ChannelOptions{Delivery: chief.AtLeastOnce}))
	deliveries := make(chan int, 3)
	must(t, c.AddWorker("fails", chief.Func(func(w *chief.Context) error {
		in, err := w.Channel("jobs")
		if err != nil {
			return err
		}
		m, err := in.Recv(w)
		if err != nil {
			return err
		}
		deliveries <- m.Deliveries
		if m.Deliveries < 3 {
			return errors.New("not yet")
		}
		return in.Ack()
	}), chief.WorkerOptions{Restart: chief.Restart{Policy: chief.RestartOnFailure, Delay: chief.Zero}}))
	launch(t, c)
	jobs, err := c.Channel("jobs")
	must(t, err)
	must(t, jobs.Send(within(t), "job"))
	for i := 1; i <= 3; i++ {
		equal(t, <-deliveries, i)
	}
	must(t, c.WaitState(within(t), "fails", chief.WorkerStopped))
	must(t, stop(t, c))
	equal(t, jobs.Stats().Redelivered, 2)
}

func TestEventsTellWhatHappens(t *testing.T) {
	c := quiet(t, chief.Options{Name: "telling", Info: chief.Info{Version: "1.2.3"}})
	must(t, c.AddWorker("short", chief.Func(func(*chief.Context) error { return errors.New("enough") }), chief.WorkerOptions{
		OnExit: func(e chief.Exit) chief.Answer {
			if e.Failures < 3 {
				return chief.Answer{Kind: chief.AnswerDelay, Delay: time.Millisecond}
			}
			return chief.Answer{Kind: chief.AnswerGiveUp}
		},
	}))
	events, err := c.Events(within(t))
	must(t, err)
	launch(t, c)
	counts := map[chief.EventKind]int{}
	for e := range events {
		counts[e.Kind]++
		if e.Kind == chief.EventGivenUp {
			equal(t, e.Worker, "short")
			equal(t, e.Generation, 3)
			must(t, c.Stop())
		}
	}
	is(t, c.Join(within(t)), chief.ErrFailed)
	equal(t, counts[chief.EventRestart], 2)
	equal(t, counts[chief.EventStopped], 1)
	equal(t, c.EventsDropped(), 0)
	s, err := c.States()
	must(t, err)
	w, found := s.Find("short")
	equal(t, fmt.Sprint(found, w.State, w.Phase, w.Reason, w.Restarts), "true failed given_up error 2")
	var parsed struct {
		App struct{ Name, Version string }
	}
	must(t, json.Unmarshal([]byte(s.JSON), &parsed))
	equal(t, parsed.App.Name+" "+parsed.App.Version, "telling 1.2.3")
	info, err := c.Info()
	must(t, err)
	equal(t, info.Name, "telling")
}

func TestEventsEndWithTheirContext(t *testing.T) {
	c := quiet(t, chief.Options{})
	must(t, c.AddWorker("idle", chief.Func(func(w *chief.Context) error { <-w.Done(); return nil })))
	launch(t, c)
	ctx, cancel := context.WithCancel(context.Background())
	events, err := c.Events(ctx)
	must(t, err)
	<-events
	cancel()
	for range events {
	}
	must(t, stop(t, c))
}

func TestThePoolAlone(t *testing.T) {
	var p chief.WorkerPool
	log, err := chief.NewLog(chief.LogOptions{Level: chief.LevelOff})
	must(t, err)
	must(t, p.SetLog(log))
	ran := make(chan string, 2)
	worker := &sleeper{ran: ran}
	must(t, p.SetWorker("sleeper", worker))
	is(t, p.SetWorker("sleeper", worker), chief.ErrExists)
	equal(t, p.GetState("nobody"), chief.WorkerDisabled)
	is(t, p.RunWorkerExec("sleeper"), chief.ErrWorkerNotInitialized)
	is(t, p.StartWorker("sleeper"), chief.ErrWrongStateChange)
	must(t, p.EnableWorker("sleeper"))
	ctx, cancel := context.WithCancel(context.Background())
	must(t, p.InitWorker("sleeper", ctx))
	equal(t, p.IsEnabled("sleeper"), true)
	exec := make(chan error)
	go func() { exec <- p.RunWorkerExec("sleeper") }()
	equal(t, <-ran, "begin")
	equal(t, p.IsAlive("sleeper"), true)
	cancel()
	must(t, <-exec)
	equal(t, p.GetWorkersStates()["sleeper"], chief.WorkerStopped)
	got, err := p.GetWorker("sleeper")
	must(t, err)
	equal(t, got.(*sleeper), worker)
}

func TestStatesInJSONAndDatabases(t *testing.T) {
	data, err := json.Marshal(map[string]chief.WorkerState{"a": chief.WorkerRun})
	must(t, err)
	equal(t, string(data), `{"a":"run"}`)
	var back map[string]chief.WorkerState
	must(t, json.Unmarshal(data, &back))
	equal(t, back["a"], chief.WorkerRun)
	is(t, json.Unmarshal([]byte(`{"a":"walk"}`), &back), chief.ErrWorkerStateInvalid)
	var s chief.WorkerState
	for _, src := range []any{"failed", []byte("failed"), int64(8)} {
		s = 0
		must(t, s.Scan(src))
		equal(t, s, chief.WorkerFailed)
	}
	is(t, s.Scan(0.5), chief.ErrInvalidState)
	value, err := s.Value()
	must(t, err)
	equal(t, value.(string), "failed")
	equal(t, chief.WorkerState(77).String(), "WorkerState(77)")
	is(t, chief.WorkerState(0).Validate(), chief.ErrInvalidState)
	equal(t, chief.WorkerRun.Transition(chief.WorkerEnabled), chief.WorkerWrongStateChange)
}

func TestTheRuleKeepsTheNames(t *testing.T) {
	rule := chief.NewWorkerExistRule("b", "a")
	equal(t, fmt.Sprint(rule.Names()), "[a b]")
	must(t, rule.Validate([]string{"a"}))
	rule = rule.Error("no such thing")
	err := rule.Validate([]string{"a", "foo"})
	is(t, err, chief.ErrNotFound)
	equal(t, err.Error(), "no such thing foo; there are: a, b")
	is(t, rule.Validate(7), chief.ErrInvalid)
}

func TestLogsGoWhereTheyAreSent(t *testing.T) {
	lines := make(chan string, 16)
	log, err := chief.NewLog(chief.LogOptions{Level: chief.LevelDebug, Sink: func(r chief.Record) {
		lines <- fmt.Sprint(r.Level, " ", r.Message, " ", r.Fields)
	}})
	must(t, err)
	log, err = log.With("who", "me")
	must(t, err)
	log.Write(chief.LevelWarn, "careful", "n", 1)
	equal(t, <-lines, "warn careful [{who me} {n 1}]")
	must(t, log.SetLevel(chief.LevelError))
	log.Info("unheard")
	log.Error("heard", 2)
	equal(t, <-lines, "error heard2 [{who me}]")
}

func TestSchedulesAndReplicas(t *testing.T) {
	c := quiet(t, chief.Options{})
	runs := make(chan string, 64)
	must(t, c.AddWorker("job", chief.Func(func(w *chief.Context) error {
		select {
		case runs <- w.Name():
		default:
		}
		return nil
	}), chief.WorkerOptions{Every: time.Millisecond, Count: 2}))
	launch(t, c)
	seen := map[string]int{}
	for seen["job/1"] < 3 || seen["job/2"] < 3 {
		seen[<-runs]++
	}
	must(t, stop(t, c))
	cron, err := chief.ParseCron("30 2 * * *")
	must(t, err)
	zone, err := chief.NewZone("CET-1CEST,M3.5.0,M10.5.0/3")
	must(t, err)
	next, err := cron.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), zone)
	must(t, err)
	equal(t, zone.Text(next), "2026-01-01T02:30:00+01:00")
	_, err = chief.ParseCron("61 * * * *")
	is(t, err, chief.ErrInvalid)
}

func TestAPolicyIsSimulated(t *testing.T) {
	s, err := chief.NewSim()
	must(t, err)
	must(t, s.AddWorker("a", chief.WorkerOptions{Restart: chief.Restart{Policy: chief.RestartOnFailure,
		Delay: time.Second, Jitter: -1, MaxRestarts: 1, Window: time.Minute}}))
	must(t, s.Start())
	must(t, s.Fail("a", chief.ReasonError, 0, "first"))
	due, ok := s.Deadline()
	equal(t, fmt.Sprint(due, ok), "1s true")
	must(t, s.Advance(time.Second))
	must(t, s.Fail("a", chief.ReasonError, 0, "second"))
	states, err := s.States()
	must(t, err)
	w, _ := states.Find("a")
	equal(t, w.Phase, chief.PhaseGivenUp)
	must(t, s.Stop())
	equal(t, fmt.Sprint(s.HasStopped(), s.ExitCode(), len(s.Events()) > 0), "true 1 true")
}

func TestAChiefInsideAChief(t *testing.T) {
	c := quiet(t, chief.Options{})
	ran := make(chan string, 2)
	must(t, c.AddChief("inner", func() (*chief.Chief, error) {
		inner, err := chief.New(chief.Options{Name: "inner"})
		if err != nil {
			return nil, err
		}
		return inner, inner.AddWorker("sleeper", &sleeper{ran: ran})
	}))
	must(t, c.AddChief("fails", func() (*chief.Chief, error) { return nil, errors.New("no chief today") }))
	launch(t, c)
	equal(t, <-ran, "begin")
	s, err := c.NestedStates("inner")
	must(t, err)
	w, _ := s.Find("sleeper")
	equal(t, w.State, chief.WorkerRun)
	must(t, c.WaitState(within(t), "fails", chief.WorkerFailed))
	states, err := c.States()
	must(t, err)
	w, _ = states.Find("fails")
	equal(t, w.Error, "no chief today")
	is(t, stop(t, c), chief.ErrFailed)
	equal(t, <-ran, "end")
}
