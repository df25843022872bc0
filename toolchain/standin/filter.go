package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"time"
)

// A gate is what a proxy of the Docker API is told: where it listens, where the API is, and what it lets through.
type gate struct {
	listen string
	socket string
	// refuses tells the status with which a request is refused, 0 for one that is let through.
	refuses func(*http.Request) int
}

// filter stands in for a proxy of the Docker API: it reads the settings of the real program and does what they say.
func filter(kind string) error {
	gates := map[string]func() (gate, error){"cetusguard": cetusguard, "socket-proxy": socketProxy}
	read, known := gates[kind]
	if !known {
		return fmt.Errorf("unknown filter %q; use cetusguard or socket-proxy", kind)
	}
	settings, err := read()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", settings.listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: settings, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "standin:", err)
			os.Exit(1)
		}
	}()
	return nil
}

func (g gate) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	if status := g.refuses(request); status != 0 {
		log.Printf("refused: %s %q", request.Method, request.URL.Path)
		http.Error(answer, name()+"\n"+http.StatusText(status), status)
		return
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "docker" },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", g.socket)
			},
			DisableKeepAlives: true,
		},
		// Events and logs have to arrive while they go on.
		FlushInterval: -1,
	}
	proxy.ServeHTTP(answer, request)
}
