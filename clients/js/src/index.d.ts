import type {
  AcceptedEvent,
  AccessToken,
  DataEvent,
  DeltaEvent,
  DoneEvent,
  ErasedEvent,
  FieldError,
  Message,
  MessageDeletedEvent,
  QueueEvent,
  ReasoningEvent,
  ResetEvent,
  Session,
  SnapshotEvent,
  Status,
  StatusEvent,
  StoredFile,
  SubmitBody,
  TokenBody,
  ToolEvent,
  Turn,
  UnansweredQuestion,
  UpdatedEvent,
} from "./api.js";

export type * from "./api.js";

/** Every error of this client, except the reason of a signal that was aborted. */
export class InTurnError extends Error {
  /** Stable: one of the API reference, or `unreachable`, `still_running` or `not_inturn`. */
  code: string;
  /** That of the response; 0 without one. */
  status: number;
  /** Seconds after which to try again. */
  retryAfter?: number;
  errors: FieldError[];
  requestId?: string;
  /** The turn that is `still_running`. */
  turn?: Turn;
}

/** An event of a session. */
export type SessionEvent = { id?: string } & (
  | ({ type: "snapshot" } & SnapshotEvent)
  | ({ type: "accepted" } & AcceptedEvent)
  | ({ type: "queue" } & QueueEvent)
  | ({ type: "message.deleted" } & MessageDeletedEvent)
  | ({ type: "updated" } & UpdatedEvent)
  | ({ type: "erased" } & ErasedEvent)
  | TurnEvent
);

/** An event of a turn. Those that the service stores have an `id`, after which a stream can continue. */
export type TurnEvent = { id?: string } & (
  | ({ type: "status" } & StatusEvent)
  | ({ type: "delta" } & DeltaEvent)
  | ({ type: "reasoning" } & ReasoningEvent)
  | ({ type: "tool" } & ToolEvent)
  | ({ type: "data" } & DataEvent)
  | ({ type: "reset" } & ResetEvent)
  | ({ type: "done"; turn: Turn } & DoneEvent)
);

export interface Options {
  /** An API key or an access token, or a function that returns one; it is called again when the last was refused. */
  token?: string | (() => string | Promise<string>);
  /** In place of the global `fetch`. */
  fetch?: typeof fetch;
  /** How often a failed request is repeated; default 4. */
  maxRetries?: number;
}

export interface Signal {
  signal?: AbortSignal;
}

export interface Submission extends Signal {
  /** Default: a random one. */
  idempotencyKey?: string;
  /** The version of the session that it must still have. */
  ifVersion?: number;
}

export interface OfUser extends Signal {
  /** The user of the session, if it has one; an access token of a user makes it unnecessary. */
  userId?: string;
}

export interface OfFile extends OfUser {
  /** The session of the file; an access token of a session makes it unnecessary. */
  sessionId?: string;
}

/** A file, and the part of an input that refers to it. */
export type UploadedFile = StoredFile & { part: { type: "image" | "file"; file_id: string } };

/** A client of one InTurn service. Every method throws an `InTurnError`, or the reason of its aborted signal. */
export class InTurn {
  /** `baseUrl` is the address of the service; an empty one is the origin of the page. */
  constructor(baseUrl: string, options?: Options);
  readonly baseUrl: string;
  /** Submit a turn and return it. */
  submit(body: SubmitBody, options?: Submission): Promise<Turn>;
  /** Submit a turn, report the whole text so far each time that it changes, and return the ended turn. */
  ask(body: SubmitBody, options?: Submission & { onText?: (text: string) => void }): Promise<Turn>;
  /** Return the turn as it is now. */
  get(turnId: string, options?: Signal): Promise<Turn>;
  /** Return the turn when it has ended. After `timeoutSeconds`, throw `still_running`. */
  wait(turnId: string, options?: Signal & { timeoutSeconds?: number }): Promise<Turn>;
  /** Yield the events of a turn until `done`, across broken connections. After `reset`, the text so far is void. */
  stream(turnId: string, options?: Signal & { after?: string }): AsyncGenerator<TurnEvent, void, void>;
  /** Yield the events of all turns of a session, of any page or device, beginning with a `snapshot`. */
  streamSession(
    sessionId: string,
    options?: OfUser & { after?: string; untilIdle?: boolean },
  ): AsyncGenerator<SessionEvent, void, void>;
  /** Cancel a turn and return it; one that has ended stays as it is. */
  cancel(turnId: string, options?: Signal): Promise<Turn>;
  /** Submit the input of a failed turn again, as a new turn at the end of its session. */
  retry(turnId: string, options?: Signal & { idempotencyKey?: string }): Promise<Turn>;
  /** Yield turns, newest first: all that the token allows, or those of a session, a user or a status. */
  turns(options?: OfUser & { sessionId?: string; status?: Status }): AsyncGenerator<Turn, void, void>;
  /** Yield the committed messages of a session, oldest first. */
  messages(sessionId: string, options?: OfUser): AsyncGenerator<Message, void, void>;
  /** Return the last questions of a session that failed, expired or were cancelled, oldest first. */
  unanswered(sessionId: string, options?: OfUser): Promise<UnansweredQuestion[]>;
  /** Store a file and return it. A `File` has its own name; the type is recognized by the content if none is given. */
  upload(content: Blob | BufferSource | string, options?: OfFile & { name?: string; mediaType?: string }): Promise<UploadedFile>;
  /** Return the content of a file, with its type. */
  download(fileId: string, options?: OfFile): Promise<Blob>;
  /** Delete a file that no turn and no session refers to. */
  deleteFile(fileId: string, options?: OfFile): Promise<void>;
  /** Return a new access token for a page. Needs an API key, so call it in your backend. */
  createToken(body: TokenBody, options?: Signal): Promise<AccessToken>;
  /** Return the state of a session. */
  session(sessionId: string, options?: OfUser): Promise<Session>;
  /** Erase a session: its live turns are cancelled, its history, turns and results deleted. */
  erase(sessionId: string, options?: OfUser): Promise<void>;
}
