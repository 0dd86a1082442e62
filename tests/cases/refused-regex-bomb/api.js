const slow = /^(a+)+$/.test(`${"a".repeat(64)}!`);

export default { fetch: () => new Response(`${slow}`) };
