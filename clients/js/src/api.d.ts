// Generated from the OpenAPI document by tools/docs.py.

/** `event: accepted`: a new turn, with its question. */
export interface AcceptedEvent {
  turn_id: string;
  turn: Turn;
}

/** An access token, which the service does not store. */
export interface AccessToken {
  token: string;
  object: "access_token";
  user_id: string | null;
  session_id: string | null;
  turn_id: string | null;
  scopes: Array<string>;
  /** RFC 3339, UTC, milliseconds */
  expires_at: string;
}

/** A source of the answer, as the provider names it. */
export interface CitationPart {
  type: "citation";
  url?: string | null;
  title?: string | null;
  cited_text?: string | null;
  /** the part of `content` that it supports, if the provider tells */
  start_index?: number | null;
  end_index?: number | null;
}

export type Code = "answer_too_large" | "assistant_not_configured" | "chain_error" | "content_filtered" | "context_too_long" | "file_missing" | "file_unreadable" | "history_unusable" | "history_write_failed" | "incomplete_answer" | "output_invalid" | "provider_authentication" | "provider_error" | "provider_model_not_found" | "provider_protocol" | "provider_quota" | "provider_rate_limited" | "provider_rejected" | "provider_timeout" | "provider_unreachable" | "turn_not_last" | "worker_error" | "worker_lost";

/** `event: data`: what a custom chain has sent itself. */
export interface DataEvent {
  turn_id: string;
  attempt: number;
  /** null for what a graph has written to its stream */
  name: string | null;
  data: unknown;
}

/** `event: delta`: the next piece of the answer. */
export interface DeltaEvent {
  turn_id: string;
  attempt: number;
  text: string;
}

/** `event: done`: the turn has ended, and the stream ends. `turn` is null if its session was deleted. */
export interface DoneEvent {
  turn_id: string;
  attempt: number;
  turn: Turn | null;
}

/** `event: erased`: the session was erased or has expired, and the stream ends. */
export interface ErasedEvent {
  /** 1 to 255 printable characters without spaces, at most 512 bytes of UTF-8, and not . or .. */
  session_id: string;
}

/** The reason why a turn failed. The message contains no text of the provider and no internal details. */
export interface Failure {
  /** a later release may add codes */
  code: Code | string;
  message: string;
}

/** A wrong value: its path, in the caller's spelling, and the rule that it breaks. */
export interface FieldError {
  field: string;
  rule: string;
}

/** An image: an uploaded file, or an address. Images that a model gives back are stored as files of the turn's user; one that cannot be stored is a `data:` URL. */
export interface ImagePart {
  type: "image";
  file_id?: string | null;
  /** of the file */
  media_type?: string | null;
  url?: string | null;
}

/** A JSON schema with a name for the model. */
export interface JsonSchema {
  name: string;
  description?: string | null;
  /** JSON Schema 2020-12, at most 16384 bytes; `$ref` only to `#` and its `$defs` */
  schema: Record<string, unknown>;
  strict?: boolean | null;
}

/** Priority of a turn. */
export type Lane = "interactive" | "batch";

export interface Links {
  self: string;
  events: string;
  cancel: string;
  session: string;
  messages: string;
}

/** One committed message. */
export interface Message {
  object: "message";
  /** its position in the history of the session, from 1 */
  number: number;
  role: "user" | "assistant";
  /** its text, with a placeholder for each image and file */
  content: string;
  /** if it is more than text */
  parts: Array<Part> | null;
  turn_id: string | null;
  /** when its turn was accepted, or answered; null if that is unknown */
  created_at: string | null;
  /** of its turn */
  metadata: Record<string, string>;
  /** whether it is the partial answer of a turn that was stopped */
  incomplete: boolean;
}

/** `event: message.deleted`: the committed messages of a turn were deleted or replaced. */
export interface MessageDeletedEvent {
  turn_id: string;
}

export interface Output {
  role: "assistant";
  content: string;
  /** the object that a custom chain returned; null if it returned only text */
  data: unknown;
  /** text, reasoning, tools, images and citations in order, if there is more than text */
  parts?: Array<TextPart | ReasoningPart | ToolPart | ImagePart | CitationPart> | null;
}

