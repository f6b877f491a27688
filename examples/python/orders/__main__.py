"""The service's routes, its start and its end."""

import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType
from typing import Annotated, Any

import httpx
import prometheus_client
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client.exposition import choose_encoder
from pydantic import BaseModel, Field

from . import logs, reports, settings, store, telemetry
from .health import Dependency, Health
from .middleware import Instrumented

logs.configure()
reports.start()
health = Health(
    Dependency(name="database", required=True, ping=store.ping_database),
    *([Dependency(name="upstream", required=False, ping=store.ping_upstream)] if settings.UPSTREAM_URL else []),
)
_log = logging.getLogger("service")


class Order(BaseModel):
    """What is ordered."""

    sku: str
    quantity: Annotated[int, Field(gt=0)]


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Open what is used, and close it when all requests are answered."""
    store.POOL.open(wait=False)  # Starts without its database; readiness says so.
    yield
    store.POOL.close()
    telemetry.flush()
    reports.flush()
    _log.info("stopped")


# Its own telemetry is off: `Instrumented` measures and traces every request already.
app = FastAPI(
    lifespan=lifespan,
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    telemetry={"tracing": False, "metrics": False, "logs": False},
)


def _json(status: int, document: object) -> JSONResponse:
    return JSONResponse(document, status)


def _error(status: int, text: str) -> JSONResponse:
    return _json(status, {"error": text, "correlation_id": logs.current_id()})


@app.exception_handler(store.NotFoundError)
def _missing(_: Request, error: Exception) -> Response:
    return _error(404, str(error))


@app.exception_handler(RequestValidationError)
def _invalid(_: Request, error: RequestValidationError) -> Response:
    return _error(400, "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()))


@app.exception_handler(Exception)
def _broken(_: Request, __: Exception) -> Response:
    return _error(500, "something went wrong")


@app.get("/metrics")
def metrics(request: Request) -> Response:
    """In the format that the scraper asks for; exemplars are in OpenMetrics alone."""
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(prometheus_client.REGISTRY), headers={"Content-Type": content_type})


@app.get("/health/live")
def live() -> Response:
    """Whether the process lives."""
    return _json(*health.live())


@app.get("/health/ready")
def ready() -> Response:
    """Whether it can serve requests."""
    return _json(*health.ready())


@app.get("/health")
def full() -> Response:
    """The state of each dependency."""
    return _json(*health.full())


@app.get("/stock/{sku}")
def stock(sku: str) -> dict[str, Any]:
    """What is here of an article, and what the next warehouse has; that one may be down."""
    here = store.stock(sku)
    elsewhere = None
    if settings.UPSTREAM_URL:
        try:
            elsewhere = store.stock_elsewhere(sku)
        except httpx.HTTPError as error:
            _log.warning("the next warehouse does not answer", extra={"error": f"{type(error).__name__}: {error}"})
    return {**here, "elsewhere": elsewhere}


@app.post("/orders", status_code=201)
def place(order: Order) -> dict[str, Any]:
    """Place an order."""
    number = store.place(order.sku, order.quantity)
    telemetry.ORDERS.inc()
    return {"id": number}


@app.get("/orders/{number}")
def order(number: int) -> dict[str, Any]:
    """An order."""
    return store.order(number)


@app.get("/report")
def report() -> list[dict[str, Any]]:
    """What was ordered."""
    return store.report()


class Server(uvicorn.Server):
    """After SIGTERM it accepts no connection, finishes the requests under way and ends."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The signal."""
        health.stopping = True
        super().handle_exit(sig, frame)


if __name__ == "__main__":
    # uvicorn raises the signal once more when it has stopped; that is no failure.
    signal.signal(signal.SIGTERM, lambda *_: None)
    Server(uvicorn.Config(Instrumented(app), host="", port=settings.PORT, log_config=None)).run()
