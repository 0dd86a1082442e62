// Headers: names and values, combination and order, and what is refused by name.
import { equal, run, same, test, throws } from "./assert.mjs";

test("names are compared without case, and values are trimmed and joined", () => {
  const headers = new Headers({ "Content-Type": " text/plain\t", "X-A": "1" });
  headers.append("x-a", "2");
  equal(headers.get("CONTENT-type"), "text/plain");
  equal(headers.get("X-a"), "1, 2");
  equal(headers.get("x-none"), null);
  equal(headers.has("x-A"), true);
  headers.set("X-A", "3");
  equal(headers.get("x-a"), "3");
  headers.delete("x-a");
  equal(headers.has("x-a"), false);
});

test("a value that reads like a name is not one", () => {
  const headers = new Headers([["x-first", "x-second"], ["x-second", "yes"]]);
  equal(headers.get("x-second"), "yes");
  headers.delete("x-second");
  equal(headers.get("x-first"), "x-second");
});

test("iteration is by name, with equal names joined and each cookie for itself", () => {
  const headers = new Headers([["set-cookie", "a=1"], ["b", "2"], ["A", "1"], ["Set-Cookie", "c=3"], ["a", "4"]]);
  same([...headers], [["a", "1, 4"], ["b", "2"], ["set-cookie", "a=1"], ["set-cookie", "c=3"]]);
  same(headers.getSetCookie(), ["a=1", "c=3"]);
  equal(headers.get("set-cookie"), "a=1, c=3");
  same([...headers.keys()], ["a", "b", "set-cookie", "set-cookie"]);
  const seen = [];
  headers.forEach((value, name, all) => seen.push(`${name}=${value}`, all === headers));
  same(seen.slice(0, 2), ["a=1, 4", true]);
});

test("they are made of records, pairs and other headers", () => {
  same([...new Headers(new Headers({ a: "1" }))], [["a", "1"]]);
  same([...new Headers(new Map([["b", "2"]]))], [["b", "2"]]);
  same([...new Headers([new Set(["c", "3"])])], [["c", "3"]]);
  same([...new Headers({ n: 1, u: undefined, z: null })], [["n", "1"], ["u", "undefined"], ["z", "null"]]);
  same([...new Headers()], []);
});

test("what can't be headers is refused", async () => {
  await throws(() => new Headers(null), "TypeError", "not null");
  await throws(() => new Headers("a: b"), "TypeError", "not a string");
  await throws(() => new Headers([["a"]]), "TypeError", "1 parts instead of two");
  await throws(() => new Headers([["a", "b", "c"]]), "TypeError", "3 parts");
  await throws(() => new Headers({ [Symbol("s")]: "x" }), "TypeError");
});

test("bytes that no header may hold are named with their header", async () => {
  await throws(() => new Headers({ "x-bad": "a\r\nset-cookie: b" }), "TypeError", 'header "x-bad" has U+000D at position 1');
  await throws(() => new Headers().set("x-euro", "5 €"), "TypeError", 'header "x-euro" has U+20AC at position 2');
  await throws(() => new Headers().append("x nul", "a"), "TypeError", '"x nul" is no name of a header: it has U+0020 at position 1');
  await throws(() => new Headers().get(""), "TypeError", "name of a header is empty");
  await throws(() => new Headers().has("a\u0000b"), "TypeError", '"a·b"');
  // The Kelvin sign, whose lower case is k.
  await throws(() => new Headers().get("x-\u212A"), "TypeError");
});

test("headers of what came from elsewhere are immutable", async () => {
  const response = Response.redirect("https://example.com/");
  await throws(() => response.headers.set("x-a", "1"), "TypeError", 'header "x-a" can\'t be changed');
  await throws(() => response.headers.append("x-a", "1"), "TypeError", "immutable");
  await throws(() => response.headers.delete("location"), "TypeError", "immutable");
  new Response(response.body, response).headers.set("x-a", "1");
});

test("methods ask for a Headers and for their arguments", async () => {
  const { get } = new Headers();
  await throws(() => get("a"), "TypeError");
  await throws(() => Headers.prototype.get.call({}, "a"), "TypeError");
  await throws(() => new Headers().set("a"), "TypeError", "2 arguments required");
  await throws(() => new Headers().get(), "TypeError", "1 argument required");
  await throws(() => Headers(), "TypeError");
});

test("a change during an iteration is seen", () => {
  const headers = new Headers([["a", "1"], ["b", "2"], ["c", "3"]]);
  const seen = [];
  for (const [name] of headers) {
    seen.push(name);
    headers.delete("b");
  }
  same(seen, ["a", "c"]);
});

await run();
