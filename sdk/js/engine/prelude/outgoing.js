// What leaves an instance: the response to its invocation, and the bodies of requests to others.
//
// A body goes the shortest way that there is. Strings and bytes are one call. A body of the host's is piped by the host's side of this engine
// (`bodyPipe`), so no JavaScript runs for its chunks. Only a stream of the program's own is read here.
import native from "dayfly:native";
import { PromisePrototypeThen, TypeError, TypedArrayPrototypeGetSymbolToStringTag, describeType, newPromise } from "dayfly:primordials";
import { NATIVE, NONE, STREAM, outgoingBody } from "dayfly:body";
import { responseState } from "dayfly:response";
import { cancelStream, readableOf } from "dayfly:streams/readable";
import { acquireReading, readChunk } from "dayfly:streams/readers";

/// Answers the invocation with a Response. Gives undefined, or a promise of it if there is something to wait for.
export const respondWith = (response) => {
  const state = responseState(response);
  if (state.status === 0) throw new TypeError("Response.error() says that there is no response, so it can't be sent");
  outgoingBody(state);
  const { fields } = state;
  if (state.kind === NONE) return native.respond(state.status, fields, null);
  if (state.kind !== NATIVE && state.kind !== STREAM) return native.respond(state.status, fields, state.source);
  return sendBody(state, native.respondStream(state.status, fields));
};

/// Writes a body that streams, and ends the writer. Gives undefined, or a promise of it.
export const sendBody = (state, writer) => (state.kind === NATIVE ? native.bodyPipe(state.source, writer) : pump(readableOf(state.source), writer));

const pump = (stream, writer) => {
  const reading = acquireReading(stream);
  const { promise, resolve, reject } = newPromise();
  const stop = (error) => {
    native.writerAbort(writer);
    PromisePrototypeThen(cancelStream(stream, error), () => reject(error), () => reject(error));
  };
  // 0: `read` is not running. 1: it asked, and has no answer yet. 2: it has one, and the next may be asked for.
  let turn = 0;
  const next = () => {
    if (turn === 0) read();
    else turn = 2;
  };
  const write = (chunk) => {
    if (TypedArrayPrototypeGetSymbolToStringTag(chunk) !== "Uint8Array") throw notBytes(chunk);
    const written = native.writerWrite(writer, chunk);
    if (written === undefined) next();
    else PromisePrototypeThen(written, next, stop);
  };
  const request = {
    chunk: (chunk) => {
      try {
        write(chunk);
      } catch (error) {
        stop(error);
      }
    },
    close: () => {
      try {
        native.writerFinish(writer);
        resolve(undefined);
      } catch (error) {
        reject(error);
      }
    },
    error: (error) => {
      native.writerAbort(writer);
      reject(error);
    },
  };
  const read = () => {
    do {
      turn = 1;
      readChunk(reading, request);
    } while (turn === 2);
    turn = 0;
  };
  read();
  return promise;
};

const notBytes = (chunk) => {
  const help = typeof chunk === "string" ? ": pipe it through a TextEncoderStream" : "";
  return new TypeError(`a body's stream gave ${describeType(chunk)} instead of a Uint8Array${help}`);
};
