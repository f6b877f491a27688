"""`python -m demo`: the service, its faults' port and its traffic, until it is told to end."""

import argparse
import logging
import signal
import threading
from pathlib import Path

from demo import log
from demo.cache import Cache
from demo.database import Database, DatabaseAddress
from demo.errors import ApiError, UnavailableError
from demo.fault_server import fault_server
from demo.faults import Faults
from demo.health import Dependency, Health
from demo.metrics import Metrics
from demo.server import Server, Service
from demo.store import Store
from demo.traffic import Traffic

HOUSEKEEPING_SECONDS = 60.0

_log = logging.getLogger("service")


class Housekeeping:
    """Prepares the tables as soon as the database answers, and prunes them from time to time."""

    def __init__(self, store: Store, ended: threading.Event) -> None:
        self._store = store
        self._ended = ended
        self.done = threading.Event()

    def run(self) -> None:
        """Until the service ends: every second until it worked, then every minute."""
        wait = 0.0
        while not self._ended.wait(wait):
            try:
                self._store.prepare()
                self._store.prune()
            except ApiError as error:
                _log.warning("housekeeping has to wait: %s", error)
                wait = 1.0
            except Exception:  # noqa: BLE001 - logged with its stack, tried again
                _log.exception("housekeeping failed")
                wait = 10.0
            else:
                self.done.set()
                wait = HOUSEKEEPING_SECONDS

    def check(self) -> None:
        """UnavailableError until the tables are there."""
        if not self.done.is_set():
            raise UnavailableError("tables: not made yet")


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = _arguments()
    log.configure()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())

    faults = Faults()
    metrics = Metrics()
    address = DatabaseAddress(
        host=settings.database_host,
        port=settings.database_port,
        name=settings.database_name,
        user=settings.database_user,
        password_file=settings.database_password_file,
    )
    database = Database(address, faults, metrics)
    cache = Cache(settings.cache_host, settings.cache_port, faults, metrics)
    store = Store(database, cache, metrics)
    housekeeping = Housekeeping(store, ended)
    health = Health(
        (
            Dependency(name="database", required=True, ping=database.ping),
            Dependency(name="tables", required=True, ping=housekeeping.check),
            Dependency(name="cache", required=False, ping=cache.ping),
        )
    )
    server = Server(settings.port, Service(store=store, health=health, metrics=metrics, faults=faults))
    switch = fault_server(settings.faults_port, faults)
    traffic = Traffic(settings.proxy_host, settings.proxy_port, settings.rate, faults)

    def send_traffic() -> None:
        housekeeping.done.wait()
        traffic.run()

    for task in (server.serve_forever, switch.serve_forever, housekeeping.run, send_traffic):
        threading.Thread(target=task, daemon=True).start()
    _log.info("serving on port %d, faults on port %d", settings.port, settings.faults_port)
    ended.wait()
    traffic.stop()
    server.shutdown()
    _log.info("ended")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description="The worked example service.")
    parser.add_argument("--port", type=int, default=3000, help="API, health and metrics")
    parser.add_argument("--faults-port", type=int, default=3999)
    parser.add_argument("--database-host", default="demo-postgres")
    parser.add_argument("--database-port", type=int, default=5432)
    parser.add_argument("--database-name", default="social_selling")
    parser.add_argument("--database-user", default="social_selling")
    parser.add_argument("--database-password-file", type=Path, required=True)
    parser.add_argument("--cache-host", default="demo-redis")
    parser.add_argument("--cache-port", type=int, default=6379)
    parser.add_argument("--proxy-host", default="demo-nginx", help="where its own traffic goes")
    parser.add_argument("--proxy-port", type=int, default=80)
    parser.add_argument("--rate", type=float, default=4.0, help="requests a second of its own traffic")
    return parser.parse_args()


if __name__ == "__main__":
    main()
