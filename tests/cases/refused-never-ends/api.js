function wait() {
  for (;;) {
    Math.sqrt(2);
  }
}

wait();

export default { fetch: () => new Response("never") };
