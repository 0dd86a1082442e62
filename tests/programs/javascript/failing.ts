// A failure that used everything that a replay must give again: clock, chance, a timer, another host, a store, a secret.
import { price } from "./lib/price";

interface Env { kv: { things: { increment(key: string): Promise<number> } }; UPSTREAM: string }

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const began = performance.now();
    const facts = {
      now: Date.now(),
      random: [Math.random(), Math.random()],
      bytes: [...crypto.getRandomValues(new Uint8Array(8))],
      uuid: crypto.randomUUID(),
      count: await env.kv.things.increment("visits"),
      fetched: await (await fetch(`${env.UPSTREAM}/work`)).text(),
    };
    await new Promise((resolve) => setTimeout(resolve, 3));
    console.log("facts", facts);
    console.warn(`took ${performance.now() - began} ms`);
    if (new URL(request.url).pathname === "/answers") return Response.json(facts, { status: 500 });
    return Response.json(price({ ...facts, total: undefined }));
  },
};
