package chief_test

import (
	"context"
	"errors"
	"syscall"
	"testing"

	routines "chief"
)

// What follows is written for the package routines: only the import is another.

type counter struct {
	ctx     context.Context
	logger  routines.Logger
	retries *int
	began   chan struct{}
}

func (c *counter) Init(ctx context.Context) routines.Worker {
	logger, _ := ctx.Value(routines.CtxKeyLog).(routines.Logger)
	return &counter{ctx, logger, c.retries, c.began}
}

func (c *counter) RestartOnFail() bool { return true }

func (c *counter) Run() {
	c.logger.Info("counting")
	if *c.retries++; *c.retries < 3 {
		panic("planned panic when executing worker")
	}
	close(c.began)
	<-c.ctx.Done()
}

var workers routines.Chief

func TestCodeForThePackageRoutinesRunsUnchanged(t *testing.T) {
	retries, began := 0, make(chan struct{})
	workers = routines.Chief{EnableByDefault: true}
	defer workers.Close()
	routines.ForceStopTimeout = 30e9
	workers.AddWorker("counter", &counter{retries: &retries, began: began})
	workers.AddWorker("other", &counter{})
	workers.AddValueToContext(key{}, "mine")
	rule := routines.WorkerExistRule{AvailableWorkers: map[string]struct{}{"counter": {}}}
	if err := rule.Validate([]string{"counter"}); err != nil {
		t.Fatal(err)
	}
	go func() {
		<-began
		if workers.GetContext().Value(key{}) != "mine" {
			t.Error("the value should be there")
		}
		if !workers.IsEnabled("counter") || workers.IsEnabled("other") {
			t.Error("counter should be enabled, and other not")
		}
		syscall.Kill(syscall.Getpid(), syscall.SIGTERM)
	}()
	if err := workers.RunAll("routines", "counter"); err != nil {
		t.Fatal(err)
	}
	if state := workers.GetWorkersStates()["counter"]; state != routines.WorkerStopped {
		t.Errorf("should be stopped, is %v", state)
	}
	var pool routines.WorkerPool
	if err := pool.RunWorkerExec("nobody"); !errors.Is(err, routines.ErrNotFound) {
		t.Errorf("should not be found, got %v", err)
	}
}

type key struct{}
