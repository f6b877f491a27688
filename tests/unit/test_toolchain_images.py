"""Images built here: which recipe matches which reference, and what they contain."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any, cast

import pytest
from docker import DockerClient

from observability.parts.images import PINS, pinned
from toolchain import assemble, base
from toolchain.images import recipe_for
from toolchain.layer import Entry, file, folder, link, write_layer
from toolchain.process import ObtainError
from toolchain.recipe import KNOWN, Recipe
from toolchain.reference import Reference

NOBODY = 65534


class Engine:
    """An engine that records the images it loads."""

    def __init__(self, architecture: str) -> None:
        self.architecture = architecture
        self.images = self
        self.loaded = b""

    def version(self) -> dict[str, str]:
        return {"Arch": self.architecture}

    def load(self, image: io.BufferedReader) -> None:
        self.loaded = image.read()


def loaded(recipe: Recipe, reference: str = "prom/prometheus:v3.15.0") -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """What the engine is given for a recipe: manifest, configuration, layer."""
    engine = Engine("amd64")
    assemble.load(cast(DockerClient, engine), recipe, reference)
    with tarfile.open(fileobj=io.BytesIO(engine.loaded)) as archive:

        def read(name: str) -> bytes:
            found = archive.extractfile(name)
            assert found is not None
            return found.read()

        (manifest,) = json.loads(read("manifest.json"))
        return manifest, json.loads(read(manifest["Config"])), read(manifest["Layers"][0])


def members(layer: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
        return {f"/{info.name}": info for info in archive}


@pytest.fixture
def prometheus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """Prometheus' recipe on a machine where it has been compiled."""
    monkeypatch.setenv("OBS_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr(base, "entries", lambda _: iter([file("/etc/passwd", b"nobody")]))
    recipe = KNOWN["prometheus"]
    assert recipe.build is not None
    for kept in (
        *(f"bin/{name}" for name in recipe.binaries.values()),
        *(f"files/{name}" for name in recipe.build.keep),
    ):
        path = recipe.build.folder / kept
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(kept)
    return recipe


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("prom/prometheus:v3.15.0", Reference("", "prom/prometheus", "v3.15.0", "")),
        ("redis:7", Reference("", "redis", "7", "")),
        ("localhost:5000/prom/prometheus:v1", Reference("localhost:5000", "prom/prometheus", "v1", "")),
        ("ghcr.io/google/cadvisor:v0.60.6", Reference("ghcr.io", "google/cadvisor", "v0.60.6", "")),
        ("a/b:1@sha256:00ff", Reference("", "a/b", "1", "sha256:00ff")),
        ("localhost/a", Reference("localhost", "a", "", "")),
    ],
)
def test_a_reference_is_split_as_docker_does(text: str, reference: Reference) -> None:
    assert Reference.parse(text) == reference


@pytest.mark.parametrize("prefix", ["", "mirror.example.com/", "mirror.example.com:5000/library/"])
def test_a_recipe_matches_its_tag_in_any_registry(prefix: str) -> None:
    assert recipe_for("prometheus", f"{prefix}prom/prometheus:v3.15.0") is KNOWN["prometheus"]


@pytest.mark.parametrize(
    ("service", "reference"),
    [
        ("prometheus", "prom/prometheus:v3.14.0"),
        ("prometheus", "prom/prometheus:v3.15.0@sha256:00ff"),
        ("prometheus", "someone/prometheus:v3.15.0"),
        ("prometheus", "notprom/prometheus:v3.15.0"),
        ("grafana", "grafana/grafana:13.2.0"),
    ],
)
def test_no_recipe_matches_another_image(service: str, reference: str) -> None:
    assert recipe_for(service, reference) is None


def test_recipes_build_every_pinned_image_that_package_registries_provide() -> None:
    assert {service for service in PINS if not recipe_for(service, pinned(service))} == {
        "datadog-agent",
        "elasticsearch",
        "kibana",
        "logstash",
        "grafana",
        "goalert",
    }
    assert set(KNOWN) <= set(PINS)


