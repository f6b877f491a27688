package dockerobserver

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/observer"
)

// loopback is where a port that is bound on all the host's addresses is reached.
const loopback = "127.0.0.1"

// endpoints returns one endpoint for each port that the container exposes and, with include_all_containers, one
// without a port. A container that does not run, or is paused, has none.
func endpoints(c *container, config *Config) []observer.Endpoint {
	if !c.State.Running || c.State.Paused {
		return nil
	}
	var found []observer.Endpoint
	if config.IncludeAllContainers {
		details := describe(c, config)
		details.Transport = observer.ProtocolUnknown
		found = append(found, observer.Endpoint{ID: observer.EndpointID(c.ID), Target: details.Host, Details: details})
	}
	for _, exposed := range slices.Sorted(maps.Keys(c.Config.ExposedPorts)) {
		number, protocol, _ := strings.Cut(exposed, "/")
		port, ok := parsePort(number)
		bound, address := boundPort(c.NetworkSettings.Ports[exposed])
		if !ok || config.IgnoreNonHostBindings && bound == 0 && address == "" {
			continue
		}
		details := describe(c, config)
		details.Transport = transport(protocol)
		details.Port, details.AlternatePort = port, bound
		if config.UseHostBindings && bound != 0 && address != "" {
			details.Port, details.AlternatePort, details.Host = bound, port, address
			if address == "0.0.0.0" {
				details.Host = loopback
			}
		}
		found = append(found, observer.Endpoint{
			ID:      observer.EndpointID(fmt.Sprintf("%s:%d", c.ID, cmp.Or(bound, port))),
			Target:  fmt.Sprintf("%s:%d", details.Host, details.Port),
			Details: details,
		})
	}
	return found
}

// describe returns what does not depend on a port. On several networks the address on the first one by name is
// taken: one that changed from listing to listing would restart the container's receivers each time.
func describe(c *container, config *Config) *observer.Container {
	image, tag := splitImage(c.Config.Image)
	host := ""
	if config.UseHostnameIfPresent {
		host = c.Config.Hostname
	}
	if host == "" {
		if networks := slices.Sorted(maps.Keys(c.NetworkSettings.Networks)); len(networks) > 0 {
			host = c.NetworkSettings.Networks[networks[0]].IPAddress
		}
		if host == "" && config.UseHostBindings {
			host = loopback
		}
	}
	return &observer.Container{
		Name:        strings.TrimPrefix(c.Name, "/"),
		Image:       image,
		Tag:         tag,
		Command:     strings.Join(c.Config.Cmd, " "),
		ContainerID: c.ID,
		Host:        host,
		Labels:      c.Config.Labels,
	}
}

// boundPort returns the first port of the host that leads to the container's, and its address; 0 if there is none.
func boundPort(bindings []binding) (uint16, string) {
	for _, one := range bindings {
		if port, ok := parsePort(one.HostPort); ok {
			return port, one.HostIP
		}
	}
	return 0, ""
}

func parsePort(text string) (uint16, bool) {
	number, err := strconv.ParseUint(text, 10, 16)
	return uint16(number), err == nil
}

func transport(protocol string) observer.Transport {
	switch protocol {
	case "tcp":
		return observer.ProtocolTCP
	case "udp":
		return observer.ProtocolUDP
	}
	return observer.ProtocolUnknown
}

// splitImage separates a reference's name from its tag, which is "latest" where it states none; a digest is dropped.
func splitImage(reference string) (name, tag string) {
	name, _, _ = strings.Cut(reference, "@")
	if at := strings.LastIndex(name, ":"); at > strings.LastIndex(name, "/") { // else it is a registry's port
		return name[:at], name[at+1:]
	}
	return name, "latest"
}
