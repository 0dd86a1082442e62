// The way from an invocation to the script's handler. Rust calls `load` once a script, and `serve` once an invocation.
//
// Everything that a request needs is made at load, as far as it can be: a request starts from that memory, and pays for what it adds.
import native from "dayfly:native";
import { PromisePrototypeThen, PromiseResolve, RegExpPrototypeExec, TypeError } from "dayfly:primordials";
import { kindOf } from "dayfly:kinds";
import { newContext, settled } from "dayfly:context";
import { makeEnv } from "dayfly:env";
import { evaluate } from "dayfly:evaluate";
import { findHandlers } from "dayfly:handlers";
import { takeRequest } from "dayfly:incoming";
import { respondWith } from "dayfly:outgoing";
import { isResponse } from "dayfly:response";
import { deliver, handlerOf } from "dayfly:triggers";

let module, handlers, env;
const ctx = newContext();

/// Takes the script's entry module. Gives the names of its handlers, or a text that says why it can't be served.
export const load = (namespace, bindings, wanted) => {
  const found = findHandlers(namespace, wanted);
  if (typeof found === "string") return found;
  module = namespace;
  handlers = found.handlers;
  env = makeEnv(bindings);
  return found.names;
};

/// Runs one invocation. Gives a promise if there is anything to wait for.
export const serve = () => {
  // Whatever is no request is a POST of the platform's.
  const trigger = native.requestMethod() === "POST" ? native.requestHeader("dayfly-trigger") : undefined;
  if (trigger === undefined) return request();
  if (trigger === "eval") return finish(evaluate(module, env, ctx));
  return finish(deliver(handlerOf(trigger), handlers, env, ctx));
};

const request = () => {
  if (typeof handlers.fetch !== "function") throw wrong("the default export has no `fetch`, and this is a request: give the function one, or take its route away", undefined);
  const answer = handlers.fetch(takeRequest(), env, ctx);
  if (isResponse(answer)) return finish(respondWith(answer));
  if (!isThenable(answer)) throw wrongAnswer(answer);
  const promise = kindOf(answer) === "Promise" ? answer : PromiseResolve(answer);
  return PromisePrototypeThen(promise, respond);
};

const respond = (answer) => {
  if (!isResponse(answer)) throw wrongAnswer(answer);
  return finish(respondWith(answer));
};

const isThenable = (value) => value !== null && typeof value === "object" && typeof value.then === "function";

// Waits for the answer to be sent, and then for the promises of `waitUntil`, which may add more.
const finish = (sent) => (sent === undefined ? settled(ctx) : PromisePrototypeThen(sent, () => settled(ctx)));

const wrongAnswer = (answer) => {
  const what = answer === undefined ? "nothing: is a `return` missing?" : `${answer === null ? "null" : article(answer)}, and no Response: \`return new Response(…)\``;
  return wrong(`\`fetch\` gave ${what}`, handlers.fetch);
};

const article = (value) => {
  const name = typeof value === "object" ? (kindOf(value) ?? "Object") : typeof value;
  return `${RegExpPrototypeExec(/^[AEIOUaeiou]/, name) === null ? "a" : "an"} ${name}`;
};

// An error that stands where the handler is, as nothing of the script runs any more.
const wrong = (message, handler) => {
  native.noteWrongAnswer();
  const error = new TypeError(message);
  if (handler !== undefined) error.stack = placeOf(handler);
  return error;
};

const placeOf = ({ name, fileName, lineNumber, columnNumber }) =>
  (fileName === undefined ? "" : `    at ${name} (${fileName}:${lineNumber}:${columnNumber ?? 1})`);

/// Where the handler of this invocation is: for what is thrown and has no place of its own.
export const place = () => {
  const trigger = native.requestMethod() === "POST" ? native.requestHeader("dayfly-trigger") : undefined;
  if (trigger === "eval") return "";
  const handler = handlers[trigger === undefined ? "fetch" : handlerOf(trigger)];
  return typeof handler === "function" ? placeOf(handler) : "";
};
