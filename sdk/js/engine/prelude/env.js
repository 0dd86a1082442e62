// `env`: what the manifest grants. Each thing stands at `env.KIND.NAME`, and at `env.NAME` where no other has that name.
//
// It is made when the script is loaded, and part of every instance's memory from then on: nothing is opened or read before a handler asks.
import {
  ArrayPrototypeJoin, ObjectCreate, ObjectFreeze, ObjectHasOwn, ObjectKeys, ObjectPrototype, Proxy, RegExpPrototypeExec, TypeError, append,
  defineProperty, nullObject,
} from "dayfly:primordials";
import native from "dayfly:native";
import { ask } from "dayfly:service";
import { openKv } from "dayfly:kv";
import { openSql } from "dayfly:sql";
import { openBucket } from "dayfly:bucket";
import { openQueue } from "dayfly:queue";
import { openStream } from "dayfly:stream";
import { openBus } from "dayfly:bus";
import { openFunction } from "dayfly:function";

// The kinds by their names in bindings: the property of `env`, and what opens one. Texts are read when they are asked for.
const KINDS = nullObject({
  kv: { property: "kv", open: openKv },
  sql: { property: "sql", open: openSql },
  bucket: { property: "bucket", open: openBucket },
  queue: { property: "queue", open: openQueue },
  stream: { property: "stream", open: openStream },
  event: { property: "event", open: openBus },
  secret: { property: "secret", open: null },
  setting: { property: "setting", open: null },
  function: { property: "fn", open: openFunction },
});

// A text is asked for once: what it was stays what it is for this invocation.
const reader = (kind, name) => {
  let isKnown = false, value;
  return () => {
    if (!isKnown) {
      value = ask(`${kind}.${name}`, native.configGet, name) ?? undefined;
      isKnown = true;
    }
    return value;
  };
};

const PLAIN = /^[A-Za-z_$][\w$]*$/;
const pathOf = ({ kind, name }) => `env.${KINDS[kind].property}${RegExpPrototypeExec(PLAIN, name) === null ? `["${name}"]` : `.${name}`}`;

// What stands behind everything of a kind. A name that was not granted is a mistake, or a line that the manifest lacks: said at once, and not
// as "cannot read property get of undefined". What JavaScript itself looks for (`then`, `toJSON`, `constructor`) is simply not there.
const ungranted = (kind) => new Proxy(ObjectCreate(null), {
  __proto__: null,
  get(_, name) {
    if (typeof name !== "string" || name === "then" || name === "toJSON" || name in ObjectPrototype || kind === "setting") return undefined;
    const path = pathOf({ kind, name });
    if (kind === "function") throw new TypeError(`${path} can't be called: add "http://${name}.internal" to the function's \`reach\` in dayfly.toml`);
    throw new TypeError(`${path} is not granted: add "${kind}.${name}" to the function's \`uses\` in dayfly.toml`);
  },
});

// Secrets are not enumerable: whoever copies or prints `env` does not read them.
const define = (target, key, { kind, value, read }) => {
  const descriptor = read === undefined ? { __proto__: null, value, enumerable: true } : { __proto__: null, get: read, enumerable: kind === "setting" };
  defineProperty(target, key, descriptor);
};

const ambiguous = (all) => {
  const paths = [];
  for (let i = 0; i < all.length; i++) append(paths, pathOf(all[i]));
  const message = `env.${all[0].name} may be ${ArrayPrototypeJoin(paths, " or ")}: write which`;
  return () => { throw new TypeError(message); };
};

/// The `env` of a script: `bindings` are lists of a kind and a name.
export const makeEnv = (bindings) => {
  const env = {};
  const byKind = nullObject({});
  const byName = nullObject({});
  const kinds = ObjectKeys(KINDS);
  for (let i = 0; i < kinds.length; i++) byKind[kinds[i]] = ObjectCreate(ungranted(kinds[i]));
  for (let i = 0; i < bindings.length; i++) {
    const { 0: kind, 1: name } = bindings[i];
    const { open } = KINDS[kind];
    const thing = open === null ? { kind, name, read: reader(kind, name) } : { kind, name, value: open(name) };
    define(byKind[kind], name, thing);
    append(byName[name] ?? (byName[name] = []), thing);
  }
  for (let i = 0; i < kinds.length; i++) {
    defineProperty(env, KINDS[kinds[i]].property, { __proto__: null, value: ObjectFreeze(byKind[kinds[i]]), enumerable: true });
  }
  const names = ObjectKeys(byName);
  for (let i = 0; i < names.length; i++) {
    // A kind's own word keeps its meaning: what is called `queue` is found at its long name.
    if (ObjectHasOwn(env, names[i])) continue;
    const all = byName[names[i]];
    if (all.length === 1) define(env, names[i], all[0]);
    else defineProperty(env, names[i], { __proto__: null, get: ambiguous(all), enumerable: false });
  }
  return ObjectFreeze(env);
};
