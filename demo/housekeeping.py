"""Background tasks of the shop: prepare and prune its tables, and report its sales."""

import logging
import threading
from typing import TYPE_CHECKING, Final

from demo.errors import ApiError, UnavailableError

if TYPE_CHECKING:
    from demo.store import Store

HOUSEKEEPING_SECONDS: Final = 60.0
REPORT_SECONDS: Final = 2.0

_log = logging.getLogger("service")


class Housekeeping:
    """Prepares the tables as soon as the database responds, and prunes them at intervals."""

    def __init__(self, store: "Store", ended: threading.Event) -> None:
        self._store = store
        self._ended = ended
        self.done = threading.Event()

    def run(self) -> None:
        """Run until the service ends: every second until it succeeded, then every minute."""
        wait = 0.0
        while not self._ended.wait(wait):
            try:
                self._store.prepare()
                self._store.prune()
                if not self.done.is_set():
                    self._store.warm()
            except ApiError as error:
                _log.warning("housekeeping has to wait: %s", error)
                wait = 1.0
            except Exception:  # noqa: BLE001 - logged with its stack, tried again
                _log.exception("housekeeping failed")
                wait = 10.0
            else:
                self.done.set()
                wait = HOUSEKEEPING_SECONDS

    def report(self) -> None:
        """Run until the service ends, after the tables exist: report sales every two seconds."""
        self.done.wait()
        while not self._ended.wait(REPORT_SECONDS):
            try:
                self._store.report()
            except ApiError:
                # Requests report it.
                continue
            except Exception:  # noqa: BLE001 - logged with its stack, tried again
                _log.exception("the report failed")

    def check(self) -> None:
        """UnavailableError until the tables exist."""
        if not self.done.is_set():
            raise UnavailableError("tables: not made yet")
