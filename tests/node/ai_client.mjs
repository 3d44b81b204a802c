// What the AI SDK (npm `ai` with `@ai-sdk/openai-compatible`) gets from an endpoint, as one JSON object.
//   node ai_client.mjs API_BASE KEY
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";

const [baseURL, apiKey] = process.argv.slice(2);
const endpoint = (key) => createOpenAICompatible({ name: "demo", baseURL, apiKey: key, includeUsage: true });
const model = (id, key = apiKey) => endpoint(key)(id);
const quiet = { maxRetries: 0, onError: () => {} };

async function streamed(id, options = {}) {
  const result = streamText({ ...quiet, model: model(id), prompt: "Hi", ...options });
  let text = "";
  for await (const delta of result.textStream) text += delta;
  return {
    text,
    reasoning: await result.reasoningText,
    usage: await result.usage,
    reason: await result.finishReason,
    warnings: await result.warnings,
  };
}

async function whole() {
  const { text, usage, finishReason } = await generateText({
    ...quiet,
    model: model("demo-echo"),
    system: "Be brief.",
    messages: [
      { role: "user", content: "first" },
      { role: "assistant", content: "1" },
      { role: "user", content: [{ type: "text", text: "Hello, 世界 😀" }] },
    ],
  });
  return { text, usage, reason: finishReason };
}

async function left() {
  const stop = new AbortController();
  const { textStream } = streamText({ ...quiet, model: model("demo-long"), prompt: "Hi", abortSignal: stop.signal });
  for await (const delta of textStream) {
    if (delta) break;
  }
  stop.abort();
  return "left";
}

async function refused(id, key) {
  try {
    await generateText({ ...quiet, model: model(id, key), prompt: "Hi" });
  } catch (error) {
    return { kind: error.name, status: error.statusCode, said: error.message };
  }
}

const results = {
  streamed: await streamed("demo-markdown"),
  reasoned: await streamed("demo-reasoning"),
  cut: await streamed("demo-echo", { prompt: "one two three", maxOutputTokens: 2 }),
  whole: await whole(),
  left: await left(),
  unknown: await refused("gpt-9"),
  rejected: await refused("demo-echo", "wrong"),
};
console.log(JSON.stringify(results));
