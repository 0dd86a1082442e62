// Request, Response and what their bodies are made of.
import { equal, ok, run, same, test, throws } from "./assert.mjs";

const bytes = (...list) => new Uint8Array(list);
const streamOf = (...chunks) => new ReadableStream({
  pull(controller) {
    if (chunks.length === 0) controller.close();
    else controller.enqueue(chunks.shift());
  },
});

test("a response has what is said, and else the usual", async () => {
  const plain = new Response();
  same([plain.status, plain.ok, plain.statusText, plain.type, plain.url, plain.redirected, plain.body], [200, true, "", "default", "", false, null]);
  const made = new Response("hi", { status: 404, statusText: "No", headers: { "x-a": "1" } });
  same([made.status, made.ok, made.statusText, made.headers.get("content-type")], [404, false, "No", "text/plain;charset=UTF-8"]);
  equal(await made.text(), "hi");
});

test("a response is made of every kind of body", async () => {
  equal(await new Response("wörld 😀").text(), "wörld 😀");
  equal(await new Response(bytes(104, 105)).text(), "hi");
  equal(await new Response(bytes(104, 105).buffer).text(), "hi");
  equal(await new Response(new DataView(bytes(0, 104, 105).buffer, 1)).text(), "hi");
  equal(await new Response(new Blob(["h", bytes(105)])).text(), "hi");
  equal(await new Response(new URLSearchParams({ a: "1 2" })).text(), "a=1+2");
  equal(await new Response(streamOf(bytes(104), bytes(105))).text(), "hi");
  equal(await new Response(12).text(), "12");
  equal(await new Response({}).text(), "[object Object]");
  equal(await new Response("a\ud800b").text(), "a\ufffdb");
});

test("content types come with bodies, unless one is given", () => {
  const type = (body, headers) => new Response(body, { headers }).headers.get("content-type");
  equal(type(new URLSearchParams()), "application/x-www-form-urlencoded;charset=UTF-8");
  equal(type(new Blob([], { type: "Image/PNG" })), "image/png");
  equal(type(new Blob([])), null);
  equal(type(bytes()), null);
  equal(type(streamOf()), null);
  ok(type(new FormData()).startsWith("multipart/form-data; boundary="));
  equal(type("a", { "Content-Type": "text/html" }), "text/html");
});

test("bodies are read in every way", async () => {
  const text = '{"a":[1,"ü"]}';
  same(await new Response(text).json(), { a: [1, "ü"] });
  same([...await new Response("ü").bytes()], [195, 188]);
  const buffer = await new Response("ü").arrayBuffer();
  ok(buffer instanceof ArrayBuffer);
  equal(buffer.byteLength, 2);
  const blob = await new Response("ü", { headers: { "content-type": "Text/X; A=b" } }).blob();
  same([blob.type, blob.size, await blob.text()], ["text/x;a=b", 2, "ü"]);
  equal(await new Response().text(), "");
  await throws(() => new Response().json(), "SyntaxError");
  await throws(() => new Response("{a").json(), "SyntaxError");
  equal(await new Response(bytes(0xef, 0xbb, 0xbf, 65, 0xff)).text(), "A\ufffd");
});

test("a body is read once, and the second time says so", async () => {
  const response = new Response("a");
  equal(response.bodyUsed, false);
  await response.text();
  equal(response.bodyUsed, true);
  await throws(() => response.text(), "TypeError", "Body is unusable: it was read already");
  await throws(() => response.json(), "TypeError", "it was read already");
  await throws(() => response.clone(), "TypeError", "Body is unusable");
  await throws(() => response.body.getReader(), "TypeError", "locked");
  const nothing = new Response();
  await nothing.text();
  equal(nothing.bodyUsed, false);
  equal(await nothing.text(), "");
  const locked = new Response("a");
  locked.body.getReader();
  await throws(() => locked.text(), "TypeError", "locked");
});

test("bytes are copied when a body is made of them", async () => {
  const source = bytes(65);
  const response = new Response(source);
  source[0] = 66;
  equal(await response.text(), "A");
  const first = new Response("x");
  const copy = first.clone();
  (await first.bytes())[0] = 0;
  equal(await copy.text(), "x");
});

test("a clone has the same body, for strings and streams", async () => {
  for (const body of ["abc", bytes(97, 98, 99), streamOf(bytes(97), bytes(98, 99)), new Blob(["abc"])]) {
    const response = new Response(body, { status: 201, headers: { "x-a": "1" } });
    const copy = response.clone();
    copy.headers.set("x-a", "2");
    same([response.headers.get("x-a"), copy.headers.get("x-a"), copy.status], ["1", "2", 201]);
    same([await copy.text(), await response.text()], ["abc", "abc"]);
  }
});

test("Response.json, redirect and error", async () => {
  const json = Response.json({ a: 1 }, { status: 201 });
  same([json.status, json.headers.get("content-type"), await json.text()], [201, "application/json", '{"a":1}']);
  equal(Response.json(1, { headers: { "content-type": "application/problem+json" } }).headers.get("content-type"), "application/problem+json");
  await throws(() => Response.json(undefined), "TypeError", "undefined has no form in JSON");
  await throws(() => Response.json(() => {}), "TypeError", "a function has no form in JSON");
  await throws(() => { const a = {}; a.a = a; Response.json(a); }, "TypeError");
  const redirect = Response.redirect("https://example.com/a b", 301);
  same([redirect.status, redirect.headers.get("location")], [301, "https://example.com/a%20b"]);
  await throws(() => Response.redirect("/path"), "TypeError", "location: \"/path\"");
  await throws(() => Response.redirect("https://example.com/", 200), "RangeError", "200");
  const error = Response.error();
  same([error.type, error.status, error.ok], ["error", 0, false]);
});

