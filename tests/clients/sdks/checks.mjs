// Runs named checks one after the other, and prints what each of them gave as one JSON object.
//
//   node openai.mjs FOLDER-OF-THE-PACKAGES ADDRESS KEY MODEL

import { createRequire } from "node:module";

const [folder, address, key, model] = process.argv.slice(2);
export { address, key, model };

/** Loads an installed package. */
export const load = createRequire(`${folder}/package.json`);

/** Parameters of the only tool, as a JSON schema. */
export const parameters = {
  type: "object",
  properties: { word: { type: "string" } },
  required: ["word"],
};

/** What the tool answers. */
export const lookUp = ({ word }) => `found ${word}`;

/** What a failing call says: the class and the status of its error. */
export async function refusal(call) {
  try {
    await call();
    return "no error";
  } catch (error) {
    return `${error.constructor.name} ${error.status}`;
  }
}

export async function run(checks) {
  const told = {};
  for (const [name, check] of Object.entries(checks)) {
    try {
      told[name] = await check();
    } catch (error) {
      told[name] = `${error.constructor.name}: ${error.message}`;
    }
  }
  console.log(JSON.stringify(told));
}
