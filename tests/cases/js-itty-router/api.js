// itty-router as its pages show it: a router that catches errors and makes JSON of answers, one below another, and its helpers.
import { AutoRouter, IttyRouter, Router, StatusError, cors, error, html, json, status, text, withContent, withCookies } from "itty-router";

const todos = [{ id: "1", message: "pet the puppy" }, { id: "2", message: "pet the kitty" }];

const { preflight, corsify } = cors({ origin: "https://shop.example", allowMethods: ["GET", "PUT"] });
const open = AutoRouter({ base: "/open", before: [preflight], finally: [corsify] }).get("/", () => ({ open: true }));

const nested = Router({ base: "/nested" })
  .get("/:first/:second?", ({ params }) => json(params))
  .all("*", () => error(404, "not even here"));

const plain = IttyRouter({ base: "/plain" }).get("*", ({ query }) => json(query));

const router = AutoRouter({
  before: [(request) => { request.began = "before"; }],
  missing: () => error(404, { page: "none such" }),
});

router
  .get("/", ({ began }) => `a string becomes JSON, ${began} all else`)
  .get("/todos", () => todos)
  .get("/todos/:id", ({ id }) => todos.find((todo) => todo.id === id) ?? error(404, "no such todo"))
  .post("/todos", withContent, ({ content }) => json({ created: content }, { status: 201 }))
  .get("/files/:name+", ({ name }) => text(name))
  .get("/image.:format?", ({ format }) => ({ format }))
  .get("/page", () => html("<h1>page</h1>"))
  .get("/cookies", withCookies, ({ cookies }) => cookies)
  .get("/env", (request, env, ctx) => ({ setting: env.SETTING, waits: typeof ctx.waitUntil }))
  .get("/thrown", () => {
    throw new StatusError(400, { why: "on purpose" });
  })
  .get("/broken", () => missing.of.nothing)
  .get("/status", () => status(204))
  .all("/open/*", open.fetch)
  .all("/nested/*", nested.fetch)
  .all("/plain/*", plain.fetch);

export default router;
