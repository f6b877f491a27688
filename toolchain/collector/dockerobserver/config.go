// Package dockerobserver is the extension docker_observer: it tells receiver_creator which containers run.
//
// The module proxy does not serve the extension of that name in opentelemetry-collector-contrib, so this one stands
// in for it in the image that is built here: the same configuration keys and the same endpoints (v0.165.1). A
// configuration that runs here runs with the official image.
package dockerobserver

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gobwas/glob"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
)

// leastVersion is the oldest version of the Docker Engine API that the configuration may name.
const leastVersion = "1.44"

// Config holds the extension's settings.
type Config struct {
	Endpoint              string        `mapstructure:"endpoint"`
	Timeout               time.Duration `mapstructure:"timeout"`
	ExcludedImages        []string      `mapstructure:"excluded_images"`
	APIVersion            string        `mapstructure:"api_version"`
	UseHostnameIfPresent  bool          `mapstructure:"use_hostname_if_present"`
	UseHostBindings       bool          `mapstructure:"use_host_bindings"`
	IgnoreNonHostBindings bool          `mapstructure:"ignore_non_host_bindings"`
	IncludeAllContainers  bool          `mapstructure:"include_all_containers"`
	CacheSyncInterval     time.Duration `mapstructure:"cache_sync_interval"`
}

// NewFactory describes the extension to the collector.
func NewFactory() extension.Factory {
	return extension.NewFactory(component.MustNewType("docker_observer"), defaults, create, component.StabilityLevelBeta)
}

func defaults() component.Config {
	return &Config{
		Endpoint:          "unix:///var/run/docker.sock",
		Timeout:           5 * time.Second,
		APIVersion:        leastVersion,
		CacheSyncInterval: time.Hour,
	}
}

func create(_ context.Context, set extension.Settings, config component.Config) (extension.Extension, error) {
	return newObserver(set.Logger, config.(*Config))
}

// Validate reports every value that cannot work.
func (c *Config) Validate() error {
	var found []error
	if _, err := parseEndpoint(c.Endpoint); err != nil {
		found = append(found, err)
	}
	if _, ok := parseVersion(c.APIVersion); !ok {
		found = append(found, fmt.Errorf("api_version: %q is not a version, such as %q", c.APIVersion, leastVersion))
	} else if older(c.APIVersion, leastVersion) {
		found = append(found, fmt.Errorf("api_version: %q is below %s", c.APIVersion, leastVersion))
	}
	if c.Timeout <= 0 {
		found = append(found, errors.New("timeout must be specified"))
	}
	if c.CacheSyncInterval <= 0 {
		found = append(found, errors.New("cache_sync_interval must be specified"))
	}
	if _, err := matcher(c.ExcludedImages); err != nil {
		found = append(found, err)
	}
	return errors.Join(found...)
}

func parseEndpoint(endpoint string) (*url.URL, error) {
	address, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return nil, fmt.Errorf("endpoint: %w", err)
	case address.Scheme == "unix" && address.Path != "", address.Scheme == "tcp" && address.Host != "":
		return address, nil
	}
	return nil, fmt.Errorf("endpoint: %q is neither unix:///PATH nor tcp://HOST:PORT", endpoint)
}

// parseVersion reads a version of the Engine API, MAJOR.MINOR.
func parseVersion(text string) (numbers [2]int, ok bool) {
	major, minor, found := strings.Cut(text, ".")
	first, errMajor := strconv.Atoi(major)
	second, errMinor := strconv.Atoi(minor)
	return [2]int{first, second}, found && errMajor == nil && errMinor == nil
}

// older compares two versions; one that cannot be read counts as 0.0.
func older(one, other string) bool {
	left, _ := parseVersion(one)
	right, _ := parseVersion(other)
	return left[0] < right[0] || left[0] == right[0] && left[1] < right[1]
}

// matcher returns whether an image is excluded: by its name, a glob, or a regular expression between slashes.
func matcher(patterns []string) (func(image string) bool, error) {
	var tests []func(string) bool
	for _, pattern := range patterns {
		switch {
		case strings.HasPrefix(pattern, "!"):
			return nil, fmt.Errorf("excluded_images: %q: this build has no negated patterns", pattern)
		case len(pattern) > 2 && strings.HasPrefix(pattern, "/") && strings.HasSuffix(pattern, "/"):
			expression, err := regexp.Compile(pattern[1 : len(pattern)-1])
			if err != nil {
				return nil, fmt.Errorf("excluded_images: %w", err)
			}
			tests = append(tests, expression.MatchString)
		default: // a name is a glob without special characters
			compiled, err := glob.Compile(pattern)
			if err != nil {
				return nil, fmt.Errorf("excluded_images: %q: %w", pattern, err)
			}
			tests = append(tests, compiled.Match)
		}
	}
	return func(image string) bool {
		for _, test := range tests {
			if test(image) {
				return true
			}
		}
		return false
	}, nil
}
