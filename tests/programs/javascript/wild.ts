// Everything that a handler should not do. Each path is one harm.

const late = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const bytes = new TextEncoder();

function deeper(n: number): number {
  return deeper(n + 1) + 1;
}

function price(order: { total?: { amount: number } }): number {
  return order.total!.amount;
}

function forever(): never {
  for (;;) Math.sqrt(2);
}

function* endless() {
  for (let n = 0; ; n += 1) yield n;
}

function stream(source: UnderlyingDefaultSource): Response {
  return new Response(new ReadableStream(source));
}

function fail(): never {
  throw new TypeError("on purpose");
}

const harms: Record<string, (request: Request, ctx: { waitUntil(work: Promise<unknown>): void }) => unknown> = {
  "/loop": forever,
  "/microtasks": () => {
    // Nothing holds on to what ran: it takes time, and no memory.
    const again = () => queueMicrotask(again);
    again();
    return new Promise<Response>(() => {});
  },
  "/regex": () => new Response(`${/^(a+)+$/.test(`${"a".repeat(64)}!`)}`),
  "/sort": () => new Response(`${Array.from({ length: 100 }, (_, n) => n).sort(() => forever())}`),
  "/generator": () => new Response(`${[...endless().filter((n) => n < 0)]}`),
  "/thenable": async () => {
    const thenable = { then: (resolve: (value: unknown) => void) => resolve(thenable) };
    return thenable;
  },
  "/waits": async () => {
    await late(3_600_000);
    return new Response("late");
  },
  "/catches": () => {
    for (;;) {
      try {
        forever();
      } catch {
        continue;
      }
    }
  },
  "/loop-in-finally": () => {
    try {
      return fail();
    } finally {
      forever();
    }
  },
  "/loop-after-answer": (_, ctx) => {
    ctx.waitUntil(late(1).then(forever));
    return new Response("answered\n");
  },
  "/stream-endless": () => stream({ pull: (to) => to.enqueue(bytes.encode("more ".repeat(1000))) }),
  "/stream-waits": () => stream({ start: (to) => to.enqueue(bytes.encode("first")), pull: () => late(3_600_000) }),

  "/recursion": () => new Response(`${deeper(0)}`),
  "/memory-array": () => {
    const all: number[][] = [];
    for (;;) all.push(new Array(10_000).fill(7));
  },
  "/memory-string": () => {
    let text = "all of it";
    for (;;) text += `${text}.`;
  },
  "/memory-buffers": () => {
    const all: Uint8Array[] = [];
    for (;;) all.push(new Uint8Array(1 << 20).fill(1));
  },
  "/memory-objects": () => {
    let last: unknown;
    for (;;) last = { last, name: `n${Math.random()}` };
  },
  "/memory-caught": () => {
    const all: unknown[] = [];
    for (;;) {
      try {
        all.push(new Uint8Array(1 << 20).fill(1));
      } catch {
        all.push({});
      }
    }
  },
  "/buffer-huge": () => new Response(new ArrayBuffer(2 ** 50)),
  "/json-deep": () => Response.json(JSON.parse(`${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`)),
  "/never": () => new Promise(() => {}),
  "/nothing": () => {},
  "/string": () => "a string",
  "/object": async () => ({ status: 200, body: "no Response" }),
  "/throw": fail,
  "/throw-late": async () => {
    await late(1);
    return new Response(`${price({})}`);
  },
  "/throw-string": () => {
    throw "thrown as it is";
  },
  "/throw-null": () => {
    throw null;
  },
  "/throw-hostile": () => {
    throw new Proxy({}, {
      get: () => { throw new Error("not even this"); },
      getPrototypeOf: () => { throw new Error("nor this"); },
      ownKeys: () => { throw new Error("and not this"); },
    });
  },
  "/throw-huge": () => {
    throw new Error("huge ".repeat(1_000_000), { cause: new Error("as well ".repeat(1_000_000)) });
  },
  "/throw-ring": () => {
    const error = new Error("turns around");
    error.cause = error;
    throw error;
  },
  "/body-twice": async (request) => {
    const once = await request.text();
    return new Response(once + await request.text());
  },
  "/header-name": () => new Response("", { headers: { "a name": "x" } }),
  "/header-value": () => new Response("", { headers: { "x-split": "a\r\nx-other: b" } }),
  "/status": () => new Response("", { status: 1000 }),
  "/stack-replaced": () => {
    const error = new TypeError("on purpose");
    Object.defineProperty(error, "stack", { get: () => { throw error; } });
    (Error as { prepareStackTrace?: unknown }).prepareStackTrace = () => forever();
    throw error;
  },
  "/stream-throws": () => {
    let sent = 0;
    return stream({
      async pull(to) {
        if (sent++ < 3) return to.enqueue(bytes.encode("part "));
        await late(1);
        fail();
      },
    });
  },
  "/stream-no-bytes": () => stream({ pull: (to) => to.enqueue({ no: "bytes" }) }),
  "/unhandled": () => {
    Promise.reject(new RangeError("nobody waits for this"));
    return new Response("answered\n");
  },
};

export default {
  fetch(request: Request, _env: unknown, ctx: { waitUntil(work: Promise<unknown>): void }): unknown {
    const { pathname } = new URL(request.url);
    if (!Object.hasOwn(harms, pathname)) return new Response(`no such harm: ${pathname}\n`, { status: 404 });
    return harms[pathname](request, ctx);
  },
};
