// What leaves an instance: the response to its invocation, and the bodies of requests to others.
//
// A body goes the shortest way that there is. Strings and bytes are one call. A body of the host's is piped by the host's side of this engine
// (`bodyPipe`), so no JavaScript runs for its chunks. Only a stream of the program's own is read here.
import native from "dayfly:native";
import {
  PromisePrototypeThen, RegExpPrototypeExec, TypeError, TypedArrayPrototypeGetSymbolToStringTag, describeType, newPromise,
} from "dayfly:primordials";
import { NATIVE, NONE, STREAM, outgoingBody } from "dayfly:body";
import { deleteField, getField, setField } from "dayfly:fields";
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
  const asItCame = state.kind === NATIVE && describePacked(fields, native.bodyPacked(state.source));
  return sendBody(state, native.respondStream(state.status, fields), asItCame);
};

// A body of `fetch` that nobody read is handed on packed, as it came, if the client can unpack it; the head then says so again. If the program says
// itself how it is packed, it is right or the body is sent unpacked.
const describePacked = (fields, packed) => {
  if (packed === null) return false;
  const said = getField(fields, "content-encoding");
  if (said === null ? !isAccepted(packed[0]) : said !== packed[0]) return false;
  setField(fields, "content-encoding", packed[0]);
  if (packed[1] === null) deleteField(fields, "content-length");
  else setField(fields, "content-length", packed[1]);
  return true;
};

// A coding in a list of those that are accepted, unless its weight is zero.
const ACCEPTED = {
  __proto__: null,
  gzip: /(?:^|,)\s*(?:x-)?gzip\s*(?:,|$|;(?!\s*q=0(?:\.0*)?\s*(?:,|$)))/i,
  deflate: /(?:^|,)\s*deflate\s*(?:,|$|;(?!\s*q=0(?:\.0*)?\s*(?:,|$)))/i,
};

// Whether the client of this invocation takes it (RFC 9110, 12.5.3).
const isAccepted = (coding) => {
  const accepted = native.requestHeader("accept-encoding");
  return accepted !== undefined && RegExpPrototypeExec(ACCEPTED[coding], accepted) !== null;
};

/// Writes a body that streams, and ends the writer. Gives undefined, or a promise of it. `asItCame`: without unpacking what came packed.
export const sendBody = (state, writer, asItCame = false) => (
  state.kind === NATIVE ? native.bodyPipe(state.source, writer, asItCame) : pump(readableOf(state.source), writer)
);

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
