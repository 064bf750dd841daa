"""The one task. It has no arguments: its id is the turn's id."""

from celery import Celery, Task

from worker.run.execution import Execution

RUN_TURN = "run_turn"


def register(app: Celery, execution: Execution) -> None:
    # The backend is named, or Celery makes one for each greenlet: 3 % of the CPU of a turn.
    @app.task(name=RUN_TURN, bind=True, backend=app.backend)
    def run_turn(self: "Task[[], None]") -> None:
        execution.run(self.request.id or "")
