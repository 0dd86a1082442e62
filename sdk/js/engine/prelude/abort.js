// AbortController and AbortSignal.
import native from "dayfly:native";
import { domException } from "dayfly:dom-exception";
import { Event, EventTarget, defineEventHandler, fireEvent, setSignals } from "dayfly:events";
import { ArrayPrototypeIndexOf, TypeError, append, defineInterface, removeAt, requireArguments } from "dayfly:primordials";

/// What makes a signal; no script can name it.
const MADE = { __proto__: null };

let newSignal, stateOf, isSignal;

export class AbortSignal extends EventTarget {
  /// `algorithms` run before the event; `sources` are signals that this one follows, and `followers` those that follow it.
  #state = { __proto__: null, aborted: false, reason: undefined, algorithms: [], followers: [], sources: [], follows: false };

  static {
    newSignal = () => new AbortSignal(MADE);
    stateOf = (signal) => signal.#state;
    isSignal = (value) => value !== null && typeof value === "object" && #state in value;
  }

  constructor(made) {
    if (made !== MADE) throw new TypeError("AbortSignal can't be constructed: use an AbortController, AbortSignal.timeout() or AbortSignal.any()");
    super();
  }

  static abort(reason = undefined) {
    const signal = newSignal();
    signal.#state.aborted = true;
    signal.#state.reason = reason === undefined ? aborted() : reason;
    return signal;
  }

  static timeout(milliseconds) {
    requireArguments(arguments.length, 1, "AbortSignal.timeout");
    const delay = +milliseconds;
    if (!(delay > -1 && delay <= DELAY_MS_MAX)) throw new TypeError("AbortSignal.timeout: the time is no number of milliseconds");
    const signal = newSignal();
    native.timerStart(delay, () => signalAbort(signal, domException("TimeoutError", "the operation timed out")));
    return signal;
  }

  static any(signals) {
    requireArguments(arguments.length, 1, "AbortSignal.any");
    return follow(signals);
  }

  get aborted() { return this.#state.aborted; }
  get reason() { return this.#state.reason; }
  throwIfAborted() { if (this.#state.aborted) throw this.#state.reason; }
}

/// Web IDL's largest whole number.
const DELAY_MS_MAX = 9_007_199_254_740_991;

const aborted = () => domException("AbortError", "the operation was aborted");

const follow = (signals) => {
  const sources = [];
  for (const signal of signals) {
    if (!isSignal(signal)) throw new TypeError("AbortSignal.any: an item is no AbortSignal");
    append(sources, signal);
  }
  const result = newSignal();
  const state = stateOf(result);
  for (let i = 0; i < sources.length; i++) {
    if (!stateOf(sources[i]).aborted) continue;
    state.aborted = true;
    state.reason = stateOf(sources[i]).reason;
    return result;
  }
  state.follows = true;
  // A signal that follows others is no source itself, but its sources are.
  for (let i = 0; i < sources.length; i++) {
    const source = stateOf(sources[i]);
    if (source.follows) for (let j = 0; j < source.sources.length; j++) link(source.sources[j], result);
    else link(sources[i], result);
  }
  return result;
};

const link = (source, follower) => {
  const { sources } = stateOf(follower);
  if (ArrayPrototypeIndexOf(sources, source) >= 0) return;
  append(sources, source);
  append(stateOf(source).followers, follower);
};

/// Aborts a signal: marks it and all that follow it, then runs their algorithms and listeners.
export const signalAbort = (signal, reason = undefined) => {
  const state = stateOf(signal);
  if (state.aborted) return;
  state.aborted = true;
  state.reason = reason === undefined ? aborted() : reason;
  const reached = [];
  for (let i = 0; i < state.followers.length; i++) {
    const follower = stateOf(state.followers[i]);
    if (follower.aborted) continue;
    follower.aborted = true;
    follower.reason = state.reason;
    append(reached, state.followers[i]);
  }
  runAbortSteps(signal);
  for (let i = 0; i < reached.length; i++) runAbortSteps(reached[i]);
};

const runAbortSteps = (signal) => {
  const state = stateOf(signal);
  const { algorithms } = state;
  state.algorithms = [];
  for (let i = 0; i < algorithms.length; i++) algorithms[i](state.reason);
  fireEvent(signal, new Event("abort"));
};

/// Calls `algorithm(reason)` when a signal aborts, before its listeners; at most once. Not if it is aborted already.
export const onAbort = (signal, algorithm) => {
  if (!stateOf(signal).aborted) append(stateOf(signal).algorithms, algorithm);
};

/// Forgets what `onAbort` was told.
export const offAbort = (signal, algorithm) => {
  const { algorithms } = stateOf(signal);
  const index = ArrayPrototypeIndexOf(algorithms, algorithm);
  if (index >= 0) removeAt(algorithms, index);
};

/// A signal that follows `signals`, for the prelude's own.
export const followingSignal = follow;
/// A signal that no controller has: `signalAbort` aborts it.
export const makeSignal = newSignal;
/// Whether a value is an AbortSignal.
export const isAbortSignal = isSignal;
/// `{ aborted, reason }` of a signal, whatever its prototype says.
export const abortStateOf = (signal) => stateOf(signal);

export class AbortController {
  #signal = newSignal();

  get signal() { return this.#signal; }
  abort(reason = undefined) { signalAbort(this.#signal, reason); }
}

setSignals({ isSignal, onAbort });
defineEventHandler(AbortSignal, "abort");
defineInterface(AbortSignal);
defineInterface(AbortController);
