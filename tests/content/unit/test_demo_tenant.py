"""The demo's own runner: what it reads, what it creates, and that it does not touch what is up to date."""

import io
import re
import tarfile
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from demo.tenant import images, options
from demo.tenant.compose import load
from demo.tenant.containers import LABEL_PROJECT, LABEL_SERVICE, Containers, TenantError
from demo.tenant.options import TenantOptions
from demo.tenant.tenant import COMPOSE, Tenant
from observability.core.documents import load_yaml
from observability.core.errors import ConfigError
from observability.settings.load import ROOT

SERVICES = ["postgres", "redis", "redis-alawael", "app", "nginx", "heartbeat"]


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    return Tenant(options=TenantOptions(), folder=tmp_path / "demo")


class Machine:
    """A Docker Engine as the runner sees it: it records the requests, and containers are healthy immediately."""

    def __init__(self, health: str = "healthy") -> None:
        self.health = health
        self.here: dict[str, Made] = {}
        self.asked: list[str] = []
        self.networks_here: list[Any] = []
        self.api = SimpleNamespace(api_version="1.41")
        self.containers = SimpleNamespace(list=self.listed, create=self.create)
        self.networks = SimpleNamespace(list=lambda **_: list(self.networks_here), create=self.network)
        self.volumes = SimpleNamespace(create=self.volume, list=lambda **_: [])
        self.images = SimpleNamespace(get=lambda name: SimpleNamespace(id=f"sha256:{name}"))

    def listed(self, **_: object) -> list[Any]:
        return list(self.here.values())

    def create(self, image: str, command: Any, **said: Any) -> Any:  # noqa: ANN401
        self.asked.append(f"create {said['name']}")
        self.here[said["name"]] = Made(self, image, command, said)
        return self.here[said["name"]]

    def network(self, name: str, **said: Any) -> None:  # noqa: ANN401
        self.asked.append(f"network {name}")
        pools = [{"Subnet": pool["Subnet"]} for pool in said["ipam"]["Config"]]
        self.networks_here.append(SimpleNamespace(name=name, attrs={"IPAM": {"Config": pools}}, remove=lambda: None))

    def volume(self, name: str, **_: object) -> None:
        self.asked.append(f"volume {name}")

    def bring(self, tenant: Tenant) -> list[str]:
        """What `up` did, which is what was planned."""
        tenant.passwords()
        self.asked.clear()
        containers = Containers(self, tenant.project(), COMPOSE.parent, tenant.folder)  # type: ignore[arg-type]  # stands for a client
        planned = containers.plan()
        assert self.asked == []
        done = containers.up()
        assert [re.sub(r"^(create|replace|remove)d|^(start)ed", r"\1\2", line) for line in done] == planned
        return done


