"""The stacks whose rules are checked."""

from tests.metrics.conftest import dev as dev
from tests.metrics.conftest import everything as everything
