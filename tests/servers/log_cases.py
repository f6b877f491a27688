"""Lines as containers write them, and what is right for each: labels, structured metadata and the stored text.

To add a case, add an entry to the table of its subject. `NOW` in a line or a value stands for the time at which
Docker received the line, as RFC 3339; `NOW-2h` and the like for another.
"""

from typing import Final

from tests.servers import log_cases_containers, log_cases_hostile, log_cases_programs
from tests.servers.log_case import Case

CASES: Final[tuple[Case, ...]] = (
    *log_cases_containers.CASES,
    *log_cases_programs.CASES,
    *log_cases_hostile.CASES,
)