test("statuses and bodies that don't go together are refused", async () => {
  for (const status of [0, 199, 600, NaN, "x", 101]) await throws(() => new Response("", { status }), "RangeError", "status");
  equal(new Response(null, { status: "201" }).status, 201);
  for (const status of [204, 205, 304]) {
    equal(new Response(null, { status }).status, status);
    await throws(() => new Response("", { status }), "TypeError", "has no body");
  }
  await throws(() => new Response("", { statusText: "a\nb" }), "TypeError", "statusText");
  await throws(() => new Response("", 200), "TypeError", "not a number");
  await throws(() => Response("a"), "TypeError");
});

test("a request has what is said, and else the usual", async () => {
  const plain = new Request("https://example.com/a/../b?c#d");
  same([plain.method, plain.url, plain.body, plain.redirect, plain.duplex, plain.signal.aborted], ["GET", "https://example.com/b?c#d", null, "follow", "half", false]);
  const made = new Request(new URL("https://example.com/"), { method: "post", body: "{}", headers: [["content-type", "application/json"]], redirect: "manual" });
  same([made.method, made.headers.get("content-type"), made.redirect, await made.json()], ["POST", "application/json", "manual", {}]);
  equal(new Request("http://a/", { method: "patch" }).method, "patch");
});

test("a request of a request has its parts, and takes its body over", async () => {
  const first = new Request("https://example.com/", { method: "POST", body: "abc", headers: { "x-a": "1" } });
  const second = new Request(first, { headers: { "x-b": "2" } });
  same([second.method, second.headers.get("x-a"), second.headers.get("x-b"), await second.text()], ["POST", null, "2", "abc"]);
  equal(first.bodyUsed, true);
  await throws(() => new Request(first), "TypeError", "Body is unusable");
  equal(await new Request(first, { body: "new" }).text(), "new");
  const streamed = new Request("https://example.com/", { method: "POST", body: streamOf(bytes(97), bytes(98)), duplex: "half" });
  equal(await new Request(streamed).text(), "ab");
  const shown = new Request("https://example.com/", { method: "POST", body: "xyz" });
  const stream = shown.body;
  const third = new Request(shown);
  same([stream.locked, await third.text()], [true, "xyz"]);
});

test("a request's clone has the same body", async () => {
  const request = new Request("https://example.com/", { method: "POST", body: "abc" });
  const copy = request.clone();
  same([copy.url, await copy.text(), await request.text()], [request.url, "abc", "abc"]);
});

test("requests that can't be are refused", async () => {
  await throws(() => new Request(), "TypeError", "1 argument required");
  await throws(() => new Request("/path"), "TypeError", '"/path" is no full URL');
  await throws(() => new Request("https://user:secret@example.com/"), "TypeError", "user name or password");
  await throws(() => new Request("https://a/", { body: "x" }), "TypeError", "a GET request has no body");
  await throws(() => new Request("https://a/", { method: "HEAD", body: "x" }), "TypeError", "HEAD");
  await throws(() => new Request("https://a/", { method: "a b" }), "TypeError", '"a b" is no method');
  await throws(() => new Request("https://a/", { method: "connect" }), "TypeError", "CONNECT");
  await throws(() => new Request("https://a/", { redirect: "no" }), "TypeError", 'redirect can\'t be "no"');
  await throws(() => new Request("https://a/", { signal: {} }), "TypeError", "signal");
});

test("a request's signal follows the one that it was given", () => {
  const controller = new AbortController();
  const request = new Request("https://a/", { signal: controller.signal });
  const copy = request.clone();
  controller.abort("why");
  same([request.signal.aborted, copy.signal.reason], [true, "why"]);
});

test("brands are asked for", async () => {
  const stranger = Object.create(Response.prototype);
  await throws(() => stranger.status, "TypeError");
  await throws(() => stranger.text(), "TypeError");
  await throws(() => Request.prototype.url, "TypeError");
  ok(Object.prototype.toString.call(new Response()) === "[object Response]");
  equal(Response.name, "Response");
  equal(Response.length, 0);
  equal(Request.length, 1);
});

test("bodies are streams of bytes when somebody asks", async () => {
  const response = new Response("abc");
  ok(response.body instanceof ReadableStream);
  equal(response.body, response.body);
  equal(response.bodyUsed, false);
  const reader = response.body.getReader({ mode: "byob" });
  const { value } = await reader.read(new Uint8Array(2));
  same([...value], [97, 98]);
  equal(response.bodyUsed, true);
  same([...(await reader.read(new Uint8Array(2))).value], [99]);
  equal((await reader.read(new Uint8Array(2))).done, true);
  await throws(() => new Response(streamOf("text")).text(), "TypeError", "instead of a Uint8Array");
  await throws(() => new Response(new ReadableStream({ start(c) { c.error(new RangeError("broken")); } })).text(), "RangeError", "broken");
});

await run();
