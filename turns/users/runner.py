"""Goes on with erasures whose process has died: every web process has one runner."""

import threading
import time

from turns.config.logs import Log, get_logger
from turns.domain.errors import StoreUnavailable
from turns.users.erasures import UserErasures

POLL_SECONDS = 10.0
STEP_SECONDS = 5.0  # of one erasure, before the next one


class ErasureRunner:
    def __init__(self, erasures: UserErasures) -> None:
        self._erasures = erasures

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="erasures", daemon=True).start()

    def step(self) -> None:
        """Go on with all erasures that are not complete. Raises `StoreUnavailable`."""
        for user in self._erasures.list_open():
            erasure = self._erasures.advance(user, seconds=STEP_SECONDS)
            if erasure.is_complete:
                get_logger().info(
                    Log.USER_ERASED, tenant=erasure.tenant, user_id=erasure.user_id, sessions=erasure.sessions
                )

    def _run(self) -> None:
        while True:
            try:
                self.step()
            except StoreUnavailable as error:
                get_logger().warning(Log.STORE_UNAVAILABLE, error=str(error))
            except Exception:  # one erasure that cannot go on must not keep others from running
                get_logger().exception(Log.LOOP_BROKEN, loop="erasures")
            time.sleep(POLL_SECONDS)
