// What JavaScript and TypeScript functions on dayfly are given: handlers, `env`, `ctx`. What the web platform has in common (Request,
// fetch, streams, crypto …) comes from TypeScript's own library for workers; it has URLPattern since version 6. `dayfly types` writes this file and `dayfly-env.d.ts` beside
// `dayfly.toml`; the latter says what `env` holds in each function of the app.

/// <reference lib="es2023" />
/// <reference lib="webworker" />
/// <reference lib="webworker.iterable" />
/// <reference lib="webworker.asynciterable" />

declare namespace Dayfly {
  /** The functions of the app, each with what its `env` holds. `dayfly types` fills it in from the manifest. */
  interface Functions {}

  /** What `env` holds in a function: `Dayfly.Env<"api">`. Without a name, what it holds in every function of the app. */
  type Env<F extends keyof Functions = keyof Functions> = [keyof Functions] extends [never] ? Record<string, any> : Functions[F];

  /** An invocation's own things. */
  interface Context {
    /** Goes on with this work after the response was sent, within the function's deadline. A rejection is logged and changes nothing. */
    waitUntil(promise: Promise<unknown>): void;
    /** Does nothing: there is no server behind a function that could answer instead. Programs for Workers call it. */
    passThroughOnException(): void;
    /** Empty. Programs for Workers pass it on. */
    readonly props: any;
  }

  /**
   * The handlers of a function: `export default { async fetch(request, env, ctx) { … } } satisfies Dayfly.Handlers<"api">`.
   * In JavaScript: `export default /** @satisfies {Dayfly.Handlers<"api">} *\/ ({ … })`.
   */
  interface Handlers<F extends keyof Functions = keyof Functions> extends HandlersOf<Env<F>> {}

  /** The handlers of a function whose `env` is of this type. */
  interface HandlersOf<E> {
    /** Answers a request. */
    fetch?(request: Request, env: E, ctx: Context): Response | Promise<Response>;
    /** Works messages off (`on = { queue = … }`). If it throws, all of them come again. */
    queue?(batch: QueueBatch<any>, env: E, ctx: Context): unknown;
    /** Runs at a time (`on = { cron = … }`). */
    scheduled?(event: ScheduledEvent, env: E, ctx: Context): unknown;
    /** Hears of an event of a bus (`on = { event = … }`). Called once for each. */
    event?(event: CloudEvent<any>, env: E, ctx: Context): unknown;
    /** Follows a stream (`on = { stream = … }`). If it throws, all of the records come again. */
    stream?(batch: StreamBatch<any>, env: E, ctx: Context): unknown;
    /** Hears of an object that was written or deleted (`on = { bucket = … }`). Called once for each. */
    bucket?(change: BucketChange, env: E, ctx: Context): unknown;
    /** Hears of an entry that was written or deleted (`on = { kv = … }`). Called once for each. */
    kv?(change: KvChange, env: E, ctx: Context): unknown;
    /** Hears of a row that was changed (`on = { sql = … }`). Called once for each. */
    sql?(change: SqlChange<any>, env: E, ctx: Context): unknown;
  }

  // What starts functions.

  /** What every event says, whatever it is about: the attributes of CloudEvents 1.0. */
  interface CloudEvent<T = unknown> {
    readonly specversion: "1.0";
    /** Unique for its source. The same when it is delivered again. */
    readonly id: string;
    /** Where it happened. */
    readonly source: string;
    /** What happened: `order.created`. */
    readonly type: string;
    /** What it is about. */
    readonly subject?: string;
    /** When it happened, as RFC 3339 has it. */
    readonly time?: string;
    /** The media type of the data. */
    readonly datacontenttype?: string;
    /** The schema of the data. */
    readonly dataschema?: string;
    /** What it says: of JSON the value, of text a string, otherwise bytes. Absent if it has no data. */
    readonly data?: T;
    /** Further attributes, `traceparent` among them. */
    readonly [attribute: string]: unknown;
  }

  /** Messages of a queue. */
  interface QueueBatch<T = unknown> {
    /** The queue's name in the manifest. */
    readonly queue: string;
    /** From 1 to as many as `batch` in the manifest says; oldest first. */
    readonly messages: readonly Message<T>[];
    /** Has all of them delivered again. */
    retryAll(): void;
    /** Takes back every `retry`. */
    ackAll(): void;
  }

