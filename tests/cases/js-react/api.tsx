// React: a page of components, once whole and once as a stream that sends what is there and the rest when it comes.
import { createContext, Suspense, use, useContext, useId, useMemo, useState, type ReactNode } from "react";
import { renderToReadableStream, renderToString } from "react-dom/server";

const Currency = createContext("EUR");
const articles = [{ name: "Lamp <1>", cents: 4950 }, { name: "Chair & co", cents: 12900 }];

function Price({ cents }: { cents: number }) {
  return <b className="price" data-cents={cents}>{(cents / 100).toFixed(2)} {useContext(Currency)}</b>;
}

function List({ children }: { children?: ReactNode }) {
  const [shown] = useState(articles);
  const sum = useMemo(() => shown.reduce((total, { cents }) => total + cents, 0), [shown]);
  return (
    <ul id={useId()} style={{ marginTop: 4, color: "red" }}>
      {shown.map(({ name, cents }) => <li key={name}>{name}: <Price cents={cents} /></li>)}
      <li>{sum > 15000 && "free delivery"}{null}{children}</li>
    </ul>
  );
}

function Stock({ left }: { left: Promise<number> }) {
  return <em>{use(left)} left</em>;
}

function Page({ left }: { left: Promise<number> }) {
  return (
    <html lang="en">
      <head><title>Shop</title></head>
      <body><Currency value="USD"><List /></Currency><Suspense fallback="counting"><Stock left={left} /></Suspense></body>
    </html>
  );
}

export default {
  async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === "/whole") return new Response(renderToString(<List>!</List>));
    const left = new Promise<number>((resolve) => setTimeout(resolve, 20, 3));
    const headers = { "content-type": "text/html" };
    return new Response(await renderToReadableStream(<Page left={left} />), { headers });
  },
};
