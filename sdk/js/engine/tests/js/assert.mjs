// What a test needs: `test(name, body)`, and assertions. A failed one throws.

const queue = [];

// Registers a test; `run` at the end of the file runs all.
export function test(name, body) {
  queue.push([name, body]);
}

// Runs what was registered, one after the other. Write `await run()` as the last line.
export async function run() {
  const failures = [];
  for (const [name, body] of queue.splice(0)) {
    try {
      await body();
    } catch (error) {
      failures.push(`${name}: ${error?.name}: ${error?.message}\n${error?.stack ?? ""}`);
    }
  }
  if (failures.length) throw new Error(`${failures.length} failed\n${failures.join("\n")}`);
}

export function ok(value, message = "not true") {
  if (!value) throw new Error(message);
}

export function equal(actual, expected, message = "") {
  if (!Object.is(actual, expected)) throw new Error(`${message} is ${show(actual)}, not ${show(expected)}`);
}

// Equal as JSON, with undefined, NaN and the like told apart.
export function same(actual, expected, message = "") {
  if (show(actual) !== show(expected)) throw new Error(`${message} is ${show(actual)}, not ${show(expected)}`);
}

// That it throws, or rejects, an error of this name (and a message that holds the text). Gives the error.
export async function throws(body, name, text = "") {
  let caught;
  try {
    await body();
  } catch (error) {
    caught = error;
  }
  if (!caught) throw new Error(`nothing was thrown, but ${name} should`);
  if (caught.name !== name) throw new Error(`${caught.name} was thrown, not ${name}: ${caught.message}\n${caught.stack}`);
  if (!String(caught.message).includes(text)) throw new Error(`the message is "${caught.message}", without "${text}"`);
  return caught;
}

function show(value) {
  if (typeof value === "bigint") return `${value}n`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} ${[...value]}`;
  if (Array.isArray(value)) return `[${value.map(show)}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.keys(value).sort().map((key) => `${key}: ${show(value[key])}`)}}`;
  }
  return typeof value === "string" ? JSON.stringify(value) : Object.is(value, -0) ? "-0" : String(value);
}
