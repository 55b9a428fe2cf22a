// Asks the server with Anthropic's own SDK for JavaScript and prints what the SDK returned, a line of JSON each.
//
// Arguments and modes are those of `for_openai.py`.

import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";

import * as rich from "./rich_anthropic.mjs";

const City = z.object({ city: z.string(), degrees: z.number() });

const WEATHER = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city", "days"],
};
const NOTHING = { type: "object", properties: {} };

const plain = () => ({
  text: "", refusal: null, reasoning: "", seal: null, calls: [], parsed: null, finish: null, usage: null,
  model: null, error: null,
});

const request = () => ({
  model: "asked",
  max_tokens: 500,
  messages: [{ role: "user", content: "How is Málaga?" }],
  tools: [
    { name: "weather", input_schema: WEATHER },
    { name: "now", input_schema: NOTHING },
  ],
});

const withSchema = () => {
  const { tools, ...asked } = request();
  return { ...asked, output_config: { format: zodOutputFormat(City) } };
};

const ofUsage = (usage) => ({
  input: usage.input_tokens, output: usage.output_tokens,
  cache_read: usage.cache_read_input_tokens ?? 0,
  cache_write: usage.cache_creation_input_tokens ?? 0,
  reasoning: usage.output_tokens_details?.thinking_tokens ?? 0,
});

function ofMessage(message) {
  const said = plain();
  for (const block of message.content) {
    if (block.type === "text") said.text += block.text;
    else if (block.type === "thinking") {
      said.reasoning += block.thinking;
      said.seal = block.signature;
    } else if (block.type === "tool_use") said.calls.push([block.id, block.name, block.input]);
  }
  said.parsed = message.parsed_output ?? null;
  said.finish = message.stop_reason;
  said.usage = ofUsage(message.usage);
  said.model = message.model;
  return said;
}

/** What a program makes of arguments; those that were cut are told as text. */
function decoded(text) {
  try {
    return JSON.parse(text || "{}");
  } catch {
    return text;
  }
}

async function raw(client, said) {
  const calls = new Map();
  let usage = {};
  const add = (newer) => {
    const known = Object.entries(newer).filter(([, value]) => value !== null);
    usage = { ...usage, ...Object.fromEntries(known) };
  };
  for await (const event of await client.messages.create({ ...request(), stream: true })) {
    if (event.type === "message_start") {
      said.model = event.message.model;
      add(event.message.usage);
    } else if (event.type === "content_block_start" && event.content_block.type === "tool_use") {
      calls.set(event.index, [event.content_block.id, event.content_block.name, ""]);
    } else if (event.type === "content_block_delta") {
      const delta = event.delta;
      if (delta.type === "text_delta") said.text += delta.text;
      else if (delta.type === "thinking_delta") said.reasoning += delta.thinking;
      else if (delta.type === "signature_delta") said.seal = delta.signature;
      else if (delta.type === "input_json_delta") calls.get(event.index)[2] += delta.partial_json;
    } else if (event.type === "message_delta") {
      said.finish = event.delta.stop_reason;
      add(event.usage);
    }
  }
  said.calls = [...calls.values()].map(([id, name, text]) => [id, name, decoded(text)]);
  said.usage = ofUsage(usage);
  return said;
}

async function helper(client, said, asked) {
  const stream = client.messages.stream(asked);
  stream.on("text", (text) => {
    said.text += text;
  });
  return ofMessage(await stream.finalMessage());
}

const WAYS = {
  whole: async (client) => ofMessage(await client.messages.create(request())),
  raw,
  helper: (client, said) => helper(client, said, request()),
  parse: async (client) => ofMessage(await client.messages.parse(withSchema())),
  "parse-helper": (client, said) => helper(client, said, withSchema()),
  rich: rich.messages,
};

function failed(error, said) {
  const inner = error.error?.error ?? {};
  said.error = {
    class: error.constructor.name, status: error.status ?? null, message: inner.message ?? error.message,
    kind: inner.type ?? null, request_id: error.requestID ?? null,
  };
  return said;
}

async function run(url, scenario, mode) {
  const client = new Anthropic({
    baseURL: `${url}/${scenario}`, apiKey: "sk-test", maxRetries: 0, timeout: 20_000,
  });
  const said = plain();
  try {
    return await WAYS[mode](client, said);
  } catch (error) {
    if (error instanceof Anthropic.APIError) return failed(error, said);
    // What the SDK chokes on is a finding, not the end.
    said.error = { class: error.constructor.name, message: error.message };
    return said;
  }
}

const [, , url, plan] = process.argv;
for (const [protocol, scenario, mode] of JSON.parse(plan))
  console.log(JSON.stringify([protocol, scenario, mode, await run(url, scenario, mode)]));
