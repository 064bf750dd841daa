import pytest

from turns.backend.address import parse_store_url
from turns.config.store_url import check_store_url


def test_the_url_of_a_server_is_parsed_as_by_redis_py() -> None:
    assert parse_store_url("redis://host:7000/2").options == {"host": "host", "port": 7000, "db": 2}
    assert parse_store_url("unix:///tmp/s?db=1").options["path"] == "/tmp/s"  # noqa: S108  # a name


def test_a_sentinel_url_names_its_sentinels_and_service() -> None:
    address = parse_store_url("sentinel://user:secret@a:1,b,[::1]:3/inturn?db=2&sentinel_password=other")
    assert address.sentinels == (("a", 1), ("b", 26379), ("::1", 3))
    assert address.service == "inturn"
    assert address.options == {"db": 2, "username": "user", "password": "secret"}
    assert address.sentinel_options == {"password": "other"}


def test_a_cluster_url_names_nodes_and_partitions() -> None:
    address = parse_store_url("rediscluster://user:secret@a:1,b,[::1]:3?partitions=12&client_name=x")
    assert address.nodes == (("a", 1), ("b", 6379), ("::1", 3))
    assert address.partitions == 12
    assert address.options == {"username": "user", "password": "secret", "client_name": "x"}
    assert parse_store_url("rediscluster://a").partitions == 24
    assert parse_store_url("redis://a").partitions == 0


def test_a_cluster_can_be_reached_with_tls() -> None:
    options = parse_store_url("rediscluster://a?ssl=true&ssl_cert_reqs=none").options
    assert options["ssl_cert_reqs"] == "none"
    assert "connection_class" in options
    assert "connection_class" not in parse_store_url("rediscluster://a?ssl=false").options


def test_options_that_inturn_sets_itself_are_ignored() -> None:
    url = "redis://h/1?socket_timeout=1&health_check_interval=5&retry_on_timeout=yes&protocol=2&client_name=x"
    assert parse_store_url(url).options == {"host": "h", "db": 1, "protocol": 2, "client_name": "x"}


@pytest.mark.parametrize("name", ["CERT_NONE", "none", "None"])
def test_celery_s_names_of_certificate_checks_are_accepted(name: str) -> None:
    assert parse_store_url(f"rediss://h/0?ssl_cert_reqs={name}").options["ssl_cert_reqs"] == "none"


@pytest.mark.parametrize(
    "url",
    [
        "sentinel://host/mymaster?ssl_ca_certs=/ca.pem",
        "sentinel://host/mymaster?ssl=true",
        "rediss+sentinel://host/mymaster",
        "sentinels://host/mymaster",
    ],
)
def test_tls_with_sentinels_is_refused_in_plain_words(url: str) -> None:
    with pytest.raises(ValueError, match="TLS is not supported with Sentinels"):
        check_store_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:canary#1@host/0",
        "redis://:canary/1@host/0",
        "redis://:canary?1@host/0",
        "redis://:1#canary@host",
        "redis://:1?canary@host",
        "redis://:1/canary@host",
        "redis://:canary[@host",
        "redis://[canary]/0",
        "redis://:canary@host:99999/0",
        "redis://:canary@host:0/0",
        "redis://:canary@host/zero",
        "redis://:canary@host/0/1",
        "redis://:canary@host/0\n",
        "redis://:canary@host/0?db=x",
        "redis://:canary@host/0?protocol=4",
        "redis://:canary@host/0?decode_responses=true",
        "redis://:canary@host/0?canary=1",
        "redis://:canary@host/0?ssl_cert_reqs=none",
        "rediss://:canary@host/0?ssl_cert_reqs=some",
        "rediss://:canary@host/0?ssl_ca_certs=/nowhere/ca.pem",
        "rediss://:canary@host/0?ssl_ca_path=/nowhere",
        "rediss://:canary@host/0?ssl_min_version=TLSv1_2",
        "unix://canary/store.sock",
        "unix:///",
        "unix:///canary#1/store.sock",
        "unix:///canary?1/store.sock",
        "sentinel://:canary#1@host/mymaster",
        "sentinel://:canary@host:x/mymaster",
        "rediscluster://:canary@",
        "rediscluster://:canary@host:0x",
        "rediscluster://:canary@host/0",
        "rediscluster://:canary@host?db=0",
        "rediscluster://:canary@host?partitions=0",
        "rediscluster://:canary@host?partitions=241",
        "rediscluster://:canary@host?ssl=maybe",
        "rediscluster://:canary@host?ssl_cert_reqs=none",
        "rediscluster://:canary@host?canary=1",
        "canary://host",
    ],
)
def test_an_unusable_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(must|has) ") as refusal:
        check_store_url(url)
    assert "canary" not in str(refusal.value)
    assert "\n" not in str(refusal.value)
