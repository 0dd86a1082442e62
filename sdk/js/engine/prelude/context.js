// `ctx`: what belongs to one invocation.
import {
  ObjectFreeze, PromisePrototypeThen, PromiseResolve, SymbolToStringTag, append, defineHidden, newPromise,
} from "dayfly:primordials";

let pendingOf;

const NO_PROPS = ObjectFreeze({});

class Context {
  #pending = null;

  /// What Workers have, and programs for them pass on: here no server behind the function could answer instead, and nothing is configured.
  passThroughOnException() {}
  get props() { return NO_PROPS; }

  waitUntil(promise) {
    append(this.#pending ?? (this.#pending = []), PromiseResolve(promise));
  }

  static {
    pendingOf = (context) => {
      const pending = context.#pending;
      context.#pending = null;
      return pending;
    };
  }
}
defineHidden(Context.prototype, SymbolToStringTag, "Context");

export const newContext = () => new Context();

/// Undefined, or a promise that is fulfilled when all that was to be waited for is settled, and what was added meanwhile too. What is rejected is
/// reported as any rejection that nobody handles, and changes nothing.
export const settled = (context) => {
  const pending = pendingOf(context);
  if (pending === null) return undefined;
  const { promise, resolve } = newPromise();
  let left = pending.length;
  const done = () => {
    if (--left === 0) resolve(settled(context));
  };
  for (let i = 0; i < pending.length; i++) {
    PromisePrototypeThen(pending[i], done, done);
    PromisePrototypeThen(pending[i], undefined, undefined);
  }
  return promise;
};
