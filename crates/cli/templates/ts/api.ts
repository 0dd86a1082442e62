export default {
  async fetch(request, env, ctx) {
    const name = new URL(request.url).pathname.slice(1) || "world";
    return new Response(`hello ${decodeURIComponent(name)}\n`);
  },
} satisfies Dayfly.Handlers<"api">;
