// The handlers of what starts a function beside requests: what they are called with, and what the platform is told afterwards.
//
// `queue` and `stream` get all events of a delivery at once, the others one after the other. Whatever throws fails the whole delivery: the platform
// takes back what the function did and brings the events again, one by one, so that one of them holds up no other. Only `retry()` names some.
import {
  JSONStringify, Number, ObjectDefineProperties, ObjectFreeze, ObjectKeys, TypeError, Uint8Array, append, defineHidden, nullObject,
} from "dayfly:primordials";
import native from "dayfly:native";
import { deliveredEvents, factsOf, millisecondsOf, resourceOf, senderAttributes, timestampOf } from "dayfly:cloud-event";

const NONE = [];
const JSON_FIELDS = ["content-type", "application/json"];

/// Something that can be delivered again: a message or a record.
const retryable = (event, facts, retried) => {
  const { id, datacontenttype: type } = event.attributes;
  const what = `the body of ${id}`;
  const item = { id, ...facts, timestamp: timestampOf(event), contentType: type ?? "application/octet-stream" };
  ObjectDefineProperties(item, {
    body: { __proto__: null, enumerable: true, get: () => (event.data === null ? null : event.data.as(type, what)) },
  });
  defineHidden(item, "bytes", () => event.data?.bytes() ?? new Uint8Array(0));
  defineHidden(item, "text", () => event.data?.text() ?? "");
  defineHidden(item, "json", () => event.data?.json(what) ?? null);
  defineHidden(item, "retry", () => { retried[id] = true; });
  defineHidden(item, "ack", () => { delete retried[id]; });
  return ObjectFreeze(item);
};

const batchOf = (events, head, listName, factsOfItem, retried) => {
  const items = [];
  for (let i = 0; i < events.length; i++) append(items, retryable(events[i], factsOfItem(events[i]), retried));
  const batch = { ...head, [listName]: ObjectFreeze(items) };
  defineHidden(batch, "retryAll", () => { for (let i = 0; i < items.length; i++) items[i].retry(); });
  defineHidden(batch, "ackAll", () => { for (let i = 0; i < items.length; i++) items[i].ack(); });
  return ObjectFreeze(batch);
};

const queueBatch = (events, retried) =>
  batchOf(events, { queue: resourceOf(events[0]) }, "messages", (event) => ({ attributes: ObjectFreeze(senderAttributes(event)) }), retried);

const recordFacts = ({ attributes: { partition, sequence, partitionkey } }) =>
  ({ partition: Number(partition), sequence: Number(sequence), key: partitionkey ?? null });

const streamBatch = (events, retried) => batchOf(events, { stream: resourceOf(events[0]) }, "records", recordFacts, retried);

const scheduledEvent = (event) => {
  const { scheduled, missed, schedule, zone } = factsOf(event);
  return { type: "scheduled", cron: schedule, zone, scheduledTime: millisecondsOf(scheduled), missed };
};

// Text, bytes where it is none, null where there is nothing.
const textOrBytes = (facts, name) => (facts[`${name}_base64`] === undefined ? facts[name] : native.base64Bytes(facts[`${name}_base64`]));

const kvChange = (event) => {
  const facts = factsOf(event);
  return {
    id: event.attributes.id, store: resourceOf(event), key: textOrBytes(facts, "key"), type: event.attributes.type === "dayfly.kv.delete" ? "delete" : "put",
    oldValue: textOrBytes(facts, "old"), newValue: textOrBytes(facts, "new"), version: facts.rev, timestamp: timestampOf(event),
  };
};

const bucketChange = (event) => {
  const { bucket, key, bytes, etag, contentType, version } = factsOf(event);
  const type = event.attributes.type === "dayfly.bucket.deleted" ? "deleted" : "created";
  return { id: event.attributes.id, bucket, key, type, size: bytes, etag, contentType, version, timestamp: timestampOf(event) };
};

// In JSON a blob is `{ base64 }`; there is no other object in a row.
const rowOf = (row) => {
  if (row === null || row === undefined) return null;
  const columns = ObjectKeys(row);
  for (let i = 0; i < columns.length; i++) {
    const value = row[columns[i]];
    if (value !== null && typeof value === "object") row[columns[i]] = native.base64Bytes(value.base64);
  }
  return row;
};

const SQL_TYPES = nullObject({ "dayfly.sql.insert": "insert", "dayfly.sql.update": "update", "dayfly.sql.delete": "delete" });

const sqlChange = (event) => {
  const { table, old, new: now, sequence } = factsOf(event);
  return {
    id: event.attributes.id, database: resourceOf(event), table, type: SQL_TYPES[event.attributes.type], oldRow: rowOf(old), newRow: rowOf(now), sequence,
  };
};

const cloudEvent = (event) => {
  const { attributes, data } = event;
  return data === null ? { ...attributes } : { ...attributes, data: data.as(attributes.datacontenttype ?? "application/json", `the data of ${attributes.id}`) };
};

const BATCHES = nullObject({ queue: queueBatch, stream: streamBatch });
const SINGLES = nullObject({ scheduled: scheduledEvent, kv: kvChange, bucket: bucketChange, sql: sqlChange, event: cloudEvent });

/// The handler for what `dayfly-trigger` says.
export const handlerOf = (trigger) => (trigger === "cron" ? "scheduled" : trigger);

/// Calls a handler with the events of the request that is served, and answers the platform.
export const deliver = async (name, handlers, env, ctx) => {
  if (typeof handlers[name] !== "function") throw new TypeError(`an event came for \`${name}\`, which the default export does not have`);
  const { events, isBatch } = await deliveredEvents();
  const retried = nullObject({});
  if (BATCHES[name] !== undefined) {
    if (events.length > 0) await handlers[name](BATCHES[name](events, retried), env, ctx);
  } else {
    for (let i = 0; i < events.length; i++) await handlers[name](ObjectFreeze(SINGLES[name](events[i])), env, ctx);
  }
  const failed = ObjectKeys(retried);
  if (failed.length === 0) return native.respond(204, NONE, null);
  // A single event has no list to be named in.
  if (!isBatch) return native.respond(500, NONE, null);
  return native.respond(200, JSON_FIELDS, JSONStringify({ failed }));
};
