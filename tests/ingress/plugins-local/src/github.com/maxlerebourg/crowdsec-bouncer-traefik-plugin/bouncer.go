// Package crowdsec_bouncer_traefik_plugin stands in for the bouncer, whose source cannot be had here: it reads the
// keys that the lab renders, and asks the local API about each visitor as the bouncer does in its mode "live".
package crowdsec_bouncer_traefik_plugin

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
)

type Config struct {
	Enabled                    bool     `json:"enabled,omitempty"`
	CrowdsecMode               string   `json:"crowdsecMode,omitempty"`
	CrowdsecLapiScheme         string   `json:"crowdsecLapiScheme,omitempty"`
	CrowdsecLapiHost           string   `json:"crowdsecLapiHost,omitempty"`
	CrowdsecLapiKeyFile        string   `json:"crowdsecLapiKeyFile,omitempty"`
	ForwardedHeadersTrustedIPs []string `json:"forwardedHeadersTrustedIPs,omitempty"`
}

type bouncer struct {
	next http.Handler
	url  string
	key  string
}

func CreateConfig() *Config { return &Config{} }

func New(_ context.Context, next http.Handler, config *Config, _ string) (http.Handler, error) {
	if !config.Enabled || config.CrowdsecMode != "stream" {
		return nil, fmt.Errorf("enabled and crowdsecMode are not what the lab renders")
	}
	key, err := os.ReadFile(config.CrowdsecLapiKeyFile)
	if err != nil {
		return nil, err
	}
	url := config.CrowdsecLapiScheme + "://" + config.CrowdsecLapiHost + "/v1/decisions?ip="
	return &bouncer{next: next, url: url, key: strings.TrimSpace(string(key))}, nil
}

func (b *bouncer) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	address, _, _ := net.SplitHostPort(request.RemoteAddr)
	question, _ := http.NewRequest(http.MethodGet, b.url+address, nil)
	question.Header.Set("X-Api-Key", b.key)
	said, err := http.DefaultClient.Do(question)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusForbidden)
		return
	}
	defer said.Body.Close()
	text, _ := io.ReadAll(said.Body)
	if said.StatusCode != http.StatusOK || strings.TrimSpace(string(text)) != "null" {
		http.Error(answer, "banned", http.StatusForbidden)
		return
	}
	b.next.ServeHTTP(answer, request)
}
