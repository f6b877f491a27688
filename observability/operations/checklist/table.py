"""The items of the monitoring checklist, in its order: eight sections, 52 questions."""

from typing import Final

from observability.operations.checklist.watching import WATCHING
from observability.operations.checklist.working import WORKING

ITEMS: Final = (*WATCHING, *WORKING)
