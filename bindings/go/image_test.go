package chief_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chief"
)

// service is where the image service is, in the tree that this package is part of.
func service() string { return filepath.Join("..", "..", "examples", "image-service") }

func imageWorker(args map[string]any, options chief.WorkerOptions) chief.LuaOptions {
	options.Args = args
	const installed = ";/usr/local/share/lua/5.4/?.lua;/usr/share/lua/5.4/?.lua;/usr/share/lua/5.4/?/init.lua"
	return chief.LuaOptions{WorkerOptions: options, Path: service() + "/?.lua" + installed}
}

// accept leaves a picture and its record in the data folder, as the service's HTTP side does.
func accept(t *testing.T, folder, id string) {
	t.Helper()
	var picture bytes.Buffer
	must(t, png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 640, 480))))
	for _, name := range []string{"records", "incoming", "thumbs"} {
		must(t, os.MkdirAll(filepath.Join(folder, name), 0o755))
	}
	must(t, os.WriteFile(filepath.Join(folder, "incoming", id), picture.Bytes(), 0o644))
	record := fmt.Sprintf(`{"id":%q,"state":"accepted","type":"png","bytes":%d,"width":640,"height":480,"run":"go"}`,
		id, picture.Len())
	must(t, os.WriteFile(filepath.Join(folder, "records", id+".json"), []byte(record), 0o644))
}

type job struct {
	ID string `chief:"id"`
}

func TestTheImageServicesWorkers(t *testing.T) {
	if _, err := os.Stat(service() + "/native/image_native.so"); err != nil {
		t.Skip("the C modules of the image service are not built")
	}
	folder, id := t.TempDir(), "00000000000000000000"
	accept(t, folder, id)
	c := quiet(t, chief.Options{})
	must(t, c.AddChannel("uploads"))
	must(t, c.AddChannel("thumbs"))
	must(t, c.AddLua("resizer", "workers.resizer", imageWorker(map[string]any{"data_dir": folder, "side": 320,
		"max_pixels": 1000000, "run": "go", "resizers": 1}, chief.WorkerOptions{})))
	must(t, c.AddLua("broken", "workers.uploader", imageWorker(map[string]any{"data_dir": "/dev/null", "drain": 1},
		chief.WorkerOptions{Restart: chief.Restart{Policy: chief.RestartNever}})))
	launch(t, c)

	uploads, err := c.Channel("uploads")
	must(t, err)
	thumbs, err := c.Channel("thumbs")
	must(t, err)
	must(t, uploads.Send(within(t), job{id}))
	m, err := thumbs.Recv(within(t))
	must(t, err)
	var done job
	must(t, m.Decode(&done))
	equal(t, done.ID, id)
	equal(t, m.Sender, "resizer")
	_, err = os.Stat(filepath.Join(folder, "thumbs", id))
	must(t, err)

	must(t, c.AddLua("uploader", "workers.uploader",
		imageWorker(map[string]any{"data_dir": folder, "drain": 1}, chief.WorkerOptions{})))
	must(t, thumbs.Send(within(t), done))
	must(t, thumbs.Close())
	must(t, c.WaitState(within(t), "uploader", chief.WorkerStopped))
	record, err := os.ReadFile(filepath.Join(folder, "records", id+".json"))
	must(t, err)
	if !strings.Contains(string(record), `"stored"`) {
		t.Errorf("the record should say stored, got %s", record)
	}

	must(t, c.WaitState(within(t), "broken", chief.WorkerFailed))
	s, err := c.States()
	must(t, err)
	w, _ := s.Find("broken")
	if !strings.Contains(w.Error, "data folder") {
		t.Errorf("the error should be about the data folder, got %q", w.Error)
	}
	must(t, c.StopWorker("resizer"))
	must(t, c.WaitState(within(t), "resizer", chief.WorkerStopped))
	is(t, stop(t, c), chief.ErrFailed)
}

func TestALuaWorkerInAProcess(t *testing.T) {
	c := quiet(t, chief.Options{})
	options := lua(chief.WorkerOptions{})
	options.Isolation = chief.Process
	options.MemoryLimit = 64 << 20
	must(t, c.AddLua("child", "answers", options))
	launch(t, c)
	m, err := c.Call(within(t), "child", map[string]any{"name": "Go"})
	must(t, err)
	text, err := m.Value()
	must(t, err)
	equal(t, text.(string), "Go, child")
	must(t, stop(t, c))
}

func TestALoopInLuaIsInterrupted(t *testing.T) {
	c := quiet(t, chief.Options{})
	must(t, c.AddChannel("begun"))
	must(t, c.AddLua("spins", "spins", lua(chief.WorkerOptions{Grace: chief.Zero})))
	launch(t, c)
	begun, err := c.Channel("begun")
	must(t, err)
	_, err = begun.Recv(within(t))
	must(t, err)
	where, err := c.Traceback("spins")
	must(t, err)
	if !strings.Contains(where, "spins.lua") {
		t.Errorf("should say where it is, got %q", where)
	}
	is(t, stop(t, c), chief.ErrTimeout)
	s, err := c.States()
	must(t, err)
	w, _ := s.Find("spins")
	equal(t, fmt.Sprint(w.State, " ", w.Phase), "stopped idle")
}
