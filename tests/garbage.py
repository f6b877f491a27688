"""Coroutines that a failed Pulumi program leaves behind, which report errors when they are garbage-collected."""

import gc
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collected_at_the_end() -> Iterator[None]:
    """Collect garbage only at the end.

    Their errors would otherwise appear wherever they happen to be collected; inside `ast.parse`, which printing
    a traceback calls as well, they even break the interpreter.
    """
    gc.disable()
    try:
        yield
    finally:
        hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
        for _ in range(5):
            gc.collect()
            time.sleep(0.1)
        sys.unraisablehook = hook
        gc.enable()
