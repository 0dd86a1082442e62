// `env.event.NAME`: publishing on the app's buses, in the words of CloudEvents 1.0.
import {
  ArrayFrom, Date, DatePrototypeGetTime, ObjectFreeze, ObjectKeys, String, SymbolToStringTag, TypeError, append, defineHidden, nullObject,
} from "dayfly:primordials";
import native from "dayfly:native";
import { ask, encoded, nameOf, textOf } from "dayfly:service";

const OWN = nullObject({ specversion: 1, id: 1, source: 1, type: 1, subject: 1, time: 1, datacontenttype: 1, dataschema: 1, data: 1 });

const timeOf = (time) => {
  if (time === undefined || time === null) return null;
  const asked = typeof time === "number" || nameOf(time) === "Date" ? time : textOf(time, "time");
  const milliseconds = DatePrototypeGetTime(new Date(asked));
  if (!(milliseconds >= 0)) throw new TypeError("time is no time since 1970");
  return milliseconds;
};

const optionalText = (value, what) => (value === undefined || value === null ? null : textOf(value, what));

const eventOf = (event, what) => {
  if (event === null || typeof event !== "object") throw new TypeError(`${what} must be an object like { type, data }, not ${nameOf(event)}`);
  const extensions = [];
  const names = ObjectKeys(event);
  for (let i = 0; i < names.length; i++) {
    const value = OWN[names[i]] === undefined ? event[names[i]] : undefined;
    if (value === undefined || value === null) continue;
    if (typeof value === "object" || typeof value === "function") {
      throw new TypeError(`${what}: the attribute ${names[i]} must be a text, a number or a boolean, not ${nameOf(value)}`);
    }
    append(extensions, names[i]);
    append(extensions, String(value));
  }
  const { id, source, type, subject, time, datacontenttype, dataschema, data } = event;
  const { data: bytes, contentType } = data === undefined ? { data: null, contentType: null } : encoded(data, "data");
  return [
    optionalText(id, "id"), optionalText(source, "source"), textOf(type, `the type of ${what}`), optionalText(subject, "subject"), timeOf(time),
    optionalText(datacontenttype, "datacontenttype") ?? contentType, optionalText(dataschema, "dataschema"), extensions, bytes,
  ];
};

class Bus {
  #name;
  #resource;

  constructor(name) {
    this.#name = name;
    this.#resource = `event.${name}`;
  }

  async publish(event) {
    return ask(this.#resource, native.busPublish, this.#name, [eventOf(event, "the event")])[0];
  }

  async publishBatch(events) {
    const given = ArrayFrom(events);
    const all = [];
    for (let i = 0; i < given.length; i++) append(all, eventOf(given[i], `event ${i + 1}`));
    return all.length === 0 ? all : ask(this.#resource, native.busPublish, this.#name, all);
  }
}
defineHidden(Bus.prototype, SymbolToStringTag, "Bus");

export const openBus = (name) => ObjectFreeze(new Bus(name));