  /** A message. It is done when the handler succeeds, unless `retry` was called. */
  interface Message<T = unknown> {
    readonly id: string;
    /** When it was sent. */
    readonly timestamp: Date;
    /** What it says: of JSON the value, of text a string, otherwise bytes. Reading it throws if it says that it is JSON and is not. */
    readonly body: T;
    /** The media type of the body. */
    readonly contentType: string;
    /** The sender's attributes; their names in lower case, without anything but letters and digits. */
    readonly attributes: Readonly<Record<string, string>>;
    /** The body as it was sent. */
    bytes(): Uint8Array<ArrayBuffer>;
    text(): string;
    json<J = T>(): J;
    /** Has it delivered again; after the last attempt it is a dead letter. */
    retry(): void;
    /** Takes back `retry`. */
    ack(): void;
  }

  /** Records of one partition of a stream. */
  interface StreamBatch<T = unknown> {
    /** The stream's name in the manifest. */
    readonly stream: string;
    /** In order. */
    readonly records: readonly StreamRecord<T>[];
    retryAll(): void;
    ackAll(): void;
  }

  /** A record. Records before the first on which `retry` was called are done. */
  interface StreamRecord<T = unknown> {
    /** `PARTITION-SEQUENCE`. */
    readonly id: string;
    readonly partition: number;
    readonly sequence: number;
    /** Its key, if it has one that is text. */
    readonly key: string | null;
    /** When it was appended. */
    readonly timestamp: Date;
    readonly body: T;
    readonly contentType: string;
    bytes(): Uint8Array<ArrayBuffer>;
    text(): string;
    json<J = T>(): J;
    retry(): void;
    ack(): void;
  }

  /** A time of a schedule. */
  interface ScheduledEvent {
    /** The schedule as the manifest has it. */
    readonly cron: string;
    /** Its time zone. */
    readonly zone: string;
    /** The time that was meant, in milliseconds since 1970. */
    readonly scheduledTime: number;
    /** How many times before this one were missed and are made up for by this run. */
    readonly missed: number;
  }

  /** A change of a key-value store. */
  interface KvChange {
    readonly id: string;
    /** The store's name in the manifest. */
    readonly store: string;
    readonly key: string | Uint8Array<ArrayBuffer>;
    readonly type: "put" | "delete";
    /** What was there before; bytes if it is no text. */
    readonly oldValue: string | Uint8Array<ArrayBuffer> | null;
    /** What is there now. */
    readonly newValue: string | Uint8Array<ArrayBuffer> | null;
    /** Grows with each change of the store. */
    readonly version: number;
    readonly timestamp: Date;
  }

  /** A change of a bucket. */
  interface BucketChange {
    readonly id: string;
    /** The bucket's name in the manifest. */
    readonly bucket: string;
    readonly key: string;
    readonly type: "created" | "deleted";
    /** In bytes; null for a deletion. */
    readonly size: number | null;
    readonly etag: string | null;
    readonly contentType: string | null;
    readonly version: string | null;
    readonly timestamp: Date;
  }

  /** A change of a row. */
  interface SqlChange<R = Record<string, unknown>> {
    readonly id: string;
    /** The database's name in the manifest. */
    readonly database: string;
    readonly table: string;
    readonly type: "insert" | "update" | "delete";
    /** The row before; null for an insert, and where both rows are larger than an event may be. */
    readonly oldRow: R | null;
    /** The row now; null for a deletion. */
    readonly newRow: R | null;
    /** Grows with each change of the database. */
    readonly sequence: number;
  }

  // What `env` holds.

  /** How a service fails. Its message is the service's own text, and names what to add to the manifest where a grant is missing. */
  interface ServiceError extends Error {
    readonly name: "ServiceError";
    readonly code: ServiceErrorCode;
    /** What was asked: `kv.orders`. */
    readonly resource: string;
    /** For `trimmed`: the oldest record that is left. */
    readonly oldest?: number;
  }

  type ServiceErrorCode =
    /** The manifest does not grant it. */
    | "access-denied"
    /** Over a limit. */
    | "too-large"
    /** What was given breaks a rule of the service. */
    | "invalid"
    /** A deduplication key was used for something else. */
    | "conflict"
    /** The record that was asked for is gone. */
    | "trimmed"
    /** The database refuses the statement. */
    | "sql"
    /** Others hold it. */
    | "busy"
    /** More than 8 connections. */
    | "too-many-connections"
    /** Nobody knows whether it happened. */
    | "unknown-outcome"
    /** Not now: the disk is full, say. */
    | "unavailable"
    | "other";

