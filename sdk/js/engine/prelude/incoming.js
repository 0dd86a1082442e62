// The request of the invocation: nothing is asked of the host before the handler asks for it.
import native from "dayfly:native";
import { requestMaker } from "dayfly:request";

const host = {
  __proto__: null,
  method: () => native.requestMethod(),
  url: () => native.requestUrl(),
  fields: () => native.requestHeaders(),
  // A Request of these methods has no body, whatever came with it.
  body: () => {
    const method = native.requestMethod();
    return method === "GET" || method === "HEAD" ? null : native.requestBody();
  },
};

/// A new Request for the invocation that runs. To be called once in it.
export const takeRequest = requestMaker(host);
