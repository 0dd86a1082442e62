// A page of which each visitor sees one of two variants. Which one is settled by a cookie's value alone, so it never changes for a visitor, and
// nothing has to be stored about anybody.

import template from "./page.html";
import { replaceElements } from "./rewrite.js";

const VARIANTS = {
  a: { heading: "Fresh bread, every day", button: "Order now" },
  b: { heading: "Still warm when you open the door", button: "Send me some" },
};

/** How much of the visitors see `b`, from 0 to 1. */
const SHARE_OF_B = 0.5;

const YEAR_S = 365 * 24 * 60 * 60;

/** The visitor's id: of the cookie, or a new one. */
function visitorOf(request) {
  const found = /(?:^|;\s*)visitor=([\w-]{1,64})(?:;|$)/.exec(request.headers.get("cookie") ?? "");
  return found ? { id: found[1], isNew: false } : { id: crypto.randomUUID(), isNew: true };
}

/** `a` or `b`: the first bytes of a digest of the id, as a number from 0 to 1, against the share. */
async function variantOf(id) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`heading:${id}`));
  return new DataView(digest).getUint32(0) / 2 ** 32 < SHARE_OF_B ? "b" : "a";
}

async function show(request, env) {
  const { id, isNew } = visitorOf(request);
  const variant = await variantOf(id);
  if (isNew) await env.counts.increment(`seen:${variant}`);
  const headers = new Headers({ "content-type": "text/html; charset=utf-8", "cache-control": "private, no-store" });
  if (isNew) headers.append("set-cookie", `visitor=${id}; Path=/; Max-Age=${YEAR_S}; HttpOnly; SameSite=Lax`);
  // The page goes out while it is rewritten, piece by piece.
  const page = new Blob([template]).stream().pipeThrough(replaceElements("data-variant", VARIANTS[variant]));
  return new Response(page, { headers });
}

async function buy(request, env) {
  const { id, isNew } = visitorOf(request);
  if (isNew) return new Response("Look at the page first\n", { status: 409 });
  await env.counts.increment(`bought:${await variantOf(id)}`);
  return Response.redirect(new URL("/thanks", request.url), 303);
}

async function results(env) {
  const names = Object.keys(VARIANTS);
  const counts = await env.counts.getMany(names.flatMap((name) => [`seen:${name}`, `bought:${name}`]), "json");
  const of = (name) => {
    const seen = counts.get(`seen:${name}`) ?? 0, bought = counts.get(`bought:${name}`) ?? 0;
    return { seen, bought, rate: seen === 0 ? 0 : Math.round((1000 * bought) / seen) / 1000 };
  };
  return Response.json(Object.fromEntries(names.map((name) => [name, of(name)])));
}

export default {
  fetch(request, env) {
    switch (new URL(request.url).pathname) {
      case "/": return show(request, env);
      case "/buy": return buy(request, env);
      default: return results(env);
    }
  },
};
