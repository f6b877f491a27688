package dockerobserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// container is what the extension reads of the Engine's answer to "inspect a container".
type container struct {
	ID    string `json:"Id"`
	Name  string
	State struct {
		Running bool
		Paused  bool
	}
	Config struct {
		Hostname     string
		Image        string
		Cmd          []string
		Labels       map[string]string
		ExposedPorts map[string]struct{}
	}
	NetworkSettings struct {
		Ports    map[string][]binding
		Networks map[string]struct{ IPAddress string }
	}
}

// binding is a port of the host that leads to one of a container.
type binding struct {
	HostIP   string `json:"HostIp"`
	HostPort string
}

// event is one change that the Engine reports.
type event struct {
	Action string
	Actor  struct{ ID string }
	Time   int64 `json:"timeNano"`
}

// followed are the events after which a container must be inspected again.
var followed = []string{"destroy", "die", "pause", "start", "stop", "unpause", "update"}

var errGone = errors.New("no such container")

// engine is a client of the Docker Engine API: of the three requests that the extension needs, all of them GET.
type engine struct {
	http    http.Client
	base    string
	timeout time.Duration
}

// connect asks the engine for its version. An engine that is older than `version` is spoken to in its own; the
// official extension would be refused by it.
func connect(ctx context.Context, endpoint, version string, timeout time.Duration) (*engine, error) {
	address, err := parseEndpoint(endpoint)
	if err != nil {
		return nil, err
	}
	found := &engine{base: "http://" + address.Host, timeout: timeout}
	if address.Scheme == "unix" {
		found.base = "http://docker"
		found.http.Transport = &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", address.Path)
			},
		}
	}
	var said struct{ APIVersion string }
	if err := found.get(ctx, "/version", nil, &said); err != nil {
		return nil, err
	}
	if older(said.APIVersion, version) {
		version = said.APIVersion
	}
	found.base += "/v" + version
	return found, nil
}

// running lists the identifiers and images of the running containers.
func (e *engine) running(ctx context.Context) (map[string]string, error) {
	var listed []struct {
		ID    string `json:"Id"`
		Image string
	}
	if err := e.get(ctx, "/containers/json", filters(map[string][]string{"status": {"running"}}), &listed); err != nil {
		return nil, err
	}
	images := make(map[string]string, len(listed))
	for _, one := range listed {
		images[one.ID] = one.Image
	}
	return images, nil
}

// inspect returns a container; errGone if there is none.
func (e *engine) inspect(ctx context.Context, id string) (*container, error) {
	var found container
	if err := e.get(ctx, "/containers/"+url.PathEscape(id)+"/json", nil, &found); err != nil {
		return nil, err
	}
	return &found, nil
}

// follow reports every change of a container since `since`, until the context ends or the connection breaks.
func (e *engine) follow(ctx context.Context, since time.Time, report func(event)) error {
	query := filters(map[string][]string{"type": {"container"}, "event": followed})
	query.Set("since", fmt.Sprintf("%d.%09d", since.Unix(), since.Nanosecond()))
	answer, err := e.request(ctx, "/events", query)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	for stream := json.NewDecoder(answer.Body); ; {
		var next event
		if err := stream.Decode(&next); err != nil {
			return err
		}
		report(next)
	}
}

func (e *engine) get(ctx context.Context, path string, query url.Values, into any) error {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	answer, err := e.request(ctx, path, query)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return json.NewDecoder(answer.Body).Decode(into)
}

func (e *engine) request(ctx context.Context, path string, query url.Values) (*http.Response, error) {
	address := e.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := e.http.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusOK {
		return answer, nil
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusNotFound {
		return nil, errGone
	}
	said, _ := io.ReadAll(io.LimitReader(answer.Body, 512))
	return nil, fmt.Errorf("the Docker Engine answers %d to GET %s: %s", answer.StatusCode, path, said)
}

func filters(wanted map[string][]string) url.Values {
	text, _ := json.Marshal(wanted) // strings and lists only: cannot fail
	return url.Values{"filters": {string(text)}}
}
