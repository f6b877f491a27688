// Command cadvisor exposes metrics of the containers on a Docker host.
//
// It stands for the official program where its image cannot be pulled: the same metrics, from the same library, and of
// its flags those that a stack sets. It has no web pages and no API.
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	_ "github.com/google/cadvisor/container/docker/install"
	"github.com/google/cadvisor/lib/cache/memory"
	"github.com/google/cadvisor/lib/container"
	_ "github.com/google/cadvisor/lib/container/containerd/install"
	_ "github.com/google/cadvisor/lib/container/systemd/install"
	// Without these no filesystem is known, and there is no series of a container's disk.
	_ "github.com/google/cadvisor/lib/fs/btrfs/install"
	_ "github.com/google/cadvisor/lib/fs/nfs/install"
	_ "github.com/google/cadvisor/lib/fs/overlay/install"
	_ "github.com/google/cadvisor/lib/fs/tmpfs/install"
	_ "github.com/google/cadvisor/lib/fs/vfs/install"
	"github.com/google/cadvisor/lib/manager"
	"github.com/google/cadvisor/lib/metrics"
	"github.com/google/cadvisor/lib/model"
	"github.com/google/cadvisor/lib/utils/sysfs"
	"github.com/google/cadvisor/utils/oomparser"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// version is set by the linker.
var version = "unknown"

var (
	port        = flag.Int("port", 8080, "Port to listen on.")
	address     = flag.String("listen_ip", "", "Address to listen on; empty: all.")
	duration    = flag.Duration("storage_duration", 2*time.Minute, "How long to keep samples.")
	storeLabels = flag.Bool("store_container_labels", true, "Whether all container labels become labels of series.")
	allowed     = flag.String("whitelisted_container_labels", "", "Container labels that become labels of series all the same.")
	said        = flag.Bool("version", false, "Print the version and exit.")
)

// disabled are the metrics that the official program does not collect by default either.
var disabled = container.MetricSet{
	container.MemoryNumaMetrics:              {},
	container.NetworkTcpUsageMetrics:         {},
	container.NetworkUdpUsageMetrics:         {},
	container.NetworkAdvancedTcpUsageMetrics: {},
	container.ProcessSchedulerMetrics:        {},
	container.ProcessMetrics:                 {},
	container.HugetlbUsageMetrics:            {},
	container.ReferencedMemoryMetrics:        {},
	container.CPUTopologyMetrics:             {},
	container.ResctrlMetrics:                 {},
	container.CPUSetMetrics:                  {},
	container.PerfMetrics:                    {},
	container.AppMetrics:                     {},
}

func main() {
	klog.InitFlags(nil)
	flag.Parse()
	if *said {
		fmt.Println("cAdvisor version " + version)
		return
	}
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	// Cgroups and variables that the program does not look for; the library takes the first element.
	none := []string{""}
	included := container.AllMetrics.Difference(disabled)
	containers, err := manager.New(
		memory.New(*duration, nil),
		sysfs.NewRealSysFs(),
		manager.HousekeepingConfigFlags,
		included,
		none, none, "", 0,
	)
	if err != nil {
		return err
	}
	if err := containers.Start(); err != nil {
		return err
	}
	kills := newKills()
	provider := withKills{Manager: containers, kills: kills}
	labels := metrics.DefaultContainerLabels
	if !*storeLabels {
		labels = metrics.BaseContainerLabels(strings.Split(*allowed, ","))
	}
	// One sample of each container, and of every container below the root.
	options := model.RequestOptions{IdType: model.TypeName, Count: 1, Recursive: true}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		metrics.NewPrometheusCollector(provider, labels, included, clock.RealClock{}, options),
		metrics.NewPrometheusMachineCollector(containers, included),
		prometheus.NewGoCollector(),
		prometheus.NewProcessCollector(prometheus.ProcessCollectorOpts{}),
	)
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	http.HandleFunc("/healthz", func(answer http.ResponseWriter, _ *http.Request) { fmt.Fprint(answer, "ok") })
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	failed := make(chan error, 1)
	go func() { failed <- http.ListenAndServe(fmt.Sprintf("%s:%d", *address, *port), nil) }()
	select {
	case err := <-failed:
		return err
	case <-ended:
		return containers.Stop()
	}
}

// kills counts the processes that the kernel killed for lack of memory, by the cgroup of their container.
type kills struct {
	lock   sync.Mutex
	counts map[string]uint64
}

// newKills counts from the kernel's log from now on; without access to it, it counts nothing.
func newKills() *kills {
	found := &kills{counts: map[string]uint64{}}
	parser, err := oomparser.New()
	if err != nil {
		klog.Warningf("no OOM kills are counted: %s", err)
		return found
	}
	stream := make(chan *oomparser.OomInstance, 16)
	go parser.StreamOoms(stream)
	started := time.Now()
	go func() {
		for kill := range stream {
			// The log also holds what happened before.
			if kill.TimeOfDeath.Before(started) {
				continue
			}
			found.lock.Lock()
			found.counts[kill.VictimContainerName]++
			found.lock.Unlock()
		}
	}()
	return found
}

// withKills adds the counts to the samples, which the library leaves to the program.
type withKills struct {
	manager.Manager
	kills *kills
}

func (p withKills) GetRequestedContainersInfo(name string, options model.RequestOptions) (map[string]*model.ContainerInfo, error) {
	found, err := p.Manager.GetRequestedContainersInfo(name, options)
	p.kills.lock.Lock()
	defer p.kills.lock.Unlock()
	for _, one := range found {
		for _, sample := range one.Stats {
			sample.OOMEvents = p.kills.counts[one.Name]
		}
	}
	return found, err
}
