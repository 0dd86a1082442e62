setInterval(() => console.log("tick"), 1000);

export default { fetch: () => new Response("ok") };
