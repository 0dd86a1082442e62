// `dayfly eval`: an expression, or statements, in the environment of a function.
import native from "dayfly:native";
import { JSONParse, JSONStringify, ObjectKeys, defineGlobal } from "dayfly:primordials";
import { inspect } from "dayfly:inspect";

const JSON_FIELDS = ["content-type", "application/json"];

// What begins with a brace is an object, if it can be one. If neither parses, the error is that of the text as it stands.
const run = (code) => {
  try {
    return native.evaluate(`(${code}\n)`);
  } catch {
    return native.evaluate(code);
  }
};

// The value as JSON, if it has that form.
const jsonOf = (value) => {
  try {
    return JSONStringify(value);
  } catch {
    return undefined;
  }
};

// What the code sees beside the web's globals: the module's exports, unless a global has the name, and a handler's arguments.
const provide = (namespace, env, ctx) => {
  const names = ObjectKeys(namespace);
  for (let i = 0; i < names.length; i++) {
    if (!(names[i] in globalThis) && names[i] !== "default") defineGlobal(names[i], namespace[names[i]]);
  }
  defineGlobal("exports", namespace);
  defineGlobal("env", env);
  defineGlobal("ctx", ctx);
};

/// Evaluates what the body of the request asks for, and answers with the value: as text, and as JSON if it has that form.
export const evaluate = async (namespace, env, ctx) => {
  const { code } = JSONParse(await native.bodyText(native.requestBody()));
  provide(namespace, env, ctx);
  const { value } = await run(code);
  const settled = await value;
  const json = jsonOf(settled);
  return native.respond(200, JSON_FIELDS, `{"value":${JSONStringify(inspect(settled))}${json === undefined ? "" : `,"json":${json}`}}`);
};
