// Requests of Google's SDK for JavaScript with everything in them.

import { createPartFromBase64, createPartFromUri } from "@google/genai";

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const PDF = "JVBERi0xLjQKJSVFT0YK";
const WEATHER = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city", "days"],
};
const CITY = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

const tools = () => ({
  tools: [
    {
      functionDeclarations: [
        { name: "weather", description: "The weather.", parametersJsonSchema: WEATHER },
        { name: "now", description: "The time." },
      ],
    },
  ],
  toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["weather"] } },
});

const config = () => ({
  systemInstruction: "Be brief.",
  thinkingConfig: { includeThoughts: true, thinkingBudget: 2048 },
  safetySettings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_ONLY_HIGH" }],
  temperature: 0.5,
  topP: 0.9,
  topK: 40,
  seed: 7,
  maxOutputTokens: 4096,
  stopSequences: ["END", "STOP"],
  presencePenalty: 0.25,
  frequencyPenalty: 0.5,
  responseLogprobs: true,
  logprobs: 2,
});

const contents = () => [
  { role: "user", parts: [{ text: "How is Málaga?" }] },
  { role: "model", parts: [{ text: "Which day?" }] },
  {
    role: "user",
    parts: [
      { text: "The day of this picture." },
      createPartFromBase64(PIXEL, "image/png"),
      createPartFromBase64(PDF, "application/pdf"),
      createPartFromUri("https://example.com/sky.jpg", "image/jpeg"),
    ],
  },
  {
    role: "model",
    parts: [
      { text: "South means sun.", thought: true },
      { text: "Let me look.", thoughtSignature: "b25l" },
      {
        functionCall: { id: "call_a1", name: "weather", args: { city: "Málaga", days: 2 } },
        thoughtSignature: "dHdv",
      },
      { functionCall: { id: "call_b2", name: "now", args: {} } },
    ],
  },
  {
    role: "user",
    parts: [
      { functionResponse: { id: "call_a1", name: "weather", response: { output: "Sunny." } } },
      { functionResponse: { id: "call_b2", name: "now", response: { error: "no clock" } } },
      { text: "Well?" },
    ],
  },
];

export async function generate(client, said) {
  const asked = { model: "gemini-2.5-flash", contents: contents() };
  await client.models.generateContent({ ...asked, config: { ...config(), ...tools() } });
  // The second has a schema in place of tools, and a level in place of a budget.
  const settings = {
    ...config(),
    responseMimeType: "application/json",
    responseJsonSchema: CITY,
    thinkingConfig: { thinkingLevel: "LOW" },
  };
  const second = { ...asked, model: "gemini-3-pro-preview", config: settings };
  for await (const _ of await client.models.generateContentStream(second));
  return said;
}

const text = (words) => ({ type: "text", text: words });

const interaction = () => ({
  model: "gemini-3-pro-preview",
  system_instruction: "Be brief.",
  input: [
    { type: "user_input", content: [text("How is Málaga?")] },
    { type: "model_output", content: [text("Which day?")] },
    {
      type: "user_input",
      content: [
        text("The day of this picture."),
        { type: "image", data: PIXEL, mime_type: "image/png" },
        { type: "image", uri: "https://example.com/sky.jpg", mime_type: "image/jpeg" },
        { type: "document", data: PDF, mime_type: "application/pdf" },
      ],
    },
    { type: "thought", signature: "c2VhbA==", summary: [text("South means sun.")] },
    { type: "model_output", content: [text("Let me look.")] },
    { type: "function_call", id: "call_a1", name: "weather", arguments: { city: "Málaga", days: 2 } },
    { type: "function_call", id: "call_b2", name: "now", arguments: {} },
    { type: "function_result", call_id: "call_a1", name: "weather", result: "Sunny." },
    { type: "function_result", call_id: "call_b2", name: "now", result: "no clock", is_error: true },
    { type: "user_input", content: [text("Well?")] },
  ],
  tools: [
    { type: "function", name: "weather", description: "The weather.", parameters: WEATHER },
    { type: "function", name: "now", description: "The time.", parameters: { type: "object" } },
  ],
  generation_config: {
    temperature: 0.5, top_p: 0.9, seed: 7, stop_sequences: ["END", "STOP"], max_output_tokens: 4096,
    thinking_level: "high", thinking_summaries: "auto",
    tool_choice: { allowed_tools: { mode: "any", tools: ["weather"] } },
  },
  store: false,
});

export async function interact(client, said) {
  await client.interactions.create(interaction());
  const { tools: _tools, ...asked } = interaction();
  asked.generation_config = { max_output_tokens: 4096, thinking_level: "low" };
  asked.response_format = { type: "text", mime_type: "application/json", schema: CITY };
  for await (const _ of await client.interactions.create({ ...asked, stream: true }));
  return said;
}
