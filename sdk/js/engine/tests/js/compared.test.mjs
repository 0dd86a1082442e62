// Cases found by running the same programs here and in Node: each row is a name, a program, and what it gives there and by its standard.
import { run, same, test, throws } from "./assert.mjs";

const rows = (kind, list) => {
  for (const [name, body, expected] of list) test(`${kind}: ${name}`, async () => same(await body(), expected, name));
};
const bytes = (...list) => new Uint8Array(list);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const post = (body, init) => new Request("http://a.test/", { method: "POST", body, ...init });
const blocked = (body) => {
  try {
    return body();
  } catch (error) {
    return error.name;
  }
};

rows("headers", [
  ["a name that is undefined is a name", () => [new Headers().get(undefined), new Headers({ undefined: "x" }).get(undefined), new Headers().has(undefined)], [null, "x", false]],
  ["no name is none", () => [blocked(() => new Headers().get()), blocked(() => new Headers().has())], ["TypeError", "TypeError"]],
  ["iteration goes on over what is added", () => {
    const headers = new Headers({ a: "1", c: "3" });
    const seen = [];
    for (const [name] of headers) if (seen.push(name) === 1) headers.append("b", "2");
    return seen;
  }, ["a", "b", "c"]],
  ["set replaces all and keeps cookies apart", () => {
    const headers = new Headers([["set-cookie", "a"], ["b", "1"], ["set-cookie", "c, d"], ["b", "2"]]);
    headers.set("b", "3");
    return [[...headers], headers.getSetCookie(), headers.get("set-cookie")];
  }, [[["b", "3"], ["set-cookie", "a"], ["set-cookie", "c, d"]], ["a", "c, d"], "a, c, d"]],
]);

rows("bodies", [
  ["a status is an unsigned short", () => [new Response(null, { status: 200.9 }).status, new Response(null, { status: "404" }).status, new Response(null, { status: 65536 + 204 }).status], [200, 404, 204]],
  ["text and json have no mark", async () => [(await new Response("\ufeffa").text()).length, await new Response("\ufeff{}").json(), (await new Response(bytes(0xef, 0xbb, 0xbf, 65)).text()).length], [1, {}, 1]],
  ["the type of a blob is in lower case", async () => [(await new Response("a").blob()).type, (await new Response("a", { headers: { "content-type": "Text/X;A=B" } }).blob()).type], ["text/plain;charset=utf-8", "text/x;a=b"]],
  ["a request with a body becomes no GET", () => [blocked(() => new Request(post("a"), { method: "GET" })), new Request("http://b.test/", { ...post("a"), method: "GET" }).method, new Request(new Request("http://a.test/"), { method: "HEAD" }).method], ["TypeError", "GET", "HEAD"]],
  ["a Request is options of another", async () => {
    const made = new Request("http://b.test/", post("text", { headers: { "x-a": "1" } }));
    return [made.method, made.url, made.headers.get("x-a"), await made.text()];
  }, ["POST", "http://b.test/", "1", "text"]],
  ["methods are normalized where the standard says", () => ["get", "pOst", "put", "delete", "head", "options", "patch", "Custom"].map((method) => new Request("http://a.test/", { method }).method), ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "patch", "Custom"]],
  ["a reader that let go leaves the body to be read", async () => {
    const response = new Response("a");
    response.body.getReader().releaseLock();
    return [response.bodyUsed, await response.text(), response.bodyUsed];
  }, [false, "a", true]],
  ["a form is written as browsers write it", async () => {
    const form = new FormData();
    form.append('a"\n', "1\n2");
    form.append("f", new File(["x"], "ü.txt", { type: "text/plain" }));
    const response = new Response(form);
    const boundary = response.headers.get("content-type").split("boundary=")[1];
    return (await response.text()).replaceAll(boundary, "B");
  }, '--B\r\nContent-Disposition: form-data; name="a%22%0D%0A"\r\n\r\n1\r\n2\r\n--B\r\nContent-Disposition: form-data; name="f"; filename="ü.txt"\r\nContent-Type: text/plain\r\n\r\nx\r\n--B--\r\n'],
]);

rows("timers", [
  ["what is no time is none", async () => {
    const seen = [];
    for (const delay of [Infinity, NaN, -5, 2 ** 31, undefined, "0"]) setTimeout(() => seen.push(String(delay)), delay);
    await pause(5);
    return seen;
  }, ["Infinity", "NaN", "-5", "2147483648", "undefined", "0"]],
  ["timers of one time run in order, jobs between them", async () => {
    const seen = [];
    setTimeout(() => { seen.push("a"); Promise.resolve().then(() => seen.push("job")); });
    setTimeout((...args) => seen.push(args), 0, 1, "b");
    await pause(5);
    return seen;
  }, ["a", "job", [1, "b"]]],
]);

class Named extends Error {
  constructor(message) {
    super(message);
    this.name = "Named";
    Error.captureStackTrace(this, Named);
  }
}
const hidden = () => { throw new Named("why"); };
const caught = (body) => {
  try {
    body();
  } catch (error) {
    return error;
  }
};
const linesOf = (error) => error.stack.split("\n");

rows("stacks", [
  ["they begin with name and message", () => [linesOf(new RangeError("what"))[0], linesOf(new Error())[0], linesOf(caught(() => null.x))[0], linesOf(new Error("two\nlines")).slice(0, 2)], ["RangeError: what", "Error", "TypeError: cannot read property 'x' of null", ["Error: two", "lines"]]],
  ["calls follow, and no empty line", () => { const lines = linesOf(new Error("a")); return [lines[1].startsWith("    at "), lines.at(-1) !== ""]; }, [true, true]],
  ["captureStackTrace hides the constructor", () => { const lines = linesOf(caught(hidden)); return [lines[0], lines[1].includes("hidden"), Object.keys(caught(hidden))]; }, ["Named: why", true, ["name"]]],
  ["captureStackTrace takes any object", () => { const target = {}; Error.captureStackTrace(target); return [linesOf(target)[0], Object.keys(target)]; }, ["Error", []]],
  ["they can be set to anything", () => { const error = new Error("a"); error.stack += "\nmore"; const last = linesOf(error).at(-1); error.stack = undefined; return [last, error.stack, Object.keys(error)]; }, ["more", undefined, []]],
  ["a program prepares its own", () => {
    Error.prepareStackTrace = (error, sites) => `${error.message} ${sites[0].getFileName().includes("compared")}`;
    const { stack } = new Error("a");
    Error.prepareStackTrace = undefined;
    return stack;
  }, "a true"],
  ["an error that lies about itself has one too", () => linesOf(Object.defineProperty(new Error("a"), "name", { get() { throw 1; } }))[0], "Error"],
]);

test("stacks: the prototype's own can't be set", () => throws(() => { Error.prototype.stack = 1; }, "TypeError"));

await run();
