// tRPC over `fetch`: queries, mutations, a batch, input that is not valid, and a list that comes piece by piece.
import { initTRPC, TRPCError } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import * as z from "zod";

const t = initTRPC.context<{ user: string | null }>().create({ isDev: false });
const known = t.procedure.use(({ ctx, next }) => {
  if (!ctx.user) throw new TRPCError({ code: "UNAUTHORIZED", message: "who are you?" });
  return next({ ctx: { user: ctx.user } });
});

const router = t.router({
  greet: t.procedure.input(z.object({ name: z.string().min(2) })).query(({ input }) => `hello ${input.name}`),
  me: known.query(({ ctx }) => ctx.user),
  cart: t.router({ add: known.input(z.number().int()).mutation(({ input, ctx }) => ({ user: ctx.user, count: input + 1 })) }),
  count: t.procedure.query(async function* () {
    for (let n = 1; n <= 3; n++) yield n;
  }),
});

export type Router = typeof router;

export default {
  fetch: (req: Request) =>
    fetchRequestHandler({ endpoint: "/trpc", req, router, createContext: () => ({ user: req.headers.get("x-user") }) }),
};
