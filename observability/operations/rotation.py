"""Replace the value of a secret while the stack runs.

The value before is kept until the new one is in use. Where the receiving side takes two values, the next updates go
through these states, each of which is stored before it is applied:

- a credential: both are accepted; once every sender has sent with the new one, the one before is withdrawn.
- an authority: its successor is trusted as well; then it signs; then the one before is no longer trusted.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from observability.core.errors import ConfigError
from observability.core.naming import LABEL_SERVICE
from observability.core.secret import SecretSpec
from observability.operations.home import Home, made
from observability.settings.hosts import token
from observability.settings.load import StackConfig, stack_secrets
from observability.settings.stack_file import PREFIX
from observability.synth.declared import CONTAINER, Declared


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What the end of an update means for the rotations: whether another update is to follow, and what they wait for.

    `waiting` has, by secret, the hosts that have not sent since the update.
    """

    ended: tuple[str, ...] = ()
    again: bool = False
    waiting: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rotations:
    """The rotations of one stack, stored in the data folder."""

    home: Home
    stack: str
    specs: Mapping[str, SecretSpec]

    @classmethod
    def of(cls, home: Home, stack: str) -> "Rotations":
        """Those of a stack by its file."""
        return cls(home=home, stack=stack, specs=stack_secrets(stack))

    def check(self, name: str, config: StackConfig) -> None:
        """ConfigError where this secret of the stack cannot be rotated here, with the way that there is."""
        spec = self.home.spec(self.stack, name)
        if name in config.settings.secret_sources:
            source = config.settings.secret_sources[name]
            kind = next(key for key in ("file", "env", "command") if getattr(source, key))
            raise ConfigError(
                f"Pulumi.{self.stack}.yaml: {PREFIX}secretSources.{name}.{kind}: the value is kept there, not here",
                f"replace it there, then run: ./obs up {self.stack}",
            )
        if spec.not_rotated:
            raise ConfigError(f"{name} is not rotated: {spec.not_rotated[0]}", spec.not_rotated[1])
        if spec.made_with or spec.transient:
            other = spec.made_with or next(one for one, its in self.specs.items() if name in (its.previous, its.next))
            raise ConfigError(f"{name} belongs to {other}", f"rotate that: ./obs secret rotate {other} {self.stack}")
        if name not in self.home.secrets(self.stack):
            raise ConfigError(
                f"{self.stack} has no stored value of {name}",
                f"run ./obs up {self.stack}, which makes it"
                if spec.generated
                else f"store the first one: ./obs secret set {name} {self.stack}",
            )
        if not self.home.made(self.stack):
            raise ConfigError(
                f"{self.stack} was never started from {self.home.folder}, so nothing uses {name}",
                f"start it: ./obs up {self.stack}; or store another value: ./obs secret set {name} {self.stack}",
            )

    def members(self, name: str) -> tuple[str, ...]:
        """The secrets that are replaced with this one, itself included."""
        return (name, *(one for one, spec in self.specs.items() if spec.made_with == name))

    def under_way(self) -> list[str]:
        """Names of the secrets whose rotation has begun and not ended."""
        return [
            name
            for name, spec in self.specs.items()
            if not (spec.transient or spec.made_with)
            and (self.home.before(self.stack, name) is not None or self._has(spec.previous) or self._has(spec.next))
        ]

    def begin(self, name: str, value: str | None = None) -> None:
        """Store the new value, `value` or a generated one; a rotation that has begun is continued with its value.

        Killed at any point, the same call completes it.
        """
        spec = self.specs[name]
        if spec.next:
            if name not in self.under_way():
                self._announce(name)
            return
        self.home.keep_before(self.stack, name)
        before, now = str(self.home.before(self.stack, name)), self._value(name)
        if spec.previous:
            if now == before and self._stored(spec.previous) not in (None, before):
                return  # It is on its way back, and both are accepted.
            self._set(spec.previous, before)
        if value is not None:
            self._set(name, value)
        elif now == before:
            for one, new in made(name, spec).items():
                self._set(one, new)

    def back(self, name: str) -> None:
        """Return to the value before; ConfigError where no rotation is under way. The next update applies it."""
        spec = self.specs[name]
        if self._has(spec.next) and self.home.before(self.stack, name) is None:
            self._remove_next(name)
            return
        if self.home.before(self.stack, name) is None:
            raise ConfigError(
                f"{name} is not being rotated, so there is no value before it", "rotate it again for another one"
            )
        self._remove_next(name)
        if spec.previous:
            self._set(spec.previous, self._value(name))
        for one in self.members(name):
            before = self.home.before(self.stack, one)
            if before is not None:
                self._set(one, before)

    def concerns(self, name: str, host: str) -> bool:
        """Whether the rotation of a secret goes on only once the agent on a host has been updated."""
        return bool(self.specs[name].next) or token(host) == name

    def settle(self) -> None:
        """Complete what a killed command has stored by half, before anything reads it."""
        for name, spec in self.specs.items():
            if spec.made_with or spec.transient:
                continue
            before = {one: self.home.before(self.stack, one) for one in self.members(name)}
            if not self._has(spec.next):
                self._remove_next(name)
            elif before[name] is not None:
                self._promote(name)
            if before[name] is None:
                continue
            returned = [one for one, value in before.items() if value is not None and self._stored(one) == value]
            if returned and len(returned) < len(before):
                for one, value in before.items():
                    self._set(one, str(value))
            if spec.previous and self._has(spec.previous) and self._stored(spec.previous) == self._stored(name):
                self._set(spec.previous, str(before[name]))

    def advance(self, sent: Collection[str], hosts: Sequence[str]) -> Progress:
        """Take every rotation one state further after an update that left the stack well.

        `sent` are those of the other hosts, `hosts`, whose agent was updated and has sent since.
        """
        ended: list[str] = []
        waiting: dict[str, tuple[str, ...]] = {}
        again = False
        for name in self.under_way():
            spec = self.specs[name]
            late = tuple(host for host in hosts if self.concerns(name, host) and host not in sent)
            if late:
                waiting[name] = late
            elif self._has(spec.next):
                self._promote(name)
                again = True
            else:
                if spec.previous and self._has(spec.previous):
                    self.home.remove_secret(self.stack, spec.previous)
                    again = True
                # Its own is the last: by it the rotation is known.
                for one in reversed(self.members(name)):
                    self.home.forget_before(self.stack, one)
                ended.append(name)
        return Progress(ended=tuple(ended), again=again, waiting=waiting)

    def _announce(self, name: str) -> None:
        """Store the successor; its own name last, by which it is known to be complete."""
        new = made(name, self.specs[name])
        for one in reversed(self.members(name)):
            self._set(str(self.specs[one].next), new[one])

    def _promote(self, name: str) -> None:
        """Put the announced successor in place: each step can be repeated, and its own removal is the last."""
        spec = self.specs[name]
        members = self.members(name)
        for one in reversed(members):
            self.home.keep_before(self.stack, one)
        if spec.previous:
            self._set(spec.previous, str(self.home.before(self.stack, name)))
        for one in members:
            self._set(one, self._value(str(self.specs[one].next)))
        self._remove_next(name)

    def _remove_next(self, name: str) -> None:
        for one in self.members(name):
            following = self.specs[one].next
            if following and self._has(following):
                self.home.remove_secret(self.stack, following)

    def _has(self, name: str | None) -> bool:
        return name is not None and self._stored(name) is not None

    def _stored(self, name: str) -> str | None:
        return self.home.secrets(self.stack).get(name)

    def _value(self, name: str) -> str:
        return self.home.secrets(self.stack)[name]

    def _set(self, name: str, value: str) -> None:
        if self._stored(name) != value:
            self.home.set_secret(self.stack, name, value)