  /** Strings as they are, bytes as they are, anything else as JSON. */
  type Value = string | ArrayBuffer | ArrayBufferView | object | number | boolean | null;

  type ValueKind = "text" | "json" | "bytes";

  /** What is found under a key, as what was asked for. Without a kind, text. */
  interface KvReader {
    get(key: string, kind?: "text" | { type?: "text" }): Promise<string | null>;
    get<T = any>(key: string, kind: "json" | { type: "json" }): Promise<T | null>;
    get(key: string, kind: "bytes" | { type: "bytes" }): Promise<Uint8Array<ArrayBuffer> | null>;
    /** The values of up to 1,000 keys, all from one moment. What is not there is null. */
    getMany(keys: Iterable<string>, kind?: "text" | { type?: "text" }): Promise<Map<string, string | null>>;
    getMany<T = any>(keys: Iterable<string>, kind: "json" | { type: "json" }): Promise<Map<string, T | null>>;
    getMany(keys: Iterable<string>, kind: "bytes" | { type: "bytes" }): Promise<Map<string, Uint8Array<ArrayBuffer> | null>>;
    has(key: string): Promise<boolean>;
    /** Keys in order of their bytes, at most `limit` (64 unless told, up to 1,000). `cursor` goes on where another page ended. */
    list(options?: { prefix?: string; cursor?: string | null; limit?: number }): Promise<KvPage>;
    /** All keys, page by page. */
    keys(options?: { prefix?: string }): AsyncGenerator<string, void, undefined>;
  }

  interface KvPage {
    keys: string[];
    /** Where the next page begins; null if this is the last. */
    cursor: string | null;
    complete: boolean;
  }

  /** A key-value store. Keys are text up to 1 KiB, values up to 1 MiB. */
  interface Kv extends KvReader {
    put(key: string, value: Value): Promise<void>;
    /** Writes up to 1,000 entries at once; more in several transactions. */
    putMany(entries: Iterable<readonly [string, Value]> | Record<string, Value>): Promise<void>;
    delete(key: string): Promise<void>;
    deleteMany(keys: Iterable<string>): Promise<void>;
    /** Adds to a number kept as decimal digits, and gives the sum. Nothing comes in between. */
    increment(key: string, by?: number | bigint): Promise<number>;
    /** What is there now, with a way to write if it still is. */
    getWithVersion(key: string, kind?: "text" | { type?: "text" }): Promise<KvVersion<string>>;
    getWithVersion<T = any>(key: string, kind: "json" | { type: "json" }): Promise<KvVersion<T>>;
    getWithVersion(key: string, kind: "bytes" | { type: "bytes" }): Promise<KvVersion<Uint8Array<ArrayBuffer>>>;
    /** Writes if nobody has written since `version` was read: true if it did. A version can be used once. */
    compareAndSwap(version: KvVersion<unknown>, value: Value): Promise<boolean>;
    /** Changes a value so that no other change is lost: `change` is called again with what another has written meanwhile. */
    update(key: string, change: (value: string | null) => Value | Promise<Value>, kind?: "text" | { type?: "text" }): Promise<void>;
    update<T = any>(key: string, change: (value: T | null) => Value | Promise<Value>, kind: "json" | { type: "json" }): Promise<void>;
  }

  /** What a key held at a moment. */
  interface KvVersion<T> {
    readonly key: string;
    readonly value: T | null;
  }

  /** A value of SQL. Whole numbers beyond 2^53 are bigints; booleans are written as 0 and 1. */
  type SqlValue = null | number | bigint | string | Uint8Array<ArrayBuffer>;
  type SqlParameter = SqlValue | boolean | ArrayBuffer | ArrayBufferView;
  type SqlRow = Record<string, SqlValue>;

