// Greets whoever the path names: `GET /ada` answers `hello ada`.

export default {
  fetch(request) {
    const name = decodeURIComponent(new URL(request.url).pathname.slice(1)) || "world";
    return new Response(`hello ${name}\n`);
  },
} satisfies Dayfly.Handlers<"api">;
