// `env.queue.NAME`: sending to queues.
import {
  ArrayFrom, Number, ObjectFreeze, ObjectKeys, RegExpPrototypeExec, SymbolToStringTag, TypeError, append, defineHidden, nullObject,
} from "dayfly:primordials";
import native from "dayfly:native";
import { ask, encoded, nameOf, optionsOf, textOf } from "dayfly:service";

const OPTIONS = nullObject({ delay: 1, dedup: 1, group: 1, contentType: 1, attributes: 1 });
const OF_BATCH = nullObject({ body: 1, delay: 1, dedup: 1, group: 1, contentType: 1, attributes: 1 });

const DURATION = /^(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)$/;
const UNIT_MS = nullObject({ ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 });

const delayOf = (delay) => {
  if (delay === undefined || delay === null) return null;
  if (typeof delay === "number" && delay >= 0) return delay;
  const found = typeof delay === "string" ? RegExpPrototypeExec(DURATION, delay) : null;
  if (found === null) {
    const given = typeof delay === "string" ? `"${delay}"` : nameOf(delay);
    throw new TypeError(`the delay must be milliseconds, or a text like "30s" or "5min", not ${given}`);
  }
  return Number(found[1]) * UNIT_MS[found[2]];
};

const optionalText = (value, what) => (value === undefined || value === null ? null : textOf(value, what));

// Names and values by turns, as natives take them.
const attributesOf = (attributes) => {
  const flat = [];
  if (attributes === undefined || attributes === null) return flat;
  const names = ObjectKeys(attributes);
  for (let i = 0; i < names.length; i++) {
    append(flat, textOf(names[i], "the name of an attribute"));
    append(flat, textOf(attributes[names[i]], `the attribute ${names[i]}`));
  }
  return flat;
};

const messageOf = (body, { delay, dedup, group, contentType, attributes }) => {
  const { data, contentType: usual } = encoded(body, "the message");
  return [
    data, contentType === undefined ? usual : textOf(contentType, "contentType"), delayOf(delay), optionalText(dedup, "dedup"),
    optionalText(group, "group"), attributesOf(attributes),
  ];
};

class Queue {
  #name;
  #resource;

  constructor(name) {
    this.#name = name;
    this.#resource = `queue.${name}`;
  }

  async send(body, options = undefined) {
    return this.#send([messageOf(body, optionsOf(options, OPTIONS, `${this.#resource}.send`))])[0];
  }

  async sendBatch(messages) {
    const given = ArrayFrom(messages);
    const all = [];
    for (let i = 0; i < given.length; i++) {
      const what = `message ${i + 1} of ${this.#resource}.sendBatch`;
      const message = optionsOf(given[i], OF_BATCH, what);
      if (message.body === undefined) throw new TypeError(`${what} has no body`);
      append(all, messageOf(message.body, message));
    }
    return this.#send(all);
  }

  #send(messages) {
    const outcomes = ask(this.#resource, native.queueSend, this.#name, messages);
    const sent = [];
    for (let i = 0; i < outcomes.length; i++) append(sent, { id: outcomes[i][0], duplicate: outcomes[i][1] });
    return sent;
  }
}
defineHidden(Queue.prototype, SymbolToStringTag, "Queue");

export const openQueue = (name) => ObjectFreeze(new Queue(name));
