// reportError, and what becomes of an exception in a listener: a line of level error. The invocation goes on.
import native from "dayfly:native";
import { inspect } from "dayfly:inspect";
import { defineGlobal, requireArguments } from "dayfly:primordials";

/// Says in the log what was thrown where nobody could catch it.
export const reportException = (error) => native.log("error", `Uncaught ${inspect(error)}`);

const functions = {
  reportError(error) {
    requireArguments(arguments.length, 1, "reportError");
    reportException(error);
  },
};
defineGlobal("reportError", functions.reportError);
