// The OpenAI SDK for JavaScript: Chat Completions and Responses.

import { address, key, load, lookUp, model, parameters, refusal, run } from "./checks.mjs";

const { OpenAI } = load("openai");
const client = new OpenAI({ baseURL: `${address}/v1`, apiKey: key, maxRetries: 0 });
const messages = [{ role: "user", content: "Hello" }];
const tool = { name: "look_up", description: "Looks up", parameters };
const usage = ({ usage }) => [usage.prompt_tokens ?? usage.input_tokens, usage.completion_tokens ?? usage.output_tokens];

async function withTools(stream) {
  const runnable = { type: "function", function: { ...tool, parse: JSON.parse, function: lookUp } };
  const runner = client.chat.completions.runTools({ model, messages, stream, tools: [runnable] });
  const text = await runner.finalContent();
  return [text, runner.messages.filter((message) => message.role === "tool").map((message) => message.content)];
}

async function respondedWithTools(ask) {
  const tools = [{ type: "function", strict: false, ...tool }];
  const input = [...messages];
  const first = await ask({ model, input, tools });
  const calls = first.output.filter((item) => item.type === "function_call");
  for (const call of calls) {
    const output = lookUp(JSON.parse(call.arguments));
    input.push(call, { type: "function_call_output", call_id: call.call_id, output });
  }
  const last = await ask({ model, input, tools });
  return [last.output_text, calls.map((call) => call.call_id)];
}

await run({
  models: async () => {
    const listed = [];
    for await (const one of client.models.list()) listed.push(one.id);
    return [listed.includes(model), (await client.models.retrieve(model)).id === model];
  },
  chat: async () => {
    const reply = await client.chat.completions.create({ model, messages });
    return [reply.choices[0].message.content, reply.choices[0].finish_reason, ...usage(reply)];
  },
  "chat stream": async () => {
    const stream = client.chat.completions.stream({ model, messages, stream_options: { include_usage: true } });
    const reply = await stream.finalChatCompletion();
    return [reply.choices[0].message.content, reply.choices[0].finish_reason, ...usage(reply)];
  },
  "chat tools": () => withTools(false),
  "chat tools stream": () => withTools(true),
  responses: async () => {
    const reply = await client.responses.create({ model, input: "Hello" });
    return [reply.output_text, reply.status, ...usage(reply)];
  },
  "responses stream": async () => {
    const reply = await client.responses.stream({ model, input: "Hello" }).finalResponse();
    return [reply.output_text, reply.status, ...usage(reply)];
  },
  "responses tools": () => respondedWithTools((body) => client.responses.create(body)),
  "responses tools stream": () => respondedWithTools((body) => client.responses.stream(body).finalResponse()),
  "wrong key": () =>
    refusal(() => client.withOptions({ apiKey: "sk-wrong" }).chat.completions.create({ model, messages })),
  "unknown model": () => refusal(() => client.responses.create({ model: "nobodys-model", input: "Hello" })),
});
