"""A setting is added to a stack's file, and taken out, without another change of its text."""

import pytest

from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.settings.edit import put, take_out

HOSTS = ("config", "observability:hosts", "web-2")
HOST = {"docker": "ssh://root@10.0.0.2"}
FILE = """\
# Ours.
config:
  observability:network:
    subnet: 172.30.92.0/24  # free there

  # Who is told.
  observability:notifications:
    default: [ops]
"""
ADDED = FILE + "  observability:hosts:\n    web-2:\n      docker: ssh://root@10.0.0.2\n"


def test_a_first_host_is_added_at_the_end() -> None:
    assert put("p", FILE, HOSTS, HOST) == ADDED


def test_a_second_host_is_added_below_the_first() -> None:
    text = ADDED.replace("  observability:network", "  observability:links: {}\n  observability:network")
    made = put("p", text + "\n# The end.\n", ("config", "observability:hosts", "db-1"), HOST)
    assert made == text + "    db-1:\n      docker: ssh://root@10.0.0.2\n\n# The end.\n"


def test_a_setting_is_added_to_a_section_in_the_middle() -> None:
    made = put("p", FILE, ("config", "observability:network", "hosts"), {"db": "10.0.0.5"})
    assert made == FILE.replace("free there\n", "free there\n    hosts:\n      db: 10.0.0.5\n")


def test_an_empty_file_gets_its_first_setting() -> None:
    assert load_yaml(put("p", "# Nothing yet.\n", HOSTS, HOST)) == {"config": {"observability:hosts": {"web-2": HOST}}}


@pytest.mark.parametrize("text", ["config: {}\n", "config:\n  observability:hosts: {a: {docker: ssh://a}}\n"])
def test_a_mapping_on_one_line_is_left_to_the_author(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        put("Pulumi.dev.yaml", text, HOSTS, HOST)
    assert "write by hand:\nconfig:\n  observability:hosts:\n    web-2:" in caught.value.fix


def test_the_last_host_is_taken_out_with_its_section() -> None:
    assert take_out("p", ADDED, HOSTS) == FILE


def test_one_of_two_hosts_is_taken_out_alone() -> None:
    two = put("p", ADDED, ("config", "observability:hosts", "db-1"), HOST)
    assert take_out("p", two, ("config", "observability:hosts", "db-1")) == ADDED
    assert load_yaml(take_out("p", two, HOSTS))["config"]["observability:hosts"] == {"db-1": HOST}


def test_what_is_not_there_cannot_be_taken_out() -> None:
    with pytest.raises(ConfigError, match=r"there is no config\.observability:hosts\.web-2"):
        take_out("p", FILE, HOSTS)


def test_an_entry_on_a_line_with_others_is_left_to_the_author() -> None:
    text = "config:\n  observability:hosts: {web-2: {docker: ssh://a}, db-1: {docker: ssh://b}}\n"
    with pytest.raises(ConfigError, match="cannot be taken out here"):
        take_out("p", text, HOSTS)
