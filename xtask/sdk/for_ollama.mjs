// Asks the server with Ollama's own SDK for JavaScript and prints what the SDK returned, a line of JSON each.
//
// Arguments and modes are those of `for_openai.py`; the SDK puts no stream together, so there is no `helper`.

import { Ollama } from "ollama";

import { chatRequest, main, plain } from "./kit.mjs";
import * as rich from "./rich_ollama.mjs";

function take(answer, said) {
  said.model = answer.model;
  said.text += answer.message.content ?? "";
  said.reasoning += answer.message.thinking ?? "";
  for (const call of answer.message.tool_calls ?? [])
    said.calls.push([call.id ?? null, call.function.name, call.function.arguments]);
  if (answer.done) {
    said.finish = answer.done_reason;
    said.usage = { input: answer.prompt_eval_count, output: answer.eval_count };
  }
  return said;
}

const WAYS = {
  whole: async (client, said) => take(await client.chat(chatRequest()), said),
  raw: async (client, said) => {
    for await (const answer of await client.chat({ ...chatRequest(), stream: true })) take(answer, said);
    return said;
  },
  rich: rich.chat,
};

/** The class of a refusal is not exported; an error in the middle of a stream has no class of its own. */
async function run(url, _, scenario, mode) {
  const said = plain();
  try {
    return await WAYS[mode](new Ollama({ host: `${url}/${scenario}` }), said);
  } catch (error) {
    said.error = {
      class: error.constructor.name, status: error.status_code ?? null, message: error.message, kind: null,
      request_id: null,
    };
    return said;
  }
}

await main(run);
