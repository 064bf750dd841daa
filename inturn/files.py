"""`client.files` of both clients."""

from inturn.parts import File
from inturn.protocol.files import FileSteps, Source
from inturn.transport.asynchronous import AsyncTransport
from inturn.transport.sync import Transport


class Files:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._steps = FileSteps(transport.retry_policy)

    def upload(
        self,
        source: Source,
        *,
        name: str | None = None,
        media_type: str | None = None,
        user_id: str | None = None,
        session_id: str | None = None,
    ) -> File:
        """Store a file, given by its path or as bytes; `File.part` refers to it in an input.

        The service recognizes the type unless `media_type` is set. With `user_id`, only turns of this user can refer to
        it. With `session_id`, access tokens of other sessions cannot, and a Redis Cluster stores it where that session
        is. Raise `FileTypeRefused`, `FilesFull` or `OSError`.
        """
        return self._transport.run(self._steps.upload(source, name, media_type, user_id, session_id))

    def get(self, file_id: str, *, user_id: str | None = None) -> File:
        """Return the name, type and size of a file. Raise `FileNotFound`."""
        return self._transport.run(self._steps.get(file_id, user_id))

    def read(self, file_id: str, *, user_id: str | None = None) -> bytes:
        """Return the content of a file. Raise `FileNotFound`."""
        return self._transport.run(self._steps.read(file_id, user_id))

    def delete(self, file_id: str, *, user_id: str | None = None) -> None:
        """Delete a file, whether or not it exists. Raise `FileInUse` if a turn or a session refers to it."""
        self._transport.run(self._steps.delete(file_id, user_id))


class AsyncFiles:
    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport
        self._steps = FileSteps(transport.retry_policy)

    async def upload(
        self,
        source: Source,
        *,
        name: str | None = None,
        media_type: str | None = None,
        user_id: str | None = None,
        session_id: str | None = None,
    ) -> File:
        """Store a file, given by its path or as bytes; `File.part` refers to it in an input.

        The service recognizes the type unless `media_type` is set. With `user_id`, only turns of this user can refer to
        it. With `session_id`, access tokens of other sessions cannot, and a Redis Cluster stores it where that session
        is. Raise `FileTypeRefused`, `FilesFull` or `OSError`.
        """
        return await self._transport.run(self._steps.upload(source, name, media_type, user_id, session_id))

    async def get(self, file_id: str, *, user_id: str | None = None) -> File:
        """Return the name, type and size of a file. Raise `FileNotFound`."""
        return await self._transport.run(self._steps.get(file_id, user_id))

    async def read(self, file_id: str, *, user_id: str | None = None) -> bytes:
        """Return the content of a file. Raise `FileNotFound`."""
        return await self._transport.run(self._steps.read(file_id, user_id))

    async def delete(self, file_id: str, *, user_id: str | None = None) -> None:
        """Delete a file, whether or not it exists. Raise `FileInUse` if a turn or a session refers to it."""
        await self._transport.run(self._steps.delete(file_id, user_id))