  /** A database. Called as a tag it runs a statement with its values as parameters: ``await env.sql.shop`select * from t where id = ${id}` ``. */
  interface Sql {
    <R = any>(text: TemplateStringsArray, ...values: SqlParameter[]): Promise<R[]>;
    /** A statement, to be given its parameters by `bind`. */
    prepare<R = any>(text: string): SqlStatement<R>;
    /** Runs up to 1,000 statements as one transaction: all of them take effect, or none. */
    batch<R = any>(statements: Iterable<SqlStatement<any>>): Promise<SqlResult<R>[]>;
    /** Runs statements without parameters, separated by semicolons, as one transaction. */
    exec(text: string): Promise<{ count: number; changes: number }>;
    /** Runs `work` in a transaction on a connection of its own: committed if it succeeds, rolled back if it throws. */
    transaction<T>(work: (tx: SqlTransaction) => T | Promise<T>): Promise<T>;
  }

  /** A transaction that is open. */
  interface SqlTransaction {
    <R = any>(text: TemplateStringsArray, ...values: SqlParameter[]): Promise<R[]>;
    prepare<R = any>(text: string): SqlStatement<R>;
  }

  /** A statement with its parameters. */
  interface SqlStatement<R = any> {
    /** The same statement with these values for `?`, `?1`, `?2` … */
    bind(...values: SqlParameter[]): SqlStatement<R>;
    /** All rows. */
    all<T = R>(): Promise<SqlResult<T>>;
    /** The first row, or one column of it; null if there is none. */
    first<T = R>(): Promise<T | null>;
    first<V = any>(column: string): Promise<V | null>;
    /** Runs it for what it changes. */
    run<T = R>(): Promise<SqlResult<T>>;
    /** Rows as lists of values; with `columnNames` the first of them has the columns' names. */
    raw<T extends unknown[] = SqlValue[]>(options?: { columnNames?: boolean }): Promise<T[]>;
  }

  interface SqlResult<R = any> {
    success: true;
    results: R[];
    meta: {
      /** How many rows it changed. */
      changes: number;
      /** The row id of the last insert on this connection; 0 if there was none. */
      last_row_id: number;
    };
  }

  /** A bucket that may be read. */
  interface BucketReader {
    /** An object, or a part of it; null if it is not there. Its bytes are not in memory before they are read. */
    get(key: string, options?: { range?: { offset?: number; length?: number } }): Promise<BucketObject | null>;
    /** What is known of an object; null if it is not there. */
    head(key: string): Promise<ObjectInfo | null>;
    has(key: string): Promise<boolean>;
    /** Keys in order, at most `limit` (256 unless told, up to 1,000). */
    list(options?: { prefix?: string; cursor?: string | null; limit?: number }): Promise<BucketPage>;
    /** All keys, as they are asked for. */
    keys(options?: { prefix?: string }): AsyncGenerator<string, void, undefined>;
  }

  interface BucketPage {
    keys: string[];
    cursor: string | null;
    complete: boolean;
  }

  interface ObjectInfo {
    readonly key: string;
    /** In bytes. */
    readonly size: number;
    /** When it was written, to the second. */
    readonly uploaded: Date;
  }

  interface BucketObject {
    readonly key: string;
    /** Of what was asked for, in bytes. */
    readonly size: number;
    readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
    readonly bodyUsed: boolean;
    text(): Promise<string>;
    json<T = any>(): Promise<T>;
    bytes(): Promise<Uint8Array<ArrayBuffer>>;
    arrayBuffer(): Promise<ArrayBuffer>;
    blob(): Promise<Blob>;
  }

  /** A bucket. */
  interface Bucket extends BucketReader {
    /** Writes an object; it is durable when this resolves. Streams pass through in constant memory. Gives its size. */
    put(
      key: string,
      body: string | ArrayBuffer | ArrayBufferView | Blob | ReadableStream<Uint8Array> | Request | Response,
    ): Promise<{ key: string; size: number }>;
    delete(key: string | Iterable<string>): Promise<void>;
    /** Copies an object within the bucket, or into another one of `env`. */
    copy(key: string, target: string, into?: Bucket): Promise<void>;
    move(key: string, target: string, into?: Bucket): Promise<void>;
  }

  /** How a message is sent. */
  interface SendOptions {
    /** Not before: milliseconds, or `"30s"`, `"5min"`, `"2h"`, `"1d"`; at most 14 days. Not in a group. */
    delay?: number | string;
    /** Messages with the same key within five minutes are one. */
    dedup?: string;
    /** Messages of one group are delivered in order. */
    group?: string;
    /** The media type; without it text/plain for strings, application/octet-stream for bytes, application/json for anything else. */
    contentType?: string;
    /** Names and values that travel along. */
    attributes?: Record<string, string>;
  }

