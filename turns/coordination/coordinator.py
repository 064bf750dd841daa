"""The coordinator: every worker of a Redis Cluster has one, and one of them at a time does the rounds."""

from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.coordination.hold_news import HoldNews
from turns.coordination.hold_sharing import HoldSharing
from turns.coordination.slot_sharing import SlotSharing
from turns.pauses.sharing import PauseSharing

LEASE_SHARE = 0.9  # of the interval; so each interval has a round, also if the worker of the last one has died


class Coordinator:
    """Does a round if no other worker has done one in this interval; news of this process do not wait for that."""

    def __init__(self, client: Client, settings: Settings, news: HoldNews, *, worker: str) -> None:
        self._client = client
        self._news = news
        self._worker = worker
        self._every_seconds = settings.rescue_seconds
        self._pauses = PauseSharing(client, settings)
        self._holds = HoldSharing(client, settings, news)
        self._slots = SlotSharing(client, settings)

    def step(self) -> None:
        """Wait for news or for the next interval, and do what is due. Raises `StoreUnavailable`."""
        if self._news.wait(self._every_seconds):
            self._holds.share()
        if self._takes_turn():  # also after news, of which each interval may have some
            self.do_round()

    def do_round(self) -> None:
        """Bring to each partition what it lacks. Raises `StoreUnavailable`."""
        self._pauses.share_pending()
        self._holds.share()
        self._slots.share()

    def _takes_turn(self) -> bool:
        lease_ms = round(self._every_seconds * 1000 * LEASE_SHARE)
        return bool(self._client.home.set(keys.COORDINATOR.name, self._worker, nx=True, px=lease_ms))
