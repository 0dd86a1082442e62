// The hello that dayfly and workerd serve; Node's is in node.js, since its servers are written otherwise.
export default {
  fetch(request) {
    const name = new URL(request.url).pathname.slice(1);
    return new Response(`hello ${name}\n`);
  },
};
