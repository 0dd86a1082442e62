// What console.log shows of the fetch API's objects. Bodies are not touched: to look at one must not read it.
import { nullObject } from "dayfly:primordials";
import { inspectAs } from "dayfly:inspect";
import { Blob, File, blobBytes } from "dayfly:blob";
import { isUsed } from "dayfly:body";
import { sortedFields } from "dayfly:fields";
import { FormData, entriesOf } from "dayfly:form-data";
import { Headers, fieldsOf, headersOver } from "dayfly:headers";
import { Request, requestState } from "dayfly:request";
import { Response, responseState } from "dayfly:response";
import { CLOSED, ERRORED, ReadableStream, readableOf } from "dayfly:streams/readable";
import { WritableStream, writableOf } from "dayfly:streams/writable";

// `{ name: value }`; of `set-cookie`, and of names that a form repeats, a list.
const record = (entries) => {
  const shown = nullObject(undefined);
  for (let i = 0; i < entries.length; i++) {
    const name = entries[i][0];
    const value = entries[i][1];
    const before = shown[name];
    if (before === undefined) shown[name] = value;
    else if (typeof before === "object" && before.isList) before.list[before.list.length] = value;
    else shown[name] = { isList: true, list: [before, value] };
  }
  for (const name in shown) {
    if (typeof shown[name] === "object" && shown[name].isList) shown[name] = shown[name].list;
  }
  return shown;
};

const headersOf = (fields) => headersOver(fields, true);

inspectAs(Headers, (headers) => record(sortedFields(fieldsOf(headers))));

inspectAs(Response, (response) => {
  const state = responseState(response);
  const { status, statusText, url } = state;
  return nullObject({ status, statusText, headers: headersOf(state.fields), url, bodyUsed: isUsed(state) });
});

inspectAs(Request, (request) => {
  const state = requestState(request);
  return nullObject({ method: state.method, url: state.url, headers: headersOf(state.fields), bodyUsed: isUsed(state) });
});

const blobView = (blob) => nullObject({ size: blobBytes(blob).length, type: blob.type });

inspectAs(Blob, blobView);
inspectAs(File, (file) => nullObject({ name: file.name, ...blobView(file), lastModified: file.lastModified }));

inspectAs(FormData, (form) => {
  const entries = entriesOf(form);
  const pairs = [];
  for (let i = 0; i < entries.length; i += 2) pairs[pairs.length] = [entries[i], entries[i + 1]];
  return record(pairs);
});

inspectAs(ReadableStream, (stream) => {
  const { state, reader } = readableOf(stream);
  return nullObject({ locked: reader !== null, state: state === ERRORED ? "errored" : state === CLOSED ? "closed" : "readable" });
});

inspectAs(WritableStream, (stream) => {
  const writable = writableOf(stream);
  return nullObject({ locked: writable.writer !== null, state: writable.isErrored ? "errored" : writable.isClosed ? "closed" : "writable" });
});
