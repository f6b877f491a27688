"""Tests of this repository's own content: its systems, their places in `Pulumi.*.yaml`, and the demo.

They are in folders of the same names as the framework's tests, and are not collected if the content is removed
(`conftest.py`). Everything else is tested with the systems of `tests/reference`.
"""

from typing import Final

SYSTEMS: Final = ("alawael", "erpgo", "neuroerp", "social-selling", "syncup")
"""The systems of this repository."""
