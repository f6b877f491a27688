"""The lines in Elasticsearch as a data source of Grafana."""

from observability.elk.indices import PATTERNS
from observability.parts import elk
from observability.settings.grafana import ElasticsearchSource
from observability.settings.load import StackConfig


def source(config: StackConfig) -> ElasticsearchSource | None:
    """The data source of the section `elk`, None where that does not run."""
    settings = config.settings.elk
    if settings is None or not config.runs(elk.NAME):
        return None
    published = f"https://{config.settings.bind_address}:{settings.elasticsearch.port}"
    own = f"https://{elk.ELASTICSEARCH}:{elk.HTTP}" if config.runs("grafana") else published
    return ElasticsearchSource(
        url=settings.external.url if settings.external else own,
        index=",".join(PATTERNS),
        user=settings.external.user if settings.external else "obs-grafana",
    )
