// The paths that every SDK's program has, in JavaScript: a fetch event, as in a service worker.
import { increment } from "wasi:keyvalue/atomics@0.2.0-draft2";
import { open } from "wasi:keyvalue/store@0.2.0-draft2";
import { log } from "wasi:logging/logging@0.1.0-draft";

addEventListener("fetch", (event) => event.respondWith(answer(new URL(event.request.url))));

async function answer(url) {
  const text = url.search.slice(1);
  const target = url.search.startsWith("?url=") ? url.search.slice("?url=".length) : null;
  switch (url.pathname) {
    case "/hello":
      return new Response("hello from js\n");
    case "/log":
      console.log(`stdout: ${text}`);
      console.error(`stderr: ${text}`);
      log("info", "test", `info: ${text}`);
      return new Response("logged\n");
    case "/fetch":
      return relay(target);
    case "/count":
      return new Response(`${count()}\n`);
    case "/fail":
      return fail(target);
    default:
      return new Response(`no such path: ${url.pathname}\n`, { status: 404 });
  }
}

async function relay(target) {
  try {
    const response = await fetch(target);
    return new Response(response.body, { status: 200, headers: { "x-upstream-status": `${response.status}` } });
  } catch (error) {
    return new Response(`${error}\n`, { status: 502 });
  }
}

function count() {
  return increment(open("things"), "visits", 1n);
}

// Clock, chance, a timer, a bucket and another host, then an error that shows them all.
async function fail(target) {
  const wall = Date.now();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  await new Promise((resolve) => setTimeout(resolve, 1));
  const work = {
    wall_ms: wall,
    random: Math.random(),
    bytes: Array.from(bytes),
    count: attempt(() => `${count()}`),
    fetched: target === null ? null : await (await fetch(target)).text(),
  };
  console.log("giving up");
  return new Response(`${JSON.stringify(work)}\n`, { status: 500, headers: { "content-type": "application/json" } });
}

function attempt(work) {
  try {
    return work();
  } catch (error) {
    return `${error}`;
  }
}
