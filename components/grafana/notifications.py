"""The receivers of Grafana's own alerts: contact points, mute timings, templates, and the tree of policies."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumiverse_grafana as grafana
from pulumi import Resource, ResourceOptions

from components.context import StackContext
from observability.alerting.grafana import (
    TEMPLATES,
    ContactPoint,
    Policy,
    contact_points,
    mute_timings,
    policy,
    templates,
)

alerting = grafana.alerting


def notifications(name: str, context: StackContext, own: Callable[..., ResourceOptions]) -> None:
    """Declare them; `own` makes a resource's options from the resources that it depends on.

    Grafana has one tree of policies, and this is its only owner. The policy is created last and deleted first: what it
    refers to cannot be deleted before it, nor a template before the contact points that use it.
    """
    config = context.config
    text = alerting.MessageTemplate(f"{name}-templates", name=TEMPLATES, template=templates(), opts=own())
    named: list[Resource] = [
        _contact_point(f"{name}-contact-{point.name.lower()}", point, context, own(text))
        for point in contact_points(config)
    ]
    named += [
        alerting.MuteTiming(
            f"{name}-mute-{title}",
            name=title,
            intervals=[alerting.MuteTimingIntervalArgs(**_timing(interval)) for interval in intervals],
            opts=own(),
        )
        for title, intervals in mute_timings(config).items()
    ]
    root = policy(config)
    alerting.NotificationPolicy(
        f"{name}-policy",
        contact_point=root.contact_point,
        group_bies=list(root.group_by or ()),
        group_wait=root.group_wait,
        group_interval=root.group_interval,
        repeat_interval=root.repeat_interval,
        policies=[alerting.NotificationPolicyPolicyArgs(**_policy(branch)) for branch in root.branches],
        opts=own(*named),
    )


def _contact_point(
    name: str, point: ContactPoint, context: StackContext, opts: ResourceOptions
) -> grafana.alerting.ContactPoint:
    secrets = {key: context.secret(secret) for key, secret in point.secrets.items()}
    settings = {**point.settings, **secrets, "disable_resolve_message": not point.resolved}
    blocks: dict[str, Any] = {point.block: [settings]}
    return alerting.ContactPoint(name, name=point.name, opts=opts, **blocks)


def _timing(interval: Mapping[str, Any]) -> dict[str, Any]:
    times = [alerting.MuteTimingIntervalTimeArgs(**time) for time in interval["times"]]
    return {**interval, "times": times}


def _policy(branch: Policy) -> dict[str, Any]:
    """A branch in the provider's form, and its children as mappings: in the provider each level has another type."""
    return {
        "contact_point": branch.contact_point,
        "matchers": [{"label": one.label, "match": one.operator, "value": one.value} for one in branch.matchers],
        "continue_": branch.passes_on,
        "mute_timings": list(branch.mute),
        "group_bies": list(branch.group_by) if branch.group_by else None,
        "group_wait": branch.group_wait,
        "group_interval": branch.group_interval,
        "repeat_interval": branch.repeat_interval,
        "policies": [_policy(below) for below in branch.branches],
    }
