// A function that others call by name.
export default {
  async fetch(request) {
    return new Response(`helped ${await request.text()}`);
  },
};
