// nanoid and uuid: what is random differs in each request, though each begins from one and the same memory.
import { customAlphabet, nanoid } from "nanoid";
import { NIL, parse, stringify, v4, v5, v7, validate, version } from "uuid";

const code = customAlphabet("0123456789", 6);

export default {
  fetch(request: Request): Response {
    if (new URL(request.url).pathname === "/random") return Response.json([nanoid(), v4(), v7(), Math.random()]);
    const many = new Set(Array.from({ length: 1000 }, () => nanoid()));
    const later = [v7(), v7(), v7()];
    return Response.json({
      nanoid: /^[\w-]{21}$/.test(nanoid()) && nanoid(8).length === 8 && many.size === 1000,
      code: /^\d{6}$/.test(code()),
      v4: validate(v4()) && version(v4()),
      v5: v5("dayfly", v5.URL),
      v7: later.join() === [...later].sort().join() && Math.abs(Number.parseInt(later[0].replaceAll("-", "").slice(0, 12), 16) - Date.now()) < 5000,
      bytes: stringify(parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8")),
      nil: validate(NIL),
    });
  },
};
