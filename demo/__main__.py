"""`python -m demo`: the shop, the simulated systems and the faults' port, until it is stopped."""

import argparse
import logging
import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from demo import log
from demo.cache import Cache
from demo.conditions import Conditions
from demo.database import Database, DatabaseAddress
from demo.engine import Engine, simulations
from demo.exposition import metrics_server
from demo.fault_server import fault_server
from demo.faults import Faults
from demo.health import Dependency, Health
from demo.housekeeping import Housekeeping
from demo.keyspace import Keyspace
from demo.metrics import Metrics
from demo.server import Server, Service
from demo.spans import Spans
from demo.store import Store
from demo.systems import FAULTS, SHOP
from demo.systems.social_selling import RATE
from demo.traffic import Traffic

PAGES: Final = f"{SHOP.name}-pages"
"""Service of the spans of the pages that the shop's customers have open."""

_log = logging.getLogger("service")


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = _arguments()
    log.configure(SHOP.name)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    faults = Faults(FAULTS)
    tasks = [*_simulated(settings, faults), *_shop(settings, faults, ended)]
    tasks.append(fault_server(settings.faults_port, faults).serve_forever)
    for task in tasks:
        threading.Thread(target=task, daemon=True).start()
    _log.info("serving on port %d, faults on port %d", SHOP.port, settings.faults_port)
    ended.wait()
    _log.info("ended")


def _simulated(settings: argparse.Namespace, faults: Faults) -> list[Callable[[], object]]:
    """The engine of the simulated systems, and a metrics server for each."""
    keyspace = Keyspace(settings.simulated_cache_host, settings.cache_port)
    made = simulations(keyspace.look_up)
    engine = Engine([system for system, _ in made.values()], faults)
    return [engine.run, *(metrics_server(system.profile, out).serve_forever for system, out in made.values())]


def _shop(settings: argparse.Namespace, faults: Faults, ended: threading.Event) -> list[Callable[[], object]]:
    """The parts of the shop: its server, its housekeeping and its customers."""

    def how() -> Conditions:
        return faults.conditions(SHOP.name, SHOP.ordinary)

    metrics = Metrics(how=how)
    address = DatabaseAddress(
        host=settings.database_host,
        port=settings.database_port,
        name=settings.database_name,
        user=settings.database_user,
        password_file=settings.database_password_file,
    )
    spans, of_pages = Spans.of_environment(SHOP.name), Spans.of_environment(PAGES)
    database = Database(address, how, metrics, spans)
    cache = Cache(settings.cache_host, settings.cache_port, how, metrics, spans)
    store = Store(database, cache, metrics, how)
    housekeeping = Housekeeping(store, ended)
    health = Health(
        (
            Dependency(name="database", required=True, ping=database.ping),
            Dependency(name="tables", required=True, ping=housekeeping.check),
            Dependency(name="cache", required=False, ping=cache.ping),
        )
    )
    server = Server(SHOP.port, Service(store=store, health=health, metrics=metrics, how=how, spans=spans))
    traffic = Traffic(settings.proxy_host, settings.proxy_port, settings.rate, how, ended, of_pages)

    def send_traffic() -> None:
        housekeeping.done.wait()
        traffic.run()

    senders = [partial(one.run, ended) for one in (spans, of_pages)]
    return [server.serve_forever, housekeeping.run, housekeeping.report, send_traffic, *senders]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description="The five systems of the demo.")
    parser.add_argument("--faults-port", type=int, default=3999)
    parser.add_argument("--database-host", default="demo-postgres")
    parser.add_argument("--database-port", type=int, default=5432)
    parser.add_argument("--database-name", default="social_selling")
    parser.add_argument("--database-user", default="social_selling")
    parser.add_argument("--database-password-file", type=Path, required=True)
    parser.add_argument("--cache-host", default="demo-redis")
    parser.add_argument("--cache-port", type=int, default=6379)
    parser.add_argument("--simulated-cache-host", default="demo-redis-alawael", help="the cache of alawael")
    parser.add_argument("--proxy-host", default="demo-nginx", help="where the shop's own customers go")
    parser.add_argument("--proxy-port", type=int, default=80)
    parser.add_argument("--rate", type=float, default=RATE, help="their requests a second at the busiest hour")
    return parser.parse_args()


if __name__ == "__main__":
    main()
