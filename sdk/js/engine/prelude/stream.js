// `env.stream.NAME`: appending to streams, and reading them from any place.
import { ArrayFrom, Date, Number, ObjectFreeze, SymbolToStringTag, TypeError, append, defineHidden, nullObject } from "dayfly:primordials";
import native from "dayfly:native";
import { ask, countOf, encoded, optionsOf, readers, textOf } from "dayfly:service";

const OPTIONS = nullObject({ key: 1, dedup: 1 });
const OF_BATCH = nullObject({ body: 1, key: 1, dedup: 1 });
const OF_READ = nullObject({ partition: 1, from: 1, limit: 1 });
/// Records of one read.
const READ_MAX = 64;

const recordOf = (body, { key, dedup }) => [
  encoded(body, "the record").data,
  key === undefined || key === null ? null : encoded(key, "the key").data,
  dedup === undefined || dedup === null ? null : textOf(dedup, "dedup"),
];

class Stream {
  #name;
  #resource;

  constructor(name) {
    this.#name = name;
    this.#resource = `stream.${name}`;
  }

  async append(body, options = undefined) {
    return this.#append([recordOf(body, optionsOf(options, OPTIONS, `${this.#resource}.append`))])[0];
  }

  async appendBatch(records) {
    const given = ArrayFrom(records);
    const all = [];
    for (let i = 0; i < given.length; i++) {
      const what = `record ${i + 1} of ${this.#resource}.appendBatch`;
      const record = optionsOf(given[i], OF_BATCH, what);
      if (record.body === undefined) throw new TypeError(`${what} has no body`);
      append(all, recordOf(record.body, record));
    }
    return this.#append(all);
  }

  async read(options) {
    const { partition, from, limit } = optionsOf(options, OF_READ, `${this.#resource}.read`);
    const found = ask(
      this.#resource, native.streamRead, this.#name, countOf(partition, 0, 0, 0xffff_ffff, "the partition"),
      countOf(from, 0, 0, Number.MAX_SAFE_INTEGER, "from"), countOf(limit, READ_MAX, 1, READ_MAX, "the limit"),
    );
    const entries = [];
    for (let i = 0; i < found.length; i++) {
      const { 0: sequence, 1: appended, 2: key, 3: body } = found[i];
      append(entries, ObjectFreeze(readers({ sequence, timestamp: new Date(appended), key }, body, `record ${sequence} of ${this.#resource}`)));
    }
    return entries;
  }

  #append(records) {
    const positions = ask(this.#resource, native.streamAppend, this.#name, records);
    const all = [];
    for (let i = 0; i < positions.length; i++) append(all, positions[i] && { partition: positions[i][0], sequence: positions[i][1] });
    return all;
  }
}
defineHidden(Stream.prototype, SymbolToStringTag, "Stream");

export const openStream = (name) => ObjectFreeze(new Stream(name));
