const key = crypto.getRandomValues(new Uint8Array(16));

export default { fetch: () => new Response(key) };
