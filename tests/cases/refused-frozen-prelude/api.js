class Answer extends Response {
  constructor() {
    super("x", { status: 99 });
  }
}

export default { fetch: () => new Answer(), first: new Answer() };
