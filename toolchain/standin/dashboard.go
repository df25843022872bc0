package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

const (
	patience = 2 * time.Second
	// lately is how far back the events go that are shown.
	lately = time.Hour
	shown  = 20
)

// dashboard stands in for a program that shows the containers and events of a Docker host: it asks the API that
// DOCKER_HOST names at each request, and shows what it is told, or why it is not.
func dashboard(name string, ports []port) error {
	for _, p := range ports {
		server := &http.Server{
			Addr:              fmt.Sprintf(":%d", p.number),
			ReadHeaderTimeout: 10 * time.Second,
			Handler: http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
				page, err := overview(name)
				answer.Header().Set("Content-Type", "text/plain; charset=utf-8")
				if err != nil {
					answer.WriteHeader(http.StatusBadGateway)
					page = fmt.Sprintf("%s\n\nthe Docker API gave no answer: %v\n", name, err)
				}
				io.WriteString(answer, page)
			}),
		}
		go func() {
			if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
				fmt.Fprintln(os.Stderr, "standin:", err)
				os.Exit(1)
			}
		}()
	}
	return nil
}

func overview(name string) (string, error) {
	var containers []struct {
		Names         []string
		State, Status string
		Labels        map[string]string
	}
	list, err := asked("/containers/json", url.Values{"all": {"1"}})
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(list, &containers); err != nil {
		return "", err
	}
	now := time.Now()
	span := url.Values{"since": {fmt.Sprint(now.Add(-lately).Unix())}, "until": {fmt.Sprint(now.Unix())}}
	events, err := asked("/events", span)
	if err != nil {
		return "", err
	}
	var page strings.Builder
	fmt.Fprintf(&page, "%s\n(a stand-in: the image could not be had; what follows is the Docker API's own answer)\n", name)
	fmt.Fprintf(&page, "\n%d containers\n", len(containers))
	table := tabwriter.NewWriter(&page, 0, 0, 2, ' ', 0)
	for _, one := range containers {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", strings.TrimPrefix(strings.Join(one.Names, " "), "/"), one.State, one.Status, one.Labels["homelab.endpoint"])
	}
	table.Flush()
	fmt.Fprintf(&page, "\nThe last events\n")
	for _, line := range lastEvents(events) {
		fmt.Fprintf(&page, "  %s\n", line)
	}
	return page.String(), nil
}

// lastEvents reads a stream of events, the newest first.
func lastEvents(stream []byte) []string {
	var lines []string
	decoder := json.NewDecoder(strings.NewReader(string(stream)))
	for {
		var event struct {
			Type, Action string
			Time         int64
			Actor        struct{ Attributes map[string]string }
		}
		if err := decoder.Decode(&event); err != nil {
			break
		}
		at := time.Unix(event.Time, 0).UTC().Format("15:04:05")
		lines = append(lines, fmt.Sprintf("%s UTC  %s %s %s", at, event.Type, event.Action, event.Actor.Attributes["name"]))
	}
	slices.Reverse(lines)
	return lines[:min(len(lines), shown)]
}

func asked(path string, query url.Values) ([]byte, error) {
	host, tcp := strings.CutPrefix(os.Getenv("DOCKER_HOST"), "tcp://")
	if !tcp {
		return nil, fmt.Errorf("DOCKER_HOST is %q; write tcp://HOST:PORT", os.Getenv("DOCKER_HOST"))
	}
	client := http.Client{Timeout: patience}
	answer, err := client.Get("http://" + host + path + "?" + query.Encode())
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s", path, answer.Status)
	}
	return body, err
}
