"""The routes with which operators find turns, live and ended."""

from flask import Blueprint, Response

from turns.domain.errors import InvalidRequest
from turns.operations.live_turns import LiveTurn
from turns.operations.queries import OperatorQueries
from turns.search.search import Search
from web.http.responses import reply
from web.openapi.operation import Operation, ResponseSpec
from web.schemas.operator import search as schema


def build_operator_search(search: Search, queries: OperatorQueries) -> Blueprint:
    api = Blueprint("operator_search", __name__)

    @Operation(
        id="operator_turns",
        method="get",
        path="/operator/turns",
        summary="List the first live turn of each session, oldest first; with `ended=true` all turns, newest first",
        query=schema.TurnsQuery,
        responses={200: ResponseSpec("Some of the matching turns of all tenants, without text", schema.TurnPage)},
    ).on(api)
    def operator_turns(query: schema.TurnsQuery) -> Response:
        if query.ended:
            page = search.list_turns(query.to_query(), after=query.after, limit=query.limit)
            found = schema.TurnPage(data=page.turns, found=len(page.turns), are_all=page.is_complete, after=page.after)
            return reply(found)
        if needing := query.needing_ended:
            raise InvalidRequest(needing[0], "requires ended=true")
        live = queries.read_live_turns()
        turns = [turn for turn in live.turns if _matches(turn, query)]
        return reply(schema.TurnPage(data=turns[: query.limit], found=len(turns), are_all=live.is_complete, after=None))

    @Operation(
        id="search",
        method="get",
        path="/operator/search",
        summary="Find out what a text is: an id, a tenant or an idempotency key",
        query=schema.SearchQuery,
        responses={
            200: ResponseSpec(
                "The things that it names, with their last turns; or names that contain it", schema.SearchAnswer
            )
        },
    ).on(api)
    def find(query: schema.SearchQuery) -> Response:
        text = query.q.strip()
        if not text:
            raise InvalidRequest("q", "must not be blank")
        return reply(schema.SearchAnswer.model_validate(search.find(text)))

    return api


def _matches(turn: LiveTurn, query: schema.TurnsQuery) -> bool:
    names = (turn.id, turn.session_id, turn.user_id or "")
    return (
        (query.status is None or turn.status == query.status)
        and (query.tenant is None or turn.tenant == query.tenant)
        and (query.worker is None or turn.worker == query.worker)
        and any(query.text in name for name in names)
    )
