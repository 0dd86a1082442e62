// Web IDL's iterables: what URLSearchParams, Headers and FormData share.
import {
  IteratorPrototype, ObjectCreate, ReflectApply, SymbolIterator, SymbolToStringTag, TypeError, WeakMap, WeakMapPrototypeGet,
  WeakMapPrototypeSet, defineHidden, defineProperty, enumerateMembers, requireArguments,
} from "dayfly:primordials";

/// Gives an interface `entries`, `keys`, `values`, `forEach` and `Symbol.iterator`, over what `entryAt(object, index)` gives: `[name, value]`, or
/// undefined behind the last. It is asked anew at each step, so changes during an iteration are seen, as the standard has it; it also has to
/// throw a TypeError for objects of another kind. To be called before `defineInterface`.
export const defineIterable = (Interface, entryAt) => {
  const { name, prototype } = Interface;
  const make = iteratorMaker(name, entryAt);
  const methods = {
    entries() { return make(this, (entry) => [entry[0], entry[1]]); },
    keys() { return make(this, (entry) => entry[0]); },
    values() { return make(this, (entry) => entry[1]); },
    forEach(callback, thisArg = undefined) {
      let entry = entryAt(this, 0);
      requireArguments(arguments.length, 1, `${name}.forEach`);
      if (typeof callback !== "function") throw new TypeError(`${name}.forEach: the first argument is no function`);
      for (let index = 1; entry !== undefined; index++) {
        ReflectApply(callback, thisArg, [entry[1], entry[0], this]);
        entry = entryAt(this, index);
      }
    },
  };
  defineHidden(prototype, "entries", methods.entries);
  defineHidden(prototype, "forEach", methods.forEach);
  defineHidden(prototype, "keys", methods.keys);
  defineHidden(prototype, "values", methods.values);
  defineHidden(prototype, SymbolIterator, methods.entries);
};

/// A function that makes iterators, all of one prototype, as the interface `name` has it.
const iteratorMaker = (name, entryAt) => {
  const states = new WeakMap();
  const prototype = ObjectCreate(IteratorPrototype);
  const methods = {
    next() {
      const state = WeakMapPrototypeGet(states, this);
      if (state === undefined) throw new TypeError(`this is no ${name} Iterator`);
      const entry = entryAt(state.source, state.index);
      if (entry === undefined) return { value: undefined, done: true };
      state.index++;
      return { value: state.pick(entry), done: false };
    },
  };
  defineHidden(prototype, "next", methods.next);
  enumerateMembers(prototype);
  defineProperty(prototype, SymbolToStringTag, { __proto__: null, value: `${name} Iterator`, configurable: true });
  return (source, pick) => {
    entryAt(source, 0);
    const iterator = ObjectCreate(prototype);
    WeakMapPrototypeSet(states, iterator, { __proto__: null, source, pick, index: 0 });
    return iterator;
  };
};
