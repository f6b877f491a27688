"""`python -m observability.cli`, the module that `./obs` runs."""

import gc
import os
import sys
from itertools import pairwise

# A command runs for seconds; garbage collection would take a tenth of that time.
gc.disable()


def chosen_project(arguments: list[str]) -> str | None:
    """The folder of --project, or of `check`: its parts must be known before the command line is imported."""
    if arguments[:1] == ["check"]:
        return next((word for word in arguments[1:] if not word.startswith("-")), None)
    stated = (word.partition("=")[2] for word in arguments if word.startswith("--project="))
    return next(stated, None) or next((value for word, value in pairwise(arguments) if word == "--project"), None)


def run() -> None:
    """Run the command line; a ConfigError during the import is two lines and exit code 2, as everywhere."""
    project = chosen_project(sys.argv[1:])
    if project is not None:
        os.environ["OBS_PROJECT"] = os.path.abspath(project)  # noqa: PTH100 - no other imports here
    from observability.core.errors import ConfigError

    try:
        from observability.cli.app import main
    except ConfigError as error:
        sys.stderr.write(f"{error.what}\n{error.fix}\n")
        sys.exit(2)
    main()


run()
