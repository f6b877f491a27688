"""The queue of the shop."""

from dashboards.common import Panel, graph, over_time
from dashboards.own import Page

page = Page(
    uid="shop-queue",
    title="Shop: Queue",
    description="The orders that wait to be sent.",
    system="shop",
)


@page.panel(row="Queue", alerts=("OrdersWaiting",))
def orders_waiting() -> Panel:
    """How many orders wait, by instance, and the limit of the alert."""
    return graph(
        "Orders Waiting",
        "Orders that wait to be sent.",
        "short",
        over_time('orders_waiting{system="shop"}', "{{instance}}"),
        at=(100, "warning"),
    )
