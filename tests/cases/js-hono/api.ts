// Hono as applications use it: middleware, groups of routes, parameters, cookies, forms, streams, tokens and errors.
import { Hono } from "hono";
import { deleteCookie, getCookie, getSignedCookie, setCookie, setSignedCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { etag } from "hono/etag";
import { HTTPException } from "hono/http-exception";
import { jwt, sign } from "hono/jwt";
import { secureHeaders } from "hono/secure-headers";
import { stream, streamSSE, streamText } from "hono/streaming";
import { validator } from "hono/validator";

type Env = { Bindings: { COOKIE_KEY: string }; Variables: { trail: string[] } };

const app = new Hono<Env>();

// Outside in and inside out again, as onions are.
app.use("*", async (c, next) => {
  c.set("trail", ["outer"]);
  await next();
  c.header("x-trail", [...c.get("trail"), "out"].join(">"));
});
app.use("/api/*", async (c, next) => {
  c.get("trail").push("inner");
  await next();
});
app.use("/api/*", cors({ origin: "https://shop.example", allowMethods: ["GET", "PUT"] }));
app.use("/safe", secureHeaders());
app.use("/tagged", etag());

app.get("/", (c) => c.text(`hono of ${c.req.path}`));
app.get("/safe", (c) => c.html("<p>safe</p>"));
app.get("/tagged", (c) => c.text("the same each time"));

const books = new Hono<Env>()
  .get("/", (c) => c.json({ page: Number(c.req.query("page") ?? 1), tags: c.req.queries("tag") ?? [] }))
  .get("/:id{[0-9]+}", (c) => c.json({ id: c.req.param("id") }))
  .get("/:author/:title?", (c) => c.json(c.req.param()))
  .post(
    "/",
    validator("json", (value: { title?: unknown }, c) =>
      typeof value.title === "string" ? { title: value.title } : c.json({ error: "a title is missing" }, 422)),
    (c) => c.json({ created: c.req.valid("json") }, 201, { location: "/api/books/1" }),
  );
app.route("/api/books", books);

app.post("/form", async (c) => {
  const form = await c.req.parseBody({ all: true });
  const shown = Object.entries(form).map(async ([name, value]) =>
    [name, value instanceof File ? `${value.name} ${value.type} ${await value.text()}` : value]);
  return c.json(Object.fromEntries(await Promise.all(shown)));
});

app.get("/cookies/set", async (c) => {
  setCookie(c, "plain", "a b", { path: "/", httpOnly: true, sameSite: "Lax", maxAge: 60 });
  await setSignedCookie(c, "signed", "seven", c.env.COOKIE_KEY);
  deleteCookie(c, "old");
  return c.body(null, 204);
});
app.get("/cookies/get", async (c) =>
  c.json({ plain: getCookie(c, "plain") ?? null, signed: await getSignedCookie(c, c.env.COOKIE_KEY, "signed") }));

app.get("/stream/text", (c) =>
  streamText(c, async (out) => {
    for (const word of ["one", "two", "three"]) {
      await out.writeln(word);
      await out.sleep(5);
    }
  }));
app.get("/stream/events", (c) =>
  streamSSE(c, async (out) => {
    for (let id = 1; id <= 2; id += 1) await out.writeSSE({ event: "tick", id: `${id}`, data: `{"n":${id}}` });
  }));
app.post("/stream/echo", (c) =>
  stream(c, async (out) => {
    if (c.req.raw.body) await out.pipe(c.req.raw.body);
  }));

app.get("/token", async (c) => c.text(await sign({ sub: "ada", role: "admin" }, "a secret", "HS256")));
app.use("/private/*", jwt({ secret: "a secret", alg: "HS256" }));
app.get("/private/me", (c) => c.json(c.get("jwtPayload")));

app.get("/teapot", () => {
  throw new HTTPException(418, { message: "short and stout" });
});
app.get("/broken", () => {
  throw new TypeError("nobody expected this");
});
app.onError((error, c) =>
  error instanceof HTTPException ? error.getResponse() : c.json({ name: error.name, message: error.message }, 500));
app.notFound((c) => c.json({ error: `no such page: ${c.req.path}` }, 404));

export default app;
