package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// before is how far back the first question for events goes.
	before = time.Hour
	// again is how long it takes until an ended stream of events is asked for anew.
	again = time.Second
	shown = 20
)

// followed are the last events of a Docker host, the newest first, and why no more of them come.
type followed struct {
	sync.Mutex
	lines   []string
	since   time.Time
	problem string
}

// event is what the Engine API tells of one (its GET /events).
type event struct {
	Type, Action string
	TimeNano     int64
	Actor        struct{ Attributes map[string]string }
}

// follow begins to keep the events of containers, and never ends.
func follow() *followed {
	events := &followed{since: time.Now().Add(-before)}
	go func() {
		for {
			err := events.stream()
			events.Lock()
			events.problem = err.Error()
			events.Unlock()
			time.Sleep(again)
		}
	}()
	return events
}

// stream keeps what comes until the stream ends.
func (f *followed) stream() error {
	// What health checks run is no news.
	filters := `{"type":["container"],"event":["create","start","restart","stop","die","destroy","health_status"]}`
	since := fmt.Sprintf("%d.%09d", f.since.Unix(), f.since.Nanosecond())
	body, err := ask(http.Client{}, "/events", url.Values{"since": {since}, "filters": {filters}})
	if err != nil {
		return err
	}
	defer body.Close()
	f.Lock()
	f.problem = ""
	f.Unlock()
	return f.keep(body)
}

func (f *followed) keep(stream io.Reader) error {
	decoder := json.NewDecoder(stream)
	for {
		var one event
		if err := decoder.Decode(&one); err != nil {
			return fmt.Errorf("the stream of events ended: %w", err)
		}
		at := time.Unix(0, one.TimeNano)
		line := fmt.Sprintf("  %s UTC  %s %s %s\n", at.UTC().Format("15:04:05"), one.Type, one.Action, one.Actor.Attributes["name"])
		f.Lock()
		f.since = at.Add(1)
		f.lines = append([]string{line}, f.lines[:min(len(f.lines), shown-1)]...)
		f.Unlock()
	}
}

func (f *followed) text() string {
	f.Lock()
	defer f.Unlock()
	text := strings.Join(f.lines, "")
	if f.problem != "" {
		text += "  no more of them: " + f.problem + "\n"
	}
	return text
}
