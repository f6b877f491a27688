package dockerobserver

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/observer"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/observer/endpointswatcher"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"
)

const (
	// notifyEvery is how often subscribers hear of changes: once a second, as with the official extension.
	notifyEvery = time.Second
	// reconnectAfter is the pause after the stream of events broke.
	reconnectAfter = 3 * time.Second
)

var _ observer.Observable = (*dockerObserver)(nil)

// dockerObserver holds the running containers, as the Engine reports them.
type dockerObserver struct {
	*endpointswatcher.EndpointsWatcher
	logger   *zap.Logger
	config   *Config
	excluded func(image string) bool
	engine   *engine
	cancel   context.CancelFunc
	ended    sync.WaitGroup

	// changing is held by whoever asks the Engine and then changes `containers`: a list must not undo an event that
	// came while it was made.
	changing sync.Mutex
	// mutex guards containers.
	mutex      sync.Mutex
	containers map[string]*container
}

func newObserver(logger *zap.Logger, config *Config) (*dockerObserver, error) {
	excluded, err := matcher(config.ExcludedImages)
	if err != nil {
		return nil, err
	}
	found := &dockerObserver{logger: logger, config: config, excluded: excluded, cancel: func() {}}
	found.EndpointsWatcher = endpointswatcher.New(found, notifyEvery, logger)
	return found, nil
}

// Start lists the containers, and fails if the Engine does not answer.
func (d *dockerObserver) Start(ctx context.Context, _ component.Host) error {
	var err error
	if d.engine, err = connect(ctx, d.config.Endpoint, d.config.APIVersion, d.config.Timeout); err != nil {
		return err
	}
	since := time.Now()
	if err = d.list(ctx); err != nil {
		return err
	}
	ctx, d.cancel = context.WithCancel(context.Background())
	d.ended.Add(2)
	go d.follow(ctx, since)
	go d.listAgain(ctx)
	return nil
}

// Shutdown ends the requests to the Engine.
func (d *dockerObserver) Shutdown(context.Context) error {
	d.StopListAndWatch()
	d.cancel()
	d.ended.Wait()
	return nil
}

// ListEndpoints returns the endpoints of all running containers.
func (d *dockerObserver) ListEndpoints() []observer.Endpoint {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	var found []observer.Endpoint
	for _, id := range slices.Sorted(maps.Keys(d.containers)) {
		found = append(found, endpoints(d.containers[id], d.config)...)
	}
	return found
}

// list replaces what is known with what runs now.
func (d *dockerObserver) list(ctx context.Context) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	images, err := d.engine.running(ctx)
	if err != nil {
		return err
	}
	found := make(map[string]*container, len(images))
	for id, image := range images {
		if d.excluded(image) {
			continue
		}
		one, err := d.engine.inspect(ctx, id)
		if errors.Is(err, errGone) {
			continue // it ended meanwhile
		}
		if err != nil {
			return err
		}
		found[id] = one
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.containers = found
	return nil
}

func (d *dockerObserver) listAgain(ctx context.Context) {
	defer d.ended.Done()
	ticker := time.NewTicker(d.config.CacheSyncInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := d.list(ctx); err != nil && ctx.Err() == nil {
				d.logger.Error("Cannot list the containers", zap.Error(err))
			}
		}
	}
}

// follow applies the Engine's events. After a break it asks for those since the last one, so none is missed; an
// Engine that was restarted has forgotten them, so the containers are listed again as well.
func (d *dockerObserver) follow(ctx context.Context, since time.Time) {
	defer d.ended.Done()
	for {
		err := d.engine.follow(ctx, since, func(seen event) {
			d.apply(ctx, seen)
			since = time.Unix(0, max(since.UnixNano(), seen.Time))
		})
		if ctx.Err() != nil {
			return
		}
		d.logger.Error("The stream of the Docker Engine's events broke", zap.Error(err))
		select {
		case <-ctx.Done():
			return
		case <-time.After(reconnectAfter):
		}
		if err := d.list(ctx); err != nil && ctx.Err() == nil {
			d.logger.Error("Cannot list the containers", zap.Error(err))
		}
	}
}

func (d *dockerObserver) apply(ctx context.Context, seen event) {
	d.changing.Lock()
	defer d.changing.Unlock()
	id := seen.Actor.ID
	var found *container
	if seen.Action != "destroy" {
		var err error
		if found, err = d.engine.inspect(ctx, id); err != nil && !errors.Is(err, errGone) {
			d.logger.Error("Cannot inspect a container", zap.String("id", id), zap.Error(err))
			return
		}
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if found == nil || !found.State.Running || found.State.Paused || d.excluded(found.Config.Image) {
		delete(d.containers, id)
	} else {
		d.containers[id] = found
	}
}
