// What the scripts for JavaScript share: what is asked, the shape of what is told, and the walk through the plan.

export const WEATHER = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city", "days"],
};
export const NOTHING = { type: "object", properties: {} };

export const plain = () => ({
  text: "", refusal: null, reasoning: "", seal: null, calls: [], parsed: null, finish: null, usage: null,
  model: null, error: null,
});

/** A question with two tools, in the words of Chat Completions and of those that took them over. */
export const chatRequest = () => ({
  model: "asked",
  messages: [{ role: "user", content: "How is Málaga?" }],
  tools: [
    { type: "function", function: { name: "weather", parameters: WEATHER } },
    { type: "function", function: { name: "now", parameters: NOTHING } },
  ],
});

/** What a program makes of arguments; those that were cut are told as text. */
export function decoded(text) {
  try {
    return JSON.parse(text || "{}");
  } catch {
    return text;
  }
}

/** What the SDK chokes on is a finding, not the end. */
export function choked(error, said) {
  said.error = { class: error.constructor.name, message: error.message };
  return said;
}

/** Prints a line of JSON for each question of the plan. */
export async function main(run) {
  const [, , url, plan] = process.argv;
  for (const [protocol, scenario, mode] of JSON.parse(plan))
    console.log(JSON.stringify([protocol, scenario, mode, await run(url, protocol, scenario, mode)]));
}
