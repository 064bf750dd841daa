"""The only Celery task. It has no arguments: its id is the id of the turn."""

from celery import Celery, Task

from worker.run.execution import Execution

RUN_TURN = "run_turn"


def register(app: Celery, execution: Execution) -> None:
    """Add the task to the application."""

    # Without a named backend, Celery creates one for each greenlet, which costs 3 % of the worker's CPU.
    @app.task(name=RUN_TURN, bind=True, backend=app.backend)
    def run_turn(self: "Task[[], None]") -> None:
        execution.run(self.request.id or "")
