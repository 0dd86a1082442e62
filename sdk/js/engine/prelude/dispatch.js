// The way from an invocation to the script's handler. Rust calls `load` once a script, and `serve` once an invocation.
import native from "dayfly:native";

let handlers;

// Takes the script's entry module. Gives the names of its handlers, or a text that says why it can't be served.
export function load(namespace, bindings, wanted) {
  handlers = namespace.default;
  if (typeof handlers !== "object" || handlers === null) return `the default export is ${typeof handlers}, and not an object of handlers`;
  const missing = wanted.find((name) => typeof handlers[name] !== "function");
  if (missing) return `the default export has no function ${missing}`;
  return ["fetch", "queue", "stream", "kv", "bucket", "event", "scheduled"].filter((name) => typeof handlers[name] === "function");
}

// Runs one invocation. Gives a promise if there is anything to wait for.
export function serve() {
  const answer = handlers.fetch({ method: native.requestMethod(), url: native.requestUrl() }, {}, {});
  return typeof answer?.then === "function" ? answer.then(send) : send(answer);
}

const send = (answer) => native.respond(200, ["content-type", "text/plain; charset=utf-8"], String(answer));