/** One part of an input or a message. The bytes of a file are at `GET /v1/files/{file_id}`. */
export interface Part {
  type: PartType;
  text: string | null;
  file_id: string | null;
  url: string | null;
  /** of the uploaded file */
  name: string | null;
  media_type: string | null;
}

export type PartType = "text" | "image" | "file";

/** RFC 9457. `code` is stable; `request_id` identifies the request in the log. `errors` has the first ten wrong fields of an invalid request; `detail` names all of these, one a line. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  request_id: string;
  errors?: Array<FieldError>;
}

/** Why a turn waits: the turn before it in its session, no free worker, a later retry, or a pause by an operator. */
export interface Queue {
  /** its position among the live turns of its session, from 1 */
  position: number;
  waiting_for: WaitingFor;
  /** the turn right before it */
  turn_id: string | null;
  retry_at: string | null;
}

/** `event: queue`: the live turns in the order in which they will run, after positions have changed. */
export interface QueueEvent {
  turns: Array<QueuedTurn>;
}

export interface QueuedTurn {
  turn_id: string;
  status: Status;
  queue: Queue | null;
}

/** `event: reasoning`: the next piece of the model's reasoning, if the assistant shows it. */
export interface ReasoningEvent {
  turn_id: string;
  attempt: number;
  text: string;
}

/** The model's reasoning at this place, if the assistant shows it. */
export interface ReasoningPart {
  type: "reasoning";
  text: string;
}

/** `event: reset`: the run ended without effect and another one will follow. Discard the text received. */
export interface ResetEvent {
  turn_id: string;
  attempt: number;
  /** its attempt failed; its worker was lost; its worker had to end */
  reason: "retry" | "rescue" | "release";
}

/** The form of the answer, which is checked before it takes effect. */
export interface ResponseFormat {
  type: "text" | "json_object" | "json_schema";
  json_schema?: JsonSchema | null;
}

export interface Session {
  object: "session";
  /** 1 to 255 printable characters without spaces, at most 512 bytes of UTF-8, and not . or .. */
  session_id: string;
  user_id: string | null;
  status: "idle" | "busy";
  running_turn: string | null;
  /** in the order in which they will run */
  queued_turns: Array<string>;
  message_count: number;
  /** rises with each commit and each other change; for `If-Match` */
  version: number;
  last_active_at: string | null;
  /** the beginning of the first message, until it is set */
  title: string | null;
  metadata: Record<string, string>;
  archived: boolean;
  /** time for which the idle session is kept; null: for ever */
  ttl_seconds: number | null;
  created_at: string | null;
  /** the session with whose messages it began */
  forked_from: string | null;
}

/** `event: snapshot`: the session as it is now. It is the first event of a stream that begins without an id. The events of a session have ids that are valid in any web process, and `turn_id` in their data. A stream that continues after an id has no snapshot, unless what follows that id is not known completely any more. */
export interface SnapshotEvent {
  /** `events_gone`: events after the given id are no longer kept, so read the messages again */
  reason: "opened" | "events_gone";
  session: Session;
  /** the live turns, in the order in which they will run */
  turns: Array<Turn>;
  /** the text so far of the first live turn */
  text: string;
  /** its parts so far, if it has more than text */
  parts?: Array<TextPart | ReasoningPart | ToolPart | ImagePart | CitationPart> | null;
}

export type Status = "queued" | "in_progress" | "completed" | "failed" | "cancelled" | "incomplete";

/** `event: status`: the status or the position of the turn has changed. It is the first event of every connection, then without an id. */
export interface StatusEvent {
  turn_id: string;
  attempt: number;
  status: Status;
  queue: Queue | null;
}

/** An uploaded file. It is deleted when no turn and no session refers to it any more. */
export interface StoredFile {
  id: string;
  object: "file";
  user_id: string | null;
  name: string;
  media_type: string;
  size_bytes: number;
  sha256: string;
  /** RFC 3339, UTC, milliseconds */
  created_at: string;
}

