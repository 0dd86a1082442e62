// The hello that the benchmark's part `js` serves everywhere, for componentize-js.
addEventListener("fetch", (event) => {
  const name = new URL(event.request.url).pathname.slice(1);
  event.respondWith(new Response(`hello ${name}\n`));
});
