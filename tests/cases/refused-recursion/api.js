function deeper(n) {
  return deeper(n + 1) + 1;
}

export default { fetch: () => new Response("deep"), depth: deeper(0) };
