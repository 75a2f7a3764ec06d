// A Go program that runs a worker in Lua and one in Go: the one in Lua counts, the one in Go shows what it gets.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"chief"
)

// show ends when the channel is closed, or a stop has come and nothing is queued.
func show(w *chief.Context) error {
	numbers, err := w.Channel("numbers")
	if err != nil {
		return err
	}
	it := numbers.Iter(w)
	for it.Next() {
		var square struct {
			Of    int `chief:"of"`
			Value int `chief:"value"`
		}
		if err := it.Message().Decode(&square); err != nil {
			return err
		}
		fmt.Printf("%s says that the square of %d is %d\n", it.Message().Sender, square.Of, square.Value)
	}
	return it.Err()
}

func run(c *chief.Chief) error {
	_, file, _, _ := runtime.Caller(0)
	workers := filepath.Join(filepath.Dir(file), "workers", "?.lua")
	if err := c.AddChannel("numbers"); err != nil {
		return err
	}
	if err := c.AddWorker("show", chief.Func(show)); err != nil {
		return err
	}
	options := chief.LuaOptions{Path: workers}
	options.Args = map[string]int{"count": 3}
	if err := c.AddLua("squares", "squares", options); err != nil {
		return err
	}
	return c.RunAll("squares")
}

func main() {
	c, err := chief.New(chief.Options{ExitWhenDone: true})
	if err == nil {
		err = run(c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(c.ExitCode())
}