@dataclass(frozen=True, kw_only=True)
class Effects:
    """What another value of a secret does: the services whose container is replaced, those that read it while running.

    A service of another host is `<host>/<service>`.
    """

    restarted: tuple[str, ...]
    running: tuple[str, ...]


def effects(before: Sequence[Declared], after: Sequence[Declared]) -> Effects:
    """The services that differ between two declarations of a stack, of which the second has another secret.

    Both must know the values of all secrets: the files are compared by their digests.
    """
    earlier = {one.name: (one.inputs, one.digests) for one in before}
    changed = [one for one in after if one.type == CONTAINER and earlier.get(one.name) != (one.inputs, one.digests)]
    loaders = {one.name for one in changed if one.inputs.get("attach")}
    filled = {place for one in changed if one.name in loaders for place in _volumes(one)}
    restarted, running = [], []
    for one in after:
        if one.type != CONTAINER or one.inputs.get("attach"):
            continue
        if one in changed or loaders & set(_ids(one)):
            restarted.append(one)
        elif filled & set(_volumes(one)):
            running.append(one)
    return Effects(restarted=_services(restarted), running=_services(running))


def _volumes(one: Declared) -> Iterator[tuple[str | None, str]]:
    """The volumes that a container mounts, each with its host."""
    for mount in one.inputs.get("volumes") or ():
        if mount.get("volumeName"):
            yield one.host, mount["volumeName"]


def _ids(one: Declared) -> Iterator[str]:
    """Names of the resources whose id is in a container's environment."""
    for variable in one.inputs.get("envs") or ():
        value = str(variable).partition("=")[2]
        if value.endswith("-id"):
            yield value.removesuffix("-id")


def _services(found: Sequence[Declared]) -> tuple[str, ...]:
    labels = ((one.host, {each["label"]: each["value"] for each in one.inputs["labels"]}) for one in found)
    return tuple(sorted(f"{host}/{label[LABEL_SERVICE]}" if host else label[LABEL_SERVICE] for host, label in labels))
