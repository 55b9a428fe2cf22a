// Asks the server with Cohere's own SDK for JavaScript and prints what the SDK returned, a line of JSON each.
//
// Arguments and modes are those of `for_openai.py`; the SDK puts no stream together, so there is no `helper`.

import { CohereClientV2, CohereError } from "cohere-ai";

import { chatRequest, choked, decoded, main, plain } from "./kit.mjs";
import * as rich from "./rich_cohere.mjs";

const ofUsage = (usage) =>
  usage && {
    input: usage.tokens.inputTokens, output: usage.tokens.outputTokens, cache_read: usage.cachedTokens ?? 0,
  };

async function whole(client, said) {
  const answer = await client.chat(chatRequest());
  for (const block of answer.message.content ?? []) {
    if (block.type === "text") said.text += block.text;
    else if (block.type === "thinking") said.reasoning += block.thinking;
  }
  for (const call of answer.message.toolCalls ?? [])
    said.calls.push([call.id, call.function.name, decoded(call.function.arguments)]);
  Object.assign(said, { finish: answer.finishReason, usage: ofUsage(answer.usage) });
  return said;
}

async function raw(client, said) {
  const calls = new Map();
  for await (const event of await client.chatStream(chatRequest())) {
    const message = event.delta?.message;
    if (event.type === "content-delta") {
      said.text += message.content.text ?? "";
      said.reasoning += message.content.thinking ?? "";
    } else if (event.type === "tool-call-start") {
      const call = message.toolCalls;
      calls.set(event.index, [call.id, call.function.name, call.function.arguments ?? ""]);
    } else if (event.type === "tool-call-delta") {
      calls.get(event.index)[2] += message.toolCalls.function.arguments;
    } else if (event.type === "message-end") {
      const { finishReason, error, usage } = event.delta;
      if (finishReason === "ERROR") {
        said.error = { class: "message-end", status: null, message: error, kind: "ERROR", request_id: null };
        return said;
      }
      Object.assign(said, { finish: finishReason, usage: ofUsage(usage) });
    }
  }
  said.calls = [...calls.values()].map(([id, name, text]) => [id, name, decoded(text)]);
  return said;
}

const WAYS = { whole, raw, rich: rich.chat };

function failed(error, said) {
  said.error = {
    class: error.constructor.name, status: error.statusCode ?? null, message: error.body?.message ?? error.message,
    kind: null, request_id: error.body?.id ?? null,
  };
  return said;
}

async function run(url, _, scenario, mode) {
  const client = new CohereClientV2({
    token: "sk-test", environment: `${url}/${scenario}`, timeoutInSeconds: 20, maxRetries: 0,
  });
  const said = plain();
  try {
    return await WAYS[mode](client, said);
  } catch (error) {
    return error instanceof CohereError ? failed(error, said) : choked(error, said);
  }
}

await main(run);
