// URL and URLSearchParams beyond what the data of web-platform-tests covers: identity, links between both, what errors say.
import { equal, ok, run, same, test, throws } from "./assert.mjs";

test("a URL is taken apart and put together", () => {
  const url = new URL("../c?x=1#top", "https://user:pw@Example.com:8443/a/b/");
  same([url.href, url.origin, url.protocol, url.username, url.password, url.host, url.hostname, url.port, url.pathname, url.search, url.hash],
    ["https://user:pw@example.com:8443/a/c?x=1#top", "https://example.com:8443", "https:", "user", "pw", "example.com:8443", "example.com", "8443", "/a/c", "?x=1", "#top"]);
  url.pathname = "/d e";
  url.port = "443";
  url.hash = "";
  equal(`${url}`, "https://user:pw@example.com/d%20e?x=1");
  equal(JSON.stringify({ url }), '{"url":"https://user:pw@example.com/d%20e?x=1"}');
  equal(Object.prototype.toString.call(url), "[object URL]");
});

test("what is no URL is a TypeError that shows it", async () => {
  const error = await throws(() => new URL("/path"), "TypeError", 'Invalid URL: "/path"');
  ok(error instanceof TypeError);
  await throws(() => new URL("x", "nothing"), "TypeError", 'base "nothing"');
  await throws(() => new URL(), "TypeError");
  const long = await throws(() => new URL("x".repeat(10_000)), "TypeError");
  ok(long.message.length < 300);
  equal(URL.canParse("https://a"), true);
  equal(URL.canParse("a", "b"), false);
  equal(URL.parse("nothing"), null);
  equal(URL.parse("a", "https://b").href, "https://b/a");
});

test("a URL and its parameters follow each other", () => {
  const url = new URL("https://a/?a=1&b=2");
  const { searchParams } = url;
  equal(url.searchParams, searchParams);
  searchParams.append("c", "ü &");
  equal(url.search, "?a=1&b=2&c=%C3%BC+%26");
  url.search = "?d=4";
  same([...searchParams], [["d", "4"]]);
  searchParams.delete("d");
  equal(url.href, "https://a/");
  url.href = "https://b/?e=5";
  equal(searchParams.get("e"), "5");
});

test("parameters are read from all that the standard names", async () => {
  equal(new URLSearchParams("?a=1&a=2").getAll("a").join(), "1,2");
  equal(`${new URLSearchParams([["a", 1], new Set(["b", 2])])}`, "a=1&b=2");
  equal(`${new URLSearchParams({ a: 1, b: "x y" })}`, "a=1&b=x+y");
  equal(`${new URLSearchParams(new URLSearchParams("a=1"))}`, "a=1");
  equal(new URLSearchParams().size, 0);
  await throws(() => new URLSearchParams([["a"]]), "TypeError", "pair");
  await throws(() => new URLSearchParams([1]), "TypeError");
});

test("changes during an iteration are seen", () => {
  const params = new URLSearchParams("a=1&b=2&c=3");
  const seen = [];
  for (const [name] of params) {
    seen.push(name);
    params.delete("b");
  }
  same(seen, ["a", "c"]);
  params.set("a", "9");
  params.sort();
  params.forEach(function (value, name, all) { seen.push(`${name}${value}${all === params}${this.x}`); }, { x: 1 });
  same(seen.slice(2), ["a9true1", "c3true1"]);
  same([[...params.keys()], [...params.values()]], [["a", "c"], ["9", "3"]]);
  equal(params.has("a", "9") && !params.has("a", "1"), true);
  equal(Object.prototype.toString.call(params.entries()), "[object URLSearchParams Iterator]");
});

test("methods take no other objects", async () => {
  await throws(() => URL.prototype.toString.call({}), "TypeError");
  await throws(() => URLSearchParams.prototype.keys.call({}), "TypeError");
  await throws(() => Object.getOwnPropertyDescriptor(URL.prototype, "href").get.call({}), "TypeError");
  await throws(() => URL("https://a"), "TypeError");
});

await run();
