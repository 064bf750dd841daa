"""The partition in which a key is, as seen by readers that know only its name without partitions."""

from enum import StrEnum
from types import MappingProxyType

from turns.backend import keys
from turns.backend.keys import CATALOGUE


class Place(StrEnum):
    OF_TURN = "turn"  # the partition that the turn id in the name tells
    OF_SESSION = "session"  # the partition of the session in the name
    HOME = "home"  # the home partition, because it belongs to no session
    EVERYWHERE = "everywhere"  # each partition has a part of it


_OF_TURN = (keys.TURN, keys.EVENTS)
_OF_SESSION = (keys.SESSION, keys.QUEUE, keys.HISTORY, keys.SESSION_TURNS)
# Each worker sends its heartbeat to all partitions, so the home partition knows all of them.
_HOME = (
    *(keys.WORKERS, keys.WORKER_SLOTS, keys.WORKER_MODELS, keys.WORKER_GAPS, keys.PROCESS, keys.PROCESSES),
    *(keys.CONNECTED, keys.CONNECTION, keys.TAKEOVER, keys.DRAINED, keys.IMPORT, keys.REPAIRER, keys.SET_ASIDE),
    *(keys.JOB, keys.JOBS, keys.JOBS_DUE, keys.JOB_TURNS, keys.API_KEY, keys.KEY_INFO, keys.KEY_USES, keys.API_KEYS),
    *(
        keys.AUDIT,
        keys.AUDIT_REFUSED,
        keys.ERASING,
        keys.ERASED_USER,
        keys.ERASED_USERS,
        keys.ERASURES,
        keys.PAUSES_PENDING,
        keys.SHARED_HOLDS,
        keys.COORDINATOR,
    ),
)
PLACES = MappingProxyType(
    {key.name: Place.EVERYWHERE for key in CATALOGUE}
    | {key.name: Place.OF_TURN for key in _OF_TURN}
    | {key.name: Place.OF_SESSION for key in _OF_SESSION}
    | {key.name: Place.HOME for key in _HOME}
)
_FAMILIES = sorted((name for name in PLACES if name.endswith(":")), key=len, reverse=True)


def place_of(name: str) -> tuple[Place, str]:
    """Return the place of a key, and the member of its family, '' if it is the only one.

    A key that the catalogue does not have is at home.
    """
    if name in PLACES:
        return PLACES[name], ""
    family = next((family for family in _FAMILIES if name.startswith(family)), None)
    return (PLACES[family], name.removeprefix(family)) if family else (Place.HOME, "")
