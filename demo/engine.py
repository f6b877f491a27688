"""Runs the simulated systems: one thread, one tick per second."""

import logging
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from demo.diary import Diary
from demo.exposition import Exposition
from demo.faults import Faults
from demo.systems import PROFILES
from demo.systems.alawael import Alawael, LookUp
from demo.systems.erpgo import Erpgo
from demo.systems.neuroerp import Neuroerp
from demo.systems.simulation import Simulation
from demo.systems.syncup import Syncup

TICK_SECONDS: Final = 1.0

_log = logging.getLogger("simulation")


def simulations(look_up: LookUp, seed: int | None = None) -> dict[str, tuple[Simulation, Exposition]]:
    """Every simulated system and its metrics, by name; the same seed gives the same values."""

    def alawael(out: Exposition, random: Random) -> Simulation:
        return Alawael(out, random, look_up)

    kinds: dict[str, Callable[[Exposition, Random], Simulation]] = {
        "alawael": alawael,
        "erpgo": Erpgo,
        "neuroerp": Neuroerp,
        "syncup": Syncup,
    }
    outs = {name: Exposition(PROFILES[name].series) for name in kinds}
    return {name: (kind(outs[name], Random(seed)), outs[name]) for name, kind in kinds.items()}  # noqa: S311 - no secret


class Engine:
    """Ticks every system until it is stopped."""

    def __init__(self, systems: Sequence[Simulation], faults: Faults) -> None:
        self._systems = systems
        self._faults = faults
        self._last = time.time()
        self._diaries = {system.profile.name: Diary(system.profile.name) for system in systems}
        for system in systems:
            system.told = self._diaries[system.profile.name].answered

    def run(self) -> None:
        """Run until stopped."""
        while True:
            time.sleep(TICK_SECONDS)
            try:
                self.tick(time.time())
            except Exception:  # noqa: BLE001 - logged with its stack; the next tick may work
                _log.exception("a tick failed")

    def tick(self, now: float) -> None:
        """Advance every system to now (seconds since 1970)."""
        seconds, self._last = now - self._last, now
        if seconds <= 0:
            # The clock was set back.
            return
        for system in self._systems:
            profile = system.profile
            system.tick(now, seconds, self._faults.conditions(profile.name, profile.ordinary))
            self._diaries[profile.name].tick(now)
