// What data is written in and checked by: YAML, XML, superjson, Valibot.
import { XMLBuilder, XMLParser, XMLValidator } from "fast-xml-parser";
import superjson from "superjson";
import * as v from "valibot";
import { parse, parseDocument, stringify } from "yaml";

const Setting = v.object({
  name: v.pipe(v.string(), v.nonEmpty("a name is missing"), v.maxLength(8)),
  port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 80),
  kind: v.variant("is", [v.object({ is: v.literal("a"), x: v.number() }), v.object({ is: v.literal("b") })]),
});

function yaml() {
  const document = parseDocument("# kept\nname: shop # here\nlist: &all [1, two, 2001-12-14]\nsame: *all\n");
  document.set("name", "other");
  let wrong;
  try {
    parse("a: [1");
  } catch (error) {
    wrong = [error.name, error.code, error.linePos];
  }
  return { text: String(document), value: document.toJS(), written: stringify({ a: [1, { b: "x: y" }], lines: "a\nb\n", none: null }), wrong };
}

function xml() {
  const options = { ignoreAttributes: false, attributeNamePrefix: "@" };
  const value = new XMLParser(options).parse('<?xml version="1.0"?><a x="1&amp;2"><b>1</b><b>two</b><c/><![CDATA[<raw>]]></a>');
  return { value, written: new XMLBuilder({ ...options, format: true }).build({ a: { "@x": "<", b: [1, 2] } }), wrong: XMLValidator.validate("<a><b></a>").err };
}

function json() {
  const error = Object.assign(new RangeError("far"), { name: "RangeError" });
  const value = { date: new Date(0), map: new Map([["a", new Set([1n])]]), none: undefined, pattern: /x/gi, nan: Number.NaN, url: new URL("https://a.b/c"), error };
  const text = superjson.stringify(value);
  const back = superjson.parse(text);
  return { text, back: [back.date instanceof Date, back.map.get("a").has(1n), "none" in back, back.pattern.flags, back.nan, back.url.host, back.error.message] };
}

export default {
  async fetch(request) {
    if (request.method === "POST") {
      const read = v.safeParse(Setting, await request.json());
      return read.success ? Response.json(read.output) : Response.json(v.flatten(read.issues), { status: 422 });
    }
    return Response.json({ yaml: yaml(), xml: xml(), json: json() });
  },
};
