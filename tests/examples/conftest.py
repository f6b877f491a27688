"""The worked examples, each asked by the next one: Python → Node.js → Go → a double."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from tests.examples.builds import LANGUAGES, Built, MissingError, build
from tests.examples.doubles import Database, Web, postgres, web
from tests.examples.running import Service, service

WAREHOUSE = {"sku": "cup", "quantity": 1, "elsewhere": None}


@pytest.fixture(scope="session")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Built | MissingError]:
    """Each language's service, or why it cannot run here."""
    found: dict[str, Built | MissingError] = {}
    for language in LANGUAGES:
        try:
            found[language] = build(language, tmp_path_factory.mktemp(language))
        except MissingError as error:
            found[language] = error
    return found


@pytest.fixture(scope="session")
def server() -> Iterator[Database]:
    """The database server of all services."""
    with postgres() as one:
        yield one


@pytest.fixture(scope="session")
def collector() -> Iterator[Web]:
    """A receiver of spans."""
    with web(lambda _: {}) as double:
        yield double


@pytest.fixture(scope="session")
def last() -> Iterator[Web]:
    """The last warehouse."""
    with web(lambda _: WAREHOUSE) as double:
        yield double


@pytest.fixture(scope="session")
def services(
    builds: Mapping[str, Built | MissingError],
    server: Database,
    collector: Web,
    last: Web,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mapping[str, Service]]:
    """Every service that can run here; each asks the one after it."""
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address}
    with ExitStack() as stack:
        running: dict[str, Service] = {}
        port = last.port
        for language in reversed(LANGUAGES):
            built = builds[language]
            if isinstance(built, Built):
                output = tmp_path_factory.mktemp("log") / f"{language}.log"
                upstream = ("127.0.0.1", port)
                running[language] = stack.enter_context(service(built, server, upstream, output, environment))
                port = int(running[language].address.rpartition(":")[2])
        yield running


@pytest.fixture(params=LANGUAGES, scope="session")
def built(request: pytest.FixtureRequest, builds: Mapping[str, Built | MissingError]) -> Built:
    """A service that is not started; skipped where this machine lacks what it needs."""
    found = builds[request.param]
    if isinstance(found, MissingError):
        pytest.skip(f"the example in {request.param}: {found}")
    return found


@pytest.fixture
def one(built: Built, services: Mapping[str, Service]) -> Service:
    """A running service."""
    return services[built.language]