def test_a_recipe_keeps_every_file_that_it_puts_into_the_image() -> None:
    for recipe in KNOWN.values():
        assert set(recipe.files.values()) <= set(recipe.build.keep if recipe.build else ())


def test_parent_folders_are_created_and_owned_by_root(tmp_path: Path) -> None:
    write_layer([file("/a/b/c", b"x", uid=NOBODY)], tmp_path / "layer")
    made = members((tmp_path / "layer").read_bytes())
    assert list(made) == ["/a", "/a/b", "/a/b/c"]
    assert [(info.mode, info.uid, info.gid) for info in made.values()] == [
        (0o755, 0, 0),
        (0o755, 0, 0),
        (0o644, NOBODY, NOBODY),
    ]


def test_a_named_folder_keeps_its_owner_and_mode_in_any_order(tmp_path: Path) -> None:
    entries = [file("/data/x", b""), folder("/data", 0o775, NOBODY), link("/bin/sh", "busybox")]
    write_layer(entries, tmp_path / "layer")
    made = members((tmp_path / "layer").read_bytes())
    assert (made["/data"].mode, made["/data"].uid, made["/data"].gid) == (0o775, NOBODY, NOBODY)
    assert made["/bin/sh"].linkname == "busybox"


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    entries: list[Entry] = [file("/b", b"2"), file("/a", b"1")]
    write_layer(entries, tmp_path / "1")
    write_layer(reversed(entries), tmp_path / "2")
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_prometheus_is_laid_out_as_the_official_image_is(prometheus: Recipe) -> None:
    _, _, layer = loaded(prometheus)
    made = members(layer)
    owners = {path: (made[path].mode, made[path].uid, made[path].gid) for path in made}
    assert owners["/bin/prometheus"] == owners["/bin/promtool"] == (0o755, 0, 0)
    assert owners["/etc/prometheus"] == (0o755, NOBODY, NOBODY)
    assert owners["/etc/prometheus/prometheus.yml"] == (0o644, NOBODY, NOBODY)
    assert owners["/prometheus"] == (0o775, NOBODY, NOBODY)
    assert owners["/etc"] == (0o755, 0, 0)


def test_prometheus_is_set_up_as_the_official_image_is(prometheus: Recipe) -> None:
    _, config, _ = loaded(prometheus)
    settings = config["config"]
    assert settings["User"] == "nobody"
    assert settings["WorkingDir"] == "/prometheus"
    assert settings["Entrypoint"] == ["/bin/prometheus"]
    assert settings["Cmd"] == ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
    assert settings["Volumes"] == {"/prometheus": {}}
    assert settings["ExposedPorts"] == {"9090/tcp": {}}


def test_a_locally_built_image_is_labelled_and_has_exactly_the_pinned_name(prometheus: Recipe) -> None:
    manifest, config, _ = loaded(prometheus, "mirror.example.com/prom/prometheus:v3.15.0")
    assert manifest["RepoTags"] == ["mirror.example.com/prom/prometheus:v3.15.0"]
    assert config["config"]["Labels"] == {
        "io.observability.built-locally": prometheus.version,
        "org.opencontainers.image.title": "Prometheus",
        "org.opencontainers.image.version": "v3.15.0",
    }


def test_the_layer_is_the_one_that_the_configuration_names(prometheus: Recipe) -> None:
    _, config, layer = loaded(prometheus)
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]


def test_the_same_build_gives_the_same_image(prometheus: Recipe) -> None:
    assert loaded(prometheus) == loaded(prometheus)


def test_an_engine_of_another_architecture_is_refused(prometheus: Recipe) -> None:
    with pytest.raises(ObtainError, match="arm64"):
        assemble.load(cast(DockerClient, Engine("arm64")), prometheus, "prom/prometheus:v3.15.0")
