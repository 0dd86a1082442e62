const answer = await new Promise(() => {});

export default { fetch: () => new Response(answer) };
