// `dayfly eval`: an expression, or statements, in the environment of a function.
import native from "dayfly:native";
import { JSONParse, JSONStringify } from "dayfly:primordials";
import { inspect } from "dayfly:inspect";

const JSON_FIELDS = ["content-type", "application/json"];

// The value as JSON, if it has that form.
const jsonOf = (value) => {
  try {
    return value !== null && typeof value === "object" ? JSONStringify(value) : undefined;
  } catch {
    return undefined;
  }
};

/// Evaluates what the body of the request asks for, and answers with the value: as text, and as JSON if it is an object.
export const evaluate = async (env, ctx) => {
  const { code } = JSONParse(await native.bodyText(native.requestBody()));
  const value = await native.evaluate(code)(env, ctx);
  const json = jsonOf(value);
  return native.respond(200, JSON_FIELDS, `{"value":${JSONStringify(inspect(value))}${json === undefined ? "" : `,"json":${json}`}}`);
};
