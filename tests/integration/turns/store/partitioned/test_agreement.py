"""All processes of a cluster must use the same partitions, because they determine the names of keys."""

import pytest

from tests.support.cluster.nodes import ClusterNodes
from turns.backend.client import Client
from turns.backend.installation import check_agreement, join
from turns.backend.opening import connect
from turns.config.settings import Placement, Settings
from turns.domain.errors import ConfigurationError


def test_another_number_of_partitions_is_refused(client: Client, settings: Settings, cluster: ClusterNodes) -> None:
    join(client, settings)
    other = Settings(redis_url=f"{cluster.url}?partitions=12")
    with (
        connect(other.store_url, timeout_seconds=5, retries=0, max_connections=5) as other_client,
        pytest.raises(ConfigurationError, match=r"this store has 24 partitions.* end the URL with"),
    ):
        join(other_client, other)
    join(client, settings)


def test_another_placement_is_refused(client: Client, settings: Settings) -> None:
    join(client, settings)
    other = settings.model_copy(update={"placement": Placement.TENANT})
    with pytest.raises(ConfigurationError, match="INTURN_PLACEMENT: sessions are placed by session in this store"):
        check_agreement(client, other)
