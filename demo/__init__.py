"""The demo: a small shop with real dependencies and four simulated systems, with their own traffic and faults.

It runs in an image of its own, with Debian's psycopg2, redis and prometheus_client, and imports nothing of the rest
of the project.
"""

import os

# The client reads this as it is imported: a `_created` series for every counter is not in the contract.
os.environ["PROMETHEUS_DISABLE_CREATED_SERIES"] = "True"