/** The body of `POST /v1/turns`. */
export interface SubmitBody {
  /** 1 to 255 printable characters without spaces, at most 512 bytes of UTF-8, and not . or .. */
  session_id: string;
  /** at most 131072 bytes of UTF-8, without NUL */
  input: string | Array<Record<string, unknown>>;
  user_id?: string | null;
  /** 1 to 128 characters of A-Z a-z 0-9 . _ ~ -, and not . or .. or - */
  assistant?: string;
  variables?: Record<string, string>;
  metadata?: Record<string, string>;
  on_busy?: "enqueue" | "reject" | "interrupt" | "rollback";
  /** default: the assistant's */
  lane?: "interactive" | "batch" | null;
  start_within_seconds?: number | null;
  /** default: the assistant's */
  response_format?: ResponseFormat | null;
}

/** A piece of `content`. */
export interface TextPart {
  type: "text";
  text: string;
}

/** The body of `POST /v1/tokens`: what the token is bound to, and what it allows. */
export interface TokenBody {
  /** all sessions of this user; with `session_id`, the session's user */
  user_id?: string | null;
  /** this session alone */
  session_id?: string | null;
  /** this turn alone */
  turn_id?: string | null;
  /** default: those of the two that the API key has */
  scopes?: Array<"turns" | "read"> | null;
  /** seconds */
  expires_in?: number;
}

/** `event: tool`: a tool has started, or has ended. */
export interface ToolEvent {
  turn_id: string;
  attempt: number;
  /** the same in both events of one call */
  call_id: string;
  name: string;
  state: ToolState;
  /** its beginning, when the tool starts, if the assistant shows it */
  arguments?: string | null;
  /** its beginning, or the error, if the assistant shows it */
  result?: string | null;
}

/** One call of a tool; arguments and result if the assistant shows them. */
export interface ToolPart {
  type: "tool";
  call_id: string;
  name: string;
  state: ToolState;
  arguments?: string | null;
  result?: string | null;
}

export type ToolState = "started" | "finished" | "failed";

/** One user message and its answer, in one session. */
export interface Turn {
  id: string;
  object: "turn";
  /** 1 to 255 printable characters without spaces, at most 512 bytes of UTF-8, and not . or .. */
  session_id: string;
  user_id: string | null;
  /** its position in its session, from 1 */
  sequence: number;
  status: Status;
  /** `length`, `expired`, `interrupted` or `stopped`, if it ended so */
  status_reason: string | null;
  attempt: number;
  /** workers that died while they ran it; these runs are not counted as attempts */
  losses: number;
  lane: Lane;
  assistant: string;
  model: string | null;
  /** its text; for parts, with a placeholder for each image and file */
  input: string;
  /** if the input is more than text */
  input_parts: Array<Part> | null;
  output: Output | null;
  usage: Usage | null;
  error: Failure | null;
  /** while it is queued */
  queue: Queue | null;
  retry_of: string | null;
  /** the turn whose question it answers again, or in other words */
  regenerates: string | null;
  /** the turn that has replaced its messages in the history */
  superseded_by: string | null;
  /** the session from which its session was forked with this turn */
  forked_from: string | null;
  metadata: Record<string, string>;
  /** RFC 3339, UTC, milliseconds */
  accepted_at: string;
  started_at: string | null;
  finished_at: string | null;
  /** the time until which the ended turn is kept */
  expires_at: string | null;
  links: Links;
}

/** A question that got no answer. The session keeps its last 20. */
export interface UnansweredQuestion {
  object: "unanswered_question";
  turn_id: string;
  /** of its turn */
  sequence: number;
  /** the number of the last message before it, 0 if there was none */
  after: number;
  /** the beginning of a longer text */
  content: string;
  /** whether the text was longer */
  truncated: boolean;
  /** `failed`, `cancelled` or `incomplete` */
  status: Status;
  error: Failure | null;
  /** RFC 3339, UTC, milliseconds */
  accepted_at: string;
  /** RFC 3339, UTC, milliseconds */
  finished_at: string;
}

/** `event: updated`: the title, the labels or another field of the session was changed. */
export interface UpdatedEvent {
  session: Session;
}

/** Tokens, as the provider counted them. */
export interface Usage {
  input_tokens: number;
  output_tokens: number;
  total_tokens: number;
  /** part of the input; 0 if the provider does not report it */
  cached_tokens: number;
  /** part of the output; 0 if the provider does not report it */
  reasoning_tokens: number;
}

/** Reason why a queued turn has not started. */
export type WaitingFor = "turn" | "worker" | "retry" | "pause";
