"""On-call settings for tests, and variations of them."""

import copy
from datetime import UTC, datetime
from typing import Any

from observability.settings.on_call import OnCallSettings

ROTA: dict[str, Any] = {
    "people": {
        "anna": {"name": "Anna Berg", "email": "anna@example.com", "phone": "+4930123456"},
        "ben": {"name": "Ben Lee", "email": "ben@example.com"},
        "carla": {"name": "Carla Diaz", "email": "carla@example.com"},
        "dora": {"name": "Dora Kim", "email": "dora@example.com"},
        "emil": {"name": "Emil Roy", "email": "emil@example.com"},
        "fatou": {"name": "Fatou Sy", "email": "fatou@example.com"},
    },
    "rotations": {
        "office": {
            "people": ["anna", "ben"],
            "start": "2026-01-05",
            "handover": "09:00",
            "zone": "Europe/Berlin",
        },
        "nights": {
            "people": ["carla", "ben", "anna"],
            "every": "day",
            "start": "2026-01-05",
            "handover": "12:00",
            "zone": "Europe/Berlin",
        },
        "leads": {"people": ["dora", "emil"], "start": "2026-01-05", "handover": "09:00", "zone": "Europe/Berlin"},
    },
    "schedules": {
        "depot": {
            "zone": "Europe/Berlin",
            "layers": [
                {"rotation": "office", "hours": ["08:00-20:00"]},
                {"rotation": "nights", "hours": ["20:00-08:00"]},
            ],
            "holidays": [{"dates": ["2026-12-25", "2026-12-26"], "person": "carla"}],
            "overrides": [{"from": "2026-12-30 18:00", "to": "2027-01-02 08:00", "person": "ben"}],
            "escalation": [{"after": "15m", "rotation": "leads"}, {"after": "30m", "person": "fatou"}],
        }
    },
}


def rota(path: str = "", value: object = None, team: str = "depot") -> dict[str, Any]:
    """A team's settings with this value at this path, like `schedules.depot.layers.0.hours`; None removes it."""
    found = copy.deepcopy(ROTA)
    found["schedules"] = dict.fromkeys((team,), found["schedules"]["depot"])
    if path:
        *way, last = path.split(".")
        place: Any = found
        for step in way:
            place = place[int(step) if isinstance(place, list) else step]
        key: Any = int(last) if isinstance(place, list) else last
        if value is None:
            del place[key]
        else:
            place[key] = value
    return found


def settings(path: str = "", value: object = None) -> OnCallSettings:
    """The same as settings."""
    return OnCallSettings.model_validate(rota(path, value))


def utc(text: str) -> datetime:
    """A time like `2026-12-25 10:00`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
