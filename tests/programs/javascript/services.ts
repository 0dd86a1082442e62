// Every service in every kind of trigger. What each handler does with all services is the same; what it was called with goes to the log.

type Env = Record<"kv" | "sql" | "bucket" | "queue" | "stream" | "event" | "secret", Record<string, any>> & Record<string, any>;

/** Uses each service once and tells what came of it. */
async function useAll(env: Env, mark: string) {
  await env.kv.things.put(`last-${mark}`, { mark });
  await env.sql.main`create table if not exists seen (mark text primary key, times integer not null)`;
  await env.sql.main`insert into seen values (${mark}, 1) on conflict do update set times = times + 1`;
  const [row] = await env.sql.main`select times from seen where mark = ${mark}`;
  const stored = await env.bucket.files.put(`marks/${mark}`, `bytes of ${mark}`);
  const [sent] = await env.queue.out.sendBatch([{ body: { mark }, attributes: { from: mark } }]);
  await env.stream.trail.append({ mark }, { key: mark });
  const published = await env.event.default.publish({ type: "seen", subject: mark, data: { mark } });
  return {
    count: await env.kv.things.increment(`count-${mark}`),
    times: row.times,
    size: stored.size,
    sent: typeof sent.id,
    published: typeof published,
    secret: await env.API_KEY.length,
    setting: env.GREETING,
    other: await (await env.helper.fetch("http://helper.internal/from", { method: "POST", body: mark })).text(),
  };
}

async function told(handler: string, input: unknown, env: Env) {
  console.log(JSON.stringify({ handler, input, all: await useAll(env, handler) }));
}

/** What is in the services, for the test to see. */
async function contents(env: Env, mark: string) {
  return {
    kv: await env.kv.things.get(`last-${mark}`, "json"),
    bucket: await (await env.bucket.files.get(`marks/${mark}`))?.text() ?? null,
    sql: await env.sql.main.prepare("select count(*) as n from seen where mark = ?1").bind(mark).first("n"),
  };
}

export default {
  async fetch(request: Request, env: Env, ctx: { waitUntil(work: Promise<unknown>): void }): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const mark = searchParams.get("mark") ?? "fetch";
    switch (pathname) {
      case "/all":
        return Response.json(await useAll(env, mark));
      case "/contents":
        return Response.json(await contents(env, mark));
      case "/start":
        await env.queue.jobs.sendBatch([{ body: { job: 1 } }, { body: "two" }, { body: "again" }]);
        await env.stream.clicks.append({ page: "/a" }, { key: "ada" });
        await env.kv.watched.put("watched", "seven");
        await env.bucket.inbox.put("in.txt", "seven");
        await env.event.default.publish({ type: "order.created", subject: "7", data: { id: 7 } });
        return new Response(null, { status: 202 });
      case "/denied":
        return Response.json(await env.kv.readonly.put("a", "b").then(() => "put", (error: any) => [error.name, error.code, error.resource]));
      case "/late": {
        const until = async () => {
          while (await env.kv.things.get("go") === null) await new Promise((resolve) => setTimeout(resolve, 10));
          await env.kv.things.put("done", "late");
        };
        ctx.waitUntil(until());
        return new Response("answered\n");
      }
      case "/put":
        await env.kv.things.put(searchParams.get("key")!, await request.text());
        return new Response(null, { status: 204 });
      case "/get":
        return new Response(await env.kv.things.get(searchParams.get("key")!));
      default:
        return new Response("no such path\n", { status: 404 });
    }
  },
  async queue(batch: any, env: Env) {
    const seen = batch.messages.map((message: any) => message.body);
    for (const message of batch.messages) if (message.body === "again" && await env.kv.things.increment("tries") === 1) message.retry();
    await told("queue", { queue: batch.queue, seen }, env);
  },
  async stream(batch: any, env: Env) {
    await told("stream", { stream: batch.stream, seen: batch.records.map((record: any) => [record.key, record.body]) }, env);
  },
  async kv(change: any, env: Env) {
    await told("kv", { store: change.store, key: change.key, type: change.type, value: change.newValue }, env);
  },
  async bucket(change: any, env: Env) {
    await told("bucket", { bucket: change.bucket, key: change.key, type: change.type, size: change.size }, env);
  },
  async event(event: any, env: Env) {
    await told("event", { type: event.type, subject: event.subject, data: event.data }, env);
  },
  async scheduled(event: any, env: Env) {
    await told("scheduled", { cron: event.cron, zone: event.zone, late: event.missed }, env);
  },
};
