"""`python -m cli`, which is what `./obs` runs."""

import gc

# A command lives for seconds; collecting garbage meanwhile takes a tenth of its time.
gc.disable()

from observability.cli.app import main  # noqa: E402 - the imports are most of what is to be sped up

main()
