/** @jsxImportSource preact */
// Preact on the server: components, hooks, context, fragments and a stream, from JSX that nobody had to build.
import { createContext, Fragment, type ComponentChildren } from "preact";
import { useContext, useMemo, useState } from "preact/hooks";
import { renderToString, renderToStringAsync } from "preact-render-to-string";
import { renderToReadableStream } from "preact-render-to-string/stream";
import { lazy, Suspense } from "preact/compat";
import titles from "./titles.json" with { type: "json" };

const Theme = createContext("light");

interface Item { name: string; price: number }

function Row({ name, price }: Item) {
  const theme = useContext(Theme);
  const shown = useMemo(() => price.toFixed(2), [price]);
  return <li class={theme} style={{ color: "red", marginTop: 4 }} data-name={name}>{name}: {shown} €</li>;
}

function List({ items, children }: { items: Item[]; children?: ComponentChildren }) {
  const [sorted] = useState(() => [...items].sort((a, b) => a.price - b.price));
  return (
    <>
      <h1>{titles.list}</h1>
      <ul>{sorted.map((item) => <Row key={item.name} {...item} />)}</ul>
      {children}
    </>
  );
}

const items = [{ name: "tea & <milk>", price: 3 }, { name: "book", price: 2.5 }];

const Late = lazy(async () => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  return { default: () => <em>late</em> };
});

const page = (
  <Theme.Provider value="dark">
    <List items={items}>
      <Fragment>
        <input type="checkbox" checked disabled={false} />
        <p dangerouslySetInnerHTML={{ __html: "<b>as it is</b>" }} />
      </Fragment>
    </List>
  </Theme.Provider>
);

const html = { headers: { "content-type": "text/html; charset=utf-8" } };

export default {
  async fetch(request: Request): Promise<Response> {
    const late = <main><Suspense fallback={<i>soon</i>}><Late /></Suspense></main>;
    switch (new URL(request.url).pathname) {
      case "/async":
        return new Response(await renderToStringAsync(late), html);
      case "/stream":
        return new Response(renderToReadableStream(late), html);
      default:
        return new Response(renderToString(page), html);
    }
  },
};
