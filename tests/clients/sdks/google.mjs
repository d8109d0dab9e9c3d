// Google's GenAI SDK for JavaScript.

import { address, key, load, lookUp, model, parameters, refusal, run } from "./checks.mjs";

const { GoogleGenAI } = load("@google/genai");
const clientWith = (apiKey) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: address } });
const { models } = clientWith(key);
const declared = { name: "look_up", description: "Looks up", parametersJsonSchema: parameters };
const config = { tools: [{ functionDeclarations: [declared] }] };

/** All parts of an answer, and its last chunk. */
async function asked(stream, question) {
  if (!stream) {
    const reply = await models.generateContent(question);
    return [reply.candidates[0].content.parts, reply];
  }
  const parts = [];
  let last;
  for await (const chunk of await models.generateContentStream(question)) {
    parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
    last = chunk;
  }
  return [parts, last];
}

const text = (parts) => parts.map((part) => (part.thought ? "" : (part.text ?? ""))).join("");

async function said(stream) {
  const [parts, last] = await asked(stream, { model, contents: "Hello" });
  const { promptTokenCount, totalTokenCount } = last.usageMetadata;
  return [text(parts), last.candidates[0].finishReason, promptTokenCount, totalTokenCount];
}

async function withTools(stream) {
  const contents = [{ role: "user", parts: [{ text: "Hello" }] }];
  const [parts] = await asked(stream, { model, contents, config });
  const calls = parts.filter((part) => part.functionCall).map((part) => part.functionCall);
  const answers = calls.map(({ id, name, args }) => ({
    functionResponse: { id, name, response: { output: lookUp(args) } },
  }));
  contents.push({ role: "model", parts }, { role: "user", parts: answers });
  const [last] = await asked(stream, { model, contents, config });
  return [text(last), answers.map((answer) => answer.functionResponse.response.output)];
}

await run({
  models: async () => {
    const listed = [];
    for await (const one of await models.list()) listed.push(one.name);
    return [listed.includes(`models/${model}`), (await models.get({ model })).name];
  },
  content: () => said(false),
  stream: () => said(true),
  tools: () => withTools(false),
  "tools stream": () => withTools(true),
  tokens: async () => (await models.countTokens({ model, contents: "Hello" })).totalTokens > 0,
  "wrong key": () =>
    refusal(() => clientWith("sk-wrong").models.generateContent({ model, contents: "Hello" })),
  "unknown model": () => refusal(() => models.generateContent({ model: "nobodys-model", contents: "Hello" })),
});
