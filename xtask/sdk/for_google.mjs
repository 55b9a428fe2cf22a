// Asks the server with Google's own SDK for JavaScript and prints what the SDK returned, a line of JSON each.
//
// Arguments are those of `for_openai.py`; the modes are `whole`, `raw` and `rich`.

import { ApiError, GoogleGenAI } from "@google/genai";

import { NOTHING, WEATHER, choked, decoded, main, plain } from "./kit.mjs";
import * as rich from "./rich_google.mjs";

const request = () => ({
  model: "asked",
  contents: "How is Málaga?",
  config: {
    tools: [
      {
        functionDeclarations: [
          { name: "weather", parametersJsonSchema: WEATHER },
          { name: "now", parametersJsonSchema: NOTHING },
        ],
      },
    ],
  },
});

const ofUsage = (usage) => {
  const thoughts = usage.thoughtsTokenCount ?? 0;
  return {
    input: usage.promptTokenCount, output: (usage.candidatesTokenCount ?? 0) + thoughts,
    total: usage.totalTokenCount, cache_read: usage.cachedContentTokenCount ?? 0, cache_write: 0,
    reasoning: thoughts,
  };
};

/** Adds a whole answer, or a piece of one. */
function take(answer, said) {
  for (const candidate of answer.candidates ?? []) {
    for (const part of candidate.content?.parts ?? []) {
      if (part.text) said[part.thought ? "reasoning" : "text"] += part.text;
      if (part.thoughtSignature) said.seal = part.thoughtSignature;
      const call = part.functionCall;
      if (call) said.calls.push([call.id ?? null, call.name, call.args ?? {}]);
    }
    if (candidate.finishReason) said.finish = candidate.finishReason;
  }
  if (answer.usageMetadata) said.usage = ofUsage(answer.usageMetadata);
  said.model = answer.modelVersion ?? null;
  return said;
}

const interaction = () => ({
  model: "asked",
  input: "How is Málaga?",
  tools: [
    { type: "function", name: "weather", parameters: WEATHER },
    { type: "function", name: "now", parameters: NOTHING },
  ],
});

function end(answer, said) {
  said.finish = answer.status;
  said.model = answer.model ?? null;
  const usage = answer.usage;
  if (usage) {
    const thoughts = usage.total_thought_tokens ?? 0;
    said.usage = {
      input: usage.total_input_tokens, output: (usage.total_output_tokens ?? 0) + thoughts,
      total: usage.total_tokens, cache_read: usage.total_cached_tokens ?? 0, cache_write: 0, reasoning: thoughts,
    };
  }
  return said;
}

const words = (contents) => (contents ?? []).map((content) => content.text).join("");

async function wholeInteraction(client, said) {
  const answer = await client.interactions.create(interaction());
  for (const step of answer.steps ?? []) {
    if (step.type === "thought") {
      said.reasoning += words(step.summary);
      said.seal = step.signature ?? null;
    } else if (step.type === "model_output") said.text += words(step.content);
    else if (step.type === "function_call") said.calls.push([step.id, step.name, step.arguments]);
  }
  return end(answer, said);
}

async function rawInteraction(client, said) {
  const calls = new Map();
  for await (const event of await client.interactions.create({ ...interaction(), stream: true })) {
    if (event.event_type === "step.start" && event.step.type === "function_call") {
      calls.set(event.index, [event.step.id, event.step.name, ""]);
    } else if (event.event_type === "step.delta") {
      const delta = event.delta;
      if (delta.type === "text") said.text += delta.text;
      else if (delta.type === "thought_summary") said.reasoning += delta.content.text;
      else if (delta.type === "thought_signature") said.seal = delta.signature;
      else if (delta.type === "arguments_delta") calls.get(event.index)[2] += delta.arguments;
    } else if (event.event_type === "interaction.completed") end(event.interaction, said);
    else if (event.event_type === "error") {
      const { message, code } = event.error;
      said.error = { class: "error", status: null, message, kind: code, request_id: null };
    }
  }
  said.calls = [...calls.values()].map(([id, name, text]) => [id, name, decoded(text)]);
  return said;
}

const INTERACTION_WAYS = { whole: wholeInteraction, raw: rawInteraction, rich: rich.interact };

const WAYS = {
  whole: async (client, said) => take(await client.models.generateContent(request()), said),
  raw: async (client, said) => {
    for await (const piece of await client.models.generateContentStream(request())) take(piece, said);
    return said;
  },
  rich: rich.generate,
};

/** The SDK leaves the envelope in the message, perhaps behind words of its own. */
function failed(error, said) {
  let inner = {};
  try {
    inner = JSON.parse(error.message.slice(error.message.indexOf("{"))).error;
  } catch {
    // What the message is otherwise is told as it is.
  }
  said.error = {
    class: error.constructor.name, status: error.status ?? null, message: inner.message ?? error.message,
    kind: inner.status ?? null, request_id: null,
  };
  return said;
}

async function run(url, protocol, scenario, mode) {
  const client = new GoogleGenAI({
    apiKey: "sk-test",
    httpOptions: { baseUrl: `${url}/${scenario}`, apiVersion: "v1beta", timeout: 20_000 },
  });
  const said = plain();
  try {
    return await (protocol === "gemini" ? WAYS : INTERACTION_WAYS)[mode](client, said);
  } catch (error) {
    if (protocol === "gemini" && error instanceof ApiError) return failed(error, said);
    if (error.status !== undefined) {
      // The errors of interactions are classes of their own.
      const inner = error.error?.error ?? error.error ?? {};
      said.error = {
        class: error.constructor.name, status: error.status, message: inner.message ?? error.message,
        kind: inner.code ?? null, request_id: null,
      };
      return said;
    }
    return choked(error, said);
  }
}

await main(run);
