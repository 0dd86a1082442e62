const all = [];
while (true) all.push(new Uint8Array(1 << 20).fill(1));

export default { fetch: () => new Response(`${all.length}`) };