class Made:
    """A container of the demo."""

    def __init__(self, machine: Machine, image: str, command: Any, said: dict[str, Any]) -> None:  # noqa: ANN401
        self.machine, self.image, self.command, self.said = machine, image, command, said
        self.name, self.labels = said["name"], said["labels"]
        self.status = "created"
        self.files: dict[str, tarfile.TarInfo] = {}
        self.text: dict[str, bytes] = {}

    @property
    def attrs(self) -> dict[str, Any]:
        state = {"Status": self.status, "Health": {"Status": self.machine.health}}
        return {"State": state, "Config": {"Image": self.image}}

    def put_archive(self, folder: str, data: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for info in archive:
                self.files[f"{folder}/{info.name}"] = info
                self.text[f"{folder}/{info.name}"] = archive.extractfile(info).read()  # type: ignore[union-attr]

    def start(self) -> None:
        self.machine.asked.append(f"start {self.name}")
        self.status = "running"

    def stop(self, timeout: int) -> None:
        self.machine.asked.append(f"stop {self.name} {timeout}")

    def remove(self, **_: object) -> None:
        self.machine.asked.append(f"remove {self.name}")
        del self.machine.here[self.name]


def test_each_service_starts_after_those_it_needs(tenant: Tenant) -> None:
    machine = Machine()
    done = machine.bring(tenant)
    assert done[0] == "created network demo 172.30.80.0/24"
    order = [line.removeprefix("created demo-") for line in done[1:]]
    assert sorted(order) == sorted(SERVICES)
    assert order.index("postgres") < order.index("app") < order.index("nginx")
    assert order.index("redis") < order.index("app")


def test_an_unchanged_demo_is_not_touched(tenant: Tenant) -> None:
    machine = Machine()
    machine.bring(tenant)
    assert machine.bring(tenant) == []
    assert machine.asked == []


def test_a_changed_option_replaces_only_the_containers_that_use_it(tenant: Tenant) -> None:
    machine = Machine()
    machine.bring(tenant)
    faster = Tenant(options=TenantOptions(rate=9), folder=tenant.folder)
    assert machine.bring(faster) == ["replaced demo-app"]
    assert "--rate=9" in machine.here["demo-app"].command


def test_a_changed_file_replaces_the_container_that_reads_it(tenant: Tenant) -> None:
    machine = Machine()
    machine.bring(tenant)
    (tenant.folder / "monitoring-password").write_text("another")
    assert machine.bring(tenant) == ["replaced demo-postgres"]


def test_before_the_first_up_the_plan_is_to_create_everything(tenant: Tenant) -> None:
    containers = Containers(Machine(), tenant.project(), COMPOSE.parent, tenant.folder)  # type: ignore[arg-type]  # as above
    assert containers.plan()[0] == "create network demo 172.30.80.0/24"
    assert sorted(containers.plan()[1:]) == sorted(f"create demo-{service}" for service in SERVICES)


def test_a_demo_of_another_data_folder_is_not_touched(tenant: Tenant, tmp_path: Path) -> None:
    machine = Machine()
    machine.bring(tenant)
    before = dict(machine.here)
    with pytest.raises(ConfigError, match=f"brought up from another data folder: {tenant.folder}"):
        machine.bring(Tenant(options=tenant.options, folder=tmp_path / "other"))
    assert machine.here == before


def test_a_stopped_container_is_started_again(tenant: Tenant) -> None:
    machine = Machine()
    machine.bring(tenant)
    machine.here["demo-redis"].status = "exited"
    assert machine.bring(tenant) == ["started demo-redis"]


def test_a_container_of_a_removed_service_is_removed(tenant: Tenant) -> None:
    machine = Machine()
    machine.bring(tenant)
    labels = {LABEL_PROJECT: "demo", LABEL_SERVICE: "old"}
    machine.here["demo-old"] = Made(machine, "x:1", None, {"name": "demo-old", "labels": labels})
    assert machine.bring(tenant) == ["removed demo-old"]


def test_an_unhealthy_container_is_named_with_the_docker_logs_command(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.tenant.containers.HEALTH_SECONDS", 0.0)
    with pytest.raises(TenantError, match=r"demo-postgres is unhealthy.*docker logs demo-postgres"):
        Machine(health="unhealthy").bring(tenant)


def test_a_subnet_in_use_is_refused_before_anything_is_created(tenant: Tenant) -> None:
    machine = Machine()
    pools = [{"Subnet": "172.30.0.0/16"}]
    machine.networks_here.append(SimpleNamespace(name="other", attrs={"IPAM": {"Config": pools}}))
    with pytest.raises(ConfigError, match=r"172\.30\.80\.0/24 overlaps the Docker network other"):
        machine.bring(tenant)
    assert machine.here == {}


def test_no_password_is_in_the_environment_a_label_or_a_command_line(tenant: Tenant) -> None:
    machine = Machine()
    machine.bring(tenant)
    secrets = tenant.passwords().values()
    for made in machine.here.values():
        said = repr((made.said, made.command))
        assert not [value for value in secrets if value in said]
    database = machine.here["demo-postgres"]
    password = database.files["/run/secrets/monitoring-password"]
    assert (password.uid, password.gid, password.mode) == (999, 999, 0o400)
    assert database.text["/run/secrets/monitoring-password"].decode() == tenant.passwords()["monitoring-password"]


def test_passwords_are_generated_once_and_readable_by_their_owner_only(tenant: Tenant) -> None:
    first = tenant.passwords()
    assert tenant.passwords() == first
    assert len(set(first.values())) == len(first)
    assert {path.stat().st_mode & 0o777 for path in tenant.folder.iterdir()} == {0o600}


def test_no_container_has_a_label_of_a_stack(tenant: Tenant) -> None:
    machine = Machine()
    machine.bring(tenant)
    labels = {label for made in machine.here.values() for label in made.labels}
    assert not [label for label in labels if label.startswith("io.observability.")]
    assert {made.labels[LABEL_PROJECT] for made in machine.here.values()} == {"demo"}
    assert {made.labels[LABEL_SERVICE] for made in machine.here.values()} == set(SERVICES)


def test_only_the_ports_for_users_are_published_on_loopback(tenant: Tenant) -> None:
    project = tenant.project()
    ports = [port.rsplit(":", 2) for service in project.services.values() for port in service.ports]
    assert {address for address, _, _ in ports} == {"127.0.0.1", "172.30.80.1"}
    assert {external for address, external, _ in ports if address == "127.0.0.1"} == {"8088", "3999"}
    published = [(address, external) for address, external, _ in ports]
    assert len(published) == len(set(published))


def test_every_container_has_security_options_and_limits(tenant: Tenant) -> None:
    for name, service in tenant.project().services.items():
        assert service.read_only, name
        assert service.cap_drop == ("ALL",), name
        assert service.security_opt == ("no-new-privileges:true",), name
        assert not service.user.startswith("0"), name


def test_every_image_that_compose_names_can_be_built(tenant: Tenant) -> None:
    for name, service in tenant.project().services.items():
        recipe = images.RECIPES[name]
        assert service.image.startswith(f"{recipe.repository}:{recipe.tag}"), name


def test_the_runner_is_not_part_of_the_image_it_runs() -> None:
    inside = {target for target, _ in images.APP.source_files()}
    assert "/app/demo/__main__.py" in inside
    assert not [path for path in inside if "tenant" in path or "deploy" in path or path.endswith((".yaml", ".md"))]
    assert images.app_image().startswith(f"{images.APP.repository}:{images.APP.tag}-")


def written(folder: Path, change: Mapping[str, Any]) -> Path:
    """The Compose file with these keys of redis changed."""
    document = load_yaml(COMPOSE.read_text())
    document["services"]["redis"] |= change
    path = folder / "compose.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


VARIABLES = {
    **dict.fromkeys(("DEMO_IMAGE", "DEMO_RATE", "DEMO_PORT", "DEMO_FAULT_PORT", "DEMO_SECRETS", "DEMO_SUBNET"), "1"),
    "DEMO_NAME": "demo",
    "DEMO_GATEWAY": "10.0.0.1",
}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"privileged": True}, "services.redis.privileged: unknown key"),
        ({"ports": ["6379:6379"]}, "services.redis.ports[0]: '6379:6379'"),
        ({"mem_limit": "64 MB"}, "services.redis.mem_limit"),
        ({"depends_on": {"cache": {"condition": "service_healthy"}}}, "services.redis.depends_on names cache"),
        ({"depends_on": {"app": {"condition": "service_healthy"}}}, "wait for each other"),
        ({"image": "redis:${REDIS_TAG}"}, "REDIS_TAG has no value"),
    ],
)
def test_an_invalid_compose_file_is_refused_by_path(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(written(tmp_path, change), VARIABLES)
    assert named in refused.value.what


def stack_file(folder: Path, text: str) -> Path:
    (folder / "Pulumi.dev.yaml").write_text(text)
    return folder


def test_a_stack_file_without_the_key_has_no_demo(tmp_path: Path) -> None:
    root = stack_file(tmp_path, "config:\n  observability:profile: full\n")
    assert options.read("dev", root) is None
    with pytest.raises(ConfigError, match="has no demo:tenant"):
        options.require("dev", root)


def test_the_key_alone_enables_the_default_demo(tmp_path: Path) -> None:
    found = options.require("dev", stack_file(tmp_path, "config:\n  demo:tenant: {}\n"))
    assert found == TenantOptions()
    assert (found.gateway, found.faults_address) == ("172.30.80.1", "http://127.0.0.1:3999")


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("{prt: 1}", "demo:tenant.prt: unknown key"),
        ("{port: 3999}", "demo:tenant: port and faultPort are both 3999"),
        ("{subnet: 8.8.8.0/24}", "demo:tenant.subnet"),
    ],
)
def test_a_wrong_option_is_refused_by_its_path(tmp_path: Path, said: str, named: str) -> None:
    with pytest.raises(ConfigError) as refused:
        options.read("dev", stack_file(tmp_path, f"config:\n  demo:tenant: {said}\n"))
    assert named in refused.value.what


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_only_dev_enables_the_demo(stack: str) -> None:
    assert options.read(stack, ROOT) is None
