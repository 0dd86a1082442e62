// Reading bodies of the host's whole. What is there already is given without a wait, and text is decoded in Rust.
import native from "dayfly:native";
import { JSONParse, PromisePrototypeThen, PromiseResolve } from "dayfly:primordials";

// A function of one argument: a promise gives `JSON.parse` no reviver.
const parse = (text) => JSONParse(text);

export const nativeText = (body) => PromiseResolve(native.bodyText(body));
export const nativeBytes = (body) => PromiseResolve(native.bodyBytes(body));

export const nativeJson = (body) => {
  const text = native.bodyText(body);
  return typeof text === "string" ? PromiseResolve(JSONParse(text)) : PromisePrototypeThen(text, parse);
};
