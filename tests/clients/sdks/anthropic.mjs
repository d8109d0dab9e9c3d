// The Anthropic SDK for JavaScript.

import { address, key, load, lookUp, model, parameters, refusal, run } from "./checks.mjs";

const { Anthropic } = load("@anthropic-ai/sdk");
const { betaTool } = load("@anthropic-ai/sdk/helpers/beta/json-schema");
const client = new Anthropic({ baseURL: address, apiKey: key, maxRetries: 0 });
const question = { model, max_tokens: 1000, messages: [{ role: "user", content: "Hello" }] };
const textOf = ({ content }) => content.map((block) => block.text ?? "").join("");
const told = (message) => {
  const { stop_reason, usage } = message;
  const tokens = [usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens];
  return [message.content[0].thinking, textOf(message), stop_reason, ...tokens];
};

async function withTools(stream) {
  const found = [];
  const run = (input) => {
    found.push(lookUp(input));
    return found.at(-1);
  };
  const tool = betaTool({ name: "look_up", description: "Looks up", inputSchema: parameters, run });
  const runner = client.beta.messages.toolRunner({ ...question, stream, tools: [tool] });
  return [textOf(await runner.runUntilDone()), found];
}

await run({
  models: async () => {
    const page = await client.models.list();
    return [page.data.some((one) => one.id === model && one.type === "model"), page.has_more];
  },
  message: async () => told(await client.messages.create(question)),
  stream: async () => told(await client.messages.stream(question).finalMessage()),
  tools: () => withTools(false),
  "tools stream": () => withTools(true),
  tokens: async () => {
    const { model, messages } = question;
    return (await client.messages.countTokens({ model, messages })).input_tokens > 0;
  },
  "auth token": async () => {
    const other = new Anthropic({ baseURL: address, apiKey: null, authToken: key, maxRetries: 0 });
    return textOf(await other.messages.create(question));
  },
  "wrong key": () => refusal(() => client.withOptions({ apiKey: "sk-wrong" }).messages.create(question)),
  "unknown model": () => refusal(() => client.messages.create({ ...question, model: "nobodys-model" })),
});
