"""The series of the hosts of a system, and what they leave out."""

from dataclasses import dataclass
from typing import Final

NO_DISK: Final = (
    "|(dev)?tmpfs|ramfs|rootfs|overlay|squashfs|erofs|cramfs|romfs|iso9660|udf"
    "|fuse[.](lxcfs|snapfuse|portal|squashfuse.*|.*[Aa]pp[Ii]mage.*)"
)
"""Filesystems that store no files; the alerts on disks exclude them too."""


@dataclass(frozen=True, kw_only=True)
class Hosts:
    """The selected hosts, of those with one value of the label `system`."""

    system: str

    def of(self, series: str, *matchers: str) -> str:
        """A series of these hosts."""
        chosen = (f'system="{self.system}"', 'instance=~"$instance"')
        return f"{series}{{{','.join((*chosen, *matchers))}}}"

    def node(self, series: str, *matchers: str) -> str:
        """A series of their node exporter."""
        return self.of(series, 'job="node"', *matchers)

    def limits(self, threshold: str) -> str:
        """A threshold that applies to every host."""
        return f'app:threshold:{threshold}{{system="{self.system}"}}'
