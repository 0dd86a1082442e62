// marked: Markdown in, HTML out, with an extension of the app's own. The page comes from a file beside the code.
import { Marked } from "marked";
import page from "./page.md";

const marked = new Marked({ gfm: true }, {
  renderer: {
    link({ href, text }) {
      return `<a href="${href}" rel="nofollow">${text}</a>`;
    },
  },
  extensions: [{
    name: "shout",
    level: "inline",
    start: (text) => text.indexOf("!!"),
    tokenizer(text) {
      const match = /^!!(.+?)!!/.exec(text);
      return match ? { type: "shout", raw: match[0], text: match[1] } : undefined;
    },
    renderer: ({ text }) => `<b>${text.toUpperCase()}</b>`,
  }],
});

export default {
  async fetch(request) {
    const text = request.method === "POST" ? await request.text() : page;
    return new Response(marked.parse(text), { headers: { "content-type": "text/html; charset=utf-8" } });
  },
};
