"""Let the partitions of a Redis Cluster agree about models on hold: one of them probes, and the others follow it."""

from collections.abc import Mapping, Set
from functools import partial
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_replies import Reply
from turns.config.settings import Settings
from turns.coordination.hold_agreement import Act, Agreement, HoldView, agree
from turns.coordination.hold_news import HoldNews
from turns.coordination.scripts import HoldScripts
from turns.domain.errors import StoreUnavailable

FREE = HoldView(remaining_ms=0)


class HoldSharing:
    """Every method raises `StoreUnavailable` if the home partition is away."""

    def __init__(self, client: Client, settings: Settings, news: HoldNews) -> None:
        self._client = client
        self._news = news
        self._scripts = [HoldScripts(partition, settings) for partition in client.partitions]

    def share(self) -> None:
        """Do one round for each model that may be held somewhere."""
        if reported := self._news.take():
            self._record(reported)
        shared = cast(set[bytes], self._client.home.smembers(keys.SHARED_HOLDS.name))
        held = {name: self._share(name) for name in sorted(entry.decode() for entry in shared)}
        self._news.know((name, number) for name, numbers in held.items() for number in numbers)

    def _record(self, reported: Set[str]) -> None:
        try:
            self._client.home.sadd(keys.SHARED_HOLDS.name, *reported)
        except StoreUnavailable:
            self._news.give_back(reported)
            raise

    def _share(self, name: str) -> set[int]:
        """Let the partitions agree about this model, and return those in which it is held."""
        views = self._read(name)
        agreement = agree(views)
        self._bring(name, views, agreement)
        if agreement.is_held:
            if agreement.acts:  # a slow round may bring a hold that another one has ended and forgotten meanwhile
                self._client.home.sadd(keys.SHARED_HOLDS.name, name)
            return {*views}
        if len(views) == len(self._scripts):  # a partition that is away may still have the hold when it is back
            self._forget(name)
        return set()

    def _forget(self, name: str) -> None:
        """Forget a model that is free everywhere, unless it is held again meanwhile."""
        self._client.home.srem(keys.SHARED_HOLDS.name, name)
        if agree(self._read(name)).is_held:
            self._client.home.sadd(keys.SHARED_HOLDS.name, name)

    def _read(self, name: str) -> Mapping[int, HoldView | None]:
        """Return the hold of each partition that can be reached, None where there is none."""
        return self._client.gather({n: partial(_view, scripts, name) for n, scripts in enumerate(self._scripts)})

    def _bring(self, name: str, views: Mapping[int, HoldView | None], agreement: Agreement) -> None:
        """Bring the agreement to the partitions. One that has changed meanwhile is left to the next round.

        The leader is first: without it, no partition would probe.
        """
        fields = (views.get(agreement.leader) or FREE).fields

        def bring(number: int) -> Reply:
            here = views[number] or FREE
            return self._scripts[number].share_hold(
                name,
                until=here.fields.get("until", ""),
                answered_at=here.fields.get("answered_at", ""),
                act=agreement.acts[number],
                remaining_ms=agreement.remaining_ms,
                leader=agreement.leader,
                fields=fields,
            )

        others = [number for number, act in agreement.acts.items() if act is not Act.LEAD]
        if len(others) < len(agreement.acts) and bring(agreement.leader) is Reply.LOST:
            return
        if others:
            self._client.gather({number: partial(bring, number) for number in others})


def _view(scripts: HoldScripts, name: str) -> HoldView | None:
    found = scripts.get_hold(name)
    if found is None:
        return None
    (remaining_ms, held, waited_ms, probing), fields = found
    return HoldView(remaining_ms=remaining_ms, held=held, waited_ms=waited_ms, is_probing=bool(probing), fields=fields)
