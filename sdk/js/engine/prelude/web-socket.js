// WebSocket, which functions can't open: packages ask whether it is there before they need it, and a program that makes one is told why not.
import { EventTarget } from "dayfly:events";
import { domException } from "dayfly:dom-exception";
import { defineInterface, defineProperty } from "dayfly:primordials";

class WebSocket extends EventTarget {
  constructor() {
    super();
    throw domException("NotSupportedError", "WebSocket: a function opens no WebSockets: it lives for one request. Use fetch(), whose bodies stream both ways");
  }
}

const STATES = ["CONNECTING", "OPEN", "CLOSING", "CLOSED"];
for (let i = 0; i < STATES.length; i++) {
  const constant = { __proto__: null, value: i, enumerable: true };
  defineProperty(WebSocket, STATES[i], constant);
  defineProperty(WebSocket.prototype, STATES[i], constant);
}

defineInterface(WebSocket);
