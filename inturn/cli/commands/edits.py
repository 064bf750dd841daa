"""The commands `inturn regenerate`, `inturn fork` and `inturn delete`."""

import click

from inturn.cli.options import Invocation, json_option, pass_invocation, user_option


@click.command()
@click.argument("turn_id")
@click.argument("text", required=False)
@click.option("--assistant", metavar="NAME", help="Another assistant.")
@click.option("--into", metavar="ID", help="Id of the new session for an earlier turn.")
@json_option
@pass_invocation
def regenerate(
    invocation: Invocation,
    /,
    *,
    turn_id: str,
    text: str | None,
    assistant: str | None,
    into: str | None,
    as_json: bool,
) -> None:
    """Answer the question of a turn again, or TEXT in its place.

    The new turn replaces the last one of its session when it completes. For an earlier turn it begins a new session
    with the messages before it. Prints the new id, and the new session. Does not wait; use
    `inturn get ID --wait 30` for that.
    """
    with invocation.client() as client:
        turn = client.turns.regenerate(turn_id, text, assistant=assistant, session_id=into)
    if as_json:
        invocation.terminal.write_json(turn.raw)
        return
    invocation.terminal.write_line(turn.id)
    if turn.forked_from:
        invocation.terminal.print_error(f"In the new session {turn.session_id}, forked from {turn.forked_from}.")


@click.command()
@click.argument("session_id")
@click.option("--through", metavar="TURN_ID", help="The last turn whose messages it has.")
@click.option("--before", metavar="TURN_ID", help="The first turn whose messages it does not have.")
@click.option("--into", metavar="ID", help="Id of the new session.")
@user_option
@json_option
@pass_invocation
def fork(
    invocation: Invocation,
    /,
    *,
    session_id: str,
    through: str | None,
    before: str | None,
    into: str | None,
    user_id: str | None,
    as_json: bool,
) -> None:
    """Begin a new session with the messages of another one, and print its id."""
    if through and before:
        raise click.UsageError("Give --through or --before, not both.")
    with invocation.client() as client:
        session = client.sessions.fork(
            session_id, user_id=user_id, new_session_id=into, through_turn=through, before_turn=before
        )
    invocation.terminal.write_json(session.raw) if as_json else invocation.terminal.write_line(session.session_id)


@click.command()
@click.argument("turn_id")
@pass_invocation
def delete(invocation: Invocation, /, *, turn_id: str) -> None:
    """Delete the last turn of a session with its messages and its result.

    The session must be idle. A failed or cancelled turn can always be deleted.
    """
    with invocation.client() as client:
        client.turns.delete(turn_id)
