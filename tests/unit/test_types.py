"""The types of settings: which values they accept and which they refuse."""

import pytest
from pydantic import TypeAdapter, ValidationError

from observability.core.types import Duration, seconds


@pytest.mark.parametrize(
    ("written", "length"),
    [("1ms", 0.001), ("15s", 15), ("1m30s", 90), ("2h", 7200), ("15d", 1_296_000), ("1w", 604_800)],
)
def test_a_duration_is_converted_to_seconds(written: str, length: float) -> None:
    assert TypeAdapter(Duration).validate_python(written) == written
    assert seconds(written) == length


@pytest.mark.parametrize("written", ["0s", "0m", "0d", "0h0m0s", "-1s", "-15s", "-1h", "1h-5m", "- 5s"])
def test_a_duration_of_zero_or_less_is_refused(written: str) -> None:
    with pytest.raises(ValidationError, match=r"must be longer than nothing|is not a duration"):
        TypeAdapter(Duration).validate_python(written)


@pytest.mark.parametrize("written", ["", "s", "15", "1.5h", "15 s", "1s1m", "15s\n", "1h 30m", "-1s", "-15m", "1h-5m"])
def test_what_is_not_a_duration_is_refused(written: str) -> None:
    with pytest.raises(ValidationError, match="is not a duration"):
        TypeAdapter(Duration).validate_python(written)
    with pytest.raises(ValueError, match="is not a duration"):
        seconds(written)
