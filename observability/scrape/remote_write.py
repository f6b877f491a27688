"""Prometheus' section `remote_write`: the receivers of the settings, and what it needs for them."""

from typing import Any, Final

from observability.scrape.systems import FILES
from observability.settings.load import StackConfig
from observability.settings.remote_write import RemoteWriteSettings, SeriesSelection

MESSAGES: Final = {"v1": "prometheus.WriteRequest", "v2": "io.prometheus.write.v2.Request"}
"""Prometheus' name of the message, by that of the settings."""

KEPT: Final = "__tmp_keep"
"""Label that marks a series that one of several selections keeps; it is removed before sending."""


def section(config: StackConfig) -> dict[str, Any]:
    """The section; empty where there is no receiver."""
    found = [_receiver(one) for one in config.settings.receivers]
    return {"remote_write": found} if found else {}


def secret_files(config: StackConfig) -> dict[str, str]:
    """Secrets that are files: path within Prometheus' configuration folder → name of the secret."""
    return {_file(one, file): name for one in config.settings.receivers for _, file, name in one.secrets}


def _file(one: RemoteWriteSettings, file: str) -> str:
    return f"secrets/remote-write-{one.name}-{file}"


def _receiver(one: RemoteWriteSettings) -> dict[str, Any]:
    files = {setting: _file(one, file) for setting, file, _ in one.secrets}
    found: dict[str, Any] = {
        "name": one.name,
        "url": one.url,
        "remote_timeout": one.timeout,
        "protobuf_message": MESSAGES[one.protocol],
    }
    if one.send_exemplars:
        found["send_exemplars"] = True
    if one.send_native_histograms:
        found["send_native_histograms"] = True
    if one.bearer_token:
        found["authorization"] = {"credentials_file": files["bearerToken"]}
    if one.basic_auth_user:
        found["basic_auth"] = {"username": one.basic_auth_user, "password_file": files["basicAuthUser"]}
    if one.headers:
        found["headers"] = dict(one.headers)
    if one.secret_headers:
        found["http_headers"] = {
            header: {"files": [files[f"secretHeaders[{index}]"]]} for index, header in enumerate(one.secret_headers)
        }
    if one.tls:
        tls = {
            "ca_file": f"{FILES}/{one.tls.ca}" if one.tls.ca else None,
            "cert_file": f"{FILES}/{one.tls.certificate}" if one.tls.certificate else None,
            "key_file": files.get("tls.certificate"),
            "server_name": one.tls.server_name,
        }
        found["tls_config"] = {key: value for key, value in tls.items() if value}
    relabelling = _relabelling(one)
    if relabelling:
        found["write_relabel_configs"] = relabelling
    queue = one.queue
    found["queue_config"] = {
        "capacity": queue.capacity,
        "min_shards": queue.min_shards,
        "max_shards": queue.max_shards,
        "max_samples_per_send": queue.max_samples_per_send,
        "batch_send_deadline": queue.batch_send_deadline,
        "min_backoff": queue.min_backoff,
        "max_backoff": queue.max_backoff,
        "retry_on_http_429": queue.retry_on_rate_limit,
        **({"sample_age_limit": queue.sample_age_limit} if queue.sample_age_limit else {}),
    }
    return found


def _relabelling(one: RemoteWriteSettings) -> list[dict[str, Any]]:
    """The filters. A `keep` of Prometheus drops all others at once, so several selections mark what they keep."""
    if len(one.keep) == 1:
        kept = [{**_matching(one.keep[0]), "action": "keep"}]
    elif one.keep:
        kept = [{**_matching(each), "target_label": KEPT, "replacement": "yes"} for each in one.keep]
        kept.append({"source_labels": [KEPT], "regex": "yes", "action": "keep"})
        kept.append({"regex": KEPT, "action": "labeldrop"})
    else:
        kept = []
    return [*kept, *({**_matching(each), "action": "drop"} for each in one.drop)]


def _matching(selection: SeriesSelection) -> dict[str, Any]:
    """Labels and the expression of their values, joined by Prometheus' separator."""
    wanted = {"__name__": "|".join(selection.metrics)} if selection.metrics else {}
    wanted |= dict(sorted(selection.labels.items()))
    expressions = [f"(?:{expression})" for expression in wanted.values()]
    return {"source_labels": list(wanted), "regex": ";".join(expressions)}
