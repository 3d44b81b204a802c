// What the npm client `openai` gets from an endpoint, as one JSON object.
//   node openai_client.mjs API_BASE KEY
import OpenAI from "openai";

const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const chat = client.chat.completions;

function asking(model, content, options = {}) {
  return { model, messages: [{ role: "user", content }], ...options };
}

async function models() {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  return ids;
}

async function streamed() {
  const options = { stream: true, stream_options: { include_usage: true } };
  let text = "";
  let last;
  for await (const chunk of await chat.create(asking("demo-markdown", "Hi", options))) {
    text += chunk.choices[0]?.delta?.content ?? "";
    last = chunk;
  }
  return { text, usage: last.usage };
}

async function whole() {
  const reply = await chat.create(asking("demo-echo", "Hello, 世界 😀"));
  return { text: reply.choices[0].message.content, usage: reply.usage, reason: reply.choices[0].finish_reason };
}

async function helped() {
  // The client's own accumulator, which is strict about the order and the shape of chunks.
  const runner = chat.stream(asking("demo-echo", "one two three", { max_tokens: 2 }));
  const reply = await runner.finalChatCompletion();
  return { text: reply.choices[0].message.content, reason: reply.choices[0].finish_reason };
}

async function responded() {
  // The same of the Responses API, whose accumulator is strict, too.
  const runner = client.responses.stream({ model: "demo-markdown", input: "Hi" });
  const reply = await runner.finalResponse();
  const thought = await client.responses.create({ model: "demo-reasoning", input: "Which is larger, 9.11 or 9.9?" });
  const [reasoning] = thought.output.filter((item) => item.type === "reasoning");
  return { text: reply.output_text, status: reply.status, thought: reasoning.summary[0].text, usage: thought.usage };
}

async function left() {
  for await (const chunk of await chat.create(asking("demo-long", "Hi", { stream: true }))) {
    if (chunk.choices[0].delta.content) return "left";
  }
}

async function refused(ask) {
  try {
    await ask();
  } catch (error) {
    return { kind: error.constructor.name, status: error.status, code: error.code, param: error.param };
  }
}

const stranger = new OpenAI({ baseURL, apiKey: "wrong", maxRetries: 0 });
const results = {
  models: await models(),
  streamed: await streamed(),
  whole: await whole(),
  helped: await helped(),
  responded: await responded(),
  left: await left(),
  unknown: await refused(() => chat.create(asking("gpt-9", "Hi"))),
  lost: await refused(() => client.responses.create({ model: "gpt-9", input: "Hi" })),
  empty: await refused(() => chat.create({ model: "demo-echo", messages: [] })),
  rejected: await refused(() => stranger.models.list()),
};
console.log(JSON.stringify(results));
