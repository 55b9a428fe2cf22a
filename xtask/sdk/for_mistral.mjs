// Asks the server with Mistral's own SDK for JavaScript and prints what the SDK returned, a line of JSON each.
//
// Arguments and modes are those of `for_openai.py`; the SDK puts no stream together, so there is no `helper`.

import { Mistral } from "@mistralai/mistralai";
import { MistralError } from "@mistralai/mistralai/models/errors";
import { ZodError } from "zod/v4";

import { chatRequest, choked, decoded, main, plain } from "./kit.mjs";
import * as rich from "./rich_mistral.mjs";

/** Text, or chunks of text and thinking. */
function ofContent(content, said) {
  if (typeof content === "string") {
    said.text += content;
    return;
  }
  for (const chunk of content ?? []) {
    if (chunk.type === "text") said.text += chunk.text;
    else if (chunk.type === "thinking") said.reasoning += chunk.thinking.map((inner) => inner.text).join("");
  }
}

const ofUsage = (usage) => ({
  input: usage.promptTokens, output: usage.completionTokens, total: usage.totalTokens,
});

async function whole(client, said) {
  const answer = await client.chat.complete(chatRequest());
  const [choice] = answer.choices;
  ofContent(choice.message.content, said);
  for (const call of choice.message.toolCalls ?? [])
    said.calls.push([call.id, call.function.name, decoded(call.function.arguments)]);
  Object.assign(said, { finish: choice.finishReason, model: answer.model, usage: ofUsage(answer.usage) });
  return said;
}

async function raw(client, said) {
  const calls = new Map();
  for await (const { data } of await client.chat.stream(chatRequest())) {
    said.model = data.model;
    if (data.usage) said.usage = ofUsage(data.usage);
    for (const choice of data.choices) {
      ofContent(choice.delta.content, said);
      for (const call of choice.delta.toolCalls ?? []) {
        const kept = calls.get(call.index) ?? [null, "", ""];
        // A piece that has no id of its own has this word in its place.
        if (call.id !== "null") kept[0] = call.id;
        kept[1] = call.function.name || kept[1];
        kept[2] += call.function.arguments;
        calls.set(call.index, kept);
      }
      said.finish = choice.finishReason ?? said.finish;
    }
  }
  said.calls = [...calls.values()].map(([id, name, text]) => [id, name, decoded(text)]);
  return said;
}

const WAYS = { whole, raw, rich: rich.chat };

/** The SDK leaves the body as it came. */
function failed(error, said) {
  let body = JSON.parse(error.body);
  body = body.error ?? body;
  said.error = {
    class: error.constructor.name, status: error.statusCode, message: body.message ?? null, kind: body.type ?? null,
    request_id: error.headers.get("x-request-id"),
  };
  return said;
}

async function run(url, _, scenario, mode) {
  const client = new Mistral({ apiKey: "sk-test", serverURL: `${url}/${scenario}/mistral`, timeoutMs: 20_000 });
  const said = plain();
  try {
    return await WAYS[mode](client, said);
  } catch (error) {
    if (error instanceof MistralError) return failed(error, said);
    // A frame that it cannot read, as is every error in the middle of a stream.
    if (error instanceof ZodError) return { ...said, error: { class: error.constructor.name } };
    return choked(error, said);
  }
}

await main(run);
