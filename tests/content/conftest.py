"""Collects the tests of the content if the repository has it."""

from observability.settings.load import ROOT
from observability.systems import load as system_files
from tests.content import SYSTEMS

# If only some of the systems are removed, the tests fail.
collect_ignore_glob = [] if {*SYSTEMS} & {*system_files.names(ROOT)} else ["*"]
