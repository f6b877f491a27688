package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
)

// store is the database, and the next warehouse.
type store struct {
	pool *pgxpool.Pool
	http http.Client
}

type item struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

type placedOrder struct {
	ID int `json:"id"`
	item
}

type ordered struct {
	SKU     string `json:"sku"`
	Ordered int    `json:"ordered"`
}

func newStore(ctx context.Context) (*store, error) {
	config, err := pgxpool.ParseConfig(settings.database)
	if err != nil {
		return nil, err
	}
	config.MaxConns = 10
	config.ConnConfig.ConnectTimeout = 3 * time.Second
	pool, err := pgxpool.NewWithConfig(ctx, config) // Starts without its database; readiness says so.
	if err != nil {
		return nil, err
	}
	watchPool(pool)
	return &store{pool: pool, http: http.Client{Timeout: 3 * time.Second}}, nil
}

// rows returns those of a query.
func rows[T any](ctx context.Context, s *store, operation, table, statement string, values ...any) ([]T, error) {
	var found []T
	err := query(ctx, operation, table, func(ctx context.Context) error {
		answer, err := s.pool.Query(ctx, statement, values...)
		if err == nil {
			found, err = pgx.CollectRows(answer, pgx.RowToStructByPos[T])
		}
		return at(err)
	})
	return found, err
}

// one returns the first row, and a refusal with this text where there is none.
func one[T any](found []T, err error, missing string) (T, error) {
	var first T
	if err != nil {
		return first, err
	}
	if len(found) == 0 {
		return first, refusal{http.StatusNotFound, missing}
	}
	return found[0], nil
}

func (s *store) pingDatabase(ctx context.Context) error { return s.pool.Ping(ctx) }

func (s *store) pingUpstream(ctx context.Context) error {
	return s.get(ctx, settings.upstream+"/health/live", nil, &healthPage{})
}

func (s *store) get(ctx context.Context, address string, header http.Header, into any) error {
	asked, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	if header != nil {
		asked.Header = header
	}
	answer, err := s.http.Do(asked)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

// stock is what is here of an article.
func (s *store) stock(ctx context.Context, sku string) (item, error) {
	found, err := rows[item](ctx, s, "SELECT", "stock", "SELECT sku, quantity FROM stock WHERE sku = $1", sku)
	return one(found, err, "there is no article "+sku)
}

// stockElsewhere is what the next warehouse says; the ids of the request go with it.
func (s *store) stockElsewhere(ctx context.Context, sku string) (json.RawMessage, error) {
	var found json.RawMessage
	err := call(ctx, "upstream", "GET", func(ctx context.Context) error {
		header := http.Header{}
		header.Set(correlationHeader, current(ctx).correlationID)
		otel.GetTextMapPropagator().Inject(ctx, propagation.HeaderCarrier(header))
		return s.get(ctx, settings.upstream+"/stock/"+url.PathEscape(sku), header, &found)
	})
	return found, err
}

// place places an order, and returns its number.
func (s *store) place(ctx context.Context, asked item) (int, error) {
	if _, err := s.stock(ctx, asked.SKU); err != nil {
		return 0, err
	}
	made, err := rows[struct{ ID int }](ctx, s, "INSERT", "orders",
		"INSERT INTO orders (sku, quantity) VALUES ($1, $2) RETURNING id", asked.SKU, asked.Quantity)
	if err == nil && len(made) == 0 {
		err = at(errors.New("the order has no number"))
	}
	if err != nil {
		return 0, err
	}
	return made[0].ID, nil
}

// order returns an order.
func (s *store) order(ctx context.Context, number int) (placedOrder, error) {
	found, err := rows[struct {
		ID       int
		SKU      string
		Quantity int
	}](ctx, s, "SELECT", "orders", "SELECT id, sku, quantity FROM orders WHERE id = $1", number)
	first, err := one(found, err, fmt.Sprintf("there is no order %d", number))
	return placedOrder{first.ID, item{first.SKU, first.Quantity}}, err
}

// report is what was ordered of each article: one query, not one for each article.
func (s *store) report(ctx context.Context) ([]ordered, error) {
	var found []ordered
	err := operation(ctx, "report", func(ctx context.Context) (err error) {
		found, err = rows[ordered](ctx, s, "SELECT", "orders",
			"SELECT sku, sum(quantity)::int AS ordered FROM orders GROUP BY sku ORDER BY sku")
		return err
	})
	return found, err
}
