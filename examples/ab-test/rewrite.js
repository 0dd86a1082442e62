// Rewriting HTML on its way: of each element that names a text in an attribute, what it holds becomes that text.
//
// It holds back no more than one such element. It is no parser: it knows elements that hold nothing but text, which is what a heading or a
// button is.

const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text) => text.replace(/[&<>"]/g, (character) => escapes[character]);

/** The longest element that is looked for, in characters. */
const ELEMENT_MAX = 4096;

/** A transform of bytes: the element `<h1 data-variant="heading">…</h1>` gets `texts.heading`. */
export function replaceElements(attribute, texts) {
  const element = new RegExp(`(<(\\w+)[^<>]*\\s${attribute}="(\\w+)"[^<>]*>)[^<]*(</\\2>)`, "g");
  const replaced = (html) => html.replace(element, (all, open, _, name, close) => (name in texts ? open + escaped(texts[name]) + close : all));
  const decoder = new TextDecoder(), encoder = new TextEncoder();
  let held = "";
  return new TransformStream({
    transform(chunk, controller) {
      held = replaced(held + decoder.decode(chunk, { stream: true }));
      // What may still become an element stays: from the last one on that is open or not whole.
      const open = held.lastIndexOf(`${attribute}="`);
      const from = held.lastIndexOf("<", open === -1 || /<\/\w+>/.test(held.slice(open)) ? held.length : open);
      const until = from === -1 || held.length - from > ELEMENT_MAX ? held.length : from;
      if (until > 0) controller.enqueue(encoder.encode(held.slice(0, until)));
      held = held.slice(until);
    },
    flush(controller) {
      controller.enqueue(encoder.encode(replaced(held + decoder.decode())));
    },
  });
}
