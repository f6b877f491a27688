"""Tests of this repository's own content: its systems, their places in `Pulumi.*.yaml`, and the demo.

They lie beside the framework's tests in folders of the same names, and go when the content goes; see `conftest.py`.
"""
