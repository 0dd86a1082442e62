// The work as a handler of dayfly and workerd.
import { bills, page, subject } from "./work.js";

export default {
  async fetch(request) {
    const text = await request.text();
    switch (new URL(request.url).pathname) {
      case "/json":
        return new Response(bills(text), { headers: { "content-type": "application/json" } });
      case "/markdown":
        return new Response(page(text), { headers: { "content-type": "text/html; charset=utf-8" } });
      case "/jwt":
        return new Response(await subject(text));
      default:
        return new Response("no such work\n", { status: 404 });
    }
  },
};
