"""Configuration for a server whose image has no shell, or that must be replaced on a change anyway.

A one-shot container installs the files in a folder of the volume that is named after their content, and checks them
there with the image's own tool. The server reads from that folder, so a change replaces the server after the check has
passed. If the check fails, the server keeps its previous folder, also after a restart.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi_docker as docker
from pulumi import ComponentResource, Input, Output, ResourceOptions

from components.context import StackContext
from components.run_once import accepted, run_once
from components.service import NOBODY, VolumeMount
from components.volume import volume
from observability.core import naming
from observability.parts.model import FOLDER_MARK


@dataclass(frozen=True, kw_only=True)
class CheckedFilesArgs:
    """The files to install below `folder`, and the check command: `check` with the main file's path appended.

    The files belong to root; every user in the container can read them. In them FOLDER_MARK stands for the folder in
    which they are installed. `secret_texts` are texts made from secrets, by path; a change of them checks the same
    folder again, and does not replace the server.
    """

    context: StackContext
    service: str
    image: str
    folder: str
    main: str
    files: Mapping[str, str]
    check: Sequence[str]
    user: str = NOBODY
    secret_files: Mapping[str, str] = field(default_factory=dict)
    secret_texts: Mapping[str, Input[str]] = field(default_factory=dict)


class CheckedFiles(ComponentResource):
    """A volume with one folder for each configuration that was ever checked; old ones are kept, as they are small."""

    mount: VolumeMount
    """The volume as the server mounts it."""

    release: str
    """Folder of the files within the server."""

    main: str
    """Path of the main file within the server."""

    installed: Output[docker.Container]
    """Dependency of the server; fails with the checker's output if the files were rejected."""

    def __init__(self, name: str, args: CheckedFilesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("observability:components:CheckedFiles", name, None, opts)
        context = args.context
        self.release = f"{args.folder}/{_hash(args.files)}"
        self.main = f"{self.release}/{args.main}"
        held = volume(f"{name}-volume", context, args.service, "config", parent=self)
        contents: dict[str, Input[str]] = {
            path: text.replace(FOLDER_MARK, self.release) for path, text in args.files.items()
        }
        contents |= {path: context.secret(secret) for path, secret in args.secret_files.items()}
        contents |= args.secret_texts
        checker = run_once(
            f"{name}-checker",
            context,
            container_name=naming.checker(context.stack, args.service),
            service=f"{args.service}-check",
            image=args.image,
            user=args.user,
            entrypoint=[*args.check[:-1], f"{args.check[-1]}{self.main}"],
            volume=held.name,
            folder=args.folder,
            uploads={f"{self.release}/{path}": content for path, content in contents.items()},
            installs=(self.release, self.release),
            parent=self,
        )
        self.mount = VolumeMount(volume=held.name, path=args.folder, read_only=True)
        self.installed = accepted(args.service, checker)
        self.register_outputs({"volume": held.name})


def _hash(files: Mapping[str, str]) -> str:
    return hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:16]
