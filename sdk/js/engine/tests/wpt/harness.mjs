// What files of web-platform-tests call: tests of three kinds, and assertions. Results are kept; `finish` runs what waits and gives them.

const results = [];
const waiting = [];
const cleanups = [];

const record = (name, error) => results.push({ name, passed: error === undefined, message: error === undefined ? "" : describe(error) });
const describe = (error) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));

let untitled = 0;
const titled = (name) => name ?? `untitled ${++untitled}`;

class Test {
  constructor(name) {
    this.name = name;
    this.settled = new Promise((resolve) => { this.settle = resolve; });
    this.cleanups = [];
    this.isDone = false;
  }

  // A test that has ended runs nothing more: some streams would be pulled for ever.
  step(body, self = this, ...given) {
    if (this.isDone) return undefined;
    try {
      return body.apply(self, given);
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  step_func(body, self = this) { return (...given) => this.step(body, self, ...given); }
  step_func_done(body = () => {}, self = this) {
    return (...given) => {
      this.step(body, self, ...given);
      this.done();
    };
  }
  step_timeout(body, milliseconds, ...given) { return setTimeout(this.step_func(() => body.apply(this, given)), milliseconds); }
  unreached_func(message) { return this.step_func(() => { throw new AssertionError(`was called: ${message}`); }); }
  add_cleanup(body) { this.cleanups.push(body); }
  fail(error) {
    this.isDone = true;
    this.settle(error ?? new AssertionError("failed"));
  }
  done() {
    this.isDone = true;
    this.settle();
  }
}

class AssertionError extends Error {
  get name() { return "AssertionError"; }
}

// No `then` is called here: some tests replace it.
const ending = async (body, test) => {
  try {
    await body.call(test, test);
    return undefined;
  } catch (error) {
    return error ?? new AssertionError("rejected with nothing");
  }
};

const clean = async (test) => { for (const body of test.cleanups) await body(); };

const functions = {
  test(body, name) {
    const test = new Test(titled(name));
    let error;
    try {
      body.call(test, test);
    } catch (thrown) {
      error = thrown ?? new AssertionError("threw nothing at all");
    }
    record(test.name, error);
    cleanups.push(() => clean(test));
  },

  promise_test(body, name) {
    const test = new Test(titled(name));
    waiting.push(async () => {
      record(test.name, await within(ending(body, test)));
      await clean(test);
    });
  },

  async_test(body, name) {
    const test = new Test(titled(typeof body === "string" ? body : name));
    if (typeof body === "function") test.step(body, test, test);
    waiting.push(async () => {
      record(test.name, await within(test.settled));
      await clean(test);
    });
    return test;
  },

  setup() {},
  done() {},
  step_timeout: (body, milliseconds, ...given) => setTimeout(body, milliseconds, ...given),
  subsetTest: (kind, body, name) => kind(body, name),
  subsetTestByKey: (_key, kind, body, name) => kind(body, name),
  shouldRunSubTest: () => true,
  format_value: (value) => (typeof value === "string" ? JSON.stringify(value) : String(value)),

  assert_true: (value, why) => check(value === true, why, `${show(value)} is not true`),
  assert_false: (value, why) => check(value === false, why, `${show(value)} is not false`),
  assert_equals: (actual, expected, why) => check(Object.is(actual, expected), why, `${show(actual)} is not ${show(expected)}`),
  assert_not_equals: (actual, unwanted, why) => check(!Object.is(actual, unwanted), why, `is ${show(actual)}`),
  assert_in_array: (value, list, why) => check(list.includes(value), why, `${show(value)} is none of ${show(list)}`),
  assert_array_equals(actual, expected, why) {
    check(typeof actual === "object" && actual !== null && "length" in actual, why, `${show(actual)} is no list`);
    check(actual.length === expected.length, why, `there are ${actual.length} and not ${expected.length} items: ${show(actual)}`);
    for (let i = 0; i < actual.length; i++) check(Object.is(actual[i], expected[i]), why, `item ${i} is ${show(actual[i])} and not ${show(expected[i])}`);
  },
  assert_object_equals(actual, expected, why) {
    check(typeof actual === "object" && actual !== null, why, `${show(actual)} is no object`);
    for (const key in actual) check(key in expected, why, `there is a property ${key}`);
    for (const key in expected) {
      if (typeof expected[key] === "object" && expected[key] !== null) functions.assert_object_equals(actual[key], expected[key], why);
      else check(Object.is(actual[key], expected[key]), why, `${key} is ${show(actual[key])} and not ${show(expected[key])}`);
    }
  },
  assert_less_than: (actual, bound, why) => check(actual < bound, why, `${show(actual)} is not less than ${show(bound)}`),
  assert_greater_than: (actual, bound, why) => check(actual > bound, why, `${show(actual)} is not more than ${show(bound)}`),
  assert_less_than_equal: (actual, bound, why) => check(actual <= bound, why, `${show(actual)} is more than ${show(bound)}`),
  assert_greater_than_equal: (actual, bound, why) => check(actual >= bound, why, `${show(actual)} is less than ${show(bound)}`),
  assert_approx_equals: (actual, expected, epsilon, why) => check(Math.abs(actual - expected) <= epsilon, why, `${show(actual)} is not about ${show(expected)}`),
  assert_regexp_match: (actual, expression, why) => check(expression.test(actual), why, `${show(actual)} does not match ${expression}`),
  assert_class_string: (value, name, why) => check({}.toString.call(value) === `[object ${name}]`, why, `is ${{}.toString.call(value)}`),
  assert_own_property: (object, key, why) => check(Object.hasOwn(object, key), why, `has no ${String(key)} of its own`),
  assert_not_own_property: (object, key, why) => check(!Object.hasOwn(object, key), why, `has ${String(key)}`),
  assert_inherits: (object, key, why) => check(!Object.hasOwn(object, key) && key in object, why, `does not inherit ${String(key)}`),
  assert_readonly(object, key, why) {
    const before = object[key];
    try { object[key] = `${before}changed`; } catch { /* it may throw in strict code */ }
    check(Object.is(object[key], before), why, `${key} can be set`);
  },
  assert_throws_js: (Type, body, why) => thrown(body, why, (error) => error instanceof Type && error.constructor === Type, Type.name),
  assert_throws_dom: (name, ...rest) => {
    const [body, why] = typeof rest[1] === "function" ? [rest[1], rest[2]] : rest;
    return thrown(body, why, isDOMException(name), name);
  },
  assert_throws_exactly: (value, body, why) => thrown(body, why, (error) => Object.is(error, value), show(value)),
  promise_rejects_js: (_test, Type, promise, why) => rejected(promise, why, (error) => error instanceof Type && error.constructor === Type, Type.name),
  promise_rejects_dom: (_test, name, ...rest) => {
    const [promise, why] = typeof rest[0] === "function" && typeof rest[1]?.then === "function" ? [rest[1], rest[2]] : rest;
    return rejected(promise, why, isDOMException(name), name);
  },
  promise_rejects_exactly: (_test, value, promise, why) => rejected(promise, why, (error) => Object.is(error, value), show(value)),
  assert_unreached: (why) => check(false, why, "was reached"),
  assert_implements: (value, why) => check(!!value, why, "is missing"),
  assert_implements_optional: (value, why) => check(!!value, why, "is missing"),
};

const LEGACY = { __proto__: null, 5: "InvalidCharacterError", 8: "NotFoundError", 9: "NotSupportedError", 11: "InvalidStateError", 12: "SyntaxError", 15: "InvalidAccessError",
  17: "TypeMismatchError", 20: "AbortError", 22: "QuotaExceededError", 25: "DataCloneError" };
const fromConstant = (name) => (/^[A-Z_]+$/.test(name) ? LEGACY[DOMException[name]] ?? name : name);
const isDOMException = (name) => (error) => error instanceof DOMException && error.name === (typeof name === "number" ? LEGACY[name] : fromConstant(name));

const check = (isRight, why, message) => {
  if (!isRight) throw new AssertionError(`${why === undefined ? "" : `${why}: `}${message}`);
};

const show = (value) => {
  try {
    return typeof value === "object" && value !== null ? JSON.stringify(value)?.slice(0, 300) ?? "{}" : typeof value === "string" ? JSON.stringify(value) : String(value);
  } catch {
    return "what can't be shown";
  }
};

const thrown = (body, why, isRight, wanted) => {
  let error;
  try {
    body();
  } catch (caught) {
    check(isRight(caught), why, `threw ${describe(caught)} and not ${wanted}`);
    return caught;
  }
  return check(false, why, `threw nothing, and not ${wanted}`), error;
};

const rejected = async (promise, why, isRight, wanted) => {
  let value;
  try {
    value = await promise;
  } catch (error) {
    check(isRight(error), why, `rejected with ${describe(error)} and not ${wanted}`);
    return;
  }
  check(false, why, `gave ${show(value)}, and did not reject with ${wanted}`);
};

const TEST_MS_MAX = 10_000;
const within = (promise) => new Promise((resolve) => {
  const timer = setTimeout(() => resolve(new AssertionError("takes too long")), TEST_MS_MAX);
  (async () => {
    const error = await promise;
    clearTimeout(timer);
    resolve(error);
  })();
});

Object.assign(globalThis, functions, {
  AssertionError,
  // There is no shared memory here: tests of it get the other kind.
  createBuffer: (_kind, length, options) => new ArrayBuffer(length, options),
  GLOBAL: { isWindow: () => false, isWorker: () => true, isShadowRealm: () => false },
  location: { search: "", href: "https://web-platform.test/", protocol: "https:" },
});

/// Runs what waits, in its order, and gives all results: `[{ name, passed, message }, …]`.
export const finish = async () => {
  // A promise test may add others.
  for (let next = 0; next < waiting.length; next++) await waiting[next]();
  for (const body of cleanups) await body();
  return results;
};

/// Says the results to whoever runs this: one line of the log for each, as JSON behind a word.
export const report = async () => {
  for (const result of await finish()) console.log(`wpt ${JSON.stringify(result)}`);
};
