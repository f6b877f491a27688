"""`python -m tools.obtain`: obtain all that the stack needs.

Exit codes: 0 done (what is not available is left out, with the reason), 1 a build failed, 2 the user must first fix
something.
"""

import signal
import sys

from rich.console import Console

from observability.core.errors import ConfigError
from observability.parts.images import PINS, pinned
from toolchain.images import recipe_for
from toolchain.obtain import ensure


def main() -> int:
    """Obtain everything for every pinned image."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that started processes end with this one
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    try:
        left_out = ensure({service: pinned(service) for service in PINS}).left_out
    except ConfigError as error:
        console.print(f"Error: {error.what}\nFix: {error.fix}")
        return 2
    except KeyboardInterrupt:
        console.print("Interrupted; what was finished is kept, and the next run goes on from there.")
        return 1
    return 1 if any(recipe_for(service, pinned(service)) for service in left_out) else 0


if __name__ == "__main__":
    sys.exit(main())
