// Asks the server with OpenAI's own SDK for JavaScript and prints what the SDK returned, a line of JSON each.
//
// Arguments and modes are those of `for_openai.py`.

import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

import * as rich from "./rich_openai.mjs";

const City = z.object({ city: z.string(), degrees: z.number() });

const WEATHER = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city", "days"],
  additionalProperties: false,
};
const NOTHING = { type: "object", properties: {}, required: [], additionalProperties: false };

const plain = () => ({
  text: "", refusal: null, reasoning: "", seal: null, calls: [], parsed: null, finish: null, usage: null,
  model: null, error: null,
});

/** What a program makes of arguments; those that were cut are told as text. */
function decoded(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function insist(holds, words) {
  if (!holds) throw new Error(words);
}

function failed(error, said) {
  const body = error.error && typeof error.error === "object" ? error.error : {};
  said.error = {
    class: error.constructor.name, status: error.status ?? null, message: body.message ?? error.message,
    kind: body.type ?? error.type ?? null, request_id: error.requestID ?? null,
  };
  return said;
}

// Chat Completions

const chatRequest = () => ({
  model: "asked",
  messages: [{ role: "user", content: "How is Málaga?" }],
  tools: [
    { type: "function", function: { name: "weather", parameters: WEATHER } },
    { type: "function", function: { name: "now", parameters: NOTHING } },
  ],
});

const chatSchema = () => ({
  model: "asked",
  messages: [{ role: "user", content: "How is Málaga?" }],
  response_format: zodResponseFormat(City, "city"),
});

const chatUsage = (usage) =>
  usage && {
    input: usage.prompt_tokens, output: usage.completion_tokens, total: usage.total_tokens,
    cache_read: usage.prompt_tokens_details?.cached_tokens ?? 0,
    cache_write: usage.prompt_tokens_details?.cache_write_tokens ?? 0,
    reasoning: usage.completion_tokens_details?.reasoning_tokens ?? 0,
  };

function ofCompletion(completion) {
  const choice = completion.choices[0];
  const message = choice.message;
  return {
    ...plain(),
    text: message.content ?? "",
    refusal: message.refusal ?? null,
    reasoning: message.reasoning_content ?? "",
    calls: (message.tool_calls ?? []).map((call) => [
      call.id, call.function.name, decoded(call.function.arguments),
    ]),
    parsed: message.parsed ?? null,
    finish: choice.finish_reason,
    usage: chatUsage(completion.usage ?? null),
    model: completion.model,
  };
}

async function chatRaw(client, said) {
  const calls = [];
  const ids = new Set();
  const asked = { ...chatRequest(), stream: true, stream_options: { include_usage: true } };
  for await (const chunk of await client.chat.completions.create(asked)) {
    ids.add(chunk.id);
    said.model = chunk.model;
    said.usage = chatUsage(chunk.usage ?? null) ?? said.usage;
    for (const { delta, finish_reason } of chunk.choices) {
      said.text += delta.content ?? "";
      said.reasoning += delta.reasoning_content ?? "";
      if (delta.refusal) said.refusal = (said.refusal ?? "") + delta.refusal;
      for (const piece of delta.tool_calls ?? []) {
        const call = (calls[piece.index] ??= [null, null, ""]);
        call[0] = piece.id ?? call[0];
        call[1] = piece.function?.name ?? call[1];
        call[2] += piece.function?.arguments ?? "";
      }
      said.finish = finish_reason ?? said.finish;
    }
  }
  said.calls = calls.map(([id, name, text]) => [id, name, decoded(text)]);
  insist(ids.size === 1, `several ids: ${[...ids]}`);
  return said;
}

async function chatHelper(client, said, asked) {
  const stream = client.chat.completions.stream({ ...asked, stream_options: { include_usage: true } });
  stream.on("content", (delta) => {
    said.text += delta;
  });
  return ofCompletion(await stream.finalChatCompletion());
}

// Responses

const responsesRequest = () => ({
  model: "asked",
  input: "How is Málaga?",
  tools: [
    { type: "function", name: "weather", parameters: WEATHER, strict: true },
    { type: "function", name: "now", parameters: NOTHING, strict: true },
  ],
});

const responsesSchema = () => ({
  model: "asked",
  input: "How is Málaga?",
  text: { format: zodTextFormat(City, "city") },
});

function ofResponse(response) {
  const said = { ...plain(), text: response.output_text, model: response.model };
  for (const item of response.output) {
    if (item.type === "reasoning") {
      said.reasoning += item.summary.map((part) => part.text).join("");
      said.seal = item.encrypted_content;
    } else if (item.type === "function_call") {
      said.calls.push([item.call_id, item.name, decoded(item.arguments)]);
    } else if (item.type === "message") {
      for (const part of item.content) {
        if (part.type === "refusal") said.refusal = part.refusal;
        else said.parsed = part.parsed ?? said.parsed;
      }
    }
  }
  const reason = response.incomplete_details?.reason;
  said.finish = reason ? `${response.status}/${reason}` : response.status;
  const usage = response.usage;
  said.usage = usage && {
    input: usage.input_tokens, output: usage.output_tokens, total: usage.total_tokens,
    cache_read: usage.input_tokens_details.cached_tokens,
    cache_write: usage.input_tokens_details.cache_write_tokens ?? 0,
    reasoning: usage.output_tokens_details.reasoning_tokens,
  };
  return said;
}

const ofFailure = (said, error) => {
  said.error = {
    class: "response.failed", status: null, message: error.message, kind: error.code, request_id: null,
  };
  return said;
};

async function responsesRaw(client, said) {
  const inputs = {};
  let [final, sequence, refusal] = [null, -1, ""];
  for await (const event of await client.responses.create({ ...responsesRequest(), stream: true })) {
    insist(event.sequence_number > sequence, `${event.type} comes out of order`);
    sequence = event.sequence_number;
    if (event.type === "response.output_text.delta") said.text += event.delta;
    else if (event.type === "response.refusal.delta") refusal += event.delta;
    else if (event.type === "response.function_call_arguments.delta")
      inputs[event.item_id] = (inputs[event.item_id] ?? "") + event.delta;
    else if (["response.completed", "response.incomplete"].includes(event.type)) final = event.response;
    else if (event.type === "response.failed") return ofFailure(said, event.response.error);
  }
  insist(final, "the stream has no end");
  // The accumulators add this member; in a stream it is for the client to make.
  final.output_text ??= final.output
    .flatMap((item) => (item.type === "message" ? item.content : []))
    .map((part) => part.text ?? "")
    .join("");
  const whole = ofResponse(final);
  insist(said.text === whole.text, "the pieces of the text are not the text");
  insist(refusal === (whole.refusal ?? ""), "the pieces of the refusal are not the refusal");
  for (const item of final.output)
    if (item.type === "function_call")
      insist(inputs[item.id] === item.arguments, "the pieces of the arguments are not the arguments");
  return whole;
}

async function responsesHelper(client, said, asked) {
  const stream = client.responses.stream(asked);
  let failure = null;
  for await (const event of stream) {
    if (event.type === "response.output_text.delta") said.text += event.delta;
    if (event.type === "response.failed") failure = event.response.error;
  }
  return failure ? ofFailure(said, failure) : ofResponse(await stream.finalResponse());
}

const WAYS = {
  openai_chat: {
    whole: async (client) => ofCompletion(await client.chat.completions.create(chatRequest())),
    raw: chatRaw,
    helper: (client, said) => chatHelper(client, said, chatRequest()),
    parse: async (client) => ofCompletion(await client.chat.completions.parse(chatSchema())),
    "parse-helper": (client, said) => chatHelper(client, said, chatSchema()),
    rich: rich.chat,
  },
  openai_responses: {
    whole: async (client) => ofResponse(await client.responses.create(responsesRequest())),
    raw: responsesRaw,
    helper: (client, said) => responsesHelper(client, said, responsesRequest()),
    parse: async (client) => ofResponse(await client.responses.parse(responsesSchema())),
    "parse-helper": (client, said) => responsesHelper(client, said, responsesSchema()),
    rich: rich.responses,
  },
};

async function run(url, protocol, scenario, mode) {
  const client = new OpenAI({
    baseURL: `${url}/${scenario}/v1`, apiKey: "sk-test", maxRetries: 0, timeout: 20_000,
  });
  const said = plain();
  try {
    return await WAYS[protocol][mode](client, said);
  } catch (error) {
    if (error instanceof OpenAI.APIError) return failed(error, said);
    // What the SDK chokes on is a finding, not the end.
    said.error = { class: error.constructor.name, message: error.message };
    return said;
  }
}

const [, , url, plan] = process.argv;
for (const [protocol, scenario, mode] of JSON.parse(plan))
  console.log(JSON.stringify([protocol, scenario, mode, await run(url, protocol, scenario, mode)]));
