// Pictures in, thumbnails out. The bytes stream past: from the caller into the bucket, from the bucket to the function that makes them small, and
// what that gives into the other bucket. This function never holds a picture in memory.

const SIDES = { min: 16, max: 1024, usual: 160 };

const TYPES = { "image/png": "png", "image/jpeg": "jpg" };

const refused = (status, why) => Response.json({ error: why }, { status });

/** The name without what must not be in a key. */
const nameOf = (url) => decodeURIComponent(url.pathname.split("/").pop()).replace(/[^\w.-]/g, "_");

async function upload(request, env, url) {
  const name = nameOf(url);
  const side = Number(url.searchParams.get("side") ?? SIDES.usual);
  if (!(request.headers.get("content-type") in TYPES)) return refused(415, "a picture is image/png or image/jpeg");
  if (!(side >= SIDES.min && side <= SIDES.max)) return refused(400, `side is from ${SIDES.min} to ${SIDES.max}`);
  const { size } = await env.pictures.put(name, request.body);
  const picture = await env.pictures.get(name);
  const small = await env.resize.fetch(`/?side=${side}`, { method: "POST", body: picture.body });
  if (!small.ok) {
    await env.pictures.delete(name);
    return refused(422, (await small.text()).trim());
  }
  const thumbnail = await env.thumbnails.put(name, small.body);
  console.log({ name, size, thumbnail: thumbnail.size });
  return Response.json({ picture: `/pictures/${name}`, thumbnail: `/thumbnails/${name}`, size, small: thumbnail.size }, { status: 201 });
}

async function show(bucket, name, type) {
  const object = await bucket.get(name);
  if (object === null) return refused(404, `there is no picture ${name}`);
  return new Response(object.body, { headers: { "content-type": type, "content-length": object.size } });
}

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (request.method === "PUT") return upload(request, env, url);
    const name = nameOf(url);
    if (url.pathname.startsWith("/thumbnails/")) return show(env.thumbnails, name, "image/png");
    return show(env.pictures, name, name.endsWith(".png") ? "image/png" : "image/jpeg");
  },
};
