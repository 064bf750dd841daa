"""What operators are answered, made of values of the domain: one function a model of `operator_responses.py`."""

from collections.abc import Sequence

from turns.operations import live_turns, time_series, timeline, wait_diagnosis, workers
from web.schemas import operator_responses as schema
from web.schemas.responses import Usage
from web.schemas.serializers import optional_instant, to_instant


def to_stats_point(of: time_series.StatsPoint) -> schema.StatsPoint:
    return schema.StatsPoint(
        at=to_instant(of.at),
        accepted=of.accepted,
        ended=of.ended,
        wait_p50_seconds=of.wait_p50_seconds,
        wait_p95_seconds=of.wait_p95_seconds,
        first_token_p95_seconds=of.first_token_p95_seconds,
        duration_p95_seconds=of.duration_p95_seconds,
        error_share=of.error_share,
    )


def to_worker(of: workers.Worker) -> schema.Worker:
    return schema.Worker(name=of.name, is_draining=of.is_draining, running_turns=of.running)


def to_live_turn(of: live_turns.LiveTurn) -> schema.LiveTurn:
    return schema.LiveTurn(
        id=of.id,
        tenant=of.tenant,
        session_id=of.session_id,
        user_id=of.user_id,
        status=of.status,
        attempt=of.attempt,
        lane=of.lane,
        model=of.model,
        worker=of.worker,
        last_error_code=of.last_error_code,
        accepted_at=to_instant(of.accepted_at),
        started_at=optional_instant(of.started_at),
        first_token_at=optional_instant(of.first_token_at),
        retry_at=optional_instant(of.retry_at),
        behind=of.behind,
    )


def to_live_turns(found: Sequence[live_turns.LiveTurn], *, limit: int, is_complete: bool) -> schema.LiveTurns:
    return schema.LiveTurns(data=tuple(map(to_live_turn, found[:limit])), found=len(found), are_all=is_complete)


def to_run(of: timeline.RunRecord) -> schema.Run:
    return schema.Run(
        number=of.number,
        attempt=of.attempt,
        worker=of.worker,
        model=of.model,
        started_at=to_instant(of.started_at),
        first_token_at=optional_instant(of.first_token_at),
        ended_at=optional_instant(of.ended_at),
        ended_by=of.ended_by,
        code=of.code,
    )


def to_timeline(of: timeline.Timeline) -> schema.Timeline:
    turn = of.turn
    return schema.Timeline(
        id=turn.id,
        tenant=turn.tenant,
        session_id=turn.session_id,
        user_id=turn.user_id,
        sequence=turn.sequence,
        status=turn.status,
        status_reason=turn.status_reason,
        code=turn.error_code,
        attempt=turn.attempt,
        lane=of.lane,
        assistant=turn.assistant,
        usage=turn.usage and Usage.model_validate(turn.usage, from_attributes=True),
        retry_of=turn.retry_of,
        trace_id=of.trace_id,
        accepted_at=to_instant(turn.accepted_at),
        hinted_at=optional_instant(of.hinted_at),
        retry_at=optional_instant(turn.waiting.retry_at if turn.waiting else None),
        finished_at=optional_instant(turn.finished_at),
        expires_at=optional_instant(turn.expires_at),
        runs=tuple(map(to_run, of.runs)),
    )


def to_session_queue(of: wait_diagnosis.SessionQueue) -> schema.SessionQueue:
    why = (
        schema.WaitReason(reason=why.reason, message=why.message, until=optional_instant(why.until)) for why in of.why
    )
    return schema.SessionQueue(turns=tuple(map(to_live_turn, of.turns)), why=tuple(why))