  interface Sent {
    /** `msg_17`. Null while it is held back until the function has succeeded. */
    id: string | null;
    /** Whether the deduplication key was seen before, and nothing was sent. */
    duplicate: boolean;
  }

  /** A queue. A message is up to 1 MiB with its attributes; a batch up to 1,000 messages and 8 MiB. */
  interface Queue {
    send(body: Value, options?: SendOptions): Promise<Sent>;
    /** Sends all of them or none. */
    sendBatch(messages: Iterable<{ body: Value } & SendOptions>): Promise<Sent[]>;
  }

  interface Position {
    partition: number;
    sequence: number;
  }

  interface StreamReader {
    /** The records of a partition from a place on, at most 64. None if there are none yet: it does not wait. */
    read(options: { partition: number; from?: number; limit?: number }): Promise<StreamEntry[]>;
  }

  interface StreamEntry {
    readonly sequence: number;
    readonly timestamp: Date;
    readonly key: Uint8Array<ArrayBuffer> | null;
    bytes(): Uint8Array<ArrayBuffer>;
    text(): string;
    json<T = any>(): T;
  }

  interface AppendOptions {
    /** Records of one key stay in order. */
    key?: string | ArrayBuffer | ArrayBufferView;
    /** Records with the same key within five minutes are one. */
    dedup?: string;
  }

  /** A stream. A record is up to 1 MiB with its key; a batch up to 1,000 records and 8 MiB. */
  interface Stream extends StreamReader {
    /** Appends a record. Null while it is held back until the function has succeeded. */
    append(body: Value, options?: AppendOptions): Promise<Position | null>;
    /** Appends all of them or none. */
    appendBatch(records: Iterable<{ body: Value } & AppendOptions>): Promise<(Position | null)[]>;
  }

  /** An event to be published. What is left out is made up: `id`, `source` (`/APP/FUNCTION`), `time` (now). */
  interface Publish {
    type: string;
    id?: string;
    source?: string;
    subject?: string;
    time?: Date | number | string;
    datacontenttype?: string;
    dataschema?: string;
    /** Strings and bytes as they are, anything else as JSON. */
    data?: Value;
    /** Further attributes: names of small letters and digits. */
    [attribute: string]: unknown;
  }

  /** A bus of events. An event is up to 1 MiB. */
  interface Bus {
    /** Gives the event's id. */
    publish(event: Publish): Promise<string>;
    /** Publishes up to 1,000 events, all or none. */
    publishBatch(events: Iterable<Publish>): Promise<string[]>;
  }

  /** Another function of the app. */
  interface Func {
    /** Calls it. A path alone is enough: `env.resize.fetch("/small?width=160", { method: "POST", body })`. */
    fetch(input: Request | URL | string, init?: RequestInit): Promise<Response>;
  }
}

// Files that are imported as what they hold.

declare module "*.txt" {
  const text: string;
  export default text;
}
declare module "*.html" {
  const text: string;
  export default text;
}
declare module "*.htm" {
  const text: string;
  export default text;
}
declare module "*.md" {
  const text: string;
  export default text;
}
declare module "*.sql" {
  const text: string;
  export default text;
}
declare module "*.css" {
  const text: string;
  export default text;
}
declare module "*.csv" {
  const text: string;
  export default text;
}
declare module "*.tsv" {
  const text: string;
  export default text;
}
declare module "*.svg" {
  const text: string;
  export default text;
}
declare module "*.xml" {
  const text: string;
  export default text;
}
declare module "*.graphql" {
  const text: string;
  export default text;
}
declare module "*.gql" {
  const text: string;
  export default text;
}
declare module "*.yaml" {
  const text: string;
  export default text;
}
declare module "*.yml" {
  const text: string;
  export default text;
}
declare module "*.toml" {
  const text: string;
  export default text;
}
declare module "*.pem" {
  const text: string;
  export default text;
}
declare module "*.crt" {
  const text: string;
  export default text;
}
declare module "*.bin" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*.png" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*.jpg" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*.jpeg" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*.gif" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*.webp" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*.avif" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*.ico" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*.woff" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*.woff2" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*.ttf" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*.otf" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*.pdf" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*.gz" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*.zip" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*.mp3" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*.ogg" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*.mp4" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*.dat" {
  const bytes: Uint8Array;
  export default bytes;
}
