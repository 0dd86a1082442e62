export default {
  get(request) {
    return new Response("ok");
  },
};
