"""The five systems of the demo: four are simulated, one is the shop in the parent folder."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from demo.faults import Fault
from demo.systems import alawael, erpgo, neuroerp, social_selling, syncup
from demo.systems.profile import Profile

SHOP: Final = social_selling.PROFILE

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {profile.name: profile for profile in (alawael.PROFILE, erpgo.PROFILE, neuroerp.PROFILE, SHOP, syncup.PROFILE)}
)
"""Every system by its name."""

FAULTS: Final[Mapping[str, Mapping[str, Fault]]] = MappingProxyType(
    {name: MappingProxyType({fault.name: fault for fault in profile.faults}) for name, profile in PROFILES.items()}
)
"""Every fault by its system and its name."""
