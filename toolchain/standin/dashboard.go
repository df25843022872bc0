package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

const patience = 2 * time.Second

// dashboard stands in for a program that shows the containers and events of a Docker host: it asks the API that
// DOCKER_HOST names for the containers at each request, follows its events, and shows what it is told, or why it is not.
func dashboard(name string, ports []port) error {
	events := follow()
	show := func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Content-Type", "text/plain; charset=utf-8")
		containers, err := listed()
		if err != nil {
			answer.WriteHeader(http.StatusBadGateway)
			fmt.Fprintf(answer, "%s\n\nthe Docker API gave no answer: %v\n", name, err)
			return
		}
		fmt.Fprintf(answer, "%s\n(a stand-in: the image could not be had; what follows is the Docker API's own answer)\n", name)
		fmt.Fprintf(answer, "\n%s\nThe last events\n%s", containers, events.text())
	}
	for _, p := range ports {
		server := &http.Server{
			Addr:              fmt.Sprintf(":%d", p.number),
			ReadHeaderTimeout: 10 * time.Second,
			Handler:           http.HandlerFunc(show),
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

// listed is a table of all containers, those that do not run among them.
func listed() (string, error) {
	body, err := ask(http.Client{Timeout: patience}, "/containers/json", url.Values{"all": {"1"}})
	if err != nil {
		return "", err
	}
	defer body.Close()
	var containers []struct {
		Names         []string
		State, Status string
		Labels        map[string]string
	}
	if err := json.NewDecoder(body).Decode(&containers); err != nil {
		return "", err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%d containers\n", len(containers))
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, one := range containers {
		names := strings.TrimPrefix(strings.Join(one.Names, " "), "/")
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", names, one.State, one.Status, one.Labels["homelab.endpoint"])
	}
	table.Flush()
	return text.String(), nil
}

// ask sends a GET to the Docker API and answers the body, which the caller closes.
func ask(client http.Client, path string, query url.Values) (io.ReadCloser, error) {
	host, tcp := strings.CutPrefix(os.Getenv("DOCKER_HOST"), "tcp://")
	if !tcp {
		return nil, fmt.Errorf("DOCKER_HOST is %q; write tcp://HOST:PORT", os.Getenv("DOCKER_HOST"))
	}
	answer, err := client.Get("http://" + host + path + "?" + query.Encode())
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return nil, fmt.Errorf("GET %s: %s", path, answer.Status)
	}
	return answer.Body, nil
}
