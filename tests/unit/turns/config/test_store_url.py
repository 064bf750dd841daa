from turns.backend.address import parse_store_url


def test_the_url_of_a_server_is_parsed_as_by_redis_py() -> None:
    assert parse_store_url("redis://host:7000/2").options == {"host": "host", "port": 7000, "db": 2}
    assert parse_store_url("unix:///tmp/s?db=1").options["path"] == "/tmp/s"  # noqa: S108  # a name


def test_a_sentinel_url_names_its_sentinels_and_service() -> None:
    address = parse_store_url("sentinel://user:secret@a:1,b,[::1]:3/inturn?db=2&sentinel_password=other")
    assert address.sentinels == (("a", 1), ("b", 26379), ("::1", 3))
    assert address.service == "inturn"
    assert address.options == {"db": 2, "username": "user", "password": "secret"}
    assert address.sentinel_options == {"password": "other"}
