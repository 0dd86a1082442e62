// Zod: what a body must be is said once; what is wrong with one is told with its place.
import * as z from "zod";

const Address = z.object({ street: z.string().min(1), zip: z.string().regex(/^\d{5}$/) });

const Order = z
  .strictObject({
    id: z.uuid(),
    email: z.email().transform((text) => text.toLowerCase()),
    age: z.coerce.number().int().min(18).optional(),
    kind: z.enum(["gift", "own"]).default("own"),
    items: z.array(z.tuple([z.string(), z.number().positive()])).nonempty(),
    pay: z.discriminatedUnion("by", [
      z.object({ by: z.literal("card"), number: z.string().length(16) }),
      z.object({ by: z.literal("bill"), to: Address }),
    ]),
    due: z.iso.date().transform((text) => new Date(`${text}T00:00:00Z`)),
    labels: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  })
  .refine((order) => order.kind !== "gift" || order.pay.by === "card", { error: "gifts are paid by card", path: ["pay", "by"] });

type Order = z.infer<typeof Order>;

const total = (order: Order) => order.items.reduce((sum, [, price]) => sum + price, 0);

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/schema") return Response.json(z.toJSONSchema(Address));
    const read = await Order.safeParseAsync(await request.json());
    if (read.success) return Response.json({ order: read.data, total: total(read.data) });
    const places = read.error.issues.map(({ path, code, message }) => `${path.join(".")}: ${code}: ${message}`);
    return Response.json({ places, flat: z.flattenError(read.error).fieldErrors }, { status: 422 });
  },
};
