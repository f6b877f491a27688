"""The demo: a small shop with real dependencies and four simulated systems, with their own traffic and faults.

It runs in its own image, with Debian's psycopg2, redis and prometheus_client, and imports nothing from the rest of the
project.
"""

import os

# The client reads this at import: `_created` series of counters are not part of the contract.
os.environ["PROMETHEUS_DISABLE_CREATED_SERIES"] = "True"
